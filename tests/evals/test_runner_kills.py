"""`kill -9` at random moments: nothing is lost, nothing is done twice, and the numbers are the same."""

import json
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter

PROGRAM = """
    import asyncio, io, sys
    from pathlib import Path
    from PIL import Image
    from wheretaken.evals.model import Row, Truth
    from wheretaken.evals.running import Settings, run
    from wheretaken.testing.maps import FewPlaces
    from wheretaken.testing.scripted import ScriptedModel, call, say
    from wheretaken.tools.worldwide import WORLDWIDE

    def photo(n):
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), (n, 90, 20)).save(buffer, "PNG")
        return b"damaged" if n == 7 else buffer.getvalue()

    class Photos:
        name, notes = "forty", ()
        def rows(self):
            for n in range(40):
                truth = Truth(lat=10.0 + n % 3, lon=20.0)
                yield Row(f"row-{n}", f"{n}.png", photo(3 if n == 30 else n), truth, n + 1)

    class Slow(ScriptedModel):
        async def complete(self, messages, tools):
            await asyncio.sleep(DELAY)
            return await super().complete(messages, tools)

    def model(seed):
        zoom = call(("zoom", {"bbox_2d": [0, 0, 900, 900]}))
        return Slow([zoom, zoom, say('{"lat": %f, "lon": 20.0}' % (10.1 + seed % 2))])

    DELAY = float(sys.argv[2])
    settings = Settings(n=2, concurrency=6)
    asyncio.run(run(Photos(), model, WORLDWIDE, FewPlaces(), Path(sys.argv[1]), settings, resume=True))
"""


def start(out, delay: float) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROGRAM), str(out), str(delay)])


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def numbers(out) -> dict:
    """Everything about the results that time does not change."""
    results = lines(out / "results.jsonl")
    kept = ("status", "answer", "agree", "runs", "truth", "sha256", "detail")
    return {result["id"]: {name: result[name] for name in kept} for result in results}


def wait_for_a_run(process: subprocess.Popen, out) -> None:
    """Python needs some time to start; kills before the first run would test little."""
    deadline, before = time.monotonic() + 120, set(out.glob("events/*.jsonl"))
    while process.poll() is None and not set(out.glob("events/*.jsonl")) - before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_ten_kills_lose_nothing_and_repeat_nothing(tmp_path):
    whole = tmp_path / "whole"
    assert start(whole, 0.0).wait(120) == 0

    out, rng, killed = tmp_path / "killed", random.Random(5), 0
    while killed < 10:
        process = start(out, 0.06)
        wait_for_a_run(process, out)
        time.sleep(rng.uniform(0, 0.25))
        assert process.poll() is None, "the set was done before it could be killed ten times"
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        killed += 1
    assert (out / "trajectories.jsonl").read_bytes().count(b"\n") < 76  # there is something left to do
    assert start(out, 0.0).wait(120) == 0

    assert numbers(out) == numbers(whole)
    assert [line["id"] for line in lines(out / "data.jsonl")] == [f"row-{n}" for n in range(40)]
    assert len(lines(out / "results.jsonl")) == 40
    runs = Counter((line["photo"]["sha256"], line["seed"]) for line in lines(out / "trajectories.jsonl"))
    assert set(runs.values()) == {1}
    assert len(runs) == 38 * 2  # one photo is damaged, one is there twice
    logs = list((out / "events").glob("*.jsonl"))
    assert {log.stem for log in logs} == {line["id"] for line in lines(out / "trajectories.jsonl")}
    assert all(lines(log)[-1]["type"] == "run_ended" for log in logs)
    assert list((out / "events" / "abandoned").glob("*.jsonl"))
    assert not list(out.rglob("*.tmp"))
