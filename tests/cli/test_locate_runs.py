"""`wheretaken locate` with several runs: who agrees, who decides, what it rests on, and its settings."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from wheretaken.agent import read
from wheretaken.cli import locating
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE, USAGE
from wheretaken.errors import ModelError, ServiceError, UserError
from wheretaken.maps import Place
from wheretaken.sampling.solution import read_solutions
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.testing.services import serve
from wheretaken.testing.services.chat import ChatService

HELSINKI = Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94, population=650_000)
SEARCH = call(("search_places", {"query": "Helsinki"}), text="The sign says HELSINKI.")


def at(lat, lon, city, *, tokens=100, evidence=()):
    answer = {"lat": lat, "lon": lon, "city": city, "country": "Finland", "evidence": list(evidence)}
    return say(json.dumps(answer), tokens=tokens)


READS = {"reads": "HELSINKI", "place": "Helsinki", "lat": 60.17, "lon": 24.94}
NEAR = at(60.17, 24.94, "Helsinki", evidence=[READS])
NEARER = at(60.18, 24.95, "Helsinki")
TURKU = at(60.45, 22.27, "Turku")


def locate(paths, script, *, model=None, maps=None, out=None, as_json=False, **options):
    given = locating.Options(out, as_json=as_json, max_turns=8, quiet=True, **options)
    model = model or ScriptedModel(script)
    return locating.locate(paths, given, model=model, maps=maps or FewPlaces([HELSINKI]))


def test_runs_that_agree_outvote_one_and_its_place_is_the_runner_up(sign, tmp_path, capsys):
    out = tmp_path / "runs"
    assert locate([sign], [NEAR, TURKU, NEARER], n=3, as_json=True, out=out) == OK
    data = json.loads(capsys.readouterr().out)
    assert data["answer"]["city"] == "Helsinki"
    assert (data["agree"], data["of"], data["verifier"], data["source"]) == (2, 3, "vote", "candidate")
    assert [run["seed"] for run in data["runs"]] == [0, 1, 2]
    (other,) = data["runners_up"]
    assert (other["city"], other["runs"]) == ("Turku", [data["runs"][1]["id"]])
    assert data["usage"]["completion_tokens"] == 300
    assert data["answer"]["radius_km"] > 0
    assert 0 < data["answer"]["confidence"] < 1
    (kept,) = read_solutions(out)
    assert [run.id for run in kept.runs] == [run["id"] for run in data["runs"]]
    assert {run.id for run in read(out)} == {run.id for run in kept.runs}


def test_people_see_the_vote_the_call_behind_the_evidence_and_what_else_was_said(sign, capsys):
    assert locate([sign], [SEARCH, TURKU, NEAR], n=2) == OK
    shown = capsys.readouterr().out
    assert "1 of 2 runs agree within 25 km, decided by vote" in shown
    assert "Helsinki, Finland  60.17000, 24.94000" in shown
    assert '(turn 1: search_places query="Helsinki")' in shown
    assert "or Turku, Finland  60.45000, 22.27000 (1 run)" in shown
    assert "2 of 2 runs: 2 finished, 200 tokens" in shown


def test_what_no_tool_told_is_said_to_be_unsupported(sign, capsys):
    assert locate([sign], [TURKU, TURKU], n=2) == OK
    assert "nothing that a map told supports this position" in capsys.readouterr().out


def test_evidence_is_reported_with_the_call_that_told_of_it(sign, capsys):
    assert locate([sign], [SEARCH, NEAR], as_json=True) == OK
    data = json.loads(capsys.readouterr().out)
    (item,) = data["evidence"]
    assert item["holds"]
    assert item["told_by"]["tool"] == "search_places"
    assert item["told_by"]["turn"] == 1
    assert data["grounding"]["kind"] == "place"


def test_direct_runs_have_no_tools(sign, capsys):
    model = ScriptedModel([NEAR, NEARER, TURKU])
    assert locate([sign], (), model=model, n=1, direct=2, as_json=True) == OK
    assert [bool(tools) for tools in model.offered] == [True, False, False]
    data = json.loads(capsys.readouterr().out)
    assert [run["toolset"] for run in data["runs"]] == ["worldwide", "direct", "direct"]


def test_only_direct_runs_open_no_maps(sign, monkeypatch):
    monkeypatch.setattr(locating, "offline_maps", lambda _console: pytest.fail("maps were opened"))
    for options in ({"n": 0, "direct": 1}, {"toolset": "direct"}):
        given = locating.Options(None, as_json=False, max_turns=8, quiet=True, **options)
        assert locating.locate([sign], given, model=ScriptedModel([NEAR])) == OK


def test_early_stop_leaves_out_what_is_not_needed(sign, capsys):
    model = ScriptedModel([NEAR, NEARER])
    assert locate([sign], (), model=model, n=8, early_stop=True, as_json=True) == OK
    assert len(model.asked) == 2
    data = json.loads(capsys.readouterr().out)
    assert (data["agree"], data["of"], len(data["runs"])) == (2, 2, 2)


def test_the_hint_reaches_the_model_and_the_name_of_the_file_does_not(sign):
    named = sign.rename(sign.with_name("lisbon-38.7.jpg"))
    model = ScriptedModel([NEAR])
    assert locate([named], (), model=model, hint="  it is\n in Finland ") == OK
    (asked,) = model.asked
    assert asked[1].text.endswith("adds: it is in Finland")
    assert "lisbon" not in " ".join(message.text for message in asked)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([ModelError("down"), NEAR], OK),
        ([say("I cannot tell."), ModelError("down")], NO_ANSWER),
        ([ModelError("down"), ModelError("down")], SERVICE),
    ],
)
def test_exit_codes_of_several_runs(sign, capsys, script, code):
    assert locate([sign], script, n=2, as_json=True) == code
    data = json.loads(capsys.readouterr().out)
    assert (data["answer"] is not None) == (code == OK)
    assert len(data["runs"]) == 2


def test_a_map_service_that_fails_every_run_is_the_services_fault(sign):
    maps = FewPlaces(failure=ServiceError("map server is down"))
    assert locate([sign], [SEARCH, SEARCH], n=2, maps=maps) == SERVICE


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"n": 0}, "nothing is to be run"),
        ({"toolset": "atlas"}, "no toolset named 'atlas'; there are: worldwide, amap, google, direct"),
        ({"verifier": "oracle"}, "no verifier named 'oracle'; there are: vote, model, model:NAME"),
        ({"verifier": "model:reader"}, "reader reads signs and cannot weigh"),
        ({"verifier": "model:oracle"}, "no model named 'oracle'"),
        ({"toolset": "direct", "tools_config": Path("x.yaml")}, "have none to describe"),
    ],
)
def test_what_there_is_not_is_one_line(sign, options, complaint):
    with pytest.raises(UserError, match=complaint):
        locate([sign], [NEAR], **options)


def test_the_reader_cannot_be_its_own_verifier(wheretaken, sign):
    done = wheretaken("locate", "sign.jpg", "-n", "2", "--verifier", "model")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert "use the verifier vote" in done.stderr


def test_the_papers_tools_need_no_key(sign, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    model = ScriptedModel([NEAR])
    assert locate([sign], (), model=model, toolset="amap", as_json=True) == OK
    assert "amap_keyword_search" in {tool.name for tool in model.offered[0]}
    assert json.loads(capsys.readouterr().out)["runs"][0]["toolset"] == "amap"


def test_a_model_decides_between_the_runs(sign, capsys):
    # The two orders are asked after the runs, and both find Turku right.
    model = ScriptedModel([NEAR, NEARER, TURKU, TURKU, TURKU])
    assert locate([sign], (), model=model, n=3, verifier="model", as_json=True) == OK
    data = json.loads(capsys.readouterr().out)
    assert data["answer"]["city"] == "Turku"
    assert (data["verifier"], data["agree"], data["of"]) == ("model:scripted", 1, 3)
    assert model.offered[3:] == [(), ()]


def test_an_answer_of_the_verifiers_own_is_marked(sign, capsys):
    own = at(41.15, -8.61, "Porto")
    assert locate([sign], [NEAR, TURKU, own, own], n=2, verifier="model") == OK
    shown = capsys.readouterr().out
    assert "Porto, Finland" in shown
    assert "no run gave this place: it is the verifier's own" in shown


def test_the_settings_file_gives_defaults_and_the_environment_and_the_line_go_before(
    wheretaken, sign, tmp_path
):
    (tmp_path / "wheretaken.toml").write_text('[locate]\nmodel = "oracle"\nmax-turns = 3\njson = true\n')
    shown = wheretaken("locate", "sign.jpg").stderr
    assert "no model named 'oracle'" in shown
    assert "'seer'" in wheretaken("locate", "sign.jpg", WHERETAKEN_LOCATE_MODEL="seer").stderr
    given = wheretaken("locate", "sign.jpg", "--model", "sage", WHERETAKEN_LOCATE_MODEL="seer")
    assert "'sage'" in given.stderr
    done = wheretaken("locate", "none.jpg", "--model", "reader")
    assert json.loads(done.stdout)["status"] == "failed"


def test_a_wrong_name_in_the_settings_file_is_one_line(wheretaken, tmp_path, sign):
    (tmp_path / "wheretaken.toml").write_text("[locate]\nturns = 3\n")
    done = wheretaken("locate", "sign.jpg")
    assert done.returncode == USAGE
    assert "locate.turns is no option of locate; there are: base_url" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.enable_socket
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_ctrl_c_ends_with_what_the_runs_that_ended_know(sign, tmp_path):
    slow = threading.Event()
    second = threading.Event()

    def hang(_body):
        second.set()
        slow.wait(60)
        return TURKU

    service = ChatService([NEAR, hang])
    # A shell without job control starts what is in the background with the signal ignored.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from wheretaken.cli.main import run; run()"
    with serve(service) as url:
        options = ["-n", "2", "--json", "--out", "runs", "--model", "openai:scripted"]
        options += ["--base-url", f"{url}/v1", "--toolset", "direct"]
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                program,
                "locate",
                "sign.jpg",
                "-n",
                "2",
                "--json",
                "--out",
                "runs",
                *options,
            ],
            cwd=tmp_path,
            env=os.environ | {"WHERETAKEN_MODEL_KEY": "k"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        record = tmp_path / "runs" / "trajectories.jsonl"
        deadline = time.monotonic() + 60
        while not (second.is_set() and record.is_file()):
            assert time.monotonic() < deadline
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        shown, complaints = process.communicate(timeout=60)
        slow.set()
    assert process.returncode == 130, complaints
    data = json.loads(shown)
    assert data["answer"]["city"] == "Helsinki"
    assert sorted(run["stop_reason"] for run in data["runs"]) == ["cancelled", "finished"]
    assert complaints == "wheretaken: stopped\n"
