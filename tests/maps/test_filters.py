"""Kinds in the words of people, and the one filter of all providers."""

import pytest

from wheretaken.geo import LatLon
from wheretaken.maps import Place, filters, kinds


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("cafe", "cafe"),
        ("Coffee shop", "cafe"),
        ("amenity=cafe", "cafe"),
        ("tram stops", "tram_stop"),
        ("bus stop", "bus_stop"),
        ("Apotheke", "pharmacy"),
        ("药店", "pharmacy"),
        ("コンビニ", "convenience"),
        ("church", "cathedral"),
        ("shop=*", "shop"),
        ("kebab grinder", "kebab_grinder"),
    ],
)
def test_a_kind_may_be_said_in_many_ways(said: str, kind: str):
    assert kind in kinds.kinds_of(said)


def test_no_kind_is_any_kind_and_a_name_is_none():
    assert kinds.kinds_of(" ") == frozenset()
    assert kinds.known("Stockmann") == frozenset()


@pytest.mark.parametrize(
    ("kind", "wanted", "fits"),
    [
        ("bakery", "shop", True),
        ("cafe", "shop", False),
        ("place_of_worship", "church", True),
        ("place_of_worship", "cafe", False),
    ],
)
def test_classes_hold_their_values(kind: str, wanted: str, fits: bool):
    assert kinds.is_of(kind, kinds.kinds_of(wanted)) is fits


def test_radius_and_kind_filter_in_the_given_order():
    def at(lat: float, kind: str) -> Place:
        return Place(id=f"t:{lat}", name="x", kind=kind, lat=lat, lon=0.0)

    places = [at(0.03, "cafe"), at(0.001, "bank"), at(0.002, "cafe"), at(0.0, "cafe")]
    found = filters.kept(places, near=LatLon(0, 0), radius_km=1, kind="cafe")
    assert [place.lat for place in found] == [0.002, 0.0]
    assert filters.kept(places) == places
    assert filters.asked(5, 40, radius_km=None, kind="") == 5
    assert filters.asked(5, 40, radius_km=1.0, kind="") == 40
