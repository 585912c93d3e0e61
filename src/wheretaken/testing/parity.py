"""Scripted rollouts, and what each of them must come to, whoever runs it: our own loop, TRL or verl.

python -m wheretaken.testing.parity tests/rl/parity.json

TRL and verl cannot be imported together. What our own loop makes of the scripts is therefore kept in a file,
made by this command, with which both are compared; so neither can differ from the other unseen.

Training differs from our own loop by design, and the file has it as training does it: a rollout ends with an
answer that cannot be read or was cut off, where `locate` asks again, and with a result that it has no room
for; and a service's failure is told to the model, where `locate` ends the run.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken import scoring
from wheretaken.agent import Case, Limits, Trajectory, prompts, record
from wheretaken.agent.events import Status, StopReason
from wheretaken.agent.trajectory import read as read_runs
from wheretaken.errors import ServiceError, ToolError
from wheretaken.geo import LatLon, distance_km
from wheretaken.maps import Place
from wheretaken.paths import atomic_path
from wheretaken.testing.scripted import ScriptedModel, say
from wheretaken.testing.toy_model.world import COLOURS, PLACES, ToyMaps, drawn
from wheretaken.tools import Toolset
from wheretaken.tools.worldwide import WORLDWIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from PIL import Image

    from wheretaken.maps import MapPicture
    from wheretaken.messages import Message, Picture

TOOLS = Toolset("toy", tuple(t for t in WORLDWIDE.tools if t.name in {"zoom", "road_map", "search_places"}))
TURNS, CALLS, TOKENS = 4, 2, 1024
"""Of a rollout, of a turn of it, and what a model may write and read after the prompt."""
DEADLINE_S = 1.0
"""After which a call is given up."""
RED, GREEN, BLUE = (PLACES[colour] for colour in ("red", "green", "blue"))
_BROKEN, _HANGING = -10, -20
"""Latitudes at which the map service fails, and at which it never answers."""
_MANY = tuple(
    Place(id=f"toy:{n}", name="Many", kind="city", lat=n / 10, lon=n / 10, country="Toyland", population=n)
    for n in range(30)
)


def called(tool: str = "road_map", **arguments: object) -> str:
    """Write a call."""
    body = json.dumps({"name": tool, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def look(lat: float = RED.lat, lon: float = RED.lon) -> str:
    """Write a call of the map."""
    return called(lat=lat, lon=lon)


def answer(place: Place = RED, *, off: float = 0.0) -> str:
    """Write an answer, so many degrees south of a place."""
    told = {"lat": place.lat - off, "lon": place.lon, "city": place.name, "country": place.country}
    return json.dumps(told)


SCRIPTS: Mapping[str, list[str]] = {
    "one call": [look(), answer()],
    "parallel calls": ["\n".join([look(), look(50, 60), look(30, 80)]), answer(GREEN)],
    "tool error": [look(200, 20), answer(BLUE, off=0.2)],
    "unknown tool": [called("fly", to="there"), answer()],
    "malformed call": ['<tool_call>\n{"name": "road_map", "arguments": {"lat"\n</tool_call>', answer()],
    "no call": ["Somewhere in the north."],
    "turn limit": [look()] * 3 + ["It must be here:\n" + look()],
    # To Qwen's tokenizers a digit is a token: it is known where this is cut off, and what `without room` has.
    "overlong answer": ["7" * (TOKENS + 1000)],
    "hanging tool": [look(_HANGING, 20) + "\n" + look(), answer()],
    "service fault": [look(_BROKEN, 20), answer(GREEN)],
    "long text": [called("search_places", query="Many"), answer(BLUE, off=0.05)],
    "early guess": [
        answer(GREEN) + "\n" + look(),
        called("zoom", bbox_2d=[0, 0, 500, 500], image=1),
        answer(),
    ],
    "result without room": ["7" * 960 + look()],
    "answer when asked": [look(), look(50, 60), look(30, 80), "Now then: " + answer(GREEN)],
}
"""What the model writes, turn by turn. The photo of a script is that of its number here, which is red, green,
blue or white in turn."""
NAMES = tuple(SCRIPTS)


class Moody(ToyMaps):
    """Maps of the toy world that fail in the south and hang in the far south."""

    def __init__(self, *, told: bool = False) -> None:
        """Know many places more; with `told`, say at once what a training tells the model then."""
        super().__init__()
        self._places |= {place.id: place for place in _MANY}
        self._told = told

    async def road_map(self, centre: LatLon, **options: Any) -> MapPicture:
        """Draw a map, or fail."""
        if self._told and centre.lat in {_BROKEN, _HANGING}:
            raise ToolError(prompts.UNANSWERED)
        if centre.lat == _BROKEN:
            raise ServiceError("the map service is away, and key 1234 was refused")
        if centre.lat == _HANGING:
            await asyncio.sleep(60)
        return await super().road_map(centre, **options)


def numbered(number: int, *, small: bool = False) -> bytes:
    """Return a photo that is like no other: its first pixel is its number, its colour one of the world's.

    A small one is a single token to the toy model; others are four.
    """
    image = drawn(list(COLOURS)[number % len(COLOURS)])
    if small:
        image = image.resize((image.width // 2, image.height // 2))
    image.putpixel((0, 0), (number, 0, 0))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def number_of(photo: Image.Image) -> int:
    """Return the number of a photo."""
    pixel: Any = photo.convert("RGB").getpixel((0, 0))
    return int(pixel[0])


def script(photo: Image.Image, turn: int) -> str:
    """Return what the model writes about a photo in a turn, counted from 0."""
    return SCRIPTS[NAMES[number_of(photo)]][turn]


def truth(number: int) -> Place:
    """Return where a photo was taken."""
    return PLACES[list(COLOURS)[number % len(COLOURS)]]


def dataset(directory: Path, count: int = len(SCRIPTS), *, small: int = 0) -> Path:
    """Write photos with their places, and return the table, which `open_dataset` reads.

    Args:
        directory: Made when missing.
        count: How many.
        small: How many of them are small: the first ones.
    """
    directory.mkdir(parents=True, exist_ok=True)
    lines: list[str] = []
    for number in range(count):
        (directory / f"{number}.png").write_bytes(numbered(number, small=number < small))
        place = truth(number)
        row = {"id": str(number), "image": f"{number}.png", "lat": place.lat, "lon": place.lon}
        lines.append(json.dumps(row | {"city": "Kodaktown", "country": "Kodakanary"}) + "\n")
    table = directory / "set.jsonl"
    table.write_text("".join(lines), "utf-8")
    return table


def looped(name: str) -> Trajectory:
    """Run a script in our own loop, in which a turn of the model has as much room as a rollout has."""
    limits = Limits(turns=TURNS, calls_per_turn=CALLS)
    model = ScriptedModel([_said(turn) for turn in SCRIPTS[name]], strict=False)
    case = Case.of(numbered(NAMES.index(name)))
    return asyncio.run(record(case, model, TOOLS, Moody(told=True), limits=limits))


def _said(turn: str) -> Message:
    """Return a turn of the model, cut off where it has more tokens than it may."""
    if turn.isdecimal() and len(turn) > TOKENS:
        return say(turn[:TOKENS]).model_copy(update={"stop": "length"})
    return say(turn)


def canonical(
    run: Trajectory, stop: str, reward: float, opened: Callable[[Picture], bytes]
) -> dict[str, Any]:
    """Return what may differ in nobody's trajectory; without ids and times, which are never the same.

    Args:
        run: Of anybody.
        stop: Why it ended, as rewards are told it.
        reward: That it earned.
        opened: Returns the bytes of a picture of the run. Pictures count as what is seen on them: two
            libraries may write the same pixels in different bytes.
    """

    def seen(picture: Picture) -> str:
        shown = picture.model_copy(update={"data": opened(picture)}).open()
        return hashlib.sha256(f"{shown.size}".encode() + shown.tobytes()).hexdigest()[:16]

    return {
        "messages": [
            {
                "role": message.role,
                "text": message.text,
                "pictures": [seen(picture) for picture in message.pictures],
                "calls": [[call.name, call.arguments] for call in message.tool_calls],
            }
            for message in run.messages
        ],
        "answer": [run.answer.lat, run.answer.lon] if run.answer else None,
        "status": str(run.status),
        "stop": stop,
        "reward": reward,
    }


def expected(name: str) -> dict[str, Any]:
    """Return what a script comes to: what our own loop makes of it, up to where a training ends it."""
    run = looped(name)
    stop = str(run.stop_reason)
    messages = [one.text for one in run.messages]
    for reminder, why in ((prompts.NO_JSON, "finished"), (prompts.CUT_OFF, "length")):
        if reminder in messages:
            run = _ended(run, messages.index(reminder))
            stop = why
    if run.stop_reason is StopReason.MODEL_ERROR and stop == "model_error":
        # The model has no more to say: in a training, the last result had no room.
        run, stop = _ended(run, len(messages)), "length"
    earned = 0.0
    if run.answer:
        place = truth(NAMES.index(name))
        earned = scoring.reward(distance_km(run.answer.position, LatLon(place.lat, place.lon)))
    return canonical(run, stop, earned, lambda picture: picture.data)


def rolled(directory: Path, ended: Mapping[str, tuple[str, float]]) -> dict[str, list[dict[str, Any]]]:
    """Return what an engine's rollouts came to, by the names of their scripts.

    Args:
        directory: Of trajectories, as a training keeps them.
        ended: Why each rollout ended and what it earned, by its id.
    """
    found: dict[str, list[dict[str, Any]]] = {}

    def opened(picture: Picture) -> bytes:
        return (directory / picture.reference).read_bytes()

    for run in read_runs(directory):
        (photo,) = run.messages[1].pictures
        shown = photo.model_copy(update={"data": opened(photo)}).open()
        made = canonical(run, *ended[run.id], opened)
        found.setdefault(NAMES[number_of(shown)], []).append(made)
    return found


def _ended(run: Trajectory, messages: int) -> Trajectory:
    """Return a run that ended without an answer after so many messages."""
    return run.model_copy(update={"messages": run.messages[:messages], "status": Status.UNPARSED})


def every() -> str:
    """Return the file: what all scripts come to, and once what all of them begin with."""
    found = {name: expected(name) for name in NAMES}
    system = {one["messages"].pop(0)["text"] for one in found.values()}
    (told,) = system
    return json.dumps({"system": told, "scripts": found}, indent=1, ensure_ascii=False) + "\n"


def read(file: Path) -> dict[str, dict[str, Any]]:
    """Return what each script comes to, by its name, out of the file."""
    kept = json.loads(file.read_text("utf-8"))
    system: dict[str, Any] = {"role": "system", "text": kept["system"], "pictures": [], "calls": []}
    return {name: one | {"messages": [system, *one["messages"]]} for name, one in kept["scripts"].items()}


def main(file: str) -> None:
    """Write the file."""
    with atomic_path(Path(file)) as temporary:
        temporary.write_text(every(), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
