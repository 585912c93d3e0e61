"""Errors in each of the three forms in which Google sends them, and the key that no error shows."""

import logging
import traceback
from pathlib import Path

import pytest

from wheretaken.errors import (
    AccessError,
    BusyError,
    QuotaError,
    ServiceError,
    ToolError,
    WheretakenError,
)
from wheretaken.geo import LatLon
from wheretaken.maps.google import Google
from wheretaken.maps.google.faults import fault
from wheretaken.maps.web import Connection, Ledger, Response, WebSettings
from wheretaken.testing.services import EVERY, FakeService, FakeTransport, Mishap, Reply, loop_time, serve
from wheretaken.testing.services.google import (
    Panorama,
    Spot,
    google,
    old_error,
    rpc_error,
    sentence,
    warning,
)

SPOT = LatLon(60.1678, 24.9471)
PER_DAY = "SearchTextRequestPerDayPerProject"
PER_MINUTE = "SearchTextRequestPerMinutePerProject"


@pytest.mark.parametrize(
    ("mishap", "error", "asked_times"),
    [
        (rpc_error("INVALID_ARGUMENT", 400, "text_query is too long"), ToolError, 1),
        (rpc_error("OUT_OF_RANGE", 400), ToolError, 1),
        (rpc_error("INVALID_ARGUMENT", 400, reason="API_KEY_INVALID"), AccessError, 1),
        (rpc_error("PERMISSION_DENIED", 403, reason="SERVICE_DISABLED"), AccessError, 1),
        (rpc_error("UNAUTHENTICATED", 401), AccessError, 1),
        (rpc_error("RESOURCE_EXHAUSTED", 429, quota_limit=PER_MINUTE), BusyError, 3),
        (rpc_error("RESOURCE_EXHAUSTED", 429, "Quota exceeded", quota_limit=PER_DAY), QuotaError, 1),
        (
            rpc_error("RESOURCE_EXHAUSTED", 429, "Quota exceeded for 'SearchTextRequest per day'"),
            QuotaError,
            1,
        ),
        (rpc_error("INTERNAL", 500), ServiceError, 3),
        (rpc_error("UNAVAILABLE", 503), ServiceError, 3),
        (rpc_error("FAILED_PRECONDITION", 400), ServiceError, 1),
        (rpc_error("DATA_LOSS", 500), ServiceError, 3),
    ],
)
async def test_errors_of_the_places_api(
    mishap: Mishap, error: type[WheretakenError], asked_times: int, asked
) -> None:
    asked.fake.fail(*[mishap] * asked_times)
    with pytest.raises(error, match=r"^google-(places|maps): ") as caught:
        await asked.provider.search("café")
    assert type(caught.value) is error
    assert len(asked.fake.asked) == asked_times


@pytest.mark.parametrize(
    ("mishap", "error", "asked_times"),
    [
        (old_error("INVALID_REQUEST", "Invalid 'latlng'."), ToolError, 1),
        (old_error("REQUEST_DENIED", "This API project is not authorized."), AccessError, 1),
        (old_error("OVER_DAILY_LIMIT", "You must enable Billing on the project."), AccessError, 1),
        (
            old_error("OVER_DAILY_LIMIT", "You have exceeded your daily request quota for this API."),
            QuotaError,
            1,
        ),
        (
            old_error("OVER_QUERY_LIMIT", "You have exceeded your daily request quota for this API."),
            QuotaError,
            1,
        ),
        (old_error("OVER_QUERY_LIMIT"), BusyError, 3),
        (old_error("UNKNOWN_ERROR"), ServiceError, 3),
    ],
)
@pytest.mark.parametrize("operation", ["reverse", "street_view"])
async def test_errors_of_geocoding_and_metadata(
    mishap: Mishap, error: type[WheretakenError], asked_times: int, operation: str, asked
) -> None:
    asked.fake.fail(*[mishap] * asked_times)
    with pytest.raises(error, match=r"^google-(places|maps): ") as caught:
        await getattr(asked.provider, operation)(SPOT)
    assert type(caught.value) is error
    assert len(asked.fake.asked) == asked_times


@pytest.mark.parametrize(
    ("mishap", "error", "said"),
    [
        (sentence(400, "Invalid request. Invalid 'size' parameter."), ServiceError, "Invalid 'size'"),
        (sentence(403, "The Google Maps Platform server rejected your request."), AccessError, "rejected"),
        (sentence(403, "You have exceeded your daily request quota for this API."), QuotaError, "daily"),
        (warning("Error geocoding: markers"), ServiceError, "lacks something: Error geocoding"),
        (lambda delivery: delivery.__class__(Reply(b"<html>", "text/html", 403)), AccessError, "HTTP 403"),
        (lambda delivery: delivery.__class__(Reply.json({"hi": 1})), ServiceError, "where a picture"),
    ],
)
async def test_errors_of_pictures(mishap: Mishap, error: type[ServiceError], said: str, asked) -> None:
    asked.fake.fail(*[mishap] * 3)
    with pytest.raises(error, match=f"^google-maps: .*{said}") as caught:
        await asked.provider.road_map(SPOT, zoom=15)
    assert type(caught.value) is error


async def test_a_panorama_that_is_gone_is_no_picture_of_nothing(asked) -> None:
    asked.fake.fail(None, sentence(404, "There is no imagery."))
    with pytest.raises(ServiceError, match="no imagery"):
        await asked.provider.street_view(SPOT)


async def test_the_days_quota_holds_for_all_that_share_the_key(asked) -> None:
    asked.fake.fail(rpc_error("RESOURCE_EXHAUSTED", 429, "Quota exceeded", quota_limit=PER_DAY))
    with pytest.raises(QuotaError):
        await asked.provider.search("café")
    with pytest.raises(QuotaError):
        await asked.provider.reverse(SPOT)
    assert len(asked.fake.asked) == 1


async def test_both_services_are_within_one_daily_limit(tmp_path: Path) -> None:
    fake = FakeService(google())
    settings = WebSettings.model_validate({"google": {"key": "canary-key", "limits": {"daily": 2}}})
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as ledger:
        provider = Google.connected(Connection(settings, FakeTransport(fake), ledger))
        await provider.suggest("café")
        await provider.reverse(SPOT)
        with pytest.raises(QuotaError, match="google-maps"):
            await provider.road_map(SPOT, zoom=15)
    assert len(fake.asked) == 2
    assert len({service.name for service in provider.services}) == 2


OPERATIONS: dict[str, tuple[object, ...]] = {
    "search": ("café",),
    "suggest": ("Café",),
    "details": ("google:ChIJcafe",),
    "reverse": (SPOT,),
    "road_map": (SPOT,),
    "satellite": (SPOT,),
    "street_view": (SPOT,),
}


async def ask(provider: Google, operation: str) -> object:
    zoom = {"zoom": 15} if operation in {"road_map", "satellite"} else {}
    return await getattr(provider, operation)(*OPERATIONS[operation], **zoom)


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_wrong_key_is_an_access_error_in_every_operation(operation: str, tmp_path: Path) -> None:
    fake = FakeService(google(key="the right key"))
    settings = WebSettings.model_validate({"google": {"key": "canary-key"}})
    with Ledger(tmp_path / "services.sqlite", now=loop_time) as ledger:
        provider = Google.connected(Connection(settings, FakeTransport(fake), ledger))
        with pytest.raises(AccessError):
            await ask(provider, operation)
    assert len(fake.asked) == 1


@pytest.mark.enable_socket
async def test_over_real_connections(tmp_path: Path) -> None:
    fake = FakeService(
        google([Spot("ChIJcafe", "Café Strindberg", SPOT)], [Panorama("p", SPOT)], key="canary-key")
    )
    with serve(fake) as url, Ledger(tmp_path / "services.sqlite") as ledger:
        section = {"key": "canary-key", "places_url": url, "maps_url": url}
        provider = Google.connected(
            Connection(WebSettings.model_validate({"google": section}), ledger=ledger)
        )
        answers = [await ask(provider, operation) for operation in OPERATIONS]
        await provider.aclose()
    assert all(answers)
    assert [one.path for one in fake.asked if "key" in one.params and one.path.startswith("/v1")] == []


async def test_the_wait_that_google_asks_for_is_kept(asked) -> None:
    asked.fake.fail(rpc_error("RESOURCE_EXHAUSTED", 429, retry="4.5s"))
    await asked.provider.search("café")
    first, second = asked.fake.asked
    assert second.at - first.at == pytest.approx(4.5)


@pytest.mark.parametrize("reply", [{"places": [{"id": "x"}]}, {"places": 3}, [1]])
async def test_a_reply_in_another_shape_is_a_service_error(reply: object, asked) -> None:
    asked.fake.fail(lambda delivery: delivery.__class__(Reply.json(reply)))
    with pytest.raises(ServiceError, match="google: answered something unexpected"):
        await asked.provider.search("café")


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b'"error"', b'{"error": "x"}', b'{"error": {"details": 3}}', b'{"status": 4}'],
)
def test_what_is_no_error_of_google_is_judged_by_its_status(content: bytes) -> None:
    assert fault(Response(500, {"content-type": "application/json"}, content)) is None


MISHAPS = {
    **EVERY,
    "rpc": rpc_error("PERMISSION_DENIED", 403, "API key k3y-canary-0123456789 is not allowed"),
    "old": old_error("REQUEST_DENIED", "key=k3y-canary-0123456789 is expired"),
    "sentence": sentence(403, "Forbidden: /maps/api/staticmap?key=k3y-canary-0123456789"),
    "warning": warning("see ?key=k3y-canary-0123456789"),
}


@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_the_key_is_never_shown(
    mishap: Mishap, operation: str, asked, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked.fake.fail(*[mishap] * 3)
    said = [repr(asked.provider), repr(asked.provider.services)]
    try:
        said.append(repr(await ask(asked.provider, operation)))
    except WheretakenError as error:
        said += [str(error), repr(vars(error)), *traceback.format_exception(error)]
    said += [f"{record.getMessage()} {vars(record)}" for record in caplog.records]
    assert asked.fake.asked
    assert "canary" not in "\n".join(said)
