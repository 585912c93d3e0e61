"""What the toolsets of the paper "Thinking with Map" (arXiv 2601.05432) have in common.

Names and arguments are those of its released tool configurations, field names of results those of its
released tools, so that weights which were trained with them find what they know. A result is JSON of at most
`LONGEST` characters: its training cut texts there, in the middle of a word; here, whole results are dropped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema  # noqa: TC002 - read at run time, for the schema

from wheretaken.messages import Picture
from wheretaken.tools.base import ToolContext, ToolResult
from wheretaken.tools.worldwide import Box, zoom

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.maps import MapPicture

LONGEST = 1024
"""Characters of a result, the setting of its training (`max_tool_response_length`)."""
ZOOM = 19
"""Of maps: some hundred metres across, as the released tools showed them; some providers show less detail."""
_LONGEST_VALUE = 100
"""Characters of one field: ten such fields still make one result that fits."""

Query = Annotated[str, Field(min_length=1, max_length=80)]


async def image_zoom_in_tool(
    context: ToolContext,
    bbox_2d: Box,
    label: str = "",
    image: Annotated[SkipJsonSchema[int], Field(ge=0)] = 0,
) -> ToolResult:
    """Zoom in on a region of the photo.

    Args:
        bbox_2d: The region as [x1, y1, x2, y2], its top-left and bottom-right corner, each from 0 to 1000
            relative to the photo's size.
        label: Name of what is in the region.
        image: Another picture than the photo, by its number. The released weights were not told of it.
    """
    return await zoom(context, bbox_2d, image, label)


def shown(context: ToolContext, picture: MapPicture, latitude: float, longitude: float) -> ToolResult:
    """Return a map around a position that was given in the datum of the toolset."""
    data = {
        "image": len(context.pictures),
        "latitude": latitude,
        "longitude": longitude,
        "zoom": picture.zoom,
        **fields(note=picture.note),
    }
    wrapped = Picture.wrap(picture.png, "image/png", picture.width, picture.height)
    return ToolResult(data, (wrapped,), picture.attribution)


def fields(**values: str) -> dict[str, str]:
    """Return a result's fields as they are told: empty ones left out, long ones cut."""
    return {
        name: value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 1] + "…"
        for name, value in values.items()
        if value
    }


def listed(name: str, entries: Sequence[Mapping[str, str | float]], source: str) -> ToolResult:
    """Return the first of these results, as many as fit."""
    kept = list(entries)
    while len(kept) > 1 and len(ToolResult({name: kept}).text) > LONGEST:
        kept.pop()
    return ToolResult({name: kept}, source=source)
