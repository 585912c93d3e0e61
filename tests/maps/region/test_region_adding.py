"""Adding extracts to the regions of this machine: whole or not at all, and a clear line when it cannot be."""

import fcntl
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from pyarrow import parquet

from wheretaken.errors import DataError, UserError
from wheretaken.maps.offline.region import Region, basemap, library
from wheretaken.maps.offline.region.adding import add, estimate, remove

NODE = '<node id="{n}" lat="{lat}" lon="24.9"><tag k="amenity" v="cafe"/><tag k="name" v="{name}"/></node>'


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHERETAKEN_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def cafe(name: str, n: int = 1) -> str:
    return NODE.format(n=n, lat=60 + n / 1000, name=name)


def left_over(data: Path) -> list[str]:
    return sorted(
        path.name for path in data.rglob("*") if path.is_file() and not path.name.endswith("sqlite")
    )


@pytest.mark.parametrize(
    ("file", "title"),
    [
        ("finland-latest.osm.pbf", "Finland"),
        ("new-zealand-240101.osm.pbf", "New Zealand"),
        ("monaco.osm", "Monaco"),
        ("東京.osm.gz", "東京"),
        ("places.parquet", "Places"),
    ],
)
def test_a_region_is_called_after_its_file(file, title):
    assert library.title_of(Path(file)) == title


def test_a_newer_extract_takes_the_place_of_the_old_one_under_its_readers(write_osm, data):
    first = add(write_osm(cafe("Old Mill")), name="Mill Town")
    with Region(first.path) as reading:
        second = add(write_osm(cafe("New Mill")), name="mill town")
        assert second.path == first.path
        assert reading.search("Old Mill")
    with Region(second.path) as region:
        assert [place.name for place in region.search("New Mill")] == ["New Mill"]
        assert not region.search("Old")
    assert [path.name for path in library.own_files()] == ["mill-town.region.sqlite"]
    assert left_over(data) == []


def test_a_region_says_where_it_is_from(write_osm):
    info = add(write_osm(cafe("Mill"), name="mill-latest.osm"))
    assert (info.name, info.source_date, info.things) == ("Mill", "2024-05-06", 1)


WEB_PAGE = b"<!DOCTYPE html><html><body>404</body></html>"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.osm.pbf", b"", "is empty"),
        ("a.osm.pbf", WEB_PAGE, "is a web page"),
        ("a.osm.pbf", b"\x00" * 900, r"does not begin like a \.pbf"),
        ("a.osm.gz", b"<osm/>", r"does not begin like a \.gz"),
        ("a.osm.bz2", b"<osm/>", r"does not begin like a \.bz2"),
        ("a.osm", b"nonsense", r"does not begin like a \.osm"),
        ("a.osm", b'<?xml version="1.0"?><osm version="0.6"></osm>', "nothing that can be drawn"),
        ("a.txt", b"text", "not an OpenStreetMap extract"),
    ],
)
def test_what_is_no_extract_is_told_and_leaves_nothing(tmp_path, data, name, content, complaint):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=complaint):
        add(path, name="Nowhere")
    assert library.own_files() == []
    assert left_over(data) == []


def test_a_truncated_extract_keeps_the_region_that_was_there(shared: Path, tmp_path, data):
    whole = shared / "osm" / "monaco.osm.pbf"
    before = add(whole, name="Monaco").path.read_bytes()
    cut = tmp_path / "monaco.osm.pbf"
    cut.write_bytes(whole.read_bytes()[:-40_000])
    with pytest.raises(DataError, match="cannot be read as an OpenStreetMap extract"):
        add(cut, name="Monaco")
    assert library.region_path("Monaco").read_bytes() == before
    assert left_over(data) == []


def test_a_folder_or_nothing_is_told(tmp_path):
    with pytest.raises(DataError, match="there is no file"):
        add(tmp_path / "none.osm.pbf")
    with pytest.raises(DataError, match="is not a file"):
        add(tmp_path)


def test_the_planet_is_refused_before_it_is_read(tmp_path):
    planet = tmp_path / "planet-latest.osm.pbf"
    planet.write_bytes(b"\x00\x00\x00\x0d\x0a\x09OSMHeader")
    os.truncate(planet, 90_000_000_000)  # sparse: it takes no room
    with pytest.raises(
        UserError, match=r"90 GB\) takes about \d+ days and \d+ GB of disk.*country or the city"
    ):
        add(planet, force=True)
    os.truncate(planet, 6_000_000_000)
    assert estimate(planet).hours > 4


def test_a_full_disk_is_one_line_and_leaves_nothing(write_osm, data):
    path = write_osm("".join(cafe(f"Café number {n}", n) for n in range(1, 3000)))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, before[1]))
    try:
        with pytest.raises(UserError, match="is full: make room"):
            add(path, name="Full")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert library.own_files() == []
    assert left_over(data) == []


def test_a_second_import_of_the_same_region_is_told_who_is_at_it(write_osm):
    path = write_osm(cafe("Mill"))
    lock = library.regions_dir() / ".mill-town.region.sqlite.lock"
    with lock.open("w") as handle:
        handle.write("4711")
        handle.flush()
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="Mill Town is being imported already, by process 4711"):
            add(path, name="Mill Town")
        assert add(path, name="Elsewhere").things == 1
    # The lock of a process that died keeps nobody out.
    assert add(path, name="Mill Town").things == 1


# It waits at its first report until it is stopped: on a busy machine a signal would come after its end.
IMPORT = """
import sys
from pathlib import Path
from wheretaken.maps.offline.region.adding import add

def at_work(*_):
    print("at work", flush=True)
    sys.stdin.readline()

add(Path(sys.argv[1]), name="Killed", progress=at_work)
"""


@pytest.fixture
def at_work(write_osm, data) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    path = write_osm("".join(cafe(f"Café number {n}", n) for n in range(1, 15_000)))
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", IMPORT, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout
        assert process.stdout.readline() == "at work\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_ctrl_c_in_mid_import_leaves_nothing(at_work, data):
    process = at_work()
    process.send_signal(signal.SIGINT)
    assert process.wait(30) != 0
    assert library.own_files() == []
    assert left_over(data) == []


def test_what_a_killed_import_left_goes_with_the_next_one(at_work, write_osm, data):
    process = at_work()
    process.kill()
    process.wait(30)
    deadline = time.monotonic() + 5
    while not left_over(data) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert left_over(data)
    assert library.own_files() == []
    add(write_osm(cafe("Mill"), name="other.osm"), name="Killed")
    assert left_over(data) == []


def test_removing_takes_what_was_added_and_nothing_else(write_osm):
    add(write_osm(cafe("Mill")), name="Mill Town")
    kept = add(write_osm(cafe("Mill")), name="Kept").path
    assert [path.name for path in remove("mill town")] == ["mill-town.region.sqlite"]
    assert library.own_files() == [kept]
    with pytest.raises(UserError, match="there is no region 'Mill Town'; there are: kept"):
        remove("Mill Town")
    with pytest.raises(UserError, match="built in"):
        remove("Central Helsinki")


def test_a_name_without_letters_is_refused(write_osm):
    with pytest.raises(UserError, match="--name"):
        add(write_osm(cafe("Mill")), name="../..")


def test_a_region_of_an_older_version_says_which_extract_to_add_again(write_osm):
    path = add(write_osm(cafe("Mill"), name="mill-latest.osm"), name="Mill Town").path
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET value = '0' WHERE key = 'schema_version'")
    with pytest.raises(DataError, match=r"wheretaken maps add mill-latest.osm --name 'Mill Town'"):
        Region(path)


@pytest.fixture
def overture(tmp_path: Path) -> Path:
    """Two places in the columns of Overture's releases."""
    names = pa.struct([("primary", pa.string()), ("common", pa.map_(pa.string(), pa.string()))])
    brand = pa.struct([("names", names)])
    address = pa.struct([("freeform", pa.string()), ("locality", pa.string()), ("country", pa.string())])
    categories = pa.struct([("primary", pa.string()), ("alternate", pa.list_(pa.string()))])
    rows = [
        {
            "id": "08f1126d",
            "geometry": shapely.to_wkb(shapely.Point(24.94, 60.17), byte_order=0),
            "names": {"primary": "ロバーツ", "common": [("en", "Roberts Coffee")]},
            "categories": {"primary": "coffee_shop", "alternate": ["bakery", "book_store"]},
            "sources": [{"dataset": "meta", "update_time": "2031-05-06T07:08:09Z"}, None],
            "brand": {"names": {"primary": "Robert's Coffee", "common": None}},
            "addresses": [{"freeform": "Aleksanterinkatu 21", "locality": "Helsinki", "country": "FI"}],
            "confidence": 0.9,
        },
        {
            "id": "08f1126e",
            "geometry": shapely.to_wkb(shapely.Point(24.95, 60.17)),
            "names": {"primary": "Doubtful", "common": None},
            "categories": {"primary": "book_store", "alternate": None},
            "sources": None,
            "brand": None,
            "addresses": None,
            "confidence": 0.1,
        },
    ]
    source = pa.struct([("dataset", pa.string()), ("update_time", pa.string())])
    schema = pa.schema(
        [
            ("sources", pa.list_(source)),
            ("id", pa.string()),
            ("geometry", pa.binary()),
            ("names", names),
            ("categories", categories),
            ("brand", brand),
            ("addresses", pa.list_(address)),
            ("confidence", pa.float64()),
        ]
    )
    path = tmp_path / "places.parquet"
    parquet.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


def test_overture_places_are_found_by_every_name(overture):
    info = add(overture, overture=True)
    assert (info.name, info.things) == ("Places", 1)
    with Region(info.path) as region:
        for query in ("ロバーツ", "Roberts Coffee", "robert's coffee", "Robrts Coffee"):
            (found,) = region.search(query)
            assert (found.id, found.kind, found.lat, found.lon) == ("overture:08f1126d", "cafe", 60.17, 24.94)
        assert "Overture" in found.source
        assert found.city == "Helsinki"
        for kind in ("cafe", "bakery", "books"):
            assert [place.id for place in region.search("", kind=kind)] == [found.id]
    assert info.source_date == "2031-05-06"
    assert info.attribution.endswith("Overture Maps Foundation (CDLA Permissive 2.0): meta")
    with Region(info.path) as region:
        assert region.details("overture:08f1126d") == found.model_copy(update={"match": None})


def test_other_tables_are_no_places(tmp_path):
    path = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"id": [1]}), path)
    with pytest.raises(DataError, match="holds no Overture places"):
        add(path, overture=True)
    path.write_bytes(b"PAR1 and nothing")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        add(path, overture=True)


def test_a_basemap_is_kept_listed_and_removed(tmp_path, data):
    source = tmp_path / "helsinki-latest.pmtiles"
    with source.open("wb") as file:
        writer = Writer(file)
        writer.write_tile(zxy_to_tileid(0, 0, 0), b"tile")
        header = {
            "tile_type": TileType.MVT,
            "tile_compression": Compression.NONE,
            "min_lon_e7": 249_000_000,
            "min_lat_e7": 601_000_000,
            "max_lon_e7": 250_000_000,
            "max_lat_e7": 602_000_000,
            "center_zoom": 0,
            "center_lon_e7": 0,
            "center_lat_e7": 0,
        }
        writer.finalize(header, {"attribution": '<a href="x">© A map</a>'})
    added = basemap.add_basemap(source)
    assert (added.name, added.tiles, added.attribution) == ("helsinki", "mvt", "© A map")
    assert (added.south, added.west, added.north, added.east) == (60.1, 24.9, 60.2, 25.0)
    assert basemap.basemaps() == [added]
    source.write_bytes(b"PMTiles\x02 no such version")
    with pytest.raises(DataError, match="not a PMTiles archive"):
        basemap.add_basemap(source)
    assert basemap.basemaps() == [added]
    remove("Helsinki")
    assert basemap.basemaps() == []
