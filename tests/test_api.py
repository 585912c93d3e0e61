"""`locate` and `locate_sync`: the same from Python as from the command line."""

import asyncio
import json
import subprocess
import sys

import pytest
from PIL import Image

import wheretaken
from wheretaken import locate, locate_sync
from wheretaken.agent import Limits, StopReason
from wheretaken.agent.events import RunEnded
from wheretaken.errors import PhotoError, UserError
from wheretaken.maps import MapProvider, Place
from wheretaken.sampling.early import EarlyStop
from wheretaken.sampling.parallel import DIRECT
from wheretaken.sampling.solution import read_solutions
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say

HELSINKI = say(json.dumps({"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}))
TURKU = say(json.dumps({"lat": 60.45, "lon": 22.27, "city": "Turku", "country": "Finland"}))
PLACE = Place(id="t:1", name="Helsinki", kind="city", lat=60.17, lon=24.94)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "secret-name.jpg"
    Image.new("RGB", (64, 48), (10, 120, 200)).save(path)
    return path


def test_importing_the_package_loads_nothing_of_it():
    program = (
        "import sys, wheretaken; wheretaken.__version__; "
        "print([m for m in sys.modules if m.startswith('wheretaken.') or m in ('numpy', 'PIL')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "[]"


def test_the_package_offers_what_it_lists_and_nothing_else():
    assert all(getattr(wheretaken, name) for name in wheretaken.__all__)
    with pytest.raises(AttributeError, match="no attribute 'location'"):
        wheretaken.location  # noqa: B018


async def test_several_runs_give_one_solution_that_is_kept(photo, tmp_path):
    seen = []
    model = ScriptedModel([HELSINKI, TURKU, HELSINKI])
    found = await locate(
        photo, model, n=2, direct=1, maps=FewPlaces([PLACE]), seed=7, out=tmp_path / "runs", watch=seen.append
    )
    assert found.answer is not None
    assert found.answer.city == "Helsinki"
    assert (found.verdict.agree, found.verdict.of) == (2, 3)
    assert [(run.seed, run.toolset) for run in found.runs] == [
        (7, "worldwide"),
        (8, "worldwide"),
        (9, "direct"),
    ]
    assert sum(isinstance(event, RunEnded) for event in seen) == 3
    (kept,) = read_solutions(tmp_path / "runs")
    assert kept.answer == found.answer


async def test_a_file_its_bytes_and_an_open_picture_show_the_model_the_same(photo):
    shown = []
    with Image.open(photo) as picture:
        for given in (photo, str(photo), photo.read_bytes(), picture, picture.convert("CMYK")):
            model = ScriptedModel([HELSINKI])
            found = await locate(given, model, toolset=DIRECT, maps=FewPlaces())
            (asked,) = model.asked
            shown.append([(each.width, each.height) for each in asked[1].pictures])
            assert "secret" not in str([message.text for message in asked])
            assert found.photo.path == (str(photo) if given in (photo, str(photo)) else "")
    assert shown == [[(64, 48)]] * 5


async def test_an_open_picture_is_turned_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (64, 48)).save(tmp_path / "turned.jpg", exif=exif)
    model = ScriptedModel([HELSINKI])
    with Image.open(tmp_path / "turned.jpg") as picture:
        await locate(picture, model, toolset="direct")
    (shown,) = model.asked[0][1].pictures
    assert (shown.width, shown.height) == (48, 64)


async def test_limits_hint_and_early_stop_reach_the_runs(photo):
    search = call(("search_places", {"query": "Helsinki"}))
    model = ScriptedModel([search, HELSINKI])
    found = await locate(photo, model, maps=FewPlaces([PLACE]), limits=Limits(turns=2), hint="in Finland")
    assert found.runs[0].stop_reason is StopReason.TURNS
    assert model.asked[0][1].text.endswith("in Finland")
    assert found.grounding.kind == "place"
    for rule in (True, EarlyStop()):
        model = ScriptedModel([HELSINKI, HELSINKI])
        found = await locate(photo, model, n=6, early_stop=rule, toolset="direct")
        assert (len(found.runs), found.planned) == (2, 6)


async def test_a_verifier_may_be_named_or_given(photo):
    found = await locate(
        photo, ScriptedModel([HELSINKI, TURKU, TURKU, TURKU]), n=2, verifier="model", toolset="direct"
    )
    assert found.answer is not None
    assert (found.answer.city, found.verifier) == ("Turku", "model:scripted")

    class First:
        name = "first"

        async def decide(self, runs):
            from wheretaken.sampling.parallel import Vote

            return await Vote().decide(runs[:1])

    found = await locate(photo, ScriptedModel([TURKU, HELSINKI]), n=2, verifier=First(), toolset="direct")
    assert (found.answer.city, found.verifier) == ("Turku", "first")


async def test_maps_that_were_given_stay_open_and_others_are_closed(photo, monkeypatch):
    closed = []

    async def aclose(self):
        closed.append(self)

    monkeypatch.setattr(MapProvider, "aclose", aclose)
    await locate(photo, ScriptedModel([HELSINKI]), maps=FewPlaces())
    assert closed == []
    await locate(photo, ScriptedModel([HELSINKI]), toolset="direct")
    assert len(closed) == 1


async def test_what_a_person_can_mend_is_told(photo, tmp_path):
    with pytest.raises(PhotoError):
        await locate(tmp_path / "none.jpg", ScriptedModel([]))
    with pytest.raises(UserError, match="no model named 'oracle'"):
        await locate(photo, "oracle")
    with pytest.raises(UserError, match="nothing is to be run"):
        await locate(photo, n=0)
    with pytest.raises(UserError, match="no toolset named 'atlas'"):
        await locate(photo, ScriptedModel([]), toolset="atlas")


def test_without_a_loop_it_just_answers(photo):
    found = locate_sync(photo, ScriptedModel([HELSINKI]), toolset="direct")
    assert found.answer is not None
    assert found.answer.city == "Helsinki"


def test_inside_a_loop_it_says_what_to_write_instead(photo):
    async def notebook():
        locate_sync(photo)

    with pytest.raises(UserError, match=r"await locate\(\.\.\.\)"):
        asyncio.run(notebook())
