"""The tools of a tool server: the same as in this process, and what a server can do wrong."""

import asyncio
import contextlib
import json
import signal
import socket
from collections.abc import AsyncGenerator, Iterator

import pytest

from wheretaken.agent import Case, prompts
from wheretaken.errors import UserError
from wheretaken.rl.episode import Episode
from wheretaken.rl.settings import ToolSettings
from wheretaken.rl.toolbox import ServedToolbox, Toolbox, open_toolbox
from wheretaken.server.toolsets import toolset
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.served import Served
from wheretaken.testing.services import FakeService, Reply
from wheretaken.testing.services import serve as serve_fake
from wheretaken.testing.services.mishaps import hang, reset, status
from wheretaken.tools.amap import AMAP
from wheretaken.tools.config import tools_config
from wheretaken.tools.worldwide import WORLDWIDE

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]
CALLS = (
    ("search_places", '{"query": "Helsinki"}'),
    ("road_map", {"lat": 60.17, "lon": 24.94, "zoom": 5}),
    ("zoom", {"bbox_2d": [0, 0, 500, 500]}),
    ("reverse_geocode", {"lat": 60.17, "lon": 24.94}),
    ("road_map", {"lat": 100, "lon": 24.94}),
    ("read_clue", {"text": "+358 9 1234567"}),
    ("place_details", {"id": "nobody:1"}),
    ("fly", {}),
    ("search_places", '{"query": "Espoo"'),
)
MORE = (
    ("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 1}),
    ("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 9}),
)


@pytest.fixture(scope="module")
def index(case: Case) -> None:
    """The place index, whose making would take longer than a server may take to start."""

    async def search() -> None:
        async with opened() as (toolbox, _):
            await toolbox.run(*CALLS[0], [case.picture])

    asyncio.run(search())


@pytest.fixture(scope="module")
def served(index: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    one = Served(tmp_path_factory.mktemp("server"), WHERETAKEN_SERVER_TOKEN="s3cret")
    yield one
    one.stop()


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERETAKEN_SERVER_TOKEN", "s3cret")


@contextlib.asynccontextmanager
async def opened(**settings) -> AsyncGenerator[tuple[Toolbox, ToolSettings]]:
    made = ToolSettings(**settings)
    toolbox = open_toolbox(made)
    try:
        yield toolbox, made
    finally:
        await toolbox.aclose()


async def told(case: Case, **settings) -> list[tuple[str, list[str], bool, str]]:
    async with opened(**settings) as (toolbox, made):
        await toolbox.check()
        rollout = Episode(toolbox, case.picture, made)
        replies = [reply for turn in (CALLS, MORE) for reply in await rollout.turn(turn)]
        sources = [one.source for one in rollout.log]
    return [
        (reply.text, [picture.sha256 for picture in reply.pictures], reply.use.fault, source)
        for reply, source in zip(replies, sources, strict=True)
    ]


async def test_texts_and_pictures_are_those_of_this_process(case, served, token):
    here = await told(case)
    assert here == await told(case, server=served.url)
    assert [len(pictures) for _, pictures, _, _ in here] == [0, 1, 1, *[0] * 6, 1, 0]
    assert not any(fault for _, _, fault, _ in here)
    assert json.loads(here[1][0])["image"] == 1
    assert "GeoNames" in here[0][3]


async def test_descriptions_of_ones_own_need_nothing_of_the_server(case, served, token, tmp_path):
    """A model may be told other names; the server is asked by ours."""
    tools = tools_config(toolset("worldwide", FewPlaces()), "any.Class")
    file = tmp_path / "tools.yaml"
    file.write_text(tools.replace("name: search_places", "name: find_it"))
    async with opened(server=served.url, config=file) as (toolbox, made):
        await toolbox.check()
        rollout = Episode(toolbox, case.picture, made)
        found = await rollout.call("find_it", {"query": "Helsinki"})
        assert "geonames:658225" in found.text
        wrong = await rollout.call("find_it", {"limit": 3})
        assert wrong.text == "error: find_it: query: Field required"
        assert (
            "no tool named 'search_places'; there are: zoom, find_it"
            in (await rollout.call("search_places", {"query": "x"})).text
        )


async def test_a_missing_token_is_said_before_anything_begins(served, monkeypatch):
    monkeypatch.delenv("WHERETAKEN_SERVER_TOKEN", raising=False)
    async with opened(server=served.url, token_env="MY_TOKEN") as (toolbox, _):
        with pytest.raises(UserError, match="set MY_TOKEN"):
            await toolbox.check()


async def test_another_toolset_is_said_before_anything_begins(served, token):
    async with opened(server=served.url, toolset="amap") as (toolbox, _):
        with pytest.raises(UserError, match=r"has no amap_input_tips.*--toolset amap"):
            await toolbox.check()


async def test_another_datum_is_said_before_anything_begins():
    tools = {"tools": [{"function": {"name": tool.name}} for tool in AMAP.tools], "datum": "WGS-84"}
    with serve_fake(FakeService(lambda _: Reply.json(tools))) as url:
        async with opened(server=url, toolset="amap") as (toolbox, _):
            with pytest.raises(UserError, match="speaks WGS-84, the toolset amap GCJ-02"):
                await toolbox.check()


@pytest.mark.parametrize("reply", [Reply(b"<html>", "text/html"), Reply.json({}), Reply.json([], 500)])
async def test_something_else_at_that_address_is_said(reply):
    with serve_fake(FakeService(lambda _: reply)) as url:
        async with opened(server=url) as (toolbox, _):
            with pytest.raises(UserError, match="is no tool server of wheretaken"):
                await toolbox.check()


async def test_a_server_that_is_not_there_is_said_with_the_command_that_starts_it(free_port):
    async with opened(server=f"http://127.0.0.1:{free_port}") as (toolbox, _):
        with pytest.raises(UserError, match="wheretaken serve --toolset worldwide"):
            await toolbox.check()


async def asked(
    case: Case, fake: FakeService, deadline_s: float = 5, name: str = "search_places"
) -> tuple[Episode, list]:
    arguments = {"query": "x"} if name == "search_places" else {"lat": 1, "lon": 2}
    with serve_fake(fake) as url:
        async with opened(server=url, deadline_s=deadline_s) as (toolbox, made):
            rollout = Episode(toolbox, case.picture, made)
            return rollout, [await rollout.call(name, arguments)]


ANSWER = {"text": '{"places":[]}', "images": [], "source": ""}


@pytest.mark.parametrize(
    "reply",
    [
        Reply.json({"error": "the key 1234 was refused", "kind": "access"}, 502),
        Reply.json({"error": "bug", "kind": "bug"}, 500),
        Reply(b"<html>", "text/html", 500),
        Reply(b"<html>", "text/html"),
        Reply.json({"text": "no JSON"}),
        Reply.json({"text": "[1]"}),
        Reply.json({**ANSWER, "images": [{"sha256": "../x"}]}),
        Reply.json(
            {**ANSWER, "images": [{"mime": "image/png", "sha256": "0" * 64, "width": 1, "height": 1}]}
        ),
        Reply.json({"error": "a token is needed", "kind": "token"}, 401),
        Reply.json({"error": "elsewhere"}, 302, {"Location": "http://127.0.0.1:1/"}),
    ],
)
async def test_what_a_server_does_wrong_is_a_neutral_record(case, reply):
    _, (got,) = await asked(case, FakeService(lambda _: reply))
    assert got.use.fault
    assert got.text == f"error: {prompts.UNANSWERED}"
    assert got.use.error


async def test_what_the_model_can_mend_is_told_to_it(case):
    fake = FakeService(lambda _: Reply.json({"error": "there is no such place", "kind": "bad_call"}, 422))
    _, (got,) = await asked(case, fake)
    assert got.text == "error: there is no such place"
    assert not got.use.fault


async def test_a_server_that_is_full_or_drops_the_connection_is_asked_again(case):
    fake = FakeService(lambda _: Reply.json(ANSWER))
    fake.fail(reset(), status(429, 1), reset())
    _, (got,) = await asked(case, fake)
    assert got.text == '{"places":[]}'
    assert len(fake.asked) == 4


async def test_a_server_that_hangs_costs_a_rollout_its_deadline(case):
    _, (got,) = await asked(case, FakeService(lambda _: Reply.json(ANSWER), [hang()]), deadline_s=0.2)
    assert got.use.fault
    assert got.use.error == "no answer within 0.2 s"


async def test_no_request_tells_of_the_photo(case):
    """What a server is asked is the tool and its arguments."""
    fake = FakeService(lambda _: Reply.json(ANSWER))
    await asked(case, fake)
    (only,) = fake.asked
    assert only.path == "/tools/search_places"
    assert not only.params
    assert only.json["query"] == "x"
    assert only.json.keys() <= {*WORLDWIDE.find("search_places").spec.parameters["properties"]}
    assert case.picture.sha256 not in only.body.decode()


async def test_a_server_may_be_away_for_a_while(case, index, tmp_path, free_port):
    """A server that is restarted in the middle of a training costs nobody a rollout."""
    first = Served(tmp_path, "--port", str(free_port))
    second: list[Served] = []
    async with opened(server=first.url, deadline_s=60) as (toolbox, made):
        await toolbox.check()
        rollout = Episode(toolbox, case.picture, made)
        assert (await rollout.call(*CALLS[0])).use.ok
        first.process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(first.process.wait)
        waiting = asyncio.create_task(rollout.call(*CALLS[3]))
        second.append(await asyncio.to_thread(Served, tmp_path, "--port", str(free_port)))
        try:
            assert (await waiting).use.ok
        finally:
            second[0].stop()


async def test_a_frozen_server_costs_one_deadline_and_the_next_call_works(case, index, tmp_path):
    server = Served(tmp_path)
    async with opened(server=server.url, deadline_s=1) as (toolbox, made):
        rollout = Episode(toolbox, case.picture, made)
        server.process.send_signal(signal.SIGSTOP)
        hung = await rollout.call(*CALLS[0])
        server.process.send_signal(signal.SIGCONT)
        assert hung.use.fault
    async with opened(server=server.url, deadline_s=60) as (toolbox, made):
        assert (await Episode(toolbox, case.picture, made).call(*CALLS[0])).use.ok
    server.stop()


def test_a_toolbox_is_used_in_one_loop_after_the_other(served, token):
    toolbox = open_toolbox(ToolSettings(server=served.url))

    async def once() -> None:
        await toolbox.check()
        await toolbox.aclose()

    asyncio.run(once())
    asyncio.run(once())
    assert isinstance(toolbox, ServedToolbox)


def test_tools_that_there_are_not_need_no_server():
    with pytest.raises(UserError, match=r"leave tools\.server empty"):
        open_toolbox(ToolSettings(toolset="direct", server="http://127.0.0.1:1"))


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return listening.getsockname()[1]
