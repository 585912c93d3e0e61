"""The tools over MCP, with the official client: in this process, over HTTP and over stdio."""

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx2
import mcp.types as mt
import pytest
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from wheretaken.errors import QuotaError, ServiceError, ToolError
from wheretaken.server.mcp import McpTools
from wheretaken.testing.served import Served

from .conftest import Bench

Make = Callable[..., Bench]
Serve = Callable[..., Served]
Starts = Callable[..., Client]

loopback = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]

CONFIG = """
tools:
  - class_name: any.Class
    config: {type: native, tool: search_places}
    tool_schema:
      type: function
      function:
        name: look_up
        description: "Sucht  Orte 地图\\n"
        parameters: {type: object, properties: {query: {type: string, examples: [Oulu]}}, required: [query]}
"""


def local(bench: Bench, seen: list[str] | None = None) -> Client:
    return Client(McpTools(bench.desk, seen).server())


def text(result: mt.CallToolResult) -> str:
    (content,) = (part for part in result.content if isinstance(part, mt.TextContent))
    return content.text


def image(result: mt.CallToolResult) -> bytes:
    (content,) = (part for part in result.content if isinstance(part, mt.ImageContent))
    assert content.mime_type == "image/png"
    return base64.b64decode(content.data)


def named(result: mt.CallToolResult) -> list[str]:
    return (result.meta or {})["wheretaken/pictures"]


@pytest.fixture
def stdio(tmp_path: Path) -> Starts:
    """Makes clients that start `wheretaken mcp OPTIONS...`."""

    def make(*options: str | Path) -> Client:
        arguments = ["-m", "wheretaken", "mcp", "--cache", "memory", *map(str, options)]
        environment = os.environ | {"TMPDIR": str(tmp_path)}
        server = StdioServerParameters(
            command=sys.executable, args=arguments, env=dict(environment), cwd=tmp_path
        )
        return Client(server, read_timeout_seconds=60)

    return make


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_tools_are_described_as_everywhere_else(bench: Make, mode: str) -> None:
    one = bench()
    async with Client(McpTools(one.desk).server(), mode=mode) as client:
        tools = (await client.list_tools()).tools
    specs = one.desk.toolset.specs
    assert [(t.name, t.description, t.input_schema) for t in tools] == [
        (s.name, s.description, s.parameters) for s in specs
    ]


async def test_an_answer_has_text_and_pictures_and_says_whose_it_is(bench: Make) -> None:
    one = bench()
    async with local(one) as client:
        found = await client.call_tool("search_places", {"query": "Kiosk"})
        assert not found.is_error
        assert '"name":"Kiosk"' in text(found)
        assert (found.meta or {})["wheretaken/source"] == "nobody"
        drawn = await client.call_tool("road_map", {"lat": 60.17, "lon": 24.94})
        assert named(drawn) == [hashlib.sha256(image(drawn)).hexdigest()]
        assert '"image":0' in text(drawn)


async def test_the_same_call_over_http_and_mcp_is_one_call(bench: Make) -> None:
    one = bench()
    assert not (await one.call("search_places", query="Kiosk")).json()["cached"]
    async with local(one) as client:
        found = await client.call_tool("search_places", {"query": "Kiosk"})
    assert (found.meta or {})["wheretaken/cached"] is True


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("road_map", {"lat": 160, "lon": 25}, "lat must be between -90 and 90; did you swap the arguments?"),
        ("search_places", {}, "query: Field required"),
        ("search_places", {"query": "a\x00"}, "control characters"),
        ("search_places", {"query": "x" * 10_000}, "query"),
        ("nothing", {}, "no tool named 'nothing'"),
        ("zoom", {"bbox_2d": [0, 0, 9, 9]}, "no picture was given"),
    ],
)
async def test_what_a_model_can_mend_is_a_result_marked_as_an_error(
    bench: Make, tool: str, arguments: dict[str, object], said: str
) -> None:
    async with local(bench()) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert said in text(result)


@pytest.mark.parametrize("error", [ToolError("mend it"), ServiceError("it is down"), QuotaError("used up")])
async def test_failures_are_results_marked_as_errors(bench: Make, error: Exception) -> None:
    one = bench()
    one.trials.fails(error)
    async with local(one) as client:
        result = await client.call_tool("trial", {"text": "a"})
    assert (result.is_error, text(result)) == (True, str(error))


async def test_the_pictures_of_a_run_are_listed_with_the_call(bench: Make, photo: bytes) -> None:
    one = bench()
    sha256 = (await one.client.post("/media", content=photo, headers={"Content-Type": "image/jpeg"})).json()[
        "sha256"
    ]
    async with local(one) as client:
        meta = {"wheretaken/pictures": [sha256]}
        part = await client.call_tool("zoom", {"bbox_2d": [0, 0, 500, 500]}, meta=meta)
        assert '"image":1,"of":0' in text(part)
        for wrong in ("text", ["x"] * 33, {"a": 1}):
            refused = await client.call_tool(
                "zoom", {"bbox_2d": [0, 0, 9, 9]}, meta={"wheretaken/pictures": wrong}
            )
            assert refused.is_error
            assert "must be a list of at most 32" in text(refused)
        gone = await client.call_tool(
            "zoom", {"bbox_2d": [0, 0, 9, 9]}, meta={"wheretaken/pictures": ["ab", 3]}
        )
        assert "the server has no picture 'ab'" in text(gone)


async def test_pictures_of_the_only_client_are_remembered_and_numbered(bench: Make, photo: bytes) -> None:
    one = bench()
    first = await one.desk.upload(photo)
    seen = [first.sha256]
    # Drawn for somebody else before, in whose run it had the number 0:
    assert '"image":0' in (await one.call("road_map", lat=60.17, lon=24.94)).json()["text"]
    async with local(one, seen) as client:
        drawn = await client.call_tool("road_map", {"lat": 60.17, "lon": 24.94})
        assert (drawn.meta or {})["wheretaken/cached"] is True
        assert '"image":1' in text(drawn)
        part = await client.call_tool("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 1})
        assert '"image":2,"of":1' in text(part)
        listed = (await client.list_resources()).resources
        assert [str(r.uri) for r in listed] == [f"wheretaken://media/{sha256}" for sha256 in seen]
        assert len(seen) == 3
        content = (await client.read_resource(listed[1].uri)).contents[0]
        assert isinstance(content, mt.BlobResourceContents)
        assert base64.b64decode(content.blob) == image(drawn)


async def test_a_picture_that_is_gone_spoils_no_answer_that_others_share(bench: Make) -> None:
    one, position = bench(), {"lat": 60.17, "lon": 24.94}
    async with local(one) as client:
        drawn = await client.call_tool("road_map", position, meta={"wheretaken/pictures": ["gone", "too"]})
        assert '"image":2' in text(drawn)
        again = await client.call_tool("road_map", position)
        assert '"image":0' in text(again)
        assert (again.meta or {})["wheretaken/cached"] is True


@pytest.mark.parametrize("uri", ["wheretaken://media/" + "0" * 64, "wheretaken://media/../x", "file:///etc"])
async def test_other_resources_are_refused(bench: Make, uri: str) -> None:
    async with local(bench()) as client:
        (template,) = (await client.list_resource_templates()).resource_templates
        assert template.uri_template == "wheretaken://media/{sha256}"
        with pytest.raises(MCPError, match="no such picture"):
            await client.read_resource(uri)


class TestServed:
    """Over HTTP, from a real server."""

    pytestmark = loopback

    @pytest.mark.parametrize("mode", ["auto", "legacy"])
    async def test_every_worker_answers_every_request(self, serve: Serve, mode: str) -> None:
        server = await asyncio.to_thread(serve, "--workers", "2", "--cache", "sqlite:answers.sqlite")
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            assert client.server_info is not None
            assert client.server_info.name == "wheretaken"
            names = [tool.name for tool in (await client.list_tools()).tools]
            assert "search_places" in names
            calls = [client.call_tool("search_places", {"query": "Helsinki"}) for _ in range(8)]
            for found in await asyncio.gather(*calls):
                assert "geonames:658225" in text(found)
            drawn = await client.call_tool("road_map", {"lat": 60.17, "lon": 24.94, "zoom": 4})
            (sha256,) = named(drawn)
            assert httpx2.get(f"{server.url}/media/{sha256}").content == image(drawn)
            wrong = await client.call_tool("road_map", {"lat": 160, "lon": 24.94})
            assert wrong.is_error

    async def test_a_token_is_needed_where_there_is_one(self, serve: Serve) -> None:
        server = await asyncio.to_thread(serve, "--cache", "memory", WHERETAKEN_SERVER_TOKEN="tea")
        address = f"{server.url}/mcp"
        assert httpx2.post(address, json={}).status_code == 401
        async with httpx2.AsyncClient(headers={"Authorization": "Bearer tea"}, timeout=60) as http:
            transport = streamable_http_client(address, http_client=http)
            async with Client(transport) as client:
                assert (await client.list_tools()).tools

    def test_what_is_no_request_is_refused(self, serve: Serve) -> None:
        server = serve("--cache", "memory")
        address = f"{server.url}/mcp"
        foreign = httpx2.post(address, json={}, headers={"Host": "evil.example"})
        assert foreign.status_code == 421
        accepted = {"Accept": "application/json, text/event-stream"}
        for body in (b"", b"{", b"[]", b'{"jsonrpc": "2.0", "id": 1, "method": "nothing"}', b"\xff"):
            sent = accepted | {"Content-Type": "application/json"}
            reply = httpx2.post(address, content=body, headers=sent)
            assert reply.status_code < 500, reply.text
            assert "error" in reply.json()
        assert httpx2.post(address, content=b"{}", headers=accepted).status_code == 400
        large = httpx2.post(address, content=b" " * 100_000, headers=accepted)
        assert large.status_code == 413
        assert httpx2.get(f"{server.url}/healthz").status_code == 200
        assert "Traceback" not in server.log.read_text()

    async def test_a_tool_config_decides_what_is_told_and_shares_the_cache(
        self, serve: Serve, tmp_path: Path
    ) -> None:
        (tmp_path / "tools.yaml").write_text(CONFIG, "utf-8")
        options = ("--tools-config", "tools.yaml", "--cache", "sqlite:answers.sqlite")
        server = await asyncio.to_thread(serve, *options)
        told = httpx2.get(f"{server.url}/tools").text
        query = '{"query":{"type":"string","examples":["Oulu"]}}'
        assert f'"parameters":{{"type":"object","properties":{query},"required":["query"]}}' in told
        assert "search_places" not in told
        async with Client(f"{server.url}/mcp") as client:
            (tool,) = (await client.list_tools()).tools
            assert (tool.name, tool.description) == ("look_up", "Sucht  Orte 地图\n")
            assert not (await client.call_tool("look_up", {"query": "Oulu"})).is_error
        assert server.stop() == 0
        plain = await asyncio.to_thread(serve, "--cache", "sqlite:answers.sqlite")
        again = httpx2.post(f"{plain.url}/tools/search_places", json={"query": "Oulu"}).json()
        assert again["cached"]


class TestStdio:
    """Over stdin and stdout of `wheretaken mcp`."""

    @pytest.mark.parametrize("mode", ["auto", "legacy"])
    async def test_tools_answer(self, stdio: Starts, mode: str) -> None:
        client = stdio()
        client.mode = mode
        async with client:
            assert "search_places" in [tool.name for tool in (await client.list_tools()).tools]
            found = await client.call_tool("search_places", {"query": "Helsinki"})
            assert "geonames:658225" in text(found)
            drawn = await client.call_tool("road_map", {"lat": 60.17, "lon": 24.94, "zoom": 4})
            assert image(drawn).startswith(b"\x89PNG")
            assert (await client.call_tool("road_map", {"lat": 160, "lon": 24.94})).is_error

    async def test_the_photo_is_picture_0(self, stdio: Starts, tmp_path: Path, photo: bytes) -> None:
        (tmp_path / "photo.jpg").write_bytes(photo)
        async with stdio("photo.jpg", "--toolset", "google") as client:
            part = await client.call_tool("image_zoom_in_tool", {"bbox_2d": [0, 0, 500, 500]})
            assert '"image":1,"of":0' in text(part)

    async def test_a_tool_config_decides_what_is_told(self, stdio: Starts, tmp_path: Path) -> None:
        (tmp_path / "tools.yaml").write_text(CONFIG, "utf-8")
        async with stdio("--tools-config", "tools.yaml") as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["look_up"]
            assert "query" in text(await client.call_tool("look_up", {"query": ""}))

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (["--tools-config", "none.yaml"], "none.yaml: No such file or directory"),
            (["none.jpg"], "none.jpg"),
            (["tools.yaml"], "tools.yaml is text, not a picture"),
            (["--cache", "what:ever"], "the cache 'what' is of no known kind"),
        ],
    )
    def test_what_does_not_work_is_told_in_one_line(
        self, options: list[str], said: str, tmp_path: Path
    ) -> None:
        (tmp_path / "tools.yaml").write_text(CONFIG, "utf-8")
        ended = subprocess.run(
            [sys.executable, "-m", "wheretaken", "mcp", *options],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stdout) == (2, "")
        assert said in ended.stderr
        assert "Traceback" not in ended.stderr

    def test_it_ends_with_its_client(self, tmp_path: Path) -> None:
        ended = subprocess.run(
            [sys.executable, "-m", "wheretaken", "mcp", "--cache", "memory"],
            cwd=tmp_path,
            input='not json\n{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        assert all(json.loads(line)["jsonrpc"] == "2.0" for line in ended.stdout.splitlines())
