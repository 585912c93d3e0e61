"""The toy Qwen3-VL behind real servers: pictures both ways, streams, and a photo located from end to end.

`transformers serve` is part of the suite; `make test-vllm` runs the same tests against vLLM, which has an
environment of its own (`WHERETAKEN_VLLM` names its Python).
"""

import contextlib
import importlib.util
import json
import os
from pathlib import Path

import pytest

from wheretaken.agent import Limits, Status, record
from wheretaken.errors import ModelError
from wheretaken.messages import Message
from wheretaken.models.opening import open_models
from wheretaken.models.settings import ModelSettings, ModelsSettings
from wheretaken.testing.toy_model import PLACES, ToyMaps, photo, trained
from wheretaken.testing.toy_model.serve import served, served_by_vllm
from wheretaken.testing.toy_model.world import TOYS

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

NEEDED = ("torch", "torchvision", "transformers", "trl", "fastapi")
VLLM = os.environ.get("WHERETAKEN_VLLM", "")


@pytest.fixture(scope="session")
def libraries():
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; run  pip install --group toy-model"
        if os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@contextlib.contextmanager
def serving(directory):
    with served_by_vllm(directory, Path(VLLM)) if VLLM else served(directory) as url:
        yield url, str(directory)


@pytest.fixture(scope="session")
def server(libraries):
    with serving(trained()) as found:
        yield found


@pytest.fixture(scope="module")
def mixture(libraries):
    """A server of the variant with a mixture of experts."""
    directory = trained(moe=True)
    config = json.loads((directory / "config.json").read_text("utf-8"))
    assert config["model_type"] == "qwen3_vl_moe"
    with serving(directory) as found:
        yield found


def model(server, **settings):
    url, name = server
    given = {
        "preset": "vllm",
        "base_url": url,
        "model": name,
        "temperature": 0,
        "max_tokens": 100,
        "retries": 0,
    }
    entry = ModelSettings.model_validate(given | settings)
    return open_models("toy", ModelsSettings(models={"toy": entry}))(1)


@pytest.mark.parametrize("colour", PLACES)
async def test_a_photo_is_located_by_a_model_that_sees_it(server, colour):
    place, maps = PLACES[colour], ToyMaps()
    done = await record(photo(colour), model(server), TOYS, maps, limits=Limits(turns=4))
    assert done.status == Status.ANSWERED, done
    assert done.answer is not None
    assert (done.answer.lat, done.answer.lon, done.answer.city) == (place.lat, place.lon, place.name)
    assert [len(m.pictures) for m in done.messages if m.role == "tool"] == [1]
    assert done.usage.prompt_tokens > 1000
    assert len(maps.asked) == 1


async def test_a_mixture_of_experts_calls_with_the_photo_and_reads_the_map(mixture):
    for colour in ("green", "blue"):
        place, maps = PLACES[colour], ToyMaps()
        done = await record(photo(colour), model(mixture), TOYS, maps, limits=Limits(turns=4))
        assert done.status == Status.ANSWERED, done
        assert (done.answer.lat, done.answer.lon, done.answer.city) == (place.lat, place.lon, place.name)
        assert [len(m.pictures) for m in done.messages if m.role == "tool"] == [1]


async def test_a_stream_says_the_same_as_a_whole_reply(server):
    pieces = []
    streamed = await record(photo("green"), model(server), TOYS, ToyMaps(), on_delta=pieces.append)
    whole = await record(photo("green"), model(server), TOYS, ToyMaps())
    assert streamed.answer == whole.answer
    assert [m.text for m in streamed.messages] == [m.text for m in whole.messages]
    assert len({p.turn for p in pieces}) == 2
    assert len(pieces) > 10


async def test_pictures_may_follow_in_a_user_message(server):
    apart = model(server, pictures_in_tool_results=False)
    done = await record(photo("red"), apart, TOYS, ToyMaps(), limits=Limits(turns=3))
    assert [len(m.pictures) for m in done.messages if m.role == "user"][:2] == [1, 1]
    assert done.stop_reason != "model_error" or "HTTP 500" in done.detail


async def test_what_the_server_refuses_is_an_error_with_its_words(server):
    message = [Message.of("user", "Where?")]
    with pytest.raises(ModelError, match=r"HTTP [45]\d\d"):
        await model(server, extra={"temperature": "hot"}).complete(message, ())
