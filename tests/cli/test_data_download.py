"""`wheretaken data download` as a user meets it, against a hub on this machine."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wheretaken.evals.downloads.folder import Folder
from wheretaken.testing.hub import FakeHub, Fault, Served

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

PHOTOS = {f"images/{n}.jpg": random.Random(n).randbytes(400_000) for n in range(12)}
FILES = {
    **PHOTOS,
    "test_metadata_v2.jsonl": b'{"image": "images/0.jpg", "latitude": 31.2, "longitude": 121.5}\n',
}


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as hub:
        hub.put("GD-ML/MAPBench-V2", FILES)
        hub.put("yux1ang/MAPBench-V2", FILES)
        hub.put("16670471", {"IMAGEO.csv": b"image,lat,lon\n"})
        yield hub


def saved(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "wheretaken-download.json"
    }


def test_it_says_what_arrived_and_where_it_is(hub: FakeHub, wheretaken, tmp_path: Path):
    done = wheretaken("data", "download", "mapbench-v2", **hub.environment, HF_TOKEN="hf_secret")
    assert done.returncode == 0, done.stderr
    assert "mapbench-v2: downloaded, 13 files, 4.8 MB, in data/mapbench-v2" in done.stdout
    assert "licence: Apache-2.0" in done.stdout
    assert "from huggingface GD-ML/MAPBench-V2 at " in done.stdout
    assert done.stderr == "mapbench-v2: 4.8 MB to download\n"
    assert saved(tmp_path / "data" / "mapbench-v2") == FILES
    record = (tmp_path / "data" / "mapbench-v2" / "wheretaken-download.json").read_text()
    assert json.loads(record)["id"] == "GD-ML/MAPBench-V2"
    assert "hf_secret" not in record + done.stdout + done.stderr

    again = wheretaken("data", "download", "mapbench-v2", HF_ENDPOINT="http://127.0.0.1:9")
    assert (again.returncode, again.stderr) == (0, "")
    assert "mapbench-v2: complete, 13 files" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("mapbench-v2", "--from", "modelscope"), "from modelscope yux1ang/MAPBench-V2 at master"),
        (("imageo",), "from zenodo 16670471 at 16670471"),
    ],
)
def test_other_sources(arguments: tuple[str, ...], words: str, hub: FakeHub, wheretaken):
    done = wheretaken("data", "download", *arguments, "-o", "here", **hub.environment)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


@pytest.mark.parametrize(
    ("arguments", "fault", "code", "words"),
    [
        (("mapbench",), None, 2, "'mapbench' cannot be downloaded by name: choose from mapbench-v1, "),
        (
            ("imageo", "--from", "huggingface"),
            None,
            2,
            "imageo is not offered by huggingface: use --from zenodo",
        ),
        (("mapbench-v2",), Fault(status=401), 2, "access denied (401)"),
        (("mapbench-v1",), None, 4, "not there (404): choose another source with --from"),
        (("im2gps3k",), Fault(status=429, headers={"Retry-After": "7200"}), 4, "too many requests (429)"),
    ],
)
def test_what_goes_wrong_is_one_line(
    arguments: tuple[str, ...], fault: Fault | None, code: int, words: str, hub: FakeHub, wheretaken
):
    if fault:
        hub.misbehave("/api/", fault)
    done = wheretaken("data", "download", *arguments, **hub.environment, HF_TOKEN="hf_secret")
    assert done.returncode == code
    assert done.stdout == ""
    assert done.stderr.startswith("wheretaken: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert "hf_secret" not in done.stderr


def test_without_a_network_it_says_so(wheretaken):
    done = wheretaken(
        "data", "download", "mapbench-v2", HF_ENDPOINT="http://127.0.0.1:9", NO_PROXY="127.0.0.1"
    )
    assert done.returncode == 4
    assert "127.0.0.1:9/api/" in done.stderr
    assert "cannot be reached: check the network" in done.stderr
    assert "HF_ENDPOINT" in done.stderr


def test_a_disk_that_fills_up_is_one_line(hub: FakeHub, tmp_path: Path):
    limited = ["sh", "-c", 'ulimit -f 400; exec "$@"', "sh"]  # blocks of 512 bytes a file
    done = subprocess.run(
        [*limited, sys.executable, "-m", "wheretaken", "data", "download", "mapbench-v2"],
        cwd=tmp_path,
        env=os.environ | hub.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("wheretaken: ")
    assert "cannot be written (File too large): make room, or choose another folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_killed_again_and_again_it_still_gets_everything_once(hub: FakeHub, tmp_path: Path):
    draw = random.Random(5)
    command = [sys.executable, "-m", "wheretaken", "data", "download", "mapbench-v2", "-o", "set"]
    environment = os.environ | hub.environment
    # Slow enough to be killed at work: 25 blocks a photo, 20 ms each.
    hub.misbehave("images", *[Fault(pause=0.02)] * 200, server="store")
    kept: dict[str, int] = {}
    for _ in range(6):
        at_store = {photo: len(from_store(hub, photo)) for photo in PHOTOS}
        with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as process:
            while all(len(from_store(hub, photo)) == at_store[photo] for photo in PHOTOS):
                assert process.poll() is None, "it ended before it could be killed"
                time.sleep(0.01)
            time.sleep(draw.uniform(0.02, 0.15))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        only_what_is_missing_was_sent(hub, at_store, kept)
        kept = {photo: size for photo in PHOTOS if (size := begun(tmp_path / "set", photo))}
    at_store = {photo: len(from_store(hub, photo)) for photo in PHOTOS}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True)
    only_what_is_missing_was_sent(hub, at_store, kept)
    assert saved(tmp_path / "set") == FILES
    # What was read was on the disk soon enough to be of use.
    assert sum(served.start > 0 for photo in PHOTOS for served in from_store(hub, photo)) >= 6


def from_store(hub: FakeHub, photo: str) -> list[Served]:
    return [served for served in hub.served(photo) if served.server == "store"]


def begun(root: Path, photo: str) -> int:
    """How much of a photo a killed process left on the disk."""
    part = Folder(root).part(photo)
    return part.stat().st_size if part.exists() else 0


def only_what_is_missing_was_sent(hub: FakeHub, before: dict[str, int], kept: dict[str, int]) -> None:
    """Every photo that was asked for since went on where it was, and was asked for once."""
    for photo in PHOTOS:
        since = from_store(hub, photo)[before[photo] :]
        assert [served.start for served in since] in ([], [kept.get(photo, 0)])
