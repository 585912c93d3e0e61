"""Boxes of Qwen3-VL's kind, however a model writes them, in any picture that was shown."""

import json

import pytest
from PIL import Image

from wheretaken.errors import ToolError
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools import ToolContext
from wheretaken.tools.amap import AMAP
from wheretaken.tools.worldwide import WORLDWIDE

ZOOM, PAPERS = WORLDWIDE.find("zoom"), AMAP.find("image_zoom_in_tool")


def context():
    """Two pictures, of which the right half of the first and the lower half of the second is red."""
    photo, second = Image.new("RGB", (400, 200)), Image.new("RGB", (200, 400))
    photo.paste((255, 0, 0), (200, 0, 400, 200))
    second.paste((255, 0, 0), (0, 200, 200, 400))
    return ToolContext(FewPlaces([]), [Picture.encode(p, "image/png") for p in (photo, second)])


async def colour(tool, **arguments):
    result = await tool.call(context(), json.dumps(arguments))
    image = result.pictures[0].open()
    return image.getpixel((image.width // 2, image.height // 2)), result


@pytest.mark.parametrize("tool", [ZOOM, PAPERS], ids=lambda tool: tool.name)
@pytest.mark.parametrize(
    "box",
    [
        [550, 0, 950, 1000],
        [950, 1000, 550, 0],
        [550.4, 0.2, 949.9, 999.6],
        ["550", "0", "950.0", "1000"],
        "[550, 0, 950, 1000]",
        "550, 0, 950, 1000",
        "(550,0),(950,1000)",
        [[550, 0], [950, 1000]],
        [550, -40, 950, 1e9],
    ],
    ids=str,
)
async def test_a_box_is_understood_however_it_is_written(tool, box):
    seen, result = await colour(tool, bbox_2d=box)
    assert seen == (255, 0, 0)
    assert result.data["of"] == 0


@pytest.mark.parametrize("tool", [ZOOM, PAPERS], ids=lambda tool: tool.name)
async def test_any_picture_that_was_shown_can_be_looked_at(tool):
    seen, result = await colour(tool, bbox_2d=[0, 550, 1000, 950], image=1)
    assert (seen, result.data["of"], result.data["image"]) == ((255, 0, 0), 1, 2)
    with pytest.raises(ToolError, match="there is no picture 2"):
        await colour(tool, bbox_2d=[0, 0, 9, 9], image=2)


@pytest.mark.parametrize(
    ("box", "told"),
    [
        ([500, 0, 500, 1000], "too small to show; widen bbox_2d"),
        ([0.1, 0.1, 0.9, 0.9], "whose numbers go from 0 to 1000"),
        ([1100, 0, 1200, 1000], "too small to show"),
        ([1, 2, 3], "bbox_2d"),
        ([1, 2, 3, 4, 5], "bbox_2d"),
        ("the sign", "bbox_2d"),
        ([None, 0, 1, 2], "bbox_2d"),
        ({"x": 1}, "bbox_2d"),
    ],
    ids=str,
)
async def test_a_box_that_shows_nothing_goes_back_to_the_model(box, told):
    with pytest.raises(ToolError, match=told):
        await colour(ZOOM, bbox_2d=box)


def test_what_models_are_told_of_boxes_stays_plain():
    assert ZOOM.spec.parameters["properties"]["bbox_2d"]["items"] == {"type": "integer"}
    assert list(PAPERS.spec.parameters["properties"]) == ["bbox_2d", "label"]
