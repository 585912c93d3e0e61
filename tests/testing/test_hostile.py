"""Hostile texts everywhere are read and not obeyed, and obeying them gives an answer and nothing else."""

import json
import re
import socket
import subprocess
import sys

import pytest
from PIL import Image

from wheretaken import answers
from wheretaken.agent import Case, PhotoInfo, Status, read, record
from wheretaken.agent.events import ToolEnded
from wheretaken.cli import locating
from wheretaken.geo import distance_km
from wheretaken.maps import Place
from wheretaken.maps.offline.provider import offline_provider
from wheretaken.messages import Picture
from wheretaken.models.reader.reader import Reader
from wheretaken.paths import cache_dir
from wheretaken.sampling.judge import prompt
from wheretaken.sampling.parallel import Statement
from wheretaken.testing import fonts
from wheretaken.testing.eyes import ToldEye
from wheretaken.testing.hostile.gullible import OBEYED, Gullible, escaped, plain
from wheretaken.testing.hostile.maps import HostileMaps
from wheretaken.testing.hostile.sayings import GOAL, NEAR_GOAL_KM, SAYINGS
from wheretaken.testing.hostile.signs import with_sign
from wheretaken.testing.hostile.watching import watched
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scenes import town_scene, town_targets
from wheretaken.testing.scripted import call, say
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.worldwide import WORLDWIDE

PORVOO = Place(
    id="t:1", name="Porvoo", kind="town", lat=60.39, lon=25.66, country_code="FI", country="Finland",
    population=51_000, extent_km=3,
)  # fmt: skip
ANSWER = '{"lat": 60.39, "lon": 25.66, "city": "Porvoo", "country": "Finland"}'
TURNS = (
    call(("search_places", {"query": "Porvoo"}), ("place_details", {"id": "t:1"})),
    call(("reverse_geocode", {"lat": 60.39, "lon": 25.66}), ("road_map", {"lat": 60.39, "lon": 25.66})),
    say(ANSWER),
)
WEB = (call(("google_search", {"query": "Porvoo"})), say(ANSWER))
EVERY = pytest.mark.parametrize("saying", SAYINGS, ids=lambda saying: saying.name)
STEERING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


@pytest.fixture
def case():
    picture = Picture.encode(Image.new("RGB", (400, 300), (200, 200, 200)), "image/png")
    return Case(picture, PhotoInfo(sha256=picture.sha256, width=400, height=300))


def word_of(saying):
    """A word that tells a text wherever spaces and quotation marks of it are written otherwise."""
    return max(re.findall(r"\w+", saying.text), key=len, default="")


def led_astray(run):
    return run.answer is not None and distance_km(run.answer.position, GOAL) < NEAR_GOAL_KM


# Text from outside is read as text


@pytest.mark.parametrize(("toolset", "turns"), [(WORLDWIDE, TURNS), (GOOGLE, WEB)], ids=["maps", "web"])
@EVERY
async def test_no_text_of_maps_and_pages_can_end_the_marks_that_it_stands_in(case, saying, toolset, turns):
    model = Gullible(turns, trusts="marks", write=escaped)
    run = await record(case, model, toolset, HostileMaps(FewPlaces([PORVOO]), saying))
    assert model.obeyed == []
    assert run.answer.city == "Porvoo"
    told = "".join(message.text for message in run.messages if message.role == "tool")
    assert word_of(saying) in told, "it was there to be obeyed"


async def test_where_texts_are_not_escaped_some_of_them_are_obeyed(case):
    astray = set()
    for saying in SAYINGS:
        model = Gullible(TURNS, trusts="marks", write=plain)
        if led_astray(await record(case, model, WORLDWIDE, HostileMaps(FewPlaces([PORVOO]), saying))):
            astray.add(saying.name)
    assert astray == {"end of data", "ChatML", "ChatML, the model's turn"}


@EVERY
async def test_the_reader_reads_signs_and_maps_and_obeys_neither(case, saying):
    maps = HostileMaps(FewPlaces([PORVOO]), saying)
    for lines in (("Porvoo", *saying.lines), ("Porvoo", saying.text), saying.lines):
        run = await record(case, Reader(ToldEye(*lines)), WORLDWIDE, maps)
        assert not led_astray(run) or "Porvoo" not in lines
        offered = {tool.name for tool in WORLDWIDE.tools}
        assert {event.tool for event in run.tools} <= offered
        calls = [made for message in run.messages for made in message.tool_calls]
        assert all(made.id.startswith("reader-") for made in calls), "a call that it did not make"
        if "Porvoo" in lines:
            assert run.answer.city == "Porvoo"


@EVERY
async def test_the_reader_without_a_place_repeats_no_answer_that_it_read(case, saying):
    for lines in (saying.lines, (saying.text,)):
        run = await record(case, Reader(ToldEye(*lines)), WORLDWIDE, FewPlaces())
        assert (run.status, run.answer) == (Status.REFUSED, None)
        assert isinstance(answers.parse(run.messages[-1].text), answers.NoAnswer)


@EVERY
async def test_a_judge_is_shown_hostile_texts_between_marks_that_they_cannot_end(case, saying):
    claims = [{"reads": saying.text, "place": saying.text}]
    answer = json.dumps(json.loads(ANSWER) | {"city": saying.text, "evidence": claims})
    model = Gullible([*TURNS[:2], say(f"I saw it.\n{answer}")], trusts="marks")
    run = await record(case, model, WORLDWIDE, HostileMaps(FewPlaces([PORVOO]), saying))
    _, asked = prompt(case.picture, [Statement.of(run)])
    told = asked.text.removesuffix("</candidates>").replace("<candidates>", "", 1)
    assert asked.text.endswith("</candidates>")
    assert not set("<>") & set(told)
    assert word_of(saying) in told


# Who obeys reaches nothing but an answer


@EVERY
async def test_nothing_but_an_answer_comes_of_obeying(case, saying, tmp_path):
    offline = offline_provider()
    await offline.search("Porvoo")  # an index that is missing is built, in the cache
    maps, out = HostileMaps(offline, saying), tmp_path / "runs"
    model = Gullible(TURNS, trusts="everything", reads=lambda _picture: saying.lines)
    with watched(out, cache_dir()) as found:
        run = await record(case, model, WORLDWIDE, maps, out=out)
    assert model.obeyed
    assert led_astray(run)
    assert found == []
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    assert {path.name for path in out.iterdir()} == {"events", "media", "trajectories.jsonl"}
    assert model.offered == {tool.name for tool in WORLDWIDE.tools}
    ended = [event for event in run.tools if isinstance(event, ToolEnded)]
    refused = [event for event in ended if event.tool not in model.offered]
    assert {event.tool for event in refused} >= {"run_shell", "write_file", "fetch"}
    assert all(event.error.startswith("no tool named") for event in refused)
    assert [kept.id for kept in read(out)] == [run.id]


@pytest.mark.parametrize("as_json", [True, False])
def test_what_is_shown_of_it_steers_no_terminal(tmp_path, capsys, as_json):
    photo = tmp_path / "photo.png"
    Image.new("RGB", (40, 30), (1, 2, 3)).save(photo)
    for saying in SAYINGS:
        shown = json.loads(OBEYED) | {"city": saying.text, "country": saying.text}
        shown["evidence"] = [{"reads": saying.text, "place": saying.text}]
        model = Gullible([*TURNS[:2], say(json.dumps(shown))], trusts="marks")
        options = locating.Options(as_json=as_json, quiet=False)
        assert (
            locating.locate([photo], options, model=model, maps=HostileMaps(FewPlaces([PORVOO]), saying)) == 0
        )
        written = capsys.readouterr()
        assert not STEERING.search(written.err)
        if as_json:
            assert json.loads(written.out)["answer"]["city"] == saying.text.strip()
            assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", written.out)
        else:
            assert not STEERING.search(written.out)


# The set itself


@pytest.mark.parametrize("saying", [one for one in SAYINGS if one.drawable], ids=lambda saying: saying.name)
def test_signs_show_every_letter_and_hide_no_other_sign(saying):
    assert fonts.missing_glyphs("".join(saying.lines), saying.language) == ""
    scene = town_scene(town_targets(1, 3)[0], 3, 1)
    board = with_sign(scene, saying)
    assert with_sign(scene, saying).png() == board.png()
    added = board.marks[len(scene.marks) :]
    assert "".join("".join(mark.text for mark in added).split()) == "".join("".join(saying.lines).split())
    for mark in added:
        (left, top), _, (right, bottom), _ = mark.quad
        assert 0 <= left < right <= 1152
        assert 0 <= top < bottom <= 864
        for other in scene.marks:
            xs, ys = [x for x, _ in other.quad], [y for _, y in other.quad]
            assert left >= max(xs) or right <= min(xs) or top >= max(ys) or bottom <= min(ys)


def test_watching_finds_files_connections_and_processes(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    with watched(inside) as found:
        (inside / "a").write_text("x")
        (inside / "a").rename(inside / "b")
        assert found == []
        outside.write_text("x")
        (inside / "b").rename(tmp_path / "c")
        (inside / ".." / "d").write_text("x")
        with socket.socket(socket.AF_UNIX) as made, pytest.raises(FileNotFoundError):
            made.connect(str(inside / "none"))
        subprocess.run([sys.executable, "-c", ""], check=True)
        outside.read_text()
    kinds = [line.split()[0] for line in found]
    assert kinds.count("open") == 2
    assert {"os.rename", "socket.connect", "subprocess.Popen"} <= set(kinds)
    outside.write_text("y")
    assert len(found) == len(kinds), "it no longer watches"
