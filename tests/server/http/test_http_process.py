"""`wheretaken serve` as a process: starting, workers that die, stopping, and what it never tells."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from wheretaken.testing.served import Served
from wheretaken.testing.services import FakeService, Reply
from wheretaken.testing.services import serve as serve_fake

from .conftest import until

Serve = Callable[..., Served]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]


def search(url: str, query: str, **options: object) -> httpx2.Response:
    return httpx2.post(f"{url}/tools/search_places", json={"query": query}, timeout=30, **options)  # type: ignore[arg-type] - any option


def own_data(directory: Path) -> dict[str, str]:
    """Return the environment of a server that counts its requests to services in a file of its own."""
    return {"WHERETAKEN_DATA_DIR": str(directory / "data")}


def started(directory: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "wheretaken", "serve", *options],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_offline_tools_are_served_without_any_setting_and_answers_outlive_the_server(serve: Serve) -> None:
    first = serve("--cache", "sqlite:answers.sqlite")
    answer = search(first.url, "Helsinki").json()
    assert "geonames:658225" in answer["text"]
    assert not answer["cached"]
    drawn = httpx2.post(
        f"{first.url}/tools/road_map", json={"lat": 60.17, "lon": 24.94, "zoom": 4}, timeout=60
    )
    (image,) = drawn.json()["images"]
    assert first.stop() == 0
    assert "Traceback" not in first.log.read_text()
    second = serve("--cache", "sqlite:answers.sqlite")
    assert search(second.url, "Helsinki").json()["cached"]
    assert httpx2.get(second.url + image["url"]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "environment", "said"),
    [
        (["--host", "0.0.0.0"], {}, "set a token with WHERETAKEN_SERVER_TOKEN or --token"),
        (["--token", "two words"], {}, "the token must be printable ASCII"),
        (["--cache", "paper:notes"], {}, "'paper' is of no known kind"),
        (["--workers", "2", "--cache", "paper:notes"], {}, "'paper' is of no known kind"),
        (["--host", "203.0.113.7", "--token", "tea"], {}, "cannot serve on 203.0.113.7"),
        ([], {"WHERETAKEN_TILES_URL": "ftp://x"}, "WHERETAKEN_TILES_URL"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    tmp_path: Path, options: list[str], environment: dict[str, str], said: str
) -> None:
    done = started(tmp_path, "--port", "0", *options, **environment)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_port_in_use_is_told(serve: Serve, tmp_path: Path) -> None:
    port = serve().url.rpartition(":")[2]
    done = started(tmp_path, "--port", port)
    assert done.returncode == 2
    assert "Address already in use" in done.stderr


def test_others_need_the_token(serve: Serve) -> None:
    one = serve("--host", "0.0.0.0", WHERETAKEN_SERVER_TOKEN="tea-and-toast")
    url = one.url.replace("0.0.0.0", "127.0.0.1")
    assert search(url, "Helsinki").status_code == 401
    headers = {"Authorization": "Bearer tea-and-toast", "Host": "maps.example"}
    assert search(url, "Helsinki", headers=headers).status_code == 200
    assert "tea-and-toast" not in one.log.read_text()
    assert "tea-and-toast" not in Path(f"/proc/{one.process.pid}/cmdline").read_text()


def test_an_open_request_is_answered_before_the_server_stops(serve: Serve, tmp_path: Path) -> None:
    asked = threading.Event()

    def answer(_asked: object) -> Reply:
        asked.set()
        time.sleep(1)
        return Reply.json({"type": "FeatureCollection", "features": []})

    with serve_fake(FakeService(answer)) as upstream, ThreadPoolExecutor() as threads:
        one = serve(WHERETAKEN_PHOTON_ENABLED="true", WHERETAKEN_PHOTON_URL=upstream, **own_data(tmp_path))
        reply = threads.submit(search, one.url, "Helsinki")
        assert asked.wait(10)
        assert one.stop() == 0
        assert reply.result().status_code == 200


async def test_a_worker_that_is_killed_in_mid_load_is_replaced_and_nothing_is_lost(serve: Serve) -> None:
    one = serve("--workers", "2", "--cache", "sqlite:answers.sqlite")
    await until(lambda: len(one.children()) == 2, 0.1)
    before = set(one.children())
    names = ("Helsinki", "Paris", "東京", "Oslo", "Lima", "Quito", "Cairo", "Delhi")
    answered: list[bool] = []

    async def rollout(client: httpx2.AsyncClient, number: int) -> None:
        for turn in range(25):
            for _ in range(20):
                with contextlib.suppress(httpx2.TransportError):
                    name = names[(number + turn) % len(names)]
                    reply = await client.post(f"{one.url}/tools/search_places", json={"query": name})
                    break
                await asyncio.sleep(0.1)
            else:
                pytest.fail("no worker answers")
            assert reply.status_code == 200
            assert name in reply.json()["text"]
            answered.append(reply.json()["cached"])

    async def kill() -> None:
        await until(lambda: len(answered) >= 40)
        os.kill(min(before), signal.SIGKILL)

    async with httpx2.AsyncClient(timeout=30) as client, asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(rollout(client, number))
        tasks.create_task(kill())
    assert len(answered) == 200
    assert answered.count(False) <= 2 * len(names)
    await until(lambda: len(children := one.children()) == 2 and min(before) not in children, 0.1)
    numbers = httpx2.get(f"{one.url}/metrics").text
    counted = [line for line in numbers.splitlines() if line.startswith("wheretaken_tool_seconds_count")]
    # What the dead worker counted is still there; only what it was doing when it died may be missing.
    assert 190 <= sum(float(line.rpartition(" ")[2]) for line in counted) <= 200
    assert one.stop() == 0
    assert "died" in one.log.read_text()
    assert not list(one.log.parent.glob("wheretaken-server-*"))


def test_a_key_is_in_no_answer_no_log_no_number_and_no_cache(serve: Serve, tmp_path: Path) -> None:
    canary = "canary0key0of0amap"

    def refuse(_asked: object) -> Reply:
        return Reply.json({"status": "0", "info": f"INVALID_USER_KEY {canary}", "infocode": "10001"})

    with serve_fake(FakeService(refuse)) as upstream:
        one = serve(
            "--toolset", "amap", "--cache", "sqlite:answers.sqlite",
            WHERETAKEN_AMAP_KEY=canary, WHERETAKEN_AMAP_URL=upstream, **own_data(tmp_path),
        )  # fmt: skip
        told = [
            httpx2.post(f"{one.url}/amap_keyword_search", json={"query": "茶馆"}, timeout=30).text,
            httpx2.post(f"{one.url}/tools/amap_static_map", json={"latitude": 39.9, "longitude": 116.4}).text,
            *(httpx2.get(one.url + path).text for path in ("/readyz", "/metrics", "/openapi.json", "/tools")),
        ]
        one.stop()
    assert "amap" in told[0]
    told.append(one.log.read_text())
    told += [path.read_bytes().decode("latin-1") for path in tmp_path.glob("answers.sqlite*")]
    assert len(told) > 7
    assert not [text for text in told if canary in text]
