"""`wheretaken maps`: searching, reverse geocoding, drawing and listing from the command line."""

import io
import json

import pytest
from PIL import Image
from typer.testing import CliRunner

from wheretaken.cli.main import NO_ANSWER, OK, USAGE, app

RUNNER = CliRunner()


def run(*arguments: object):
    return RUNNER.invoke(app, ["maps", *map(str, arguments)])


def results(*arguments: object):
    done = run(*arguments, "--json")
    assert done.exit_code == OK, done.output
    return json.loads(done.stdout)


def test_search_finds_a_place_in_its_own_script():
    assert results("search", "港区", "--limit", 3)[0]["english"] == "Minato City"
    table = run("search", "港区", "--limit", 1).stdout.splitlines()
    assert table[0].split() == ["place", "kind", "where", "position", "match"]
    assert "港区 (Minato City)" in table[1]
    assert "35.65810, 139.75150" in table[1]


def test_people_are_told_whose_data_they_see():
    assert "GeoNames (CC BY 4.0)" in run("search", "Oulu", "--limit", 1).stderr
    assert "OpenStreetMap" in run("reverse", 60.1699, 24.9384).stderr


def test_search_near_a_southern_position_prefers_what_is_there():
    near = results("search", "Newcastle", "--near", "-33.86,151.2", "--limit", 1)
    assert near[0]["country_code"] == "AU"


def test_search_in_a_country_without_a_name_lists_its_largest_cities():
    found = results("search", "", "--country", "fi", "--limit", 2)
    assert [place["name"] for place in found] == ["Helsinki", "Espoo"]


def test_search_that_finds_nothing_says_so_and_fails():
    done = run("search", "qqqxxyyzzqq")
    assert (done.exit_code, done.stdout) == (NO_ANSWER, "")
    assert done.stderr.endswith("wheretaken: no place is called 'qqqxxyyzzqq'\n")
    asked = run("search", "qqqxxyyzzqq", "--json")
    assert (asked.exit_code, json.loads(asked.stdout)) == (NO_ANSWER, [])


def test_reverse_takes_southern_and_western_coordinates():
    assert results("reverse", -33.8568, 151.2153)[-1]["country_code"] == "AU"
    assert results("reverse", -22.9068, -43.1729)[-1]["country_code"] == "BR"
    assert results("reverse", "--limit", 2, "-34.6", "-58.38")[-1]["country_code"] == "AR"


def test_reverse_in_a_loaded_region_knows_the_street():
    found = results("reverse", 60.1699, 24.9384, "--limit", 5)
    assert found[0]["distance_km"] < 0.1
    assert found[0]["id"].startswith("osm:")


@pytest.mark.parametrize(
    "marker", [("--marker=-33,151",), ("--marker", "-33,151", "--marker", "-33.1,151.1")]
)
def test_render_writes_a_picture_of_the_asked_size(tmp_path, marker):
    target = tmp_path / "new folder" / "map.png"
    done = run("render", -33.05, 151.05, "--zoom", 8, "--size", "320x200", *marker, "-o", target)
    assert done.exit_code == OK, done.output
    assert "GeoNames" in done.stderr
    with Image.open(target) as picture:
        assert (picture.format, picture.size) == ("PNG", (320, 200))


def test_markers_are_drawn(tmp_path):
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    assert run("render", 60.17, 24.94, "-o", plain).exit_code == OK
    assert run("render", 60.17, 24.94, "--marker", "60.17,24.94", "-o", marked).exit_code == OK
    assert plain.read_bytes() != marked.read_bytes()


def test_render_to_stdout_is_the_picture_alone():
    done = run("render", 60.17, 24.94, "--size", "64x64", "-o", "-")
    assert done.exit_code == OK
    with Image.open(io.BytesIO(done.stdout_bytes)) as picture:
        assert picture.size == (64, 64)


def test_list_names_the_world_and_the_regions_with_their_files():
    world, helsinki, *_ = results("list")
    assert (world["name"], world["bounds"]) == ("World", [-90, -180, 90, 180])
    assert helsinki["name"] == "Central Helsinki"
    assert helsinki["bytes"] > 100_000
    assert helsinki["date"] == "2019-04-21"
    assert "OpenStreetMap" in helsinki["source"]
    assert "Central Helsinki" in run("list").stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("search", " "), "nothing to search for"),
        (("search", "Oulu", "--country", "FIN"), "two letters"),
        (("search", "Oulu", "--near", "north"), "LAT,LON"),
        (("search", "Oulu", "--near", "95,20"), "latitude 95"),
        (("search", "Oulu", "--limit", "0"), "limit"),
        (("search", "Oulu", "--bogus"), "No such option: --bogus"),
        (("reverse", "60"), "Missing argument"),
        (("reverse", "--lmit", "60"), "'--lmit': there is no such option"),
        (("reverse", "sixty", "24"), "'sixty': it is not a number"),
        (("reverse", "-95", "24"), "latitude -95.0 is outside [-90, 90]"),
        (("reverse", "nan", "24"), "latitude nan is outside"),
        (("render", "60", "24"), "--output"),
        (("render", "60", "24", "-o", "map.jpg"), "map.png"),
        (("render", "60", "24", "-o", "map.png", "--size", "10x10"), "64 to 2048"),
        (("render", "60", "24", "-o", "map.png", "--size", "big"), "WIDTHxHEIGHT"),
        (("render", "60", "24", "-o", "map.png", "--marker", "60"), "LAT,LON"),
        (("render", "60", "24", "-o", "map.png", "--zoom", "30"), "zoom"),
    ],
)
def test_bad_usage_says_what_is_wrong(arguments, complaint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (USAGE, "")
    assert complaint in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_picture_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = run("render", 60.17, 24.94, "-o", tmp_path / "file" / "map.png")
    assert done.exit_code == USAGE
    assert "cannot write" in done.stderr
