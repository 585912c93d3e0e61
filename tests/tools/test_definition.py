"""A tool's specification comes from its function, and from nowhere else."""

from typing import Annotated

import pytest
from pydantic import Field

from wheretaken.errors import ToolError
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools import Tool, ToolContext, ToolResult
from wheretaken.tools.worldwide import WORLDWIDE


async def shout(
    context: ToolContext, word: Annotated[str, Field(max_length=5)], times: int = 1
) -> ToolResult:
    """Say a word loudly.

    More about it.

    Args:
        word: What to
            say.
        times: How often.
    """
    del context
    return ToolResult({"said": word.upper() * times})


def test_the_schema_has_types_limits_defaults_and_descriptions():
    spec = Tool(shout).spec
    assert spec.name == "shout"
    assert spec.description == "Say a word loudly.\nMore about it."
    assert spec.parameters == {
        "additionalProperties": False,
        "properties": {
            "word": {"description": "What to say.", "maxLength": 5, "type": "string"},
            "times": {"default": 1, "description": "How often.", "type": "integer"},
        },
        "required": ["word"],
        "type": "object",
    }


async def test_arguments_are_checked_before_the_function_runs():
    tool, context = Tool(shout), ToolContext(FewPlaces())
    assert (await tool.call(context, '{"word": "hey", "times": 2}')).text == '{"said":"HEYHEY"}'
    for wrong in ('{"word": "too long"}', "{}", '{"word": "a", "more": 1}', "[]", "no json"):
        with pytest.raises(ToolError, match=r"^shout: "):
            await tool.call(context, wrong)


def test_a_parameter_without_a_description_is_a_mistake_of_the_author():
    async def quiet(context: ToolContext, word: str) -> ToolResult:
        """Say nothing."""
        del context, word
        return ToolResult({})

    with pytest.raises(TypeError, match="'word' has no description"):
        Tool(quiet)


def test_worldwide_offers_what_the_design_names():
    names = [spec.name for spec in WORLDWIDE.specs]
    assert names == [
        "zoom",
        "search_places",
        "suggest_places",
        "find_combination",
        "place_details",
        "reverse_geocode",
        "road_map",
        "read_clue",
    ]
    for spec in WORLDWIDE.specs:
        assert spec.description
        assert all(p["description"] for p in spec.parameters["properties"].values())
