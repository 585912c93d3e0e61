import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wheretaken.geo import Datum, LatLon, destination, distance_km, mainland

SHIFTED = [Datum.GCJ02, Datum.BD09]

MAINLAND = {
    "Beijing": (39.9087, 116.3975),
    "Qingdao pier": (36.0545, 120.3205),
    "Xiamen, Gulangyu": (24.4475, 118.0637),
    "Shekou harbour": (22.4815, 113.9120),
    "Futian": (22.5410, 114.0580),
    "Zhuhai, Gongbei": (22.2240, 113.5480),
    "Dandong": (40.1290, 124.3840),
    "Dongxing": (21.5420, 107.9750),
    "Heihe": (50.2440, 127.4960),
    "Erenhot": (43.6530, 111.9770),
    "Ruili": (24.0130, 97.8560),
    "Nansha, Guangzhou": (22.6400, 113.6000),
    "Zhoushan island": (29.9850, 122.2070),
    "Sanya": (18.2530, 109.5030),
    "Kashgar": (39.4704, 75.9898),
    "Mohe": (52.9720, 122.5380),
}
ELSEWHERE = {
    "Hong Kong, Central": (22.2810, 114.1580),
    "Hong Kong, Lo Wu": (22.5270, 114.1132),
    "Hong Kong, Yuen Long": (22.4450, 114.0222),
    "Hong Kong, airport": (22.3080, 113.9185),
    "Macau": (22.1930, 113.5400),
    "Macau, Cotai": (22.1400, 113.5600),
    "Taipei": (25.0330, 121.5654),
    "Kinmen": (24.4330, 118.3170),
    "Matsu": (26.1570, 119.9300),
    "Penghu": (23.5710, 119.5790),
    "Seoul": (37.5665, 126.9780),
    "Pyongyang": (39.0392, 125.7625),
    "Sinuiju": (40.0950, 124.3960),
    "Hanoi": (21.0285, 105.8542),
    "Mong Cai": (21.5250, 107.9660),
    "Lao Cai": (22.4830, 103.9710),
    "Ulaanbaatar": (47.8864, 106.9057),
    "Vladivostok": (43.1155, 131.8855),
    "Blagoveshchensk": (50.2650, 127.5300),
    "Almaty": (43.2220, 76.8512),
    "Kathmandu": (27.7172, 85.3240),
    "Delhi": (28.6139, 77.2090),
    "Muse": (23.9850, 97.9000),
    "Fukuoka": (33.5902, 130.4017),
    "Paris": (48.8566, 2.3522),
    "Buenos Aires": (-34.6037, -58.3816),
}


def in_or_near_china() -> st.SearchStrategy[LatLon]:
    return st.builds(LatLon, st.floats(3, 54), st.floats(73, 136))


@st.composite
def near_the_border(draw: st.DrawFn) -> LatLon:
    """Up to 1.5 km from the border on either side, the reach of both shifts."""
    ring = draw(st.sampled_from(mainland.rings()))
    at = draw(st.integers(0, len(ring) - 2))
    along = draw(st.floats(0, 1))
    lat, lon = (a + along * (b - a) for a, b in zip(ring[at], ring[at + 1], strict=True))
    return destination(LatLon(lat, lon), draw(st.floats(0, 360)), draw(st.floats(0, 1.5)))


@pytest.mark.parametrize("name", MAINLAND)
@pytest.mark.parametrize("datum", SHIFTED)
def test_the_mainland_is_shifted(name: str, datum: Datum):
    here = LatLon(*MAINLAND[name])
    there = here.to(datum)
    assert there.datum is datum
    moved = distance_km(here, LatLon(there.lat, there.lon))
    assert 0.1 < moved < 2.0


@pytest.mark.parametrize("name", ELSEWHERE)
@pytest.mark.parametrize("datum", SHIFTED)
def test_nothing_else_is_shifted(name: str, datum: Datum):
    here = LatLon(*ELSEWHERE[name])
    assert here.to(datum) == here


@pytest.mark.parametrize("name", ["Hong Kong, Central", "Taipei", "Seoul", "Hanoi", "Ulaanbaatar", "Paris"])
@pytest.mark.parametrize("datum", SHIFTED)
def test_what_a_service_publishes_elsewhere_is_taken_as_it_is(name: str, datum: Datum):
    here = LatLon(*ELSEWHERE[name])
    assert LatLon(here.lat, here.lon, datum).wgs84 == here


@given(position=near_the_border())
def test_numbers_that_read_as_inside_were_shifted(position: LatLon):
    """Even where the position they stand for is beyond our border: the service's border is not ours."""
    assume(mainland.contains(position.lat, position.lon))
    true = LatLon(position.lat, position.lon, Datum.GCJ02).wgs84
    assert 0.1 < distance_km(true, position) < 1.0


@pytest.mark.parametrize(
    ("datum", "wgs", "published"),
    [
        (Datum.GCJ02, (31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
        (Datum.GCJ02, (22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
        (Datum.GCJ02, (39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
        (Datum.BD09, (39.914266, 116.403988), (39.92196580126834, 116.41661560068297)),
    ],
)
def test_the_values_of_other_implementations(
    datum: Datum, wgs: tuple[float, float], published: tuple[float, float]
):
    """Test values of eviltransform (GCJ-02) and gcoord (BD-09)."""
    there = LatLon(*wgs).to(datum)
    assert (there.lat, there.lon) == pytest.approx(published, abs=1e-7)
    assert distance_km(LatLon(*published, datum), LatLon(*wgs)) < 1e-5


@pytest.mark.parametrize("datum", SHIFTED)
@given(position=in_or_near_china() | near_the_border())
def test_every_conversion_can_be_undone(datum: Datum, position: LatLon):
    assert distance_km(position.to(datum).to(Datum.WGS84), position) < 1e-5


@pytest.mark.parametrize("datum", SHIFTED)
@given(position=in_or_near_china() | near_the_border())
def test_published_coordinates_survive_the_way_to_wgs84_and_back(datum: Datum, position: LatLon):
    published = LatLon(position.lat, position.lon, datum)
    back = published.wgs84.to(datum)
    assert distance_km(back, published) < 1e-5
    if back.datum is datum:
        assert (back.lat, back.lon) == pytest.approx((published.lat, published.lon), abs=1e-9)


@pytest.mark.parametrize("datum", SHIFTED)
def test_the_border_itself_can_be_undone(datum: Datum):
    for lat, lon in (point for ring in mainland.rings() for point in ring):
        corner = LatLon(lat, lon)
        assert distance_km(corner.to(datum).wgs84, corner) < 1e-5


@pytest.mark.parametrize("datum", SHIFTED)
@given(position=in_or_near_china() | near_the_border())
def test_nothing_is_converted_twice(datum: Datum, position: LatLon):
    once = position.to(datum)
    assert once.to(datum) == once
    assert once.wgs84.wgs84 == once.wgs84


@given(position=in_or_near_china() | near_the_border())
def test_gcj02_and_bd09_agree_on_the_place(position: LatLon):
    gcj = position.to(Datum.GCJ02)
    assert distance_km(gcj.to(Datum.BD09), gcj) < 1e-5


@pytest.mark.parametrize("datum", SHIFTED)
@given(
    position=st.builds(LatLon, st.floats(18, 53), st.floats(74, 134)),
    bearing=st.floats(0, 360),
    metres=st.floats(0, 100),
)
def test_neighbours_in_the_mainland_stay_neighbours(
    datum: Datum, position: LatLon, bearing: float, metres: float
):
    neighbour = destination(position, bearing, metres / 1000)
    assume(mainland.contains(position.lat, position.lon) and mainland.contains(neighbour.lat, neighbour.lon))
    one, two = position.to(datum), neighbour.to(datum)
    published = distance_km(LatLon(one.lat, one.lon), LatLon(two.lat, two.lon)) * 1000
    assert published == pytest.approx(metres, rel=0.05, abs=0.01)


def test_the_shift_at_published_places(shared: Path):
    lines = (shared / "published" / "amap_v1_gpt5.jsonl").read_bytes().splitlines()
    truths = [LatLon(t["lat"], t["lon"]) for t in (json.loads(line)["ground_truth"] for line in lines)]
    pairs = [(truth, truth.to(Datum.GCJ02)) for truth in truths]
    metres = [
        1000 * distance_km(truth, LatLon(shifted.lat, shifted.lon))
        for truth, shifted in pairs
        if shifted.datum is Datum.GCJ02
    ]
    assert len(truths) == 2500
    assert len(metres) >= 2498
    assert sum(metres) / len(metres) == pytest.approx(524, abs=1)
    assert (min(metres), max(metres)) == pytest.approx((357, 672), abs=1)
