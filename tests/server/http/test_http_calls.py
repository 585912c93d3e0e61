"""Calls of tools over HTTP, and what becomes of bad ones."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken import errors
from wheretaken.errors import ServiceError

from .conftest import Bench, Kiosks

Make = Callable[..., Bench]


async def test_an_answer_has_text_source_and_time_and_the_second_comes_from_the_cache(bench: Make) -> None:
    places = Kiosks()
    one = bench(places)
    first = (await one.call("search_places", query="Kiosk")).json()
    second = (await one.call("search_places", query=" Kiosk ", limit=10.0)).json()
    assert json.loads(first["text"])["results"][0]["id"] == "osm:n1"
    assert (first["source"], first["images"], first["cached"]) == ("nobody", [], False)
    assert 0 <= first["seconds"] < 10
    assert second["cached"]
    assert second["text"] == first["text"]
    assert len(places.asked) == 1


async def test_a_picture_is_named_by_its_hash_and_may_be_kept_for_ever(bench: Make) -> None:
    one = bench()
    (image,) = (await one.call("road_map", lat=60.17, lon=24.94)).json()["images"]
    assert image["url"] == f"/media/{image['sha256']}"
    got = await one.client.get(image["url"])
    assert got.headers["content-type"] == image["mime"] == "image/png"
    assert "immutable" in got.headers["cache-control"]
    assert got.content.startswith(b"\x89PNG")
    again = await one.client.get(image["url"], headers={"If-None-Match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_the_tools_are_listed_as_chat_requests_take_them(bench: Make) -> None:
    listed = (await bench().client.get("/tools")).json()
    told = {tool["function"]["name"]: tool for tool in listed["tools"]}
    assert told["reverse_geocode"]["type"] == "function"
    assert told["reverse_geocode"]["function"]["parameters"]["required"] == ["lat", "lon"]


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("reverse_geocode", {"lat": 139.7, "lon": 35.6}, "lat must be between -90 and 90; did you swap"),
        ("reverse_geocode", {"lat": 35.6, "lon": 1397}, "lon must be between -180 and 180"),
        (
            "amap_static_map",
            {"latitude": 116.4, "longitude": 39.9},
            "latitude must be between -90 and 90; did",
        ),
        ("reverse_geocode", {"lat": 35.6}, "lon: Field required"),
        ("reverse_geocode", {"lat": "north", "lon": 1}, "lat: Input should be a valid number"),
        ("search_places", {"query": "x", "color": "red"}, "color: Extra inputs are not permitted"),
        ("search_places", {"query": "  "}, "give a query"),
        ("search_places", {"query": "x" * 10_240}, "query: String should have at most 200 characters"),
        ("trial", {"text": "x" * 1001}, "text has 1,001 characters, at most 1,000"),
        ("trial", {"text": "a\x00b"}, "text holds control characters"),
        ("trial", {"text": "a\x1b[31mb"}, "text holds control characters"),
        ("place_details", {"id": "osm:n404"}, "no place has the id 'osm:n404'"),
        ("zoom", {"bbox_2d": [0, 0, 9, 9]}, "no picture was given"),
    ],
)
async def test_a_bad_call_is_told_in_words_for_a_model(
    bench: Make, tool: str, arguments: dict[str, object], said: str
) -> None:
    reply = await bench().call(tool, **arguments)
    assert reply.status_code == 422
    assert reply.json()["kind"] == "bad_call"
    assert said in reply.json()["error"]


@pytest.mark.parametrize("text", ["🗼🍣", "كشك", "a\tb\nc", "x" * 1000])
async def test_texts_of_all_kinds_reach_the_tool(bench: Make, text: str) -> None:
    reply = await bench().call("trial", text=text)
    assert json.loads(reply.json()["text"]) == {"text": " ".join(text.split())}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"query": "\\ud800"}', b'{"lat": NaN, "lon": 1}', b"null"]
)
async def test_what_is_no_arguments_object_is_refused(bench: Make, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    reply = await bench().client.post("/tools/reverse_geocode", content=body, headers=headers)
    assert reply.status_code == 422
    assert reply.json()["error"].startswith("reverse_geocode: ")


async def test_requests_that_no_tool_should_see(bench: Make) -> None:
    client, json_type = bench().client, {"Content-Type": "application/json"}
    unknown = await client.post("/tools/nothing", json={})
    assert unknown.status_code == 404
    assert "there are: image_zoom_in_tool, " in unknown.json()["error"]
    replies = {
        400: client.post("/tools/trial", content=b'{"text": "\xff"}', headers=json_type),
        413: client.post("/tools/trial", content=b" " * 65_537, headers=json_type),
        415: client.post("/tools/trial", content=b"text=x"),
        405: client.get("/tools/trial"),
        404: client.get("/nothing"),
    }
    for status, reply in replies.items():
        got = await reply
        assert got.status_code == status
        assert set(got.json()) == {"error", "kind"}


async def test_a_body_without_length_is_not_read_beyond_the_limit(bench: Make) -> None:
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 1024

    reply = await bench().client.post(
        "/tools/trial", content=endless(), headers={"Content-Type": "application/json"}
    )
    assert reply.status_code == 413
    assert sent < 100


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.ServiceError("amap: broken", service="amap"), 502, "service"),
        (errors.AccessError("amap: key refused", service="amap"), 502, "access"),
        (errors.UnavailableError("amap: rests", service="amap", retry_after=7.2), 503, "unavailable"),
        (errors.QuotaError("amap: used up", service="amap", retry_after=3600), 503, "quota"),
        (errors.DeadlineError("amap: slow", service="amap"), 504, "late"),
        (errors.BusyError("amap: many wait", service="amap", retry_after=0.2), 429, "busy"),
        (errors.DataError("world.bin is damaged"), 503, "setup"),
        (errors.MissingExtraError("maps", "offline", "mapnik"), 503, "setup"),
    ],
)
async def test_every_failure_has_its_status(
    bench: Make, error: errors.WheretakenError, status: int, kind: str
) -> None:
    one = bench()
    one.trials.fails(error)
    reply = await one.call("trial", text="x")
    assert reply.status_code == status
    assert reply.json()["error"] == str(error)
    assert reply.json()["kind"] == kind
    if isinstance(error, ServiceError) and error.retry_after:
        assert int(reply.headers["retry-after"]) >= error.retry_after
        assert reply.json()["retry_after"] == error.retry_after


async def test_busy_always_says_when_to_come_back(bench: Make) -> None:
    one = bench()
    one.trials.fails(errors.BusyError("amap: HTTP 429", service="amap"))
    reply = await one.call("trial", text="x")
    assert (reply.status_code, reply.headers["retry-after"], reply.json()["retry_after"]) == (429, "1", 1)


async def test_a_bug_is_a_500_that_tells_nothing(bench: Make) -> None:
    one = bench()

    async def fail(_text: str):
        raise RuntimeError("sk-secret")

    one.trials.end = fail
    reply = await one.call("trial", text="x")
    assert reply.status_code == 500
    assert "sk-secret" not in reply.text
    assert reply.json()["kind"] == "bug"


async def test_a_photo_is_uploaded_once_and_looked_at_by_its_hash(bench: Make, photo: bytes) -> None:
    one = bench()
    uploaded = await one.client.post("/media", content=photo, headers={"Content-Type": "image/jpeg"})
    assert uploaded.status_code == 201
    sent = uploaded.json()
    assert (sent["width"], sent["height"]) == (640, 360)
    zoomed = await one.client.post(
        "/tools/zoom",
        params={"picture": sent["sha256"]},
        json={"bbox_2d": [0, 0, 500, 500], "label": "sign"},
    )
    (image,) = zoomed.json()["images"]
    assert json.loads(zoomed.json()["text"])["image"] == 1
    assert (await one.client.get(image["url"])).content.startswith(b"\x89PNG")
    further = await one.client.post(
        "/tools/zoom",
        params={"picture": [sent["sha256"], image["sha256"]]},
        json={"bbox_2d": [0, 0, 500, 500], "image": 1},
    )
    assert json.loads(further.json()["text"])["of"] == 1


async def test_pictures_that_are_none_or_gone(bench: Make, photo: bytes) -> None:
    one = bench()
    jpeg = {"Content-Type": "image/jpeg"}
    damaged = await one.client.post("/media", content=photo[:500], headers=jpeg)
    assert (damaged.status_code, damaged.json()["kind"]) == (422, "bad_picture")
    form = await one.client.post("/media", content=b"x", headers={"Content-Type": "text/plain"})
    assert form.status_code == 415
    for sha256 in ("0" * 64, "..%2f..%2fetc%2fpasswd", "x"):
        assert (await one.client.get(f"/media/{sha256}")).status_code == 404
    gone = await one.client.post(
        "/tools/zoom", params={"picture": "0" * 64}, json={"bbox_2d": [0, 0, 500, 500]}
    )
    assert gone.status_code == 422
    assert "upload it to /media" in gone.json()["error"]


async def test_metadata_of_an_upload_is_not_given_out(bench: Make, tmp_path: Path) -> None:
    from PIL import Image

    path = tmp_path / "tagged.jpg"
    exif = Image.Exif()
    exif[0x010E] = "CANARY-DESCRIPTION"
    Image.new("RGB", (64, 64)).save(path, exif=exif)
    assert b"CANARY" in path.read_bytes()
    one = bench()
    uploaded = await one.client.post(
        "/media", content=path.read_bytes(), headers={"Content-Type": "image/jpeg"}
    )
    assert b"CANARY" not in (await one.client.get(uploaded.json()["url"])).content


class TestPaperRoutes:
    async def test_text_comes_as_the_text_that_the_model_reads(self, bench: Make) -> None:
        reply = await bench().client.post("/amap_keyword_search", json={"query": "小卖部"})
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
        assert json.loads(reply.text)["pois"][0]["id"] == "B01"

    async def test_a_map_is_asked_longitude_first_and_comes_as_a_picture(self, bench: Make) -> None:
        places = Kiosks()
        reply = await bench(places).client.post("/amap_static_map", json={"query": "116.3974,39.9093"})
        assert reply.headers["content-type"] == "image/png"
        assert reply.content.startswith(b"\x89PNG")
        assert "39.9" in places.asked[0]

    @pytest.mark.parametrize(
        ("tool", "query", "said"),
        [
            ("amap_static_map", "39.9093,116.3974", "latitude must be between -90 and 90; did you swap"),
            ("amap_static_map", "Beijing", 'the query must be "longitude,latitude" in degrees'),
            ("amap_static_map", "1,2,3", 'the query must be "longitude,latitude" in degrees'),
            ("amap_static_map", "nan,inf", "latitude"),
            ("amap_keyword_search", " ", "the query is empty"),
        ],
    )
    async def test_a_bad_query_is_told(self, bench: Make, tool: str, query: str, said: str) -> None:
        reply = await bench().client.post(f"/{tool}", json={"query": query})
        assert reply.status_code == 422
        assert said in reply.json()["error"]

    async def test_a_full_queue_is_a_503_as_its_clients_do_not_try_again_after_429(self, bench: Make) -> None:
        one = bench(Kiosks(failure=errors.BusyError("amap: many wait", retry_after=2)))
        reply = await one.client.post("/amap_keyword_search", json={"query": "x"})
        assert reply.status_code == 503
        assert reply.headers["retry-after"] == "2"

    async def test_failures_are_no_text_with_status_200(self, bench: Make) -> None:
        one = bench(Kiosks(failure=ServiceError("amap: broken")))
        reply = await one.client.post("/amap_poi_detail", json={"query": "B01"})
        assert reply.status_code == 502


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Basic tea-and-toast"}, 401),
        ({"Authorization": "bearer tea-and-toast"}, 200),
    ],
)
async def test_a_token_is_asked_for(bench: Make, headers: dict[str, str], status: int) -> None:
    one = bench(token="tea-and-toast")
    assert (await one.client.get("/tools", headers=headers)).status_code == status
    assert (await one.client.get("/healthz", headers=headers)).status_code == 200
    assert (await one.client.get("/readyz", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("server", 200), ("SERVER:8001", 200), ("evil.example", 421), ("server.evil.example", 421), ("", 421)],
)
async def test_a_page_that_resolves_its_own_name_to_us_is_refused(
    bench: Make, host: str, status: int
) -> None:
    assert (await bench().client.get("/tools", headers={"Host": host})).status_code == status


async def test_an_address_in_brackets_is_a_host(bench: Make) -> None:
    one = bench(hosts=frozenset({"[::1]"}))
    assert (await one.client.get("/tools", headers={"Host": "[::1]:8001"})).status_code == 200
    assert (await one.client.get("/tools", headers={"Host": "[::2]:8001"})).status_code == 421


async def test_ready_says_which_provider_works_and_which_does_not(bench: Make) -> None:
    failing = Kiosks(failure=errors.UnavailableError("few: rests", retry_after=60))
    one = bench(failing)
    assert (await one.client.get("/readyz")).json()["ready"]
    await one.call("search_places", query="Kiosk")
    told = (await one.client.get("/readyz")).json()
    assert told["providers"][0]["failing"]["search"] == "few: rests"


async def test_numbers_are_counted(bench: Make) -> None:
    one = bench()
    await one.call("search_places", query="Kiosk")
    await one.call("search_places", query="Kiosk")
    await one.call("search_places", query=5)
    text = (await one.client.get("/metrics")).text
    assert 'wheretaken_tool_seconds_count{outcome="called",tool="search_places"} 1.0' in text
    assert 'wheretaken_tool_seconds_count{outcome="cached",tool="search_places"} 1.0' in text
    assert 'wheretaken_tool_seconds_count{outcome="ToolError",tool="search_places"} 1.0' in text
    assert 'wheretaken_replies_total{status="200"} 2.0' in text
    assert 'wheretaken_replies_total{status="422"} 1.0' in text
    assert 'wheretaken_calls{state="running"} 0.0' in text


async def test_the_document_has_a_path_for_every_tool(bench: Make) -> None:
    one = bench(token="tea")
    document = (await one.client.get("/openapi.json", headers={"Authorization": "Bearer tea"})).json()
    assert {f"/tools/{tool.name}" for tool in one.desk.toolset.tools} <= set(document["paths"])
    schema = document["paths"]["/tools/zoom"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == one.desk.toolset.find("zoom").spec.parameters
    assert document["security"] == [{"token": []}]
    assert "/amap_static_map" in document["paths"]
