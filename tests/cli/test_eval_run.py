"""`wheretaken eval run`: what it prints and writes, its exit codes, Ctrl-C."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.cli import running
from wheretaken.cli.main import OK, SERVICE, USAGE
from wheretaken.errors import ModelError, UserError
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say

SEARCH = call(("search_places", {"query": "Helsinki"}))
ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Four small photos with their place, one of which is damaged."""
    rows = []
    for n in range(4):
        name = f"{n}.png"
        Image.new("RGB", (40, 30), (n, 90, 20)).save(tmp_path / name)
        rows.append({"image": name, "lat": 60.17 if n < 2 else 10.0, "lon": 24.94})
    (tmp_path / "3.png").write_text("no picture")
    path = tmp_path / "set.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(data: Path, *script, quiet: bool = False, **options) -> int:
    chosen = running.Options(data, data.parent / "out", quiet=quiet, **options)
    return running.run(chosen, model=lambda _: ScriptedModel(script), maps=FewPlaces())


def test_numbers_go_to_stdout_and_complaints_to_stderr(data, capsys):
    assert run(data, SEARCH, say(ANSWER)) == OK
    shown, complaints = capsys.readouterr()
    assert shown.splitlines()[0] == "4 photos: 3 answered, 0 refused, 0 unparsed, 1 failed"
    assert "Acc@500m 50.0%" in shown
    assert "Acc@750km 50.0%" in shown
    assert f"wheretaken eval score {data.parent / 'out'}" in shown
    assert "failed: 3.png: the picture is text, not a picture" in complaints
    assert run(data, resume=True) == OK  # an empty script: nothing may be run again
    assert "4 photos (3 of them run before)" in capsys.readouterr().out


def test_quiet_says_only_what_came_of_it(data, capsys):
    assert run(data, say(ANSWER), quiet=True, limit=2) == OK
    shown, complaints = capsys.readouterr()
    assert shown.startswith("2 photos: 2 answered")
    assert complaints == ""


def test_photos_may_be_elsewhere_and_positions_in_another_datum(data, tmp_path, capsys):
    table = tmp_path / "tables" / "set.jsonl"
    table.parent.mkdir()
    table.write_text('{"image": "0.png", "lat": 31.2236, "lon": 121.4420}\n')
    assert run(table, say(ANSWER), images=tmp_path, datum="GCJ-02") == OK
    (row,) = (json.loads(line) for line in (table.parent / "out" / "data.jsonl").read_text().splitlines())
    assert 0.001 < abs(row["truth"]["lat"] - 31.2236) < 0.01  # a few hundred metres in Shanghai


def test_progress_without_a_terminal_is_a_line_every_so_often(data, capsys, monkeypatch):
    monkeypatch.setattr(running, "_EVERY_SECONDS", 0.0)
    assert run(data, say(ANSWER), concurrency=1) == OK
    lines = capsys.readouterr().err.splitlines()
    assert "reading the set: 4 photos" in lines
    assert any(re.match(r"2 of 4 photos, \d\S*/s, \d+ s left, Acc@500m \d", line) for line in lines)
    assert any(re.match(r"4 of 4 photos, .*Acc@25km 50.0%, 1 failed$", line) for line in lines)


def test_only_a_run_in_which_everything_failed_is_an_error(data, tmp_path, capsys):
    assert run(data, ModelError("no reply")) == SERVICE
    assert "failed: 0.png: no reply" in capsys.readouterr().err
    only = tmp_path / "one.jsonl"
    only.write_text('{"image": "3.png", "lat": 1, "lon": 2}\n')
    options = running.Options(only, tmp_path / "other")
    assert running.run(options, model=lambda _: ScriptedModel([]), maps=FewPlaces()) == USAGE


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "oracle"}, "no model named 'oracle'; there are: reader"),
        ({"toolset": "hammer"}, "no toolset named 'hammer'; there are: worldwide, amap, google, direct"),
        ({"verifier": "coin"}, "no verifier named 'coin'; there are: vote, model"),
        ({"verifier": "model"}, "reader reads signs and cannot weigh"),
        ({"n": 0}, "nothing is to be run"),
    ],
)
def test_wrong_names_are_told_before_anything_is_read(tmp_path, wrong, message):
    with pytest.raises(UserError, match=message):
        running.run(running.Options(tmp_path / "none.jsonl", tmp_path / "out", **wrong))
    assert not (tmp_path / "out").exists()


def test_runs_with_and_without_tools_a_verifier_and_an_early_stop(data, tmp_path):
    models = []

    def made(_seed):
        models.append(ScriptedModel([say(ANSWER)]))
        return models[-1]

    out = tmp_path / "out"
    given = running.Options(data, out, n=2, direct=2, early_stop=True, limit=1, toolset="amap", quiet=True)
    assert running.run(given, model=made, maps=FewPlaces()) == OK
    asked = [model for model in models if model.asked]
    assert len(asked) == 2  # which agree, so that those without tools never begin
    assert all(model.offered[0][0].name.startswith(("amap_", "image_")) for model in asked)
    given = running.Options(data, tmp_path / "all", n=1, direct=2, limit=1, quiet=True)
    models.clear()
    assert running.run(given, model=made, maps=FewPlaces()) == OK
    assert [bool(model.offered[0]) for model in models if model.asked] == [True, False, False]
    config = json.loads((tmp_path / "all" / "config.json").read_text())
    assert (config["n"], config["direct"], config["early_stop"]) == (1, 2, False)


def test_the_real_command_runs_scores_and_refuses_to_mix(wheretaken, sign, tmp_path):
    rows = '{"image": "sign.jpg", "lat": 60.17, "lon": 24.94}\n{"image": "none.jpg", "lat": 1, "lon": 2}\n'
    (tmp_path / "set.jsonl").write_text(rows)
    done = wheretaken("eval", "run", "--data", "set.jsonl", "--out", "out", "--limit", "1", "--quiet")
    assert done.returncode == OK, done.stderr
    assert done.stdout.startswith("1 photos: 1 answered")
    again = wheretaken("eval", "run", "--data", "set.jsonl", "--out", "out", "--quiet")
    assert (again.returncode, again.stdout) == (USAGE, "")
    assert (
        again.stderr == "wheretaken: out holds this run already: add --resume to go on, or choose another\n"
    )
    more = wheretaken("eval", "run", "--data", "set.jsonl", "--out", "out", "--quiet", "--resume")
    assert more.returncode == OK, more.stderr
    assert more.stdout.startswith(
        "2 photos (1 of them run before): 1 answered, 0 refused, 0 unparsed, 1 failed"
    )
    scored = json.loads(wheretaken("eval", "score", "out", "--json").stdout)["files"][0]
    assert (scored["n"], scored["answered"], scored["failed"]) == (2, 1, 1)


def test_ctrl_c_says_how_to_go_on(data):
    program = f"""
import asyncio, signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from wheretaken.cli import running
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, say

class Slow(ScriptedModel):
    async def complete(self, messages, tools):
        if int(messages[1].pictures[0].open().getpixel((0, 0))[0]) == 1:
            print("stuck", flush=True)
            await asyncio.sleep(60)
        return await super().complete(messages, tools)

options = running.Options(Path("set.jsonl"), Path("out"), concurrency=1, resume=True)
sys.exit(running.run(options, model=lambda _: Slow([say('{ANSWER}')]), maps=FewPlaces()))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=data.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ,
    )
    assert process.stdout.readline() == "stuck\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    shown, complaints = process.communicate(timeout=60)
    assert (process.returncode, shown) == (130, "")
    last = complaints.splitlines()[-1]
    assert re.fullmatch(
        r"wheretaken: stopped after [0-3] of 4 photos; the same command with --resume goes on", last
    )
    assert run(data, say(ANSWER), resume=True) == OK
    results = [json.loads(line) for line in (data.parent / "out" / "results.jsonl").read_text().splitlines()]
    assert sorted(result["status"] for result in results) == ["answered", "answered", "answered", "failed"]
