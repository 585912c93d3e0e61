"""Real extracts in other scripts and countries; skipped where the sample data are not at hand."""

from collections.abc import Callable

import pytest

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.base import MatchKind
from wheretaken.maps.offline.region import Region

MONACO, TOKYO, SHANGHAI = "monaco.osm.pbf", "tokyo-nakameguro.osm", "shanghai-university.osm"


@pytest.mark.parametrize(
    ("extract", "query", "name", "kind"),
    [
        (MONACO, "MUSEE OCEANOGRAPHIQUE", "Musée Océanographique", "museum"),
        (MONACO, "Cafe de Paris", "Café de Paris", "cafe"),
        (MONACO, "Bd. Princesse Charlotte", "Boulevard Princesse Charlotte", "street"),
        (MONACO, "Larvotto", "Larvotto", "district"),
        (TOKYO, "中目黒", "中目黒", "station"),
        (TOKYO, "Naka-Meguro", "中目黒", "station"),
        (TOKYO, "恵比寿駅", "恵比寿駅", "subway_entrance"),
        (TOKYO, "Nakameguro Station", "中目黒", "station"),
        (TOKYO, "山手通り", "山手通り", "street"),
        (TOKYO, "セブンイレブン", "セブン-イレブン", "convenience"),
        (TOKYO, "中目黒3-13-32", "目黒区立 中目黒小学校", "school"),
        (SHANGHAI, "上海大学", "上海大学", "station"),
        (SHANGHAI, "Shanghai University", "上海大学", "station"),
        (SHANGHAI, "欢迎来到上海大学", "上海大学", "station"),
        (SHANGHAI, "上大路", "上大路", "street"),
    ],
)
def test_names_are_found_in_their_own_script_and_in_latin(
    shared_region: Callable[[str], Region], extract: str, query: str, name: str, kind: str
):
    found = shared_region(extract).search(query)
    assert found, query
    assert (found[0].name, found[0].kind) == (name, kind)


@pytest.mark.parametrize(
    ("extract", "query", "address"),
    [
        (MONACO, "34, Avenue Princesse Grace 98000 MONACO", "34 Avenue Princesse Grace"),
        (MONACO, "avenue princesse grace 34", "34 Avenue Princesse Grace"),
        (SHANGHAI, "上大路98号", "上大路98"),
        (SHANGHAI, "南陈路351弄2号", "南陈路351弄2号"),
    ],
)
def test_addresses_are_found_as_each_country_writes_them(
    shared_region: Callable[[str], Region], extract: str, query: str, address: str
):
    found = shared_region(extract).search(query)[0]
    assert (found.kind, found.address) == ("address", address)
    assert found.match is not None
    assert found.match.kind is MatchKind.EXACT


def test_a_name_in_another_script_comes_with_a_latin_one(shared_region: Callable[[str], Region]):
    assert shared_region(TOKYO).search("恵比寿")[0].english == "Ebisu"
    assert shared_region(TOKYO).search("山手通り")[0].english == "Yamate Dōri"
    assert shared_region(SHANGHAI).search("上大路")[0].english == "Shangda Road"
    assert shared_region(MONACO).search("Larvotto")[0].english == ""


def test_monaco_has_its_harbour_as_sea_and_knows_what_is_where(shared_region: Callable[[str], Region]):
    region = shared_region(MONACO)
    museum = region.search("Musée Océanographique")[0]
    assert distance_km(LatLon(museum.lat, museum.lon), LatLon(43.7307, 7.4255)) < 0.1
    around = region.reverse(LatLon(museum.lat, museum.lon), limit=6)
    assert "Musée Océanographique" in [place.name for place in around]
