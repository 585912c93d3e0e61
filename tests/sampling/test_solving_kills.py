"""`kill -9` while a photo is solved: what is left can be read, and what was made is not made again."""

import json
import random
import signal
import subprocess
import sys
import textwrap
import time

from wheretaken.agent import StopReason, read
from wheretaken.sampling.solution import read_solutions

PROGRAM = """
    import asyncio, io, sys
    from pathlib import Path
    from PIL import Image
    from wheretaken.agent import Case
    from wheretaken.maps import Place
    from wheretaken.sampling.judge import Judge
    from wheretaken.sampling.parallel import Attempt
    from wheretaken.sampling.solving import made_before, solve
    from wheretaken.testing.maps import FewPlaces
    from wheretaken.testing.scripted import ScriptedModel, call, say
    from wheretaken.tools.worldwide import WORLDWIDE

    OUT, DELAY = Path(sys.argv[1]), float(sys.argv[2])
    ELSEWHERE = Place(id="t:1", name="Elsewhere", kind="city", lat=1.5, lon=2.5)

    class Slow(ScriptedModel):
        async def complete(self, messages, tools):
            await asyncio.sleep(DELAY)
            return await super().complete(messages, tools)

    class Judging(Slow):
        async def complete(self, messages, tools):
            pictures = [len(p.data) for message in messages for p in message.pictures]
            (OUT / "judged.txt").open("a").write(f"{min(pictures)} {len(pictures)}\\n")
            return await super().complete(messages, tools)

    def attempt(seed):
        calls = call(("search_places", {"query": "Elsewhere"}), ("road_map", {"lat": 1.5, "lon": 2.5}))
        answer = say('{"lat": %f, "lon": 2.5}' % (1.5 + seed % 2 * 30))
        return Attempt(seed, Slow([calls] * (1 + seed % 3) + [answer]), WORLDWIDE)

    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (9, 90, 20)).save(buffer, "PNG")
    case = Case.of(buffer.getvalue())
    OUT.mkdir(exist_ok=True)
    finished = made_before(OUT, case.info)
    left = [attempt(seed) for seed in range(6) if seed not in {run.seed for run in finished}]
    judge = Judge(Judging([say('{"lat": 31.5, "lon": 2.5}')] * 2), shuffles=2)
    asyncio.run(solve(case, left, FewPlaces([ELSEWHERE]), verifier=judge, out=OUT, finished=finished))
"""


def start(out, delay):
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(PROGRAM), str(out), str(delay)])


def wait_for_an_event(process, out):
    def written():
        return sum(log.stat().st_size for log in out.glob("events/*.jsonl")) if out.is_dir() else 0

    deadline, before = time.monotonic() + 120, written()
    while process.poll() is None and written() == before:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def told(solution):
    """All of a solution that neither time nor names of runs change."""
    runs = [(run.seed, run.status, run.stop_reason, run.lat, run.grounding.kind) for run in solution.runs]
    verdict = solution.verdict
    return runs, verdict.chosen, verdict.agree, verdict.of, verdict.note, solution.answer, solution.verifier


def test_whatever_moment_it_is_killed_at_it_can_be_read_and_gone_on_with(tmp_path):
    whole, out, drawn = tmp_path / "whole", tmp_path / "killed", random.Random(3)
    assert start(whole, 0.0).wait(120) == 0
    (expected,) = read_solutions(whole)
    assert (expected.verdict.chosen, expected.verdict.of) == (1, 6)

    kills = 0
    for most in (0.02, 0.05, 0.1, 0.15, 0.3, 0.3):
        process = start(out, 0.1)
        wait_for_an_event(process, out)
        time.sleep(drawn.uniform(0, most))
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(30)
        left = list(read(out))  # every log and line can be read
        assert left
        assert {run.stop_reason for run in left} <= {StopReason.KILLED, StopReason.FINISHED}
        assert len({run.id for run in left}) == len(left)
    assert kills >= 4
    made = {run.seed for run in read(out) if run.stop_reason is StopReason.FINISHED}
    before = (out / "trajectories.jsonl").read_bytes().count(b"\n") if made else 0

    assert start(out, 0.0).wait(120) == 0
    assert told(list(read_solutions(out))[-1]) == told(expected)
    lines = [json.loads(line) for line in (out / "trajectories.jsonl").read_text().splitlines()]
    assert sorted(line["seed"] for line in lines) == list(range(6)), "a run was lost, or made twice"
    assert len(lines) - before == 6 - len(made)
    judged = (out / "judged.txt").read_text().splitlines()[-2:]
    assert judged == (whole / "judged.txt").read_text().splitlines(), "the judge saw other pictures"
    assert all(int(line.split()[0]) > 0 for line in judged)
