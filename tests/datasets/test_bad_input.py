"""What a person can mend is one line that names the file, the line and the remedy."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.errors import DataError, UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.gallery import Gallery

GOOD = '{"image": "a.jpg", "lat": 1, "lon": 2}'


def complaint(path: Path, **options) -> str:
    with pytest.raises(UserError) as caught:
        list(open_dataset(path, **options).rows())
    message = str(caught.value)
    assert "\n" not in message
    return message


def jsonl(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return path


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('{"image": "b.jpg", "lat": 1', "is no JSON"),
        ("[1, 2]", "is no JSON object"),
        ("[" * 5000, "is no JSON"),
        ('{"image": "b.jpg", "lat": 91, "lon": 2}', "outside [-90, 90]"),
        ('{"image": "b.jpg", "lat": 1, "lon": -180.5}', "outside [-180, 180]"),
        ('{"image": "b.jpg", "lat": NaN, "lon": 2}', "outside [-90, 90]"),
        ('{"image": "b.jpg", "lat": null, "lon": 2}', "has nothing for lat"),
        ('{"image": "b.jpg", "lat": "north", "lon": 2}', "has 'north' for lat"),
        ('{"lat": 1, "lon": 2}', "has no photo in image"),
        ('{"image": "https://host/b.jpg", "lat": 1, "lon": 2}', "download the photos"),
        (b'{"image": "b.jpg", "lat": 1, "lon": 2, "city": "M\xfcnchen"}', "is not UTF-8"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named(tmp_path, line, says):
    path = jsonl(tmp_path, GOOD, line)
    message = complaint(path)
    assert message.startswith(f"{path}:2 ")
    assert says in message


def test_an_id_of_its_own_must_not_come_twice(tmp_path):
    lines = [
        '{"id": "x", "image": "a.jpg", "lat": 1, "lon": 2}',
        '{"id": "x", "image": "b.jpg", "lat": 3, "lon": 4}',
    ]
    message = complaint(jsonl(tmp_path, *lines))
    assert "t.jsonl:2 has the id 'x' a second time, after" in message
    assert "t.jsonl:1" in message


def test_swapped_columns_of_any_table_get_a_remedy_that_works(tmp_path):
    path = jsonl(tmp_path, '{"image": "a.jpg", "lat": 120.4, "lon": 36.1}')
    message = complaint(path)
    assert "--column lat=lon --column lon=lat" in message
    (row,) = open_dataset(path, columns={"lat": "lon", "lon": "lat"}).rows()
    assert (row.truth.lat, row.truth.lon) == (36.1, 120.4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("image,lat,lon\na.jpg,1,2\nb.jpg,1,2,3\n", ":3 has 4 fields where the header has 3"),
        ("image,lat,lat\n", ":1 names 'lat' twice"),
        ("", ":1 is empty"),
        ('image,lat,lon\n"a.jpg,1,2\n', "is no CSV"),
    ],
)  # fmt: skip
def test_a_bad_csv(tmp_path, text, says):
    path = tmp_path / "t.csv"
    path.write_text(text)
    message = complaint(path)
    assert str(path) in message
    assert says in message


def test_utf16_is_named(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes("image,lat,lon\n".encode("utf-16"))
    assert "iconv -f UTF-16 -t UTF-8" in complaint(path)


def test_columns_that_are_not_there_are_asked_for_by_name(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"picture_file": ["a"], "y": [1.0], "x": [2.0]}), path)
    message = complaint(path)
    assert str(path) in message
    assert "--column image=NAME --column lat=NAME --column lon=NAME" in message
    assert "picture_file, y, x" in message
    assert "has no column 'z' for lat; it has: picture_file, y, x" in complaint(path, columns={"lat": "z"})


def test_what_is_no_data_set(tmp_path):
    assert "does not exist" in complaint(tmp_path / "none.csv")
    assert "holds neither" in complaint(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("image,lat,lon\n")
    assert "name one of them (a.csv, b.csv)" in complaint(tmp_path)
    (tmp_path / "x.parquet").write_bytes(b"PAR1 no such thing")
    assert "is no Parquet file" in complaint(tmp_path / "x.parquet")
    (tmp_path / "x.xlsx").write_bytes(b"PK")
    assert "is no table" in complaint(tmp_path / "x.xlsx")
    (tmp_path / "empty.jsonl").write_text("\n")
    assert "has no rows" in complaint(tmp_path / "empty.jsonl")
    assert "--datum is 'mars'" in complaint(jsonl(tmp_path, GOOD), datum="mars")
    assert "is no directory" in complaint(jsonl(tmp_path, GOOD), images=tmp_path / "nowhere")


def test_damage_within_a_parquet_file_is_found(tmp_path):
    path = tmp_path / "t.parquet"
    rows = [{"image": {"bytes": os.urandom(3000)}, "lat": 1.0, "lon": 2.0, "id": str(n)} for n in range(200)]
    pq.write_table(pa.Table.from_pylist(rows), path, compression="gzip", row_group_size=20)
    data = bytearray(path.read_bytes())
    data[300_000:300_100] = bytes(100)
    path.write_bytes(data)
    assert str(path) in complaint(path)


@pytest.mark.parametrize(
    ("rows", "datum", "says"),
    [
        (["GCJ-02", "WGS-84"], "", ":2 is in WGS-84, but the first row is in GCJ-02"),
        (["", "GCJ-02"], "", ":2 is in GCJ-02, but the first row is in WGS-84"),
        (["GCJ-02"], "BD-09", ":1 is in GCJ-02, but --datum says BD-09"),
        (["GCJ-02", "tokyo"], "", ":2 has the datum 'tokyo'"),
    ],
)
def test_contradicting_datums(tmp_path, rows, datum, says):
    lines = [
        json.dumps({"image": f"{n}.jpg", "lat": 30, "lon": 110, "datum": row}) for n, row in enumerate(rows)
    ]
    message = complaint(jsonl(tmp_path, *lines), datum=datum)
    assert f"{tmp_path / 't.jsonl'}{says}" in message


def test_agreeing_datums(tmp_path):
    lines = [json.dumps({"image": f"{n}.jpg", "lat": 30, "lon": 110, "datum": "gcj02"}) for n in range(3)]
    rows = list(open_dataset(jsonl(tmp_path, *lines), datum="GCJ-02").rows())
    assert len({row.truth.lat for row in rows}) == 1
    assert rows[0].truth.lat != 30


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file beside the data set's folder, and links that lead there."""
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    folder = tmp_path / "set"
    (folder / "images").mkdir(parents=True)
    (folder / "link.jpg").symlink_to(tmp_path / "secret.jpg")
    (folder / "up").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize(
    "name",
    ["../secret.jpg", "images/../../secret.jpg", "{root}/secret.jpg", "link.jpg", "up/secret.jpg",
     "..\\secret.jpg", "../none.jpg", "/etc/hostname"],
)  # fmt: skip
def test_a_photo_outside_the_folder_is_refused(secret, name):
    name = name.format(root=secret.parent)
    path = jsonl(secret, GOOD, json.dumps({"image": name, "lat": 1, "lon": 2}))
    message = complaint(path)
    assert message.startswith(f"{path}:2 ")
    assert "outside" in message
    assert "--images DIR" in message


def test_images_says_where_photos_may_be(secret):
    path = jsonl(secret, json.dumps({"image": "secret.jpg", "lat": 1, "lon": 2}))
    (row,) = open_dataset(path, images=secret.parent).rows()
    assert row.read() == b"secret"


@given(st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_no_name_leads_out(name):
    root = Path(__file__).parent
    found = Gallery(root, (root, root / "images")).find(name)
    assert found is None or Path(os.path.realpath(found)).is_relative_to(root)


def test_an_error_of_a_row_is_a_data_error(tmp_path):
    with pytest.raises(DataError):
        list(open_dataset(jsonl(tmp_path, GOOD, "{")).rows())
