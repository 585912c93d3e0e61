"""One rollout's tools: the same as in the agent loop, and nothing that goes wrong ends a rollout."""

import io

import pytest
from PIL import Image

from wheretaken.agent import Case, run
from wheretaken.agent.events import MessageAdded
from wheretaken.maps import Place
from wheretaken.rl.episode import Episode
from wheretaken.rl.settings import ToolSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

PLACES = (Place(id="osm:n1", name="Kiosk", kind="kiosk", lat=60.17, lon=24.94, source="nobody"),)
TURNS = (
    (
        ("zoom", {"bbox_2d": [100, 100, 900, 900], "label": "sign"}),
        ("road_map", {"lat": 60.17, "lon": 24.94}),
        ("search_places", {"query": "Kiosk"}),
        ("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 1}),
        ("fly", {}),
    ),
    (("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 2}), ("zoom", {"bbox_2d": []})),
)
ANSWER = '{"lat": 60.17, "lon": 24.94, "city": "Helsinki", "country": "Finland"}'


@pytest.fixture
def case() -> Case:
    buffer = io.BytesIO()
    Image.effect_noise((640, 360), 60).convert("RGB").save(buffer, "JPEG")
    return Case.of(buffer.getvalue())


def few() -> FewPlaces:
    return FewPlaces(PLACES)


async def told_by_the_loop(case: Case) -> list[tuple[str, tuple[str, ...]]]:
    model = ScriptedModel([*(call(*turn) for turn in TURNS), say(ANSWER)], strict=False)
    events = [event async for event in run(case, model, WORLDWIDE, few())]
    said = [event.message for event in events if isinstance(event, MessageAdded)]
    return [
        (one.text, tuple(picture.sha256 for picture in one.pictures)) for one in said if one.role == "tool"
    ]


async def test_texts_and_pictures_are_those_of_the_loop(case):
    episode = Episode(LocalToolbox(WORLDWIDE, few()), case.picture, ToolSettings())
    replies = [reply for turn in TURNS for reply in await episode.turn(turn)]
    told = [(reply.text, tuple(picture.sha256 for picture in reply.pictures)) for reply in replies]
    assert told == await told_by_the_loop(case)
    assert len(episode.pictures) == 4
    assert [made.turn for made in episode.log] == [1] * 5 + [2] * 2
