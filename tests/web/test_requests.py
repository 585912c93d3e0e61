"""What the server does with requests, without a browser."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from wheretaken.errors import UserError
from wheretaken.testing.scripted import ScriptedModel
from wheretaken.web.settings import WebLimits, WebSettings

from .conftest import Gate, Serve, Site, Typing, finished, photo, script, submit

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]


def located(site: Site, **query: Any) -> dict[str, Any]:
    return finished(site, submit(site, **query).json()["id"])


@contextmanager
def listening(site: Site, job: str, last: str = "") -> Iterator[Iterator[tuple[str, str, Any]]]:
    """Yield frames of the stream as (event, id, data)."""
    headers = {"Last-Event-ID": last} if last else {}
    with httpx2.stream("GET", f"{site.url}/api/stream", params={"job": job}, headers=headers) as response:

        def frames() -> Iterator[tuple[str, str, Any]]:
            fields: dict[str, str] = {}
            for line in response.iter_lines():
                if line:
                    key, _, value = line.partition(": ")
                    fields[key] = value
                elif "data" in fields:
                    yield fields["event"], fields.get("id", ""), json.loads(fields["data"])
                    fields = {}

        yield frames()


def events_until_end(frames: Iterator[tuple[str, str, Any]]) -> tuple[list[dict[str, Any]], str]:
    heard: list[dict[str, Any]] = []
    for event, last, data in frames:
        if event == "run":
            heard += data
            if heard[-1]["type"] == "run_ended":
                return heard, last
    return heard, ""


def test_a_photo_is_located_on_record_as_the_command_line_does(serve: Serve) -> None:
    from wheretaken.agent import trajectory

    site = serve()
    job = located(site, name="../x/corner.jpg", n=2)
    assert job["state"] == "done"
    assert job["name"] == "corner.jpg"
    assert job["decided"] | {"confidence": 0} == {
        "run": job["runs"][0], "agree": 2, "of": 2, "place": "Helsinki, Finland",
        "radius_km": job["decided"]["radius_km"], "confidence": 0, "grounding": "place", "holds": [True],
    }  # fmt: skip
    assert {one.id for one in trajectory.read(site.directory)} == set(job["runs"])
    assert httpx2.get(f"{site.url}/api/runs/{job['runs'][1]}").json() == {
        "job": job["id"],
        "evaluation": None,
        "rested": None,
    }
    log = httpx2.get(f"{site.url}/api/runs/{job['runs'][1]}/log").text.splitlines()
    assert json.loads(log[-1])["type"] == "run_ended"


def test_a_stream_is_taken_up_where_it_broke_off_even_by_another_server(serve: Serve) -> None:
    site = serve()
    job = located(site, n=2)
    with listening(site, job["id"]) as frames:
        kinds = [next(frames) for _ in range(3)]
    assert [kind for kind, _, _ in kinds] == ["jobs", "run", "run"]
    whole = [event for _, _, data in kinds[1:] for event in data]
    assert kinds[-1][1] == f"{len(kinds[1][2])}.{len(kinds[2][2])}"
    again = serve()
    with listening(again, job["id"], "4.2") as frames:
        rest = [event for _, _, data in (next(frames), next(frames), next(frames))[1:] for event in data]
    assert rest == [event for event in whole if event["number"] >= (4 if event["run"].endswith("-0") else 2)]


def test_events_are_sent_while_they_happen(serve: Serve) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=1)})
    job = submit(site).json()
    with listening(site, job["id"]) as frames:
        heard: list[str] = []
        while "tool_ended" not in heard:
            _, _, data = next(frames)
            heard += [event.get("type", "") for event in data]
        assert "run_ended" not in heard
        gate.set()
        events, _ = events_until_end(frames)
    assert events[-1]["status"] == "answered"


def test_what_a_model_writes_is_sent_while_it_writes_and_is_in_no_log(serve: Serve) -> None:
    gate = threading.Event()
    site = serve({"typing": lambda _seed: Typing(script(), gate, before=1)})
    job = submit(site).json()
    with listening(site, job["id"]) as frames:
        first = next(data for kind, _, data in frames if kind == "delta")
        assert first["anew"]
        assert first["number"] == 7
        texts = [piece for piece in first["pieces"] if piece["kind"] == "text"]
        assert "".join(piece["text"] for piece in texts) == "A sign, it says <KIOSKI>"
        with listening(site, job["id"]) as late:
            assert next(data for kind, _, data in late if kind == "delta") == first, (
                "who comes late is told all"
            )
        gate.set()
        events, last = events_until_end(frames)
    assert events[-1]["type"] == "run_ended"
    with listening(site, job["id"], last) as frames:
        assert next(frames)[0] == "jobs"
    log = httpx2.get(f"{site.url}/api/runs/{job['runs'][0]}/log").text
    assert "delta" not in log


def test_no_metadata_is_kept(serve: Serve) -> None:
    site = serve()
    job = located(site, data=None)
    taken = finished(site, submit(site, photo("green", exif=True)).json()["id"])
    kept = httpx2.get(f"{site.url}/api/media/{taken['picture']['sha256']}")
    assert kept.headers["content-type"] == "image/jpeg"
    assert b"Exif" in photo("green", exif=True)
    assert b"Exif" not in kept.content
    assert all(b"Exif" not in path.read_bytes() for path in site.directory.rglob("*") if path.is_file())
    small = httpx2.get(f"{site.url}/api/media/{job['picture']['sha256']}?side=96")
    assert len(small.content) < len(kept.content)


def test_a_hint_reaches_the_model_and_a_file_name_does_not(serve: Serve) -> None:
    made: list[ScriptedModel] = []

    def model(_seed: int) -> ScriptedModel:
        made.append(ScriptedModel(script()))
        return made[-1]

    site = serve({"m": model})
    located(site, name="canary-name.jpg", hint="it is in Portugal")
    told = " ".join(message.model_dump_json() for asked in made[0].asked for message in asked)
    assert "it is in Portugal" in told
    assert "canary-name" not in told


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"model": "gpt"}, 422, "no model 'gpt'"),
        ({"toolset": "x"}, 422, "no toolset 'x'"),
        ({"n": 17}, 422, "from 1 to 16"),
        ({"n": "many"}, 422, "n:"),
        ({"hint": "x" * 301}, 422, "300 characters"),
        ({"seed": -1}, 422, "seed"),
        ({"truth": "Paris"}, 422, "truth"),
    ],
)
def test_wrong_settings_are_refused_in_words(
    serve: Serve, query: dict[str, Any], status: int, says: str
) -> None:
    told = submit(serve(), **query)
    assert told.status_code == status
    assert says in told.json()["error"]


def test_what_is_no_photo_or_too_large_is_refused(serve: Serve) -> None:
    site = serve(limits=WebLimits(picture_bytes=50_000))
    assert submit(site, b"<svg onload=alert(1)>").json()["kind"] == "bad_picture"
    assert submit(site, b"\xff" * 60_000).status_code == 413
    text = httpx2.post(f"{site.url}/api/jobs", content=photo(), headers={"Content-Type": "text/plain"})
    assert text.status_code == 415
    assert [path for path in site.directory.rglob("*") if path.is_file()] == []


def test_the_queue_has_an_end_and_shows_positions(serve: Serve) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=0)}, limits=WebLimits(jobs=1, waiting=2))
    jobs = [submit(site).json()["id"] for _ in range(3)]
    told = [httpx2.get(f"{site.url}/api/jobs/{job}").json() for job in jobs]
    assert [(one["state"], one["position"]) for one in told] == [("running", 0), ("queued", 1), ("queued", 2)]
    refused = submit(site)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "30")
    cancelled = httpx2.post(f"{site.url}/api/jobs/{jobs[1]}/cancel", json={}).json()
    assert cancelled["state"] == "cancelled"
    assert httpx2.get(f"{site.url}/api/jobs/{jobs[2]}").json()["position"] == 1
    gate.set()
    assert finished(site, jobs[2])["state"] == "done"


def test_a_run_that_is_stopped_stays_on_record(serve: Serve) -> None:
    gate = threading.Event()
    site = serve({"gate": lambda _seed: Gate(script(), gate, before=1)})
    job = submit(site).json()
    with listening(site, job["id"]) as frames:
        while next(frames)[0] != "run":
            pass
        httpx2.post(f"{site.url}/api/jobs/{job['id']}/cancel", json={})
        events, _ = events_until_end(frames)
    gate.set()
    assert events[-1]["stop_reason"] == "cancelled"


def test_history_outlives_the_server_and_what_was_under_way_has_failed(serve: Serve) -> None:
    site = serve()
    done = located(site)
    left = json.loads((site.directory / "jobs" / f"{done['id']}.json").read_text())
    (site.directory / "jobs" / "left.json").write_text(json.dumps(left | {"id": "left", "state": "running"}))
    (site.directory / "jobs" / "broken.json").write_text("{")
    again = serve()
    assert httpx2.get(f"{again.url}/api/jobs/{done['id']}").json() == done
    told = httpx2.get(f"{again.url}/api/jobs/left").json()
    assert told["state"] == "failed"
    assert "ask again" in told["detail"]
    assert (site.directory / "jobs" / "broken.json").exists()


def test_a_deleted_photo_takes_along_nothing_that_others_need(serve: Serve) -> None:
    site = serve()
    first, second = located(site), located(site)
    assert first["picture"] == second["picture"]
    assert httpx2.delete(f"{site.url}/api/jobs/{first['id']}").status_code == 204
    assert httpx2.get(f"{site.url}/api/jobs/{first['id']}").status_code == 404
    assert httpx2.get(f"{site.url}/api/media/{second['picture']['sha256']}").status_code == 200
    for path in site.directory.rglob("*"):
        if path.is_file() and path.suffix != ".jpg":
            assert first["id"].encode() not in path.read_bytes()
    (line,) = (site.directory / "trajectories.jsonl").read_text().splitlines()
    assert json.loads(line)["id"] == second["runs"][0]
    httpx2.delete(f"{site.url}/api/jobs/{second['id']}")
    assert httpx2.get(f"{site.url}/api/media/{second['picture']['sha256']}").status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 201),
    ],
)
def test_pages_of_others_are_refused(serve: Serve, headers: dict[str, str], status: int) -> None:
    site = serve()
    headers = {"Content-Type": "image/jpeg", **headers}
    assert httpx2.post(f"{site.url}/api/jobs", content=photo(), headers=headers).status_code == status


def test_nothing_is_given_without_the_token(serve: Serve) -> None:
    site = serve(token=SecretStr("let-me-in"))
    for path in ("setup", "stream", "jobs/x", "media/x", "runs/x/log", "world/land", "evaluations/x"):
        assert httpx2.get(f"{site.url}/api/{path}").status_code == 401
    assert submit(site).status_code == 401
    assert httpx2.get(site.url).status_code == 200, "the page itself holds no secret"
    wrong = httpx2.post(f"{site.url}/signin", content=b"x")
    assert wrong.status_code == 401
    signed = httpx2.post(f"{site.url}/signin", content=b"let-me-in")
    cookie = signed.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
    cookies = {"Cookie": cookie.split(";")[0]}
    assert httpx2.get(f"{site.url}/api/setup", headers=cookies).status_code == 200
    bearer = {"Authorization": "Bearer let-me-in"}
    assert httpx2.get(f"{site.url}/api/setup", headers=bearer).status_code == 200


def test_only_what_was_named_is_read(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "secret.jsonl").write_text("secret\n")
    site = serve()
    for path in (
        "runs/..%2F..%2Fsecret/log",
        "media/..%2Fjobs",
        "evaluations/..%2Fx",
        "..%2f..%2fsecret.jsonl",
    ):
        told = httpx2.get(f"{site.url}/api/{path}")
        assert told.status_code == 404
        assert "secret" not in told.text.replace("secret.jsonl", "")
    assert httpx2.get(f"{site.url}/..%2f..%2f..%2fpyproject.toml").status_code == 404


def test_runs_without_a_truth_are_shown_without_errors(serve: Serve, tmp_path: Path) -> None:
    site = serve()
    (run,) = located(site)["runs"]
    (tmp_path / "none").mkdir()
    other = serve(directory=tmp_path / "other", evaluations=(site.directory, tmp_path / "none"))
    table = httpx2.get(f"{other.url}/api/evaluations/{site.directory.name}").json()
    assert (table["km"], table["truth"], table["answer"]) == ([None], [None], [[60.17, 24.94]])
    assert table["grounding"] == ["place"]
    told = httpx2.get(f"{other.url}/api/runs/{run}").json()
    assert told["rested"] == {"grounding": "place", "holds": [True]}
    refused = httpx2.get(f"{other.url}/api/evaluations/none")
    assert refused.status_code == 422
    assert str(tmp_path) not in refused.text


def test_browsers_are_told_to_take_everything_from_here(serve: Serve) -> None:
    headers = httpx2.get(serve().url).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert headers["x-content-type-options"] == "nosniff"
    with_tiles = serve(tiles="https://tiles.example/{z}/{x}/{y}.png").url
    assert (
        "img-src 'self' data: blob: https://tiles.example;"
        in httpx2.get(with_tiles).headers["content-security-policy"]
    )


def test_what_others_can_reach_needs_a_token() -> None:
    with pytest.raises(UserError, match="token"):
        WebSettings(host="0.0.0.0").check()


def test_the_world_is_built_in(serve: Serve) -> None:
    site = serve()
    land = httpx2.get(f"{site.url}/api/world/land", timeout=30).json()
    assert len(land["features"]) > 20
    cities = httpx2.get(f"{site.url}/api/world/cities", timeout=30).json()
    assert "Helsinki" in {city["properties"]["name"] for city in cities["features"]}


def test_the_maps_of_this_machine_are_shown_behind_the_token(serve: Serve) -> None:
    from wheretaken.server.tiles import installed_maps

    site = serve(vector=installed_maps, token=SecretStr("let-me-in"))
    for path in ("tiles.json", "tiles/style.json", "tiles/0/0/0.mvt"):
        assert httpx2.get(f"{site.url}/api/{path}").status_code == 401
    bearer = {"Authorization": "Bearer let-me-in"}
    style = httpx2.get(
        f"{site.url}{httpx2.get(f'{site.url}/api/setup', headers=bearer).json()['style']}", headers=bearer
    )
    (source,) = style.json()["sources"].values()
    assert source["url"] == f"{site.url}/api/tiles.json"
    (tiles,) = httpx2.get(source["url"], headers=bearer, timeout=60).json()["tiles"]
    assert tiles == f"{site.url}/api/tiles/{{z}}/{{x}}/{{y}}.mvt"
    # Central Helsinki, which is built in.
    tile = httpx2.get(tiles.format(z=14, x=9327, y=4742), headers=bearer, timeout=60)
    assert tile.status_code == 200
    assert b"Fabianinkatu" in tile.content


def test_a_failed_model_is_a_record(serve: Serve) -> None:
    from wheretaken.errors import ModelError

    job = located(serve({"m": lambda _seed: ScriptedModel([ModelError("no reply")])}))
    assert (job["state"], job["decided"]["run"]) == ("done", None)


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wheretaken", "web", str(tmp_path / "nothing"), "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "is no directory of runs" in done.stderr
