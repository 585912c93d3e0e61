"""Every published format is recognised by its columns, and what is read is said."""

import csv
import io
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from wheretaken.evals.datasets import open_dataset
from wheretaken.geo import Datum, LatLon

PLACES365 = ["IMG_ID", "AUTHOR", "LAT", "LON", "S3_Label", "S16_Label", "S365_Label", "Prob_indoor"]


def write_csv(path: Path, header: list[str], *rows: list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def test_mapbench(tmp_path):
    rows = [
        {"image": "images/a.jpg", "latitude": 36.08, "longitude": 120.38, "city": "青岛", "country": "中国"},
        {
            "image": "images/b.jpg",
            "latitude": "31.2",
            "longitude": "121.5",
            "city": "上海",
            "country": "中国",
        },
    ]
    table = tmp_path / "test.jsonl"
    table.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    put(tmp_path, "images/a.jpg", "images/b.jpg")
    data = open_dataset(table)
    assert data.format == "MAPBench, JSONL"
    assert any("--datum GCJ-02" in note for note in data.notes)
    first, second = data.rows()
    assert (first.id, first.image, first.line) == ("images/a.jpg", "images/a.jpg", 1)
    assert first.truth.model_dump() == {"lat": 36.08, "lon": 120.38, "city": "青岛", "country": "中国"}
    assert first.read() == b"images/a.jpg"
    assert (second.truth.lat, second.truth.lon, second.line) == (31.2, 121.5, 2)
    assert list(data.rows()) == [first, second]  # it can be read again
    assert open_dataset(tmp_path).name == data.name == tmp_path.name  # `test` would say nothing


def test_a_picture_in_two_rows_is_two_rows(tmp_path):
    rows = [{"image": "a.jpg", "lat": lat, "lon": 2} for lat in (1, 3, 1)]
    table = tmp_path / "t.jsonl"
    table.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    put(tmp_path, "a.jpg")
    found = list(open_dataset(table).rows())
    assert [(row.id, row.image, row.truth.lat) for row in found] == [
        ("a.jpg", "a.jpg", 1), ("a.jpg#2", "a.jpg", 3), ("a.jpg#3", "a.jpg", 1),
    ]  # fmt: skip


def test_a_datum_of_the_whole_set_is_converted(tmp_path):
    table = write_csv(tmp_path / "t.csv", ["image", "lat", "lon"], ["a.jpg", 36.086763, 120.379146])
    for name in ("GCJ-02", "gcj02"):
        data = open_dataset(table, datum=name)
        truth = next(data.rows()).truth
        wanted = LatLon(36.086763, 120.379146, Datum.GCJ02).wgs84
        assert (truth.lat, truth.lon) == (wanted.lat, wanted.lon)
        assert abs(truth.lon - 120.379146) > 0.004
        assert "positions are converted from GCJ-02 to WGS-84" in data.notes
    same = open_dataset(table, datum="wgs 84")
    assert next(same.rows()).truth.lat == 36.086763


def test_geobench_reads_truth_from_its_metadata(tmp_path):
    metadata = [
        {"uid": "u1", "lat": 51.5, "lng": -0.12, "city": "London", "country": "United Kingdom"},
        {"uid": "u2", "location": {"lat": -33.9, "lng": 151.2}, "city": "Sydney"},
    ]
    rows = [
        {
            "id": meta["uid"],
            "preview": {"bytes": b"preview " + str(meta["uid"]).encode(), "path": f"{meta['uid']}.jpg"},
            "metadata": json.dumps(meta),
            "data_type": "panorama",
            "raw_image_path": f"raw_image/{meta['uid']}/panorama.jpg",
        }
        for meta in metadata
    ]
    part = tmp_path / "GeoBench" / "data" / "test" / "data-00000-of-00001.parquet"
    part.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows[:1]), part)
    put(tmp_path / "GeoBench", "raw_image/u1/panorama.jpg")
    data = open_dataset(tmp_path / "GeoBench")
    assert (data.name, data.format) == ("GeoBench", "GeoBench, Parquet")
    (row,) = data.rows()
    assert (row.id, row.split, row.truth.city) == ("u1", "test", "London")
    assert (row.truth.lat, row.truth.lon) == (51.5, -0.12)
    assert row.read() == b"raw_image/u1/panorama.jpg"

    (tmp_path / "GeoBench/raw_image/u1/panorama.jpg").unlink()  # only the Parquet file was downloaded
    (row,) = data.rows()
    assert row.read() == b"preview u1"
    pq.write_table(pa.Table.from_pylist(rows[1:]), part)
    (row,) = open_dataset(tmp_path / "GeoBench").rows()
    assert (row.truth.lat, row.truth.lon) == (-33.9, 151.2)


@pytest.mark.parametrize(
    ("number", "header", "values"),
    [
        (1, ["image_id", "label_method", "city", "city_id", "country", "latitude", "longitude", "img_path"],
         ["00023921-4ea9", "random", "Trenton", 7, "United States", 40.45, -93.4, "img/4/00023921.jpeg"]),
        (2, ["image_id", "name", "gmap_id", "latitude", "longitude", "city", "state"],
         ["1_0x888e_0x9ab5", "Island Delight", "0x888e:0x9ab5", 32.37, -86.3, "Montgomery", "AL"]),
        (3, ["image_id", "address", "latitude", "longitude", "city", "state", "country"],
         ["GJVABEQTQLOHTEREJQUC", "Mackinac Bridge, MI", 45.8388, -84.7209, "Mackinaw City", "MI", "USA"]),
    ],
)  # fmt: skip
def test_imageo_names_its_photos_by_id(tmp_path, number, header, values):
    table = write_csv(tmp_path / f"dataset{number}_info.csv", header, values)
    put(tmp_path, f"dataset{number}/{values[0]}.jpeg")
    data = open_dataset(table)
    assert data.format == "IMAGEO-Bench, CSV"
    (row,) = data.rows()
    assert row.id == values[0]
    assert row.truth.lat == values[header.index("latitude")]
    assert row.truth.city == values[header.index("city")]
    assert row.read().endswith(b".jpeg")


def places365(path: Path, header: list[str], *positions: tuple[float, float]) -> Path:
    rows = [[f"{n}.jpg", "a@N00", lat, lon, 2, 12, 353, 0.1] for n, (lat, lon) in enumerate(positions)]
    return write_csv(path, header, *rows)


SWAPPED = [*PLACES365[:2], "LON", "LAT", *PLACES365[4:]]


@pytest.mark.parametrize("header", [PLACES365, SWAPPED])
def test_swapped_headers_are_found_by_a_longitude_beyond_90(tmp_path, header):
    """Two editions of the published file have the same numbers under different headers."""
    path = places365(tmp_path / "im2gps3k_places365.csv", header, (32.3, -64.7), (29.97, 122.39))
    put(tmp_path, "im2gps3ktest/0.jpg")
    data = open_dataset(path)
    assert data.format == "IM2GPS/YFCC (places365), CSV"
    assert any("swapped" in note for note in data.notes) == (header is SWAPPED)
    first, second = data.rows()
    assert (first.truth.lat, first.truth.lon) == (32.3, -64.7)
    assert (second.truth.lat, second.truth.lon) == (29.97, 122.39)
    assert first.read() == b"im2gps3ktest/0.jpg"
    lat, lon = ("LON", "LAT") if header is SWAPPED else ("LAT", "LON")
    assert f"lat from {lat}, lon from {lon}" in data.notes[0]


def test_headers_are_not_swapped_because_longitude_stands_first(tmp_path):
    """In a YFCC table the header may be right: the values decide."""
    rows = [["1.jpg", "a", 122.39, 29.97, 0, 0, 0, 0], ["2.jpg", "a", -64.7, 32.3, 0, 0, 0, 0]]
    data = open_dataset(write_csv(tmp_path / "yfcc25600_places365.csv", SWAPPED, *rows))
    assert not any("swapped" in note for note in data.notes)
    assert [(row.truth.lat, row.truth.lon) for row in data.rows()] == [(29.97, 122.39), (32.3, -64.7)]


def test_without_a_longitude_beyond_90_the_known_file_decides_and_says_so(tmp_path):
    known = open_dataset(places365(tmp_path / "im2gps_places365.csv", SWAPPED, (48.8, 2.3)))
    assert any("taken for swapped" in note for note in known.notes)
    assert next(known.rows()).truth.lat == 48.8
    unknown = open_dataset(places365(tmp_path / "yfcc4k_places365.csv", SWAPPED, (48.8, 2.3)))
    assert any("could not be checked" in note for note in unknown.notes)
    assert next(unknown.rows()).truth.lon == 48.8


def test_what_the_user_says_of_columns_is_not_second_guessed(tmp_path):
    path = places365(tmp_path / "im2gps_places365.csv", SWAPPED, (48.8, 2.3))
    data = open_dataset(path, columns={"lat": "LAT", "lon": "LON"})
    assert next(data.rows()).truth.lat == 2.3
    assert not any("swapped" in note for note in data.notes)


def test_osv5m_finds_photos_in_numbered_folders(tmp_path):
    header = ["id", "latitude", "longitude", "country", "region", "city", "unique_country"]
    table = write_csv(
        tmp_path / "test.csv",
        header,
        [3859149887465501, -43.8, -176.6, "NZ", "Chatham Islands", "Waitangi", "NZ"],
        [17, 10.0, 20.0, "TD", "", "", "TD"],
        [18, 10.0, 20.0, "TD", "", "", "TD"],
    )
    put(tmp_path, "images/test/03/3859149887465501.jpg", "images/test/00/17.jpg", "images/test/00/18.jpg")
    for options in ({}, {"images": tmp_path / "images"}, {"images": tmp_path / "images" / "test"}):
        data = open_dataset(table, **options)
        assert data.format == "OSV-5M, CSV"
        rows = list(data.rows())
        assert [row.read() for row in rows] == [
            b"images/test/03/3859149887465501.jpg", b"images/test/00/17.jpg", b"images/test/00/18.jpg"
        ]  # fmt: skip
        assert (rows[0].id, rows[0].truth.country, rows[0].truth.city) == (
            "3859149887465501",
            "NZ",
            "Waitangi",
        )


def test_geoclip_csv(tmp_path):
    table = write_csv(tmp_path / "val.csv", ["IMG_FILE", "LAT", "LON"], ["x/1.jpg", 1.5, 2.5])
    put(tmp_path, "x/1.jpg")
    data = open_dataset(table)
    assert data.format == "GeoCLIP, CSV"
    assert next(data.rows()).read() == b"x/1.jpg"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_any_table_by_column_mapping(tmp_path, suffix):
    rows = [{"where": "x/1.jpg", "north": 1.5, "east": 2.5, "key": "k", "note": "hello, world"}]
    path = tmp_path / f"t.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == "jsonl":
        path.write_text(json.dumps(rows[0]))
    else:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0], delimiter="\t" if suffix == "tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    put(tmp_path, "x/1.jpg")
    data = open_dataset(path, columns={"image": "where", "lat": "north", "lon": "east", "id": "key"})
    (row,) = data.rows()
    assert (row.id, row.truth.lat, row.truth.lon, row.read()) == ("k", 1.5, 2.5, b"x/1.jpg")
    assert row.extra.get("note", "hello, world") == "hello, world"


def test_nested_truth_is_found_like_columns(tmp_path):
    path = tmp_path / "published.jsonl"
    path.write_text('{"index": 0, "ground_truth": {"lat": 1.0, "lon": 2.0, "city": "X", "image": "a.jpg"}}')
    (row,) = open_dataset(path).rows()
    assert (row.truth.lat, row.truth.lon, row.truth.city, row.image) == (1.0, 2.0, "X", "a.jpg")


def test_a_folder_of_geotagged_photos(tmp_path, photo):
    (tmp_path / "trip" / "day 1").mkdir(parents=True)
    (tmp_path / "trip" / "b.jpg").write_bytes(photo(1, lat=-54.0, lon=-68.0))
    (tmp_path / "trip" / "day 1" / "a.JPG").write_bytes(photo(2, lat=60.0, lon=25.0))
    (tmp_path / "trip" / "none.png").write_bytes(b"no picture")
    data = open_dataset(tmp_path / "trip")
    assert data.name == "trip"
    assert "1 photos without a position in EXIF are left out: none.png" in data.notes
    one, two = data.rows()
    assert (one.image, one.truth.lat, one.truth.lon) == ("b.jpg", -54.0, -68.0)
    assert (two.image, two.truth.lat, two.truth.lon) == ("day 1/a.JPG", 60.0, 25.0)


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "heic", "avif"])
def test_geotags_are_read_in_every_format(tmp_path, photo, suffix):
    import pillow_heif

    pillow_heif.register_heif_opener()
    with Image.open(io.BytesIO(photo(1, lat=-12.5, lon=130.75))) as picture:
        picture.save(tmp_path / f"a.{suffix}", exif=picture.getexif())
    (row,) = open_dataset(tmp_path).rows()
    assert (row.truth.lat, row.truth.lon) == (-12.5, 130.75)


def test_the_datum_of_a_geotag_counts_when_it_is_known(tmp_path, photo):
    (tmp_path / "a.jpg").write_bytes(photo(1, lat=36.0, lon=120.0, datum="GCJ-02"))
    (row,) = open_dataset(tmp_path).rows()
    assert row.truth.lon == LatLon(36.0, 120.0, Datum.GCJ02).wgs84.lon != 120.0
    (tmp_path / "a.jpg").write_bytes(photo(1, lat=36.0, lon=120.0, datum="TOKYO"))
    (row,) = open_dataset(tmp_path).rows()
    assert row.truth.lon == 120.0


def test_parts_of_a_parquet_set_are_one_set(tmp_path):
    for name, image in (
        ("train-00000-of-00002", "a"),
        ("train-00001-of-00002", "b"),
        ("test-00000-of-00001", "c"),
    ):
        row = {"image": {"bytes": image.encode(), "path": f"{image}.jpg"}, "latitude": 1.0, "longitude": 2.0}
        pq.write_table(pa.Table.from_pylist([row]), tmp_path / f"{name}.parquet")
    data = open_dataset(tmp_path)
    assert [(row.id, row.split, row.read(), row.line) for row in data.rows()] == [
        ("c.jpg", "test", b"c", 1), ("a.jpg", "train", b"a", 1), ("b.jpg", "train", b"b", 1)
    ]  # fmt: skip


@pytest.mark.parametrize("path", [None, "same.jpg"])
def test_pictures_without_names_of_their_own_get_ids(tmp_path, path):
    for part in (0, 1):
        rows = [{"image": {"bytes": b"x", "path": path}, "lat": 1.0, "lon": 2.0} for _ in range(2)]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / f"train-0000{part}-of-00002.parquet")
    ids = [row.id for row in open_dataset(tmp_path).rows()]
    assert ids == (["same.jpg", "same.jpg#2", "same.jpg#3", "same.jpg#4"] if path else ["1", "2", "3", "4"])


def test_rows_stream(tmp_path):
    """The first rows are there before the rest is looked at."""
    table = tmp_path / "t.csv"
    lines = [f"{n}.jpg,{n % 90},{n % 180}" for n in range(5000)]
    table.write_text("image,lat,lon\n" + "\n".join(lines) + "\nbroken line\n")
    rows = open_dataset(table).rows()
    assert [next(rows).id for _ in range(3)] == ["0.jpg", "1.jpg", "2.jpg"]


def test_a_byte_order_mark_and_semicolons_are_no_problem(tmp_path):
    table = tmp_path / "excel.csv"
    table.write_bytes("\ufeffimage;lat;lon;city\r\na.jpg;1.5;2.5;Łódź\r\n".encode())
    (row,) = open_dataset(table).rows()
    assert (row.truth.lat, row.truth.city, row.line) == (1.5, "Łódź", 2)


def test_ids_may_be_named_without_a_suffix(tmp_path):
    table = write_csv(tmp_path / "t.csv", ["image", "lat", "lon"], ["7", 1, 2], ["8", 1, 2])
    put(tmp_path, "images/7.png")
    seven, eight = open_dataset(table).rows()
    assert seven.read() == b"images/7.png"
    assert isinstance(eight.source, Path)
    assert not eight.source.exists()
