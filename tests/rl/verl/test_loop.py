"""Rollouts in verl's own worker of agent loops: what a model reads, what is trained on, what it earns."""

import json

import pytest
from wheretaken.rl.verl.rehearsal import rehearse
from wheretaken.testing.verl_cpu.scripted import ScriptedServer
from wheretaken.testing.toy_model.world import PLACES

RED = PLACES["red"]


def call(name="road_map", **arguments):
    body = json.dumps({"name": name, "arguments": arguments})
    return f"<tool_call>\n{body}\n</tool_call>"


def answer(place):
    return json.dumps({"lat": place.lat, "lon": place.lon, "city": place.name, "country": place.country})


LOOK = call(lat=RED.lat, lon=RED.lon)


@pytest.mark.usefixtures("toys")
async def test_a_rollout_of_each_kind(exported, tmp_path):
    settings = exported(tmp_path)
    scripts = [
        [LOOK, answer(RED)],
        [LOOK + "\n" + call(lat=50, lon=60), answer(RED)],
    ]
    done = await rehearse(
        settings,
        lambda t: ScriptedServer(t, lambda photo, turn: scripts[photo.getpixel((0, 0))[0]][turn]),
        [0, 1],
    )
    print(done.text(0))
    print(done.text(1))
    print(done.outcome(0), done.score(0), done.score(1))
    assert 0
