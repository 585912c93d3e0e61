import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import shapely

from wheretaken.errors import DataError, MissingExtraError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.region import Region, import_extract
from wheretaken.maps.offline.region.schema import DRAWN, open_region, read_meta

SQUARE = """
<node id="1" lat="60.0" lon="25.0"/><node id="2" lat="60.0" lon="25.002"/>
<node id="3" lat="60.001" lon="25.002"/><node id="4" lat="60.001" lon="25.0"/>
"""


def nodes(*refs: int) -> str:
    return "".join(f'<nd ref="{ref}"/>' for ref in refs)


def tag(**tags: str) -> str:
    return "".join(f'<tag k="{key.replace("__", ":")}" v="{value}"/>' for key, value in tags.items())


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_the_built_in_region_holds_central_helsinki(helsinki: Region, helsinki_path: Path):
    info = helsinki.info
    assert info.name == "Central Helsinki"
    assert info.covers(60.1699, 24.9384)
    assert not info.covers(60.3, 24.9384)
    assert info.source_date == "2019-04-21"
    assert "OpenStreetMap" in info.attribution
    assert info.things > 2000
    with closing(open_region(helsinki_path)) as connection:
        meta = read_meta(connection)
        for table, least in (("area", 900), ("line", 2500), ("point", 1500)):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > least
    assert meta["things"] == str(info.things)


@pytest.mark.parametrize("table", DRAWN)
def test_every_geometry_is_valid_wkb_inside_its_box(helsinki_path: Path, table: str):
    shape_type = {"area": {"MultiPolygon", "Polygon"}, "line": {"LineString"}, "point": {"Point"}}[table]
    found = rows(
        helsinki_path,
        f"SELECT geometry, xmin, xmax, ymin, ymax FROM {table} JOIN idx_{table}_geometry ON pkid = id",
    )
    assert len(found) == rows(helsinki_path, f"SELECT count(*) FROM {table}")[0][0]
    assert len(found) == rows(helsinki_path, f"SELECT count(*) FROM idx_{table}_geometry")[0][0]
    for wkb, west, east, south, north in found:
        shape = shapely.from_wkb(wkb)
        assert shape.geom_type in shape_type
        left, bottom, right, top = shape.bounds
        # R*Tree boxes are single precision, rounded outwards.
        assert west <= left <= right <= east
        assert south <= bottom <= top <= north


def test_area_sizes_are_square_metres(write_osm: Callable[..., Path], tmp_path: Path):
    source = write_osm(SQUARE + f'<way id="1">{nodes(1, 2, 3, 4, 1)}{tag(landuse="forest")}</way>')
    target = tmp_path / "r.sqlite"
    import_extract(source, target, name="square")
    ((m2,),) = rows(target, "SELECT area_m2 FROM area")
    wide = distance_km(LatLon(60.0005, 25.0), LatLon(60.0005, 25.002)) * 1000
    high = distance_km(LatLon(60.0, 25.0), LatLon(60.001, 25.0)) * 1000
    assert m2 == pytest.approx(wide * high, rel=1e-4)


def test_a_museum_mapped_as_a_building_is_drawn_as_both(write_osm: Callable[..., Path], tmp_path: Path):
    museum = tag(building="yes", tourism="museum", name="Kiasma", addr__housenumber="2")
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(SQUARE + f'<way id="7">{nodes(1, 2, 3, 4, 1)}{museum}</way>'), target, name="m")
    assert rows(target, "SELECT osm_id, class, subclass, name, house_number FROM area") == [
        ("w7", "building", "yes", "Kiasma", "2")
    ]
    assert rows(target, "SELECT osm_id, class, subclass, name FROM point") == [
        ("w7", "tourism", "museum", "Kiasma")
    ]
    assert rows(target, "SELECT osm_id, kind, name FROM thing") == [("w7", "museum", "Kiasma")]


def test_line_attributes_are_kept(write_osm: Callable[..., Path], tmp_path: Path):
    road = tag(highway="primary", name="Road", ref="E 18", oneway="-1", bridge="viaduct", tunnel="no")
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(SQUARE + f'<way id="7">{nodes(1, 2)}{road}</way>'), target, name="m")
    assert rows(target, "SELECT osm_id, class, subclass, name, ref, oneway, tunnel, bridge FROM line") == [
        ("w7", "highway", "primary", "Road", "E 18", -1, 0, 1)
    ]


def test_ways_of_one_street_are_one_thing_and_far_ones_another(
    write_osm: Callable[..., Path], tmp_path: Path
):
    far = '<node id="11" lat="60.05" lon="25.0"/><node id="12" lat="60.05" lon="25.001"/>'
    street = tag(highway="residential", name="Kaivokatu", name__sv="Brunnsgatan")
    ways = [(20, (2, 3)), (21, (1, 2)), (22, (11, 12))]
    elements = SQUARE + far + "".join(f'<way id="{id_}">{nodes(*refs)}{street}</way>' for id_, refs in ways)
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(elements), target, name="m")
    found = rows(target, "SELECT osm_id, kind, name, lat, extent_km FROM thing ORDER BY osm_id")
    assert [row[:3] for row in found] == [("w20", "street", "Kaivokatu"), ("w22", "street", "Kaivokatu")]
    assert found[0][4] == pytest.approx(0.11, abs=0.06)
    with Region(target) as region:
        assert [place.id for place in region.search("Brunnsgatan")] == ["osm:w20", "osm:w22"]
        merged = region.details("osm:w21")
    assert merged is not None
    assert merged.id == "osm:w20"


def test_an_extract_may_be_cut_anywhere(write_osm: Callable[..., Path], tmp_path: Path):
    elements = SQUARE + (
        # Nodes 90-92 are not in the file.
        f'<way id="1">{nodes(1, 2, 90, 3, 4)}{tag(highway="residential", name="Cut street")}</way>'
        f'<way id="2">{nodes(90, 91, 92)}{tag(highway="residential", name="Gone street")}</way>'
        f'<way id="3">{nodes(1, 2, 91, 4, 1)}{tag(building="yes", name="Cut house")}</way>'
        '<relation id="4"><member type="way" ref="99" role="outer"/>'
        f"{tag(type='multipolygon', natural='water', name='Gone lake')}</relation>"
        f'<way id="5">{nodes(1, 2, 3, 4, 1)}{tag(building="yes", name="Whole house")}</way>'
    )
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(elements), target, name="m")
    assert rows(target, "SELECT osm_id, name FROM line") == [("w1", "Cut street"), ("w1", "Cut street")]
    assert rows(target, "SELECT osm_id, name FROM area") == [("w5", "Whole house")]
    assert rows(target, "SELECT value FROM meta WHERE key = 'incomplete'") == [("3",)]


def test_coastlines_are_kept_and_the_sea_is_on_their_right(write_osm: Callable[..., Path], tmp_path: Path):
    coast = (
        '<node id="31" lat="59.99" lon="25.001"/><node id="32" lat="60.01" lon="25.001"/>'
        f'<way id="4">{nodes(31, 32)}{tag(natural="coastline")}</way>'
    )
    # Drawn northwards, the land is in the west; the bounds come from the other elements.
    house = f'<way id="5">{nodes(1, 2, 3, 4, 1)}{tag(landuse="grass")}</way>'
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(SQUARE + coast + house), target, name="m")
    assert rows(target, "SELECT subclass FROM line") == [("coastline",)]
    ((wkb,),) = rows(target, "SELECT geometry FROM area WHERE class = 'natural' AND subclass = 'sea'")
    sea = shapely.from_wkb(wkb)
    assert sea.contains(shapely.Point(25.0015, 60.0))
    assert not sea.contains(shapely.Point(25.0005, 60.0))


def test_gzipped_xml_is_read(write_osm: Callable[..., Path], tmp_path: Path):
    cafe = f'<node id="1" lat="60.0" lon="25.0">{tag(amenity="cafe", name="Kahvila")}</node>'
    info = import_extract(write_osm(cafe, "small.osm.gz"), tmp_path / "r.sqlite", name="z")
    assert (info.things, info.source_date, info.name) == (1, "2024-05-06", "z")


def damaged(kind: str, directory: Path, good: Path) -> Path:
    content = {
        "empty.osm.pbf": b"",
        "noise.osm.pbf": b"hello" * 1000,
        "cut.osm.pbf": good.read_bytes()[:300_000],
        "broken.osm": b"<osm version='0.6'><node id='1' lat='a",
        "nothing.osm": b"<?xml version='1.0'?><osm version='0.6'></osm>",
        "photo.jpg": b"\xff\xd8",
    }
    path = directory / kind
    if kind == "directory.osm":
        path.mkdir()
    elif kind in content:
        path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "empty.osm.pbf", "noise.osm.pbf", "cut.osm.pbf", "broken.osm", "nothing.osm", "photo.jpg",
        "directory.osm", "missing.osm",
    ],
)  # fmt: skip
def test_a_bad_extract_is_one_clear_line_and_leaves_the_old_region(
    kind: str, tmp_path: Path, write_osm: Callable[..., Path]
):
    from wheretaken.maps.offline import region as package

    good = Path(package.__file__).parents[1] / "data" / "region" / "helsinki.osm.pbf"
    target = tmp_path / "out" / "r.sqlite"
    cafe = f'<node id="1" lat="60.0" lon="25.0">{tag(amenity="cafe", name="Kahvila")}</node>'
    import_extract(write_osm(cafe), target, name="old")
    source = damaged(kind, tmp_path, good)
    with pytest.raises(DataError) as caught:
        import_extract(source, target, name="new")
    assert "\n" not in str(caught.value)
    assert kind in str(caught.value)
    with Region(target) as region:
        assert region.info.name == "old"
    assert [path.name for path in target.parent.iterdir()] == ["r.sqlite"]


def test_without_the_extra_it_says_what_to_install(
    write_osm: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = write_osm(SQUARE + f'<way id="1">{nodes(1, 2, 3, 4, 1)}{tag(landuse="forest")}</way>')
    for module in ("shapely", "osmium"):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(MissingExtraError, match=r"pip install 'wheretaken\[offline\]'"):
            import_extract(source, tmp_path / "r.sqlite", name="m")


def test_readers_keep_the_old_region_while_it_is_replaced(write_osm: Callable[..., Path], tmp_path: Path):
    target = tmp_path / "r.sqlite"
    old = write_osm(
        f'<node id="1" lat="60.0" lon="25.0">{tag(amenity="cafe", name="Old café")}</node>', "a.osm"
    )
    new = write_osm(
        f'<node id="1" lat="60.0" lon="25.0">{tag(amenity="cafe", name="New café")}</node>', "b.osm"
    )
    import_extract(old, target, name="old")
    with Region(target) as reader:
        import_extract(new, target, name="new")
        assert [place.name for place in reader.search("Old café")] == ["Old café"]
        with Region(target) as fresh:
            assert [place.name for place in fresh.search("New café")] == ["New café"]


def test_progress_is_reported(helsinki_path: Path, tmp_path: Path):
    from wheretaken.maps.offline import region as package

    stages: list[str] = []
    good = Path(package.__file__).parents[1] / "data" / "region" / "helsinki.osm.pbf"
    info = import_extract(
        good, tmp_path / "r.sqlite", name="h", progress=lambda stage, _done, _total: stages.append(stage)
    )
    assert list(dict.fromkeys(stages)) == ["reading the map", "joining streets", "indexing names"]
    assert info.things == Region(helsinki_path).info.things


def test_a_region_of_another_version_asks_for_a_new_import(helsinki_path: Path, tmp_path: Path):
    other = tmp_path / "other.region.sqlite"
    other.write_bytes(helsinki_path.read_bytes())
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(DataError, match=r"format 0.*add it again: wheretaken maps add helsinki"):
        Region(other)


@pytest.mark.parametrize("content", [b"", b"not a database" * 100])
def test_a_damaged_region_is_one_clear_line(content: bytes, tmp_path: Path):
    bad = tmp_path / "bad.region.sqlite"
    bad.write_bytes(content)
    with pytest.raises(DataError, match="add its extract again") as caught:
        Region(bad)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="no region file"):
        Region(tmp_path / "missing.region.sqlite")


def test_what_neither_map_nor_search_shows_is_not_kept(write_osm: Callable[..., Path], tmp_path: Path):
    elements = SQUARE.replace('<node id="1" lat="60.0" lon="25.0"/>', "") + (
        f'<node id="1" lat="60.0" lon="25.0">{tag(natural="tree")}</node>'
        f'<node id="5" lat="60.0" lon="25.001">{tag(natural="tree", name="Old oak")}</node>'
        f'<node id="6" lat="60.0" lon="25.001">{tag(addr__housenumber="7")}</node>'
        f'<way id="1">{nodes(1, 2)}{tag(barrier="wall")}</way>'
        f'<way id="2">{nodes(2, 3)}{tag(barrier="city_wall", name="City wall")}</way>'
        f'<way id="3">{nodes(3, 4)}{tag(highway="footway")}</way>'
    )
    target = tmp_path / "r.sqlite"
    import_extract(write_osm(elements), target, name="m")
    assert rows(target, "SELECT osm_id FROM point ORDER BY id") == [("n5",), ("n6",)]
    assert rows(target, "SELECT osm_id FROM line ORDER BY id") == [("w2",), ("w3",)]


def test_every_line_that_a_picture_or_a_tile_draws_is_kept():
    from wheretaken.maps.offline.region.tags import is_drawn_line
    from wheretaken.maps.offline.render import street_tables as drawn
    from wheretaken.maps.offline.tiles import layers

    roads = [("highway", value) for road in drawn.ROADS for value in road.values.split()]
    others = [("highway", value) for value in drawn.PATHS] + [("railway", value) for value in drawn.RAILS]
    others += [("waterway", value) for value in drawn.STREAMS] + [
        ("aeroway", value) for value in drawn.RUNWAYS
    ]
    tiled = [
        (key, value)
        for sort in (*layers.WATERWAY, *layers.TRANSPORTATION, *layers.AEROWAY)
        for key, values in sort.values.items()
        for value in values.split()
    ]
    assert all(map(is_drawn_line, (*roads, *others, *tiled, ("natural", "coastline"))))


def test_the_day_is_that_of_the_replication_where_the_header_tells(tmp_path: Path):
    import osmium

    header = osmium.io.Header()
    header.set("osmosis_replication_timestamp", "2031-02-03T04:05:06Z")
    extract = tmp_path / "a.osm.pbf"
    with osmium.SimpleWriter(extract, header=header) as writer:
        tags = {"amenity": "cafe", "name": "A"}
        writer.add_node(
            osmium.osm.mutable.Node(id=1, location=(25, 60), tags=tags, timestamp="2020-01-01T00:00:00Z")
        )
    assert import_extract(extract, tmp_path / "r.sqlite", name="m").source_date == "2031-02-03"
