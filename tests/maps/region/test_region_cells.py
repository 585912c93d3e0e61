from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken.geo import LatLon
from wheretaken.maps.offline.region import Region, import_extract


@pytest.mark.parametrize(
    ("lat", "lon"), [(60.17, 24.94), (-33.86, 151.21), (0.00001, -0.00001), (-54.8, -68.3), (10, 179.9999)]
)
def test_what_is_around_a_point_is_found_on_every_side_of_the_globe(
    write_osm: Callable[..., Path], tmp_path: Path, lat: float, lon: float
):
    spots = [(0, 0), (0.0015, 0), (-0.0015, 0), (0, 0.0015), (0, -0.0015), (0.02, 0)]
    nodes = "".join(
        f'<node id="{number}" lat="{lat + north:.7f}" lon="{lon + east:.7f}">'
        f'<tag k="amenity" v="cafe"/><tag k="name" v="Café {number}"/></node>'
        for number, (north, east) in enumerate(spots, start=1)
        if lon + east < 180
    )
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(nodes), target, name="spots")
    with Region(target) as region:
        found = {place.name for place in region.reverse(LatLon(lat, lon), limit=10)}
    expected = {f"Café {number}" for number in range(1, 6) if lon + spots[number - 1][1] < 180}
    assert found == expected
