"""`wheretaken locate`: what it prints, writes and returns."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.agent import Status, StopReason, read
from wheretaken.cli import locating
from wheretaken.cli.main import NO_ANSWER, OK, SERVICE, USAGE
from wheretaken.errors import ModelError, ServiceError, UserError
from wheretaken.maps import Place
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say

HELSINKI = Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94, population=650_000)
KEYS = [
    *(
        "photo",
        "status",
        "answer",
        "candidates",
        "evidence",
        "stop_reason",
        "detail",
        "trajectory",
        "seconds",
    ),
    *("agree", "of", "verifier", "source", "note", "usage", "runs", "runners_up", "grounding"),
]
ANSWER = json.dumps(
    {
        "lat": 60.17,
        "lon": 24.94,
        "city": "Helsinki",
        "country": "Finland",
        "radius_km": 3.5,
        "confidence": 0.75,
        "evidence": [{"reads": "[b]HELSINKI :car:", "place": "Helsinki", "lat": 60.17, "lon": 24.95}],
        "candidates": [{"lat": 60.2, "lon": 24.65, "city": "Espoo", "weight": 0.2}],
    }
)
DRAWN = call(("road_map", {"lat": 60.17, "lon": 24.94}), text="I look at the map.")


def locate(
    paths: list[Path],
    script: list,
    *,
    out: Path | None = None,
    as_json: bool = False,
    quiet: bool = False,
    maps: FewPlaces | None = None,
) -> int:
    options = locating.Options(out, as_json=as_json, max_turns=8, quiet=quiet)
    model = ScriptedModel(script)
    return locating.locate(paths, options, model=model, maps=maps or FewPlaces([HELSINKI]))


def test_people_see_the_thoughts_then_place_radius_evidence_and_link(sign, tmp_path, capsys):
    assert locate([sign], [DRAWN, say(ANSWER)], out=tmp_path / "runs") == OK
    shown, progress = capsys.readouterr()
    assert "I look at the map." in progress
    assert "road_map lat=60.17, lon=24.94" in progress
    assert "Helsinki, Finland  60.17000, 24.94000" in shown
    assert "within 3.5 km with 80 % probability, confidence 0.75" in shown
    # Text of a sign is shown as it is, whatever it means to the library that colours the output.
    assert "reads “[b]HELSINKI :car:” → Helsinki, 555 m from the answer" in shown
    assert "https://www.openstreetmap.org/?mlat=60.17000&mlon=24.94000#map=11/60.17000/24.94000" in shown
    assert "map data: nobody" in shown  # what the small map says its pictures are from
    (drawn,) = (tmp_path / "runs").glob("sign-*-map.png")
    assert f"map in {drawn}" in shown
    (run,) = read(tmp_path / "runs")
    assert drawn.name == f"sign-{run.id}-map.png"
    with Image.open(drawn) as picture:
        assert picture.size == (500, 500)
    assert f"recorded in {tmp_path / 'runs' / 'trajectories.jsonl'}" in shown


def test_the_map_that_is_kept_is_the_last_one(sign, tmp_path):
    first = call(("road_map", {"lat": 10, "lon": 10}))
    second = call(("road_map", {"lat": 20, "lon": 20}), ("zoom", {"bbox_2d": [0, 0, 500, 500]}))
    maps = NumberedMaps()
    assert locate([sign], [first, second, say(ANSWER)], out=tmp_path / "runs", maps=maps) == OK
    (drawn,) = (tmp_path / "runs").glob("*-map.png")
    with Image.open(drawn) as picture:
        assert picture.getpixel((0, 0)) == (2, 2, 2)


class NumberedMaps(FewPlaces):
    """Draws the n-th map in the grey n."""

    drawn = 0

    async def road_map(self, centre, **options):
        self.drawn += 1
        plain = await super().road_map(centre, **options)
        buffer = io.BytesIO()
        Image.new("RGB", (plain.width, plain.height), (self.drawn,) * 3).save(buffer, "PNG")
        return plain.model_copy(update={"png": buffer.getvalue()})


def test_quiet_shows_only_the_answer(sign, capsys):
    assert locate([sign], [DRAWN, say(ANSWER)], quiet=True) == OK
    shown, progress = capsys.readouterr()
    assert "Helsinki, Finland" in shown
    assert progress == ""


def test_json_is_one_object_a_photo_and_nothing_else(sign, tmp_path, capsys):
    (tmp_path / "text.jpg").write_text("hello")
    refusal = say("I cannot tell where this is.")
    script = [DRAWN, say(ANSWER), refusal]
    code = locate([sign, tmp_path / "text.jpg", sign], script, out=tmp_path / "runs", as_json=True)
    assert code == USAGE
    shown, complaints = capsys.readouterr()
    found, unread, refused = map(json.loads, shown.splitlines())
    assert [list(data) for data in (found, unread, refused)] == [KEYS] * 3
    assert found["status"] == "answered"
    assert found["answer"] == {
        "lat": 60.17,
        "lon": 24.94,
        "city": "Helsinki",
        "country": "Finland",
        "radius_km": 3.5,
        "confidence": 0.75,
    }
    assert found["candidates"][0]["city"] == "Espoo"
    assert found["evidence"][0]["distance_km"] == pytest.approx(0.555, abs=0.001)
    assert Path(found["trajectory"]["map"]).is_file()
    assert unread["status"] == "failed"
    assert unread["stop_reason"] is None
    assert "text, not a picture" in unread["detail"]
    assert complaints.splitlines() == [f"wheretaken: {unread['detail']}"]
    assert (refused["status"], refused["answer"]) == ("refused", None)
    assert refused["detail"]
    assert refused["trajectory"]["map"] is None


@pytest.mark.parametrize(
    ("script", "failure", "code", "status"),
    [
        ([say(ANSWER)], None, OK, "answered"),
        ([say("I cannot tell.")], None, NO_ANSWER, "refused"),
        ([say("Nice."), say("Very nice.")], None, NO_ANSWER, "unparsed"),
        ([ModelError("no reply")], None, SERVICE, "failed"),
        ([DRAWN], ServiceError("map server is down"), SERVICE, "failed"),
    ],
)
def test_exit_codes(sign, capsys, script, failure, code, status):
    assert locate([sign], script, as_json=True, maps=FewPlaces(failure=failure)) == code
    assert json.loads(capsys.readouterr().out)["status"] == status


def test_the_gravest_exit_code_wins_and_every_photo_is_tried(sign, tmp_path, capsys):
    script = [say("I cannot tell."), ModelError("no reply"), say(ANSWER)]
    assert locate([sign, sign, sign], script, as_json=True) == SERVICE
    assert len(capsys.readouterr().out.splitlines()) == 3
    assert locate([tmp_path / "none.jpg", sign], [ModelError("no reply")], as_json=True) == USAGE
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_max_turns_reaches_the_run(sign, tmp_path):
    options = locating.Options(tmp_path, as_json=False, max_turns=2, quiet=True)
    model = ScriptedModel([DRAWN, say(ANSWER)])
    assert locating.locate([sign], options, model=model, maps=FewPlaces()) == OK
    (run,) = read(tmp_path)
    assert (run.limits.turns, run.stop_reason) == (2, StopReason.TURNS)


@pytest.mark.parametrize("way", ["file in the way", "no permission"])
def test_an_output_directory_that_cannot_be_written_is_one_line(sign, tmp_path, monkeypatch, way):
    out = tmp_path / "runs"
    if way == "file in the way":
        out.write_text("")
    else:
        monkeypatch.setattr(os, "access", lambda *_: False)  # the tests may run as root, who may do all
    with pytest.raises(UserError, match="cannot write to --out"):
        locate([sign], [say(ANSWER)], out=out)


def test_a_name_that_is_no_text_is_located_recorded_and_printed(sign, tmp_path, capsys):
    odd = tmp_path / os.fsdecode(b"odd \xff\x1b[31m.jpg")
    try:
        sign.rename(odd)
    except OSError:
        pytest.skip("this file system takes only names that are text")
    assert locate([odd], [DRAWN, say(ANSWER)], out=tmp_path / "runs") == OK
    shown = capsys.readouterr().out
    assert r"odd \\xff\x1b[31m.jpg" in shown
    assert "\x1b" not in shown
    (run,) = read(tmp_path / "runs")
    assert "odd " in run.photo.path


def test_photos_that_cannot_be_read_are_one_line_each(wheretaken, tmp_path):
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "folder").mkdir()
    done = wheretaken("locate", "text.jpg", "empty.jpg", "folder", "none.jpg", "--json")
    assert done.returncode == USAGE
    lines = done.stderr.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("wheretaken: ") for line in lines)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [data["photo"] for data in found] == ["text.jpg", "empty.jpg", "folder", "none.jpg"]
    assert {data["status"] for data in found} == {"failed"}
    assert all(f"wheretaken: {data['detail']}" in lines for data in found)


def test_heic_and_jpeg_through_the_real_command(wheretaken, sign, tmp_path):
    import pillow_heif

    with Image.open(sign) as picture:
        pillow_heif.from_pillow(picture).save(tmp_path / "sign.heic", quality=90)
    done = wheretaken("locate", "sign.heic", "sign.jpg", "--json", "--out", "runs")
    assert done.returncode == OK, done.stderr
    for line, name in zip(done.stdout.splitlines(), ("sign.heic", "sign.jpg"), strict=True):
        data = json.loads(line)
        assert data["photo"] == name
        assert data["answer"]["country"] == "Finland"
        assert abs(data["answer"]["lat"] - 60.17) < 0.3
        assert (tmp_path / data["trajectory"]["map"]).is_file()
    assert [run.photo.path for run in read(tmp_path / "runs")] == ["sign.heic", "sign.jpg"]


def test_an_unknown_model_is_bad_usage(wheretaken, sign):
    done = wheretaken("locate", "sign.jpg", "--model", "oracle")
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert done.stderr.startswith("wheretaken: no model named 'oracle'; there are: reader, vllm[:NAME], ")


def test_ctrl_c_ends_with_130_one_line_and_a_closed_record(sign, tmp_path):
    # A shell without job control starts what is in the background with the signal ignored.
    program = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from wheretaken.cli.main import run; run()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "locate", "sign.jpg", "--json", "--out", "runs"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "runs" / "events").glob("*.jsonl")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    shown, complaints = process.communicate(timeout=120)
    assert (process.returncode, shown) == (130, "")
    assert complaints == "wheretaken: stopped\n"
    (run,) = read(tmp_path / "runs")
    assert (run.status, run.stop_reason) == (Status.FAILED, StopReason.CANCELLED)
    assert (tmp_path / "runs" / "trajectories.jsonl").is_file()
