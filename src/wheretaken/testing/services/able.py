"""A model that can do what `wheretaken models check` asks for, as far as it is let: for a `ChatService`.

It really looks: it compares the canary's digits with drawn ones, and knows them only from a picture that it
was sent.
"""

from __future__ import annotations

import base64
import io
import random
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageChops

from wheretaken.models.checking import NAME_PLACE, Canary
from wheretaken.testing.scripted import call, say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from wheretaken.messages import Message

_DIGITS = 4
_ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'


def able(
    body: dict[str, Any],
    *,
    sees: Collection[str] = ("user", "tool"),
    tools: bool = True,
    seeded: bool = True,
) -> Message:
    """Return the turn of a model that sees pictures in messages of these roles.

    Args:
        body: The request.
        sees: Roles of the messages whose pictures it sees.
        tools: Whether it calls tools.
        seeded: Whether the same request has the same reply.
    """
    asked = str(body["messages"][-1]["content"])
    shown = [image for role, image in pictures(body) if role in sees]
    if "Where was this photo taken" in asked:
        turn = say(_ANSWER)
    elif shown:
        turn = say(f"It shows {read(shown[-1])}.")
    elif tools and "Look up" in asked and body.get("tools"):
        places = ("Paris", "Rome", "Oslo") if "Rome" in asked else ("Paris",)
        turn = call(*[(NAME_PLACE.name, {"name": place}) for place in places])
    elif "digits" in asked:
        turn = say("I see no picture.")
    else:
        turn = say("One two three four." if seeded else f"Town {random.random()}")  # noqa: S311 - a name
    usage = turn.usage.model_copy(update={"prompt_tokens": 9, "completion_tokens": 5})
    return turn.model_copy(update={"usage": usage})


def pictures(body: dict[str, Any]) -> Iterator[tuple[str, Image.Image]]:
    """Yield the pictures of a request, each with the role of its message."""
    for message in body["messages"]:
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                data = base64.b64decode(part["image_url"]["url"].partition(",")[2])
                yield message["role"], Image.open(io.BytesIO(data)).convert("L")


def read(image: Image.Image) -> str:
    """Read a canary: of each of its cells, the digit that it is most like."""
    known: dict[tuple[int, str], Image.Image] = {}
    for seed in range(40):  # enough for each digit in each place
        canary = Canary.drawn(random.Random(seed))  # noqa: S311 - repeatable, not secret
        shown = canary.picture.open().convert("L").resize(image.size)
        known |= {(place, digit): _cell(shown, place) for place, digit in enumerate(canary.digits)}
    return "".join(_closest(known, image, place) for place in range(_DIGITS))


def _closest(known: dict[tuple[int, str], Image.Image], image: Image.Image, place: int) -> str:
    cell = _cell(image, place)
    here = {digit: shown for (at, digit), shown in known.items() if at == place}
    return min(sorted(here), key=lambda digit: _difference(here[digit], cell))


def _cell(image: Image.Image, place: int) -> Image.Image:
    side = image.width / (_DIGITS + 1)
    return image.crop((round(side * (place + 0.5)), 0, round(side * (place + 1.5)), image.height))


def _difference(one: Image.Image, other: Image.Image) -> int:
    return sum(value * number for value, number in enumerate(ImageChops.difference(one, other).histogram()))
