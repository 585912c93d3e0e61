"""Tool-config files of verl: our tools as others described them."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wheretaken.errors import ToolError, UserError
from wheretaken.geo import Datum
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools import ToolContext, Toolset
from wheretaken.tools.amap import AMAP
from wheretaken.tools.config import configured, tools_config
from wheretaken.tools.google import GOOGLE
from wheretaken.tools.worldwide import WORLDWIDE

MAP = """
tools:
  - class_name: other.tools.MapTool
    config:
      type: native
      rate_limit: 10
      tool: road_map
      arguments: {latitude: lat, longitude: lon}
    tool_schema:
      type: function
      function:
        name: show_map
        description: |
          Zeigt  eine Karte — 地图.
        parameters:
          type: object
          properties:
            longitude: {type: number, description: Länge, examples: [24.94]}
            latitude: {type: string}
          required: [longitude, latitude]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tools.yaml"
    path.write_text(MAP, "utf-8")
    return path


def test_a_model_is_told_what_the_file_says_to_the_byte(file: Path) -> None:
    toolset = configured(WORLDWIDE, file)
    (spec,) = toolset.specs
    written = yaml.safe_load(MAP)["tools"][0]["tool_schema"]["function"]
    assert json.dumps(spec.model_dump(mode="json")) == json.dumps(written)


async def test_arguments_get_our_names_and_complaints_get_theirs(file: Path) -> None:
    (tool,) = configured(WORLDWIDE, file).tools
    complete = tool.complete('{"longitude": 24.94, "latitude": "60.17"}')
    assert complete == {"lat": 60.17, "lon": 24.94, "zoom": 15, "markers": None, "language": ""}
    # As the server hands them on once they are complete:
    assert tool.complete(json.dumps(complete)) == complete
    result = await tool.call(ToolContext(FewPlaces()), '{"longitude": 24.94, "latitude": 60.17}')
    assert result.pictures
    with pytest.raises(ToolError, match=r"^show_map: latitude must be between -90 and 90"):
        tool.complete('{"longitude": 24.94, "latitude": 160}')
    with pytest.raises(ToolError, match=r"^show_map: latitude: Field required$"):
        tool.complete('{"longitude": 24.94}')
    assert tool.own_name == "road_map"
    assert WORLDWIDE.find("road_map").complete('{"lat": 1, "lon": 2}')["lat"] == 1


def test_only_the_tools_of_the_file_are_offered_in_its_order(tmp_path: Path) -> None:
    path = tmp_path / "tools.yaml"
    entries = yaml.safe_load(tools_config(AMAP, "any.Class"))["tools"]
    path.write_text(yaml.safe_dump({"tools": [entries[4], entries[1]]}), "utf-8")
    toolset = configured(AMAP, path)
    assert [tool.name for tool in toolset.tools] == [AMAP.tools[4].name, AMAP.tools[1].name]
    assert (toolset.name, toolset.datum) == ("amap", Datum.GCJ02)


@pytest.mark.parametrize("toolset", [WORLDWIDE, AMAP, GOOGLE], ids=lambda toolset: toolset.name)
def test_what_is_written_is_read_back_the_same(toolset: Toolset, tmp_path: Path) -> None:
    path = tmp_path / "tools.yaml"
    text = tools_config(toolset, "my.MapTool")
    path.write_text(text, "utf-8")
    again = configured(toolset, path)
    assert json.dumps([s.model_dump() for s in again.specs]) == json.dumps(
        [s.model_dump() for s in toolset.specs]
    )
    assert tools_config(again, "my.MapTool") == text
    assert {entry["class_name"] for entry in yaml.safe_load(text)["tools"]} == {"my.MapTool"}
    assert "*id" not in text


def test_renamed_tools_are_written_with_their_names(file: Path, tmp_path: Path) -> None:
    path = tmp_path / "again.yaml"
    path.write_text(tools_config(configured(WORLDWIDE, file), "my.MapTool"), "utf-8")
    again = configured(WORLDWIDE, path).tools[0]
    assert again.spec == configured(WORLDWIDE, file).tools[0].spec
    assert again.complete('{"longitude": 1, "latitude": 2}')["lat"] == 2


@settings(deadline=None)  # a busy machine is no finding
@example(description="one\x85two\u2028three\u2029\r\n four ")
@given(description=st.text(st.characters(codec="utf-8"), max_size=40))
def test_any_description_survives(description: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    entries: Any = yaml.safe_load(MAP)
    entries["tools"][0]["tool_schema"]["function"]["description"] = description
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(yaml.safe_dump(entries, encoding="utf-8"))
    first = configured(WORLDWIDE, path)
    assert first.specs[0].description == description
    path.write_bytes(tools_config(first, "a.B").encode())
    assert configured(WORLDWIDE, path).specs == first.specs


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("tool: road_map", "tool: crop", r"tools\[0\]: no tool named 'crop'; there are: zoom, search_places"),
        ("latitude: lat, ", "", r"tools\[0\]: show_map: its argument 'latitude' cannot be 'latitude'"),
        ("longitude: lon", "longitude: lat", r"tools\[0\]: show_map: two of its arguments are the same"),
        ("latitude: {type: string}", "zoom: {type: number}", r"config.arguments names 'latitude'"),
        ("latitude: {type: string}", "latitude: {type: array}", r"'latitude' is of the type array, ours of"),
        ("parameters:\n          type: object", "parameters:\n          type: array", "of the type object"),
        ("name: show_map", "name: show_map\n        strict: true", r"tools\[0\].tool_schema.function.strict"),
        ("name: show_map", "nome: show_map", r"tools\[0\].tool_schema.function.name: Field required"),
        ("    tool_schema:", "    tool_scheme:", r"tools\[0\].tool_schema: Field required"),
        ("\ntools:", "\ntool:", r"tools: Field required"),
        ("{type: string}", "{type: string", "no YAML"),
        (MAP, "", "the file: "),
        (MAP, "tools: []", "tools: "),
    ],
)
def test_what_does_not_fit_is_named_with_file_and_entry(file: Path, old: str, new: str, said: str) -> None:
    assert old in MAP
    file.write_text(MAP.replace(old, new), "utf-8")
    with pytest.raises(UserError, match=said) as raised:
        configured(WORLDWIDE, file)
    assert str(raised.value).startswith(f"{file}: ")
    assert "\n" not in str(raised.value)


def test_a_needed_argument_must_be_there(file: Path) -> None:
    text = MAP.replace("latitude: lat, ", "").replace("            latitude: {type: string}\n", "")
    file.write_text(text, "utf-8")
    with pytest.raises(UserError, match=r"tools\[0\]: show_map: road_map also needs lat"):
        configured(WORLDWIDE, file)


def test_a_name_is_there_once(file: Path) -> None:
    file.write_text(MAP + MAP.removeprefix("\ntools:\n"), "utf-8")
    with pytest.raises(UserError, match=r"tools\[1\]: show_map is there twice"):
        configured(WORLDWIDE, file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, latin = tmp_path / "missing.yaml", tmp_path / "latin.yaml"
    latin.write_bytes("tools: Köln".encode("latin-1"))
    with pytest.raises(UserError, match=r"missing\.yaml: No such file"):
        configured(WORLDWIDE, missing)
    with pytest.raises(UserError, match=r"latin\.yaml: not in UTF-8"):
        configured(WORLDWIDE, latin)
    with pytest.raises(UserError, match=os.strerror(21)):
        configured(WORLDWIDE, tmp_path)


def test_a_published_file_of_another_project_is_read(shared: Path) -> None:
    """It describes a class that has its own schema, which only that class can tell."""
    path = shared / "rl" / "plugin" / "tools.yaml"
    with pytest.raises(UserError, match=r"tools\[0\]\.tool_schema: Field required"):
        configured(WORLDWIDE, path)
