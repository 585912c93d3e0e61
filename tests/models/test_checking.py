"""What `wheretaken models check` finds out about servers that can do much, little and nothing."""

import json
import os
import subprocess
import sys
import tomllib

import pytest

from wheretaken.models.checking import EVERYTHING, Finding, check
from wheretaken.models.opening import open_server
from wheretaken.testing.scripted import say
from wheretaken.testing.services import Reply, serve
from wheretaken.testing.services.able import able, pictures
from wheretaken.testing.services.chat import ChatService, failure

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


async def found(turn, **rest):
    service = ChatService([turn], repeat_last=True)
    with serve(service) as url:
        server = open_server("openai:scripted", base_url=f"{url}/v1", changes=EVERYTHING)
        report = await check(server, **{"deadline": 5} | rest)
        await (await server.client()).close()
    return report, service


async def test_a_server_that_can_do_everything():
    report, service = await found(able)
    wrong = {c.name: (c.finding, c.detail) for c in report.checks if c.finding != Finding.YES}
    assert set(wrong) == {"thinks apart"}, wrong
    assert report.usable
    assert report.settings == {"pictures_in_tool_results": True, "takes_seed": True}
    assert len(service.requests) <= 10
    assert tomllib.loads(report.toml("mine"))["models"]["mine"]["model"] == "scripted"


async def test_a_server_whose_model_is_blind_in_tool_results_and_ignores_seeds():
    report, _ = await found(lambda body: able(body, sees=("user",), seeded=False))
    assert report["sees pictures"] == Finding.YES
    assert report["pictures in tool results"] == Finding.NO
    assert report["seed"] == Finding.NO
    assert report.settings == {"pictures_in_tool_results": False, "takes_seed": False}


async def test_a_blind_model_is_not_usable_whatever_it_claims():
    report, _ = await found(lambda body: say("It shows 2345.") if list(pictures(body)) else able(body))
    assert (report["sees pictures"], report["pictures in tool results"]) == (Finding.NO, Finding.SKIPPED)
    assert not report.usable


async def test_a_server_without_a_tool_parser_gets_calls_as_text():
    def refusing(body):
        refused = failure(400, '"auto" tool choice requires --enable-auto-tool-choice')
        return refused if "tools" in body else able(body)

    report, _ = await found(refusing)
    assert report["tools"] == Finding.FAILED
    assert report.settings["calls"] == "text"
    assert report.usable


async def test_each_request_has_its_deadline():
    def slow(body):
        if "digits" in str(body):
            import time

            time.sleep(1.5)
        return able(body)

    report, _ = await found(slow, deadline=1)
    assert report["sees pictures"] == Finding.FAILED
    assert "no reply within 1 s" in str(report.checks)
    assert report["streams"] == Finding.YES


async def test_a_server_that_fails_is_asked_no_further():
    report, service = await found(Reply(b"<html>", "text/html"))
    assert report["replies"] == Finding.FAILED
    assert len(service.requests) == 1


def run(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "wheretaken", "models", *arguments],
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_the_command_prints_a_table_settings_and_exit_codes():
    with serve(ChatService([able], repeat_last=True)) as url:
        code, said, _ = run("check", "--model", "openai:scripted", "--base-url", f"{url}/v1")
        assert (code, "[models.openai]" in said, "sees pictures" in said) == (0, True, True)
        code, said, _ = run("check", "--model", "openai:scripted", "--base-url", f"{url}/v1", "--json")
        report = json.loads(said)
        assert (code, report["usable"], report["model"]) == (0, True, "scripted")
    blind = ChatService([lambda body: able(body, sees=())], repeat_last=True)
    with serve(blind) as url:
        assert run("check", "--model", "vllm", "--base-url", f"{url}/v1")[0] == 3
    assert run("check", "--model", "vllm", "--base-url", "http://127.0.0.1:9/v1")[0] == 4
    code, _, said = run("check", "--model", "reader")
    assert (code, "no model named 'reader'" in said) == (2, True)


def test_the_list_has_settings_and_presets(tmp_path):
    (tmp_path / "wheretaken.toml").write_text('[models.mine]\npreset = "vllm"\nmodel = "q"\n')
    code, said, _ = run("list", "--json")
    names = [row["name"] for row in json.loads(said)]
    assert (code, names[:3], "claude:NAME" in names) == (0, ["reader", "mine", "vllm"], True)
    assert "openai:NAME" in run("list")[1]
