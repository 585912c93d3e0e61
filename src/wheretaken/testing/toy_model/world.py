"""A world of four places, each of which is of one colour, in photos and on the map.

Whoever sees the colour of a photo knows the place; whoever does not can only guess.
"""

from __future__ import annotations

import asyncio
import io
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from wheretaken.agent import Case, record
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import Place
from wheretaken.models.openai.wire import tools_of
from wheretaken.models.templates import conversation
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps import MapPicture

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 50, 220),
    "white": (240, 240, 240),
}
PLACES = {
    name: Place(id=f"toy:{name}", name=f"{name.title()}ton", kind="city", lat=lat, lon=lon, country="Toyland")
    for name, (lat, lon) in zip(COLOURS, ((10, 20), (50, 60), (30, 80), (70, 40)), strict=True)
}
"""By their colour."""
TOYS = Toolset("toy", tuple(tool for tool in WORLDWIDE.tools if tool.name == "road_map"))
"""The only tool that is needed there."""
SIDE = 64
"""Pixels of a picture's side."""


def drawn(colour: str) -> Image.Image:
    """Draw a square of a colour."""
    image = Image.new("RGB", (SIDE, SIDE), (90, 90, 90))
    ImageDraw.Draw(image).rectangle((6, 6, SIDE - 7, SIDE - 7), fill=COLOURS[colour])
    return image


def photo(colour: str) -> Case:
    """Return a photo that was taken at the place of this colour."""
    buffer = io.BytesIO()
    drawn(colour).save(buffer, "PNG")
    return Case.of(buffer.getvalue())


class ToyMaps(FewPlaces):
    """Maps of the toy world: around a place, all is of its colour."""

    name = "toy"

    def __init__(self) -> None:
        """Know all places."""
        super().__init__(list(PLACES.values()))

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = SIDE,
        height: int = SIDE,
        markers: Sequence[LatLon] = (),
        language: str = "",
    ) -> MapPicture:
        """Draw the colour of the closest place."""
        plain = await super().road_map(
            centre, zoom=zoom, width=width, height=height, markers=markers, language=language
        )
        away = {name: distance_km(centre, LatLon(p.lat, p.lon)) for name, p in PLACES.items()}
        buffer = io.BytesIO()
        drawn(min(away, key=lambda name: away[name])).save(buffer, "PNG")
        return plain.model_copy(update={"png": buffer.getvalue(), "width": SIDE, "height": SIDE})


def script(colour: str) -> ScriptedModel:
    """Return the model that locates a photo of this colour as it should be."""
    place = PLACES[colour]
    answer = {"lat": place.lat, "lon": place.lon, "city": place.name, "country": place.country}
    # No text beside the call: `transformers serve` leaves it out when it is sent the conversation again.
    look = call(("road_map", {"lat": place.lat, "lon": place.lon}))
    return ScriptedModel([look, say(json.dumps(answer))])


@dataclass(frozen=True)
class Dialog:
    """A whole run as a server is sent it."""

    messages: list[dict[str, Any]]
    """Pictures are placeholders, as chat templates of transformers take them."""
    pictures: list[Image.Image]


def dialog(colour: str) -> Dialog:
    """Return a run of this colour.

    It is made by the loop and the writer that later ask the model, so that it is trained on what it will see.
    """
    run = asyncio.run(record(photo(colour), script(colour), TOYS, ToyMaps()))
    written, pictures = conversation(run.messages)
    return Dialog(written, [shown.open() for shown in pictures])


def tools() -> list[dict[str, Any]]:
    """Return the tools as a server is sent them."""
    return tools_of(TOYS.specs)
