"""How fast answers are scored: read, parsed, measured; and what a million of them takes in memory.

    python bench/scoring.py [--rounds 5] [--lines 1000000]

Published answers are taken from `WHERETAKEN_SHARED` (default `../shared`); without them the same number of
made-up ones. Baseline in the same run: a plain loop with `json.loads` for lines and answers and
`geopy.distance.geodesic` for distances; it reads fewer answers, as it takes only strict JSON objects. Times
are seconds of CPU: ours is the best of the rounds, the baseline is run once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from geopy.distance import geodesic

from wheretaken import answers
from wheretaken.evals.distances import score_results
from wheretaken.evals.results import read_results
from wheretaken.geo import distances_km
from wheretaken.scoring.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ROOT = Path(__file__).resolve().parents[1]
STREAMED = """
    import resource, sys, time
    from pathlib import Path
    from wheretaken.evals.distances import score_results
    from wheretaken.evals.results import read_results

    began = time.process_time()
    score = score_results(read_results(Path(sys.argv[1])))
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(score.n, seconds, peak / (1024 if sys.platform == "linux" else 1024**2))
"""


def answer_lines(n: int, seed: int = 0) -> list[str]:
    """Make up published lines: reasoning of some length, then an answer, as models write it."""
    rng, lines = random.Random(seed), list[str]()
    for index in range(n):
        lat, lon = rng.uniform(-60, 70), rng.uniform(-180, 180)
        answer = {"lat": round(lat + rng.gauss(0, 1), 4), "lon": round(lon, 4), "city": "A", "country": "B"}
        text = "The signs are in the script of this region. " * rng.randint(0, 20)
        line = {
            "index": index,
            "data_source": "made up",
            "ground_truth": {"lat": lat, "lon": lon, "image": f"images/{index}.jpg", "split": "test"},
            "solution_str": text + json.dumps(answer, indent=4),
        }
        lines.append(json.dumps(line))
    return lines


def published(folder: Path) -> list[Path]:
    """Return the published files, or as many lines of our own below `folder`."""
    shared = Path(os.environ.get("WHERETAKEN_SHARED") or ROOT.parent / "shared") / "published"
    if found := sorted(shared.glob("*.jsonl")):
        return found
    made = [folder / f"{number}.jsonl" for number in range(7)]
    for number, path in enumerate(made):
        path.write_text("\n".join(answer_lines(2500 if number < 3 else 934, number)) + "\n")
    return made


def plain_loop(held: Sequence[dict[str, Any]]) -> float:
    """Score as a plain script does; return Acc@10km."""
    within = 0
    for record in held:
        text, truth = record["solution_str"] or "", record["ground_truth"]
        try:
            found = json.loads(text[text.index("{") : text.rindex("}") + 1])
            place = float(found["lat"]), float(found["lon"])
            length = cast("Any", geodesic(place, (truth["lat"], truth["lon"])))  # the library has no types
            within += length.km < 10
        except (ValueError, KeyError, TypeError):
            continue
    return within / len(held)


def in_process(held: Sequence[dict[str, Any]]) -> float:
    """Parse texts that are in memory, measure and score them; return Acc@10km."""
    found = [answers.parse(record["solution_str"] or "") for record in held]
    pairs = [
        (answer.lat, answer.lon, record["ground_truth"]["lat"], record["ground_truth"]["lon"])
        for answer, record in zip(found, held, strict=True)
        if isinstance(answer, answers.Answer)
    ]
    tally = Tally()
    tally.add(distances_km(*zip(*pairs, strict=True)), ["answered"] * len(pairs))
    tally.add([float("inf")] * (len(held) - len(pairs)), ["unparsed"] * (len(held) - len(pairs)))
    return tally.score().acc["10km"]


def read_plainly(paths: Sequence[Path]) -> list[float]:
    """Read and score files as a plain script does."""
    return [plain_loop(records(path)) for path in paths]


def records(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def best(work: Callable[[], object], rounds: int) -> float:
    """Return the least CPU time of several rounds."""
    times: list[float] = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times)


def row(title: str, ours: float, plain: float, target: str) -> None:
    print(f"{title:44} {ours:8.3f} s {plain:9.3f} s {plain / ours:7.1f} x   {target}")


def stream(lines: int, folder: Path) -> tuple[float, float]:
    """Score so many lines in a process of its own; return seconds of CPU and peak MB."""
    path = folder / f"{lines}.jsonl"
    once = [line + "\n" for line in answer_lines(10_000)]
    with path.open("w") as file:
        for start in range(0, lines, len(once)):
            file.writelines(once[: lines - start])
    command = [sys.executable, "-c", textwrap.dedent(STREAMED), str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own command
    path.unlink()
    n, seconds, megabytes = done.stdout.split()
    assert int(n) == lines
    return float(seconds), float(megabytes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        files = published(Path(name))
        print(f"{'':44} {'ours':>10} {'plain loop':>11} {'faster':>9}   target")
        for path in files[:3]:
            held = records(path)
            ours = best(partial(in_process, held), options.rounds)
            row(f"{len(held)} answers of {path.stem}", ours, best(partial(plain_loop, held), 1), "0.1 s")
        size = sum(path.stat().st_size for path in files) / 1e6
        ours = best(lambda: [score_results(read_results(path)) for path in files], options.rounds)
        plain = best(lambda: read_plainly(files), 1)
        row(f"{len(files)} files, {size:.1f} MB, from disk", ours, plain, "1 s")
        print(f"\n{'streamed in a process of its own':44} {'CPU':>10} {'peak':>11}")
        for lines in (options.lines // 10, options.lines):
            seconds, megabytes = stream(lines, Path(name))
            print(f"{f'{lines:,} made-up lines':44} {seconds:8.1f} s {megabytes:8.0f} MB")


if __name__ == "__main__":
    main()
