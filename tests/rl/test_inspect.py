"""Curves of a training: they show what was recorded, and name what a person should look at."""

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.agent.events import Status
from wheretaken.errors import DataError
from wheretaken.evals.report import to_html
from wheretaken.rl.inspect import Series, findings, plots, read, report
from wheretaken.rl.inspect.page import ticks
from wheretaken.rl.inspect.png import draw
from wheretaken.rl.records import Line, Recorder
from wheretaken.rl.reward import band
from wheretaken.scoring import reward

HOSTILE = "<script>alert(1)</script>&\u202e"


def line(step: int, km: float | None = 1.0, **rest) -> Line:
    usual = {
        "id": "x",
        "group": "g",
        "score": 0.0 if km is None else reward(km),
        "km": km,
        "band": "none" if km is None else band(km),
        "status": Status.UNPARSED if km is None else Status.ANSWERED,
        "stop": "finished",
        "calls": 2,
        "turns": 3,
        "tokens": 100,
        "grounded": True,
        "tools": {"road_map": 1, "zoom": 1},
    }
    return Line(step=step, **(usual | rest))


def recorded(directory: Path, *lines: Line, **metrics: float) -> Path:
    writer = Recorder(directory / "run")
    writer.scores(lines)
    if metrics:
        writer.metrics(1, metrics)
    return directory


def curve(directory: Path, plot: str, series: str) -> list[float]:
    (found,) = [one for one in plots(read(directory)) if one.id == plot]
    return next(list(one.values) for one in found.series if one.name == series)


def test_curves_are_what_was_recorded(tmp_path):
    first = [
        line(1, 0.1),
        line(1, 5.0),
        line(1, None, grounded=None, stop="length"),
        line(1, 900.0, grounded=False),
    ]
    second = [line(2, 0.1, calls=4, faults=1, failed_calls=2, masked=True)] * 4
    recorded(tmp_path, *first, *second)
    assert curve(tmp_path, "reward", "training") == pytest.approx([(1 + 0.6) / 4, 1.0])
    assert curve(tmp_path, "train-acc", "within 500 m") == [0.25, 1.0]
    assert curve(tmp_path, "train-acc", "within 10 km") == [0.5, 1.0]
    assert curve(tmp_path, "train-earned", "within 10 km") == pytest.approx([0.15, 0.0])
    assert curve(tmp_path, "train-status", "unparsed") == [0.25, 0.0]
    assert curve(tmp_path, "train-stops", "length") == [0.25, 0.0]
    assert curve(tmp_path, "train-calls", "all") == [2.0, 4.0]
    assert curve(tmp_path, "train-failures", "wrong calls") == [0.0, 0.5]
    assert curve(tmp_path, "train-failures", "service faults") == [0.0, 0.25]
    assert curve(tmp_path, "train-grounded", "grounded") == pytest.approx([2 / 3, 1.0])
    assert curve(tmp_path, "train-equal", "groups") == [0.0, 1.0]
    assert "4 rollouts in which a service failed" in plots(read(tmp_path))[0].caption


def test_pass_at_k_is_the_unbiased_estimate(tmp_path):
    right = [line(1, 1.0)] * 2 + [line(1, 100.0)] * 2
    wrong = [line(1, 100.0, group="h")] * 4
    recorded(tmp_path, *right, *wrong)
    assert curve(tmp_path, "train-passk", "pass@1") == [0.25]
    assert curve(tmp_path, "train-passk", "pass@2") == pytest.approx([(1 - 1 / 6) / 2])
    assert curve(tmp_path, "train-passk", "pass@4") == [0.5]
    names = [one.name for one in plots(read(tmp_path))[4].series]
    assert names == ["pass@1", "pass@2", "pass@4"]


def test_the_numbers_of_either_engine_are_found(tmp_path):
    recorded(tmp_path / "trl", line(1), entropy=0.5, kl=0.1)
    recorded(tmp_path / "verl", line(1), **{"actor/entropy": 0.5, "actor/kl_loss": 0.1})
    for name in ("trl", "verl"):
        made = {plot.id: plot.series[0].values for plot in plots(read(tmp_path / name))}
        assert (made["entropy"], made["kl"]) == ([0.5], [0.1])


def test_validation_stands_beside_training(tmp_path):
    recorded(tmp_path, line(1), line(1, 0.1, split="val"), line(5, 0.1, split="val"))
    assert curve(tmp_path, "reward", "validation") == [1.0, 1.0]
    assert "Validation: pass@k" in [plot.title for plot in plots(read(tmp_path))]


def test_many_points_are_averaged_and_none_is_lost():
    series = Series("x", range(400), [float(n % 2) for n in range(400)])
    assert len(series.smooth) == 400
    assert all(0.4 < value < 0.6 for value in series.smooth[20:-20])
    few = Series("x", [1, 2], [3.0, 4.0])
    assert list(few.smooth) == [3.0, 4.0]
    constant = Series("x", range(100), [2.0] * 100)
    assert list(constant.smooth) == pytest.approx([2.0] * 100)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0, 0.0002), (-3, 7), (1, 3), (0.5, 0.5), (1, 1e6)])
def test_ticks_are_round_and_hold_the_range(low, high):
    found = ticks(low, high)
    assert found[0] <= low + 1e-9
    assert found[-1] >= high - 1e-9
    assert 1 <= len(found) <= 9


def steps(*rewards: float, **rest) -> list[Line]:
    return [
        line(step, 1.0, score=score, group=f"{n}", **rest)
        for step, score in enumerate(rewards, 1)
        for n in range(2)
    ]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (steps(*[0.5] * 12), "did not rise"),
        (steps(*[0.5] * 6, *[0.1] * 6), "fell"),
        (steps(0.5, stop="length"), "cut off by the length limit"),
        (steps(0.5, faults=1), "Services failed in 50.0% of the last calls"),
        ([line(1, None)], "without an answer that can be read"),
        ([line(1), line(1)], "teach nothing"),
        ([line(1, split="val")], "No rollout of the training"),
    ],
)
def test_what_a_person_should_look_at_is_named(tmp_path, lines, said):
    recorded(tmp_path, *lines)
    assert any(said in finding.title for finding in findings(read(tmp_path)))


def test_a_good_training_has_no_findings(tmp_path):
    recorded(tmp_path, *[line(s, score=min(s / 12, 1) - n / 9) for s in range(1, 13) for n in range(2)])
    assert findings(read(tmp_path)) == []


def test_a_page_needs_nothing_else_and_runs_nothing_of_a_models(tmp_path):
    recorded(tmp_path, line(1, stop=HOSTILE, tools={HOSTILE: 2}), entropy=1.0)
    page = to_html(report([read(tmp_path, HOSTILE)]))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert not re.search(r'(src|href)="(?!#|data:)', page)
    assert "default-src 'none'" in page


def test_pictures_are_drawn_for_one_and_for_several(tmp_path):
    trainings = []
    for name in ("a", "b"):
        lines = [line(s, 1.0 + s, split=split) for s in range(1, 70) for split in ("train", "val")]
        recorded(tmp_path / name, *lines, entropy=1.0)
        trainings.append(read(tmp_path / name))
    for shown in (trainings[:1], trainings):
        draw(shown, tmp_path / "x.png")
        with Image.open(io.BytesIO((tmp_path / "x.png").read_bytes())) as picture:
            assert picture.width > 400
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 20


def test_a_directory_without_records_is_said(tmp_path):
    with pytest.raises(DataError, match="no record of a training"):
        read(tmp_path)


def test_one_step_and_one_rollout_are_enough(tmp_path):
    recorded(tmp_path, line(1))
    to_html(report([read(tmp_path)]))
    draw([read(tmp_path)], tmp_path / "x.png")


def test_numbers_alone_are_enough(tmp_path):
    Recorder(tmp_path).metrics(3, {"loss": 1.0})
    to_html(report([read(tmp_path)]))
    draw([read(tmp_path)], tmp_path / "x.png")


def test_from_the_command_line(tmp_path):
    for name in ("a", "b"):
        recorded(tmp_path / name, *[line(1)] * 2, *[line(2)] * 2)
    command = [sys.executable, "-m", "wheretaken", "train", "inspect"]

    def run(*options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)

    done = run("a")
    assert done.stdout.splitlines() == ["a/inspect/index.html", "a/inspect/curves.png"], done.stderr
    assert "teach nothing" in done.stderr
    assert run("a/run", "b/run", "-o", "both").returncode == 0
    assert "Side by side" in (tmp_path / "both" / "index.html").read_text()
    missing = run("none")
    assert missing.returncode == 2
    assert "no record of a training" in missing.stderr
