"""What the reader makes of a hint: names, belief, and what it says where hint and picture part."""

import pytest
from PIL import Image

from wheretaken.agent import Case, PhotoInfo, Status, record
from wheretaken.maps import Place
from wheretaken.messages import Picture
from wheretaken.models.reader.hints import names_in
from wheretaken.models.reader.reader import Reader
from wheretaken.testing.eyes import ToldEye
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools.worldwide import WORLDWIDE


def place(name, lat, lon, code, *, kind="city", population=100_000):
    made = {
        "name": name,
        "lat": lat,
        "lon": lon,
        "country_code": code,
        "kind": kind,
        "population": population,
    }
    return Place(id=f"t:{name}-{code}-{kind}", country=code, extent_km=4, **made)


PLACES = (
    place("Cambridge", 52.2, 0.12, "GB", population=150_000),
    place("Cambridge", 42.37, -71.11, "US", population=118_000),
    place("Harvard Square", 42.373, -71.119, "US", kind="square", population=0),
    place("Porto", 41.15, -8.61, "PT", population=230_000),
    place("United States", 39.8, -98.6, "US", kind="country", population=330_000_000),
    place("Portugal", 39.5, -8.0, "PT", kind="country", population=10_000_000),
)


async def located(hint, *texts):
    picture = Picture.encode(Image.new("RGB", (400, 300), (200, 200, 200)), "image/png")
    case = Case(picture, PhotoInfo(sha256=picture.sha256, width=400, height=300), hint)
    run = await record(case, Reader(ToldEye(*texts, apart=200)), WORLDWIDE, FewPlaces(PLACES))
    return run, run.messages[-1].text.partition("\n{")[0]


@pytest.mark.parametrize(
    ("hint", "names"),
    [
        ("it is in Portugal", ("Portugal",)),
        ("I took it near Rio de Janeiro, Brazil", ("Rio de Janeiro", "Brazil")),
        ("in the north of portugal", ("portugal",)),
        ("It is not in France but in Italy", ("Italy",)),
        ("not in Spain, in Portugal", ("Portugal",)),
        ("not in Spain or Portugal", ()),
        ("ポルトガル", ("ポルトガル",)),
        ("my holiday in 2019", ()),
        ("", ()),
    ],
)
def test_names_are_found_and_those_that_are_denied_are_not(hint, names):
    assert names_in(hint) == names


@pytest.mark.parametrize("hint", ["it is in the United States", "in united states", "near Harvard Square"])
async def test_a_hint_decides_between_places_of_the_same_name(hint):
    without, _ = await located("", "Cambridge")
    assert without.answer.country == "GB"
    run, said = await located(hint, "Cambridge")
    assert run.answer.country == "US"
    assert "Without the hint it would be Cambridge, GB." in said
    assert run.answer.confidence > 0.5


async def test_a_hint_that_agrees_raises_the_confidence_and_needs_no_words():
    without, _ = await located("", "Cambridge")
    run, said = await located("it is in Cambridge", "Cambridge", "Harvard Square")
    assert run.answer.country == "US"
    assert "hint" not in said
    assert run.answer.confidence > without.answer.confidence


@pytest.mark.parametrize("hint", ["it is in Portugal", "near Porto"])
async def test_a_wrong_hint_gives_way_to_what_is_read_and_that_is_said(hint):
    run, said = await located(hint, "Cambridge", "Harvard Square")
    assert run.answer.country == "US"
    assert f"That is not what the hint says (“{hint}”)" in said
    assert not any(item.reads.startswith("the hint") for item in run.answer.evidence)


async def test_where_nothing_is_read_only_the_hint_speaks_and_that_is_said():
    run, said = await located("near Porto")
    assert (run.answer.lat, run.answer.lon) == (41.15, -8.61)
    assert "Only the hint speaks for it" in said
    assert [item.reads for item in run.answer.evidence] == ["the hint: Porto"]


async def test_a_hint_that_names_nothing_known_changes_nothing_and_that_is_said():
    run, said = await located("on Atlantis", "Cambridge")
    assert run.answer.country == "GB"
    assert "I know no place that “on Atlantis” names." in said
    alone, _ = await located("on Atlantis")
    assert alone.status == Status.REFUSED
