"""House numbers between those that are mapped."""

import pytest

from wheretaken.maps.offline.region import Region, import_extract, interpolation
from wheretaken.maps.offline.region.interpolation import numbers


@pytest.mark.parametrize(
    ("first", "last", "how", "between"),
    [
        ("2", "8", "even", {"4": 1 / 3, "6": 2 / 3}),
        ("7", "3", "odd", {"5": 0.5}),
        ("1", "4", "all", {"2": 1 / 3, "3": 2 / 3}),
        ("10", "40", "10", {"20": 1 / 3, "30": 2 / 3}),
        ("12a", "12d", "alphabetic", {"12b": 1 / 3, "12c": 2 / 3}),
        ("12", "12C", "alphabetic", {"12A": 1 / 3, "12B": 2 / 3}),
        ("1", "8", "even", {}),
        ("2", "9", "even", {}),
        ("2", "2", "even", {}),
        ("2b", "8", "even", {}),
        ("1", "99999", "all", {}),
        ("1", "5", "sometimes", {}),
        ("12a", "14d", "alphabetic", {}),
    ],
)
def test_numbers_between(first, last, how, between):
    assert dict(numbers(first, last, how)) == pytest.approx(between)


def door(n: int, lat: float, number: str, street: str = "Testikatu") -> str:
    return (
        f'<node id="{n}" lat="{lat}" lon="24.9"><tag k="addr:housenumber" v="{number}"/>'
        f'<tag k="addr:street" v="{street}"/><tag k="addr:city" v="Kylä"/></node>'
    )


WAY = (
    '<way id="7"><nd ref="1"/><nd ref="3"/><nd ref="2"/><tag k="addr:interpolation" v="even"/></way>'
    '<way id="8"><nd ref="1"/><nd ref="9"/><tag k="addr:interpolation" v="even"/></way>'
)
BEND = '<node id="3" lat="60.001" lon="24.9"/>'


def test_a_number_between_two_is_found_where_it_should_be(write_osm, tmp_path):
    target = tmp_path / "one.region.sqlite"
    mapped = door(4, 60.5, "8")
    import_extract(
        write_osm(door(1, 60.0, "2") + door(2, 60.004, "10") + BEND + mapped + WAY), target, name="x"
    )
    with Region(target) as region:
        found = region.search("Testikatu 6")[0]
        assert (found.id, found.kind, found.city) == ("osm:w7/6", "address", "Kylä")
        assert (found.lat, found.lon) == pytest.approx((60.002, 24.9))
        assert region.details("osm:w7/6") == found.model_copy(update={"match": None})
        assert region.details("osm:w7/8") is None
        assert region.search("Testikatu 8")[0].id == "osm:n4"
        assert region.search("Testikatu 4")[0].lat == pytest.approx(60.001)


def test_a_way_between_two_streets_gives_no_numbers(write_osm, tmp_path):
    target = tmp_path / "one.region.sqlite"
    import_extract(
        write_osm(door(1, 60.0, "2") + door(2, 60.004, "10", "Toinen katu") + BEND + WAY), target, name="x"
    )
    with Region(target) as region:
        assert not region.search("Testikatu 6")[0].id.startswith("osm:w7")


def test_what_one_part_of_the_ways_gave_is_known_to_the_next(write_osm, tmp_path, monkeypatch):
    monkeypatch.setattr(interpolation, "_BATCH", 1)
    target = tmp_path / "one.region.sqlite"
    doors = door(1, 60.0, "2") + door(2, 60.004, "10") + door(5, 60.1, "4", "Toinen katu")
    doors += door(6, 60.2, "8", "Toinen katu")
    same = (
        '<way id="9"><nd ref="1"/><nd ref="2"/><tag k="addr:interpolation" v="even"/></way>'
        '<way id="10"><nd ref="5"/><nd ref="6"/><tag k="addr:interpolation" v="even"/></way>'
    )
    import_extract(write_osm(doors + BEND + WAY + same), target, name="x")
    with Region(target) as region:
        assert region.details("osm:w7/6")
        assert region.details("osm:w9/6") is None
        assert region.details("osm:w10/6")
