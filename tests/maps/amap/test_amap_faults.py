"""Every error that AMap documents, as whoever asked gets to see it; and the key, which nobody gets to see."""

import asyncio
import logging
import traceback
from dataclasses import replace

import pytest

from wheretaken.errors import (
    AccessError,
    BusyError,
    QuotaError,
    ServiceError,
    ToolError,
    UnavailableError,
    UserError,
    WheretakenError,
)
from wheretaken.geo import LatLon
from wheretaken.maps.amap import AmapProvider
from wheretaken.maps.web import Connection, WebSettings
from wheretaken.testing.services import EVERY, FakeService, FakeTransport, Reply
from wheretaken.testing.services.amap import INFOS, amap, refusal

KEY = "k3y-canary-0123456789"
CAMPUS = LatLon(39.9890, 116.3035)
EXPECTED = {
    QuotaError: ("10003", "10044", "40000"),
    AccessError: (
        *("10001", "10002", "10005", "10006", "10007", "10008", "10009", "10010"),
        *("10011", "10012", "10013", "10026", "10041", "40002"),
    ),
    BusyError: ("10004", "10014", "10015", "10019", "10020", "10021", "10029"),
    ToolError: ("20000", "20001", "20002", "20011", "20012", "30001"),
    ServiceError: ("10016", "10017", "20003", "10045", "40003"),
}
CASES = [(code, kind) for kind, codes in EXPECTED.items() for code in codes]
RETRIED = {*EXPECTED[BusyError], "10016", "10017", "20003"} - {"10004"}


def test_every_documented_code_is_expected():
    assert sorted(code for code, _ in CASES) == sorted(INFOS)


@pytest.mark.parametrize(("code", "kind"), CASES)
async def test_a_code_is_the_error_that_it_means(asked, code, kind):
    asked.fake.fail(*[refusal(code)] * 3)
    with pytest.raises(WheretakenError) as caught:
        await asked.provider.search("北京大学")
    assert type(caught.value) is kind
    assert INFOS[code] in str(caught.value)
    assert len(asked.fake.asked) == (3 if code in RETRIED else 1)


async def test_a_code_that_is_not_documented_is_told(asked):
    asked.fake.fail(refusal("98765"))
    with pytest.raises(ServiceError, match=r"amap-pois: SOMETHING_NEW \(98765\)"):
        await asked.provider.search("北京大学")


async def test_a_second_too_many_requests_is_waited_for(asked):
    asked.fake.fail(refusal("10021"), refusal("10020"))
    assert await asked.provider.search("北京大学")
    first, second, third = (request.at for request in asked.fake.asked)
    assert second - first >= 1
    assert third - second >= 1


async def test_a_minute_too_many_requests_is_longer_than_a_call_may_take(asked):
    asked.fake.fail(refusal("10004"))
    with pytest.raises(BusyError) as caught:
        await asked.provider.search("北京大学")
    assert caught.value.retry_after == 60


async def test_searches_that_are_used_up_leave_addresses_and_maps(asked):
    asked.fake.fail(refusal("10044"))
    with pytest.raises(QuotaError) as caught:
        await asked.provider.search("北京大学")
    assert 0 < caught.value.retry_after <= 86_400
    with pytest.raises(QuotaError):
        await asked.provider.details("amap:B000A816R6")
    assert len(asked.fake.asked) == 1
    assert await asked.provider.reverse(CAMPUS)
    assert (await asked.provider.road_map(CAMPUS, zoom=15)).png


async def test_json_where_a_picture_was_expected_is_read(asked):
    asked.fake.fail(refusal("20000"))
    with pytest.raises(ToolError, match="check the id or the query"):
        await asked.provider.road_map(CAMPUS, zoom=15)
    asked.fake.fail(refusal("10009"))
    with pytest.raises(AccessError, match="USERKEY_PLAT_NOMATCH"):
        await asked.provider.road_map(CAMPUS, zoom=15)


@pytest.mark.parametrize("body", [[], "1", 7, {}, {"status": 1}, {"errcode": 0}])
async def test_json_that_is_not_amaps_is_a_fault_of_the_service(asked, body):
    asked.fake.fail(*[lambda delivery: replace(delivery, reply=Reply.json(body))] * 3)
    with pytest.raises(ServiceError, match="not AMap's"):
        await asked.provider.search("北京大学")
    assert len(asked.fake.asked) == 3


async def test_a_reply_without_what_was_asked_for_is_no_result(asked):
    asked.fake.fail(*[lambda delivery: replace(delivery, reply=Reply.json({"status": "1"}))] * 6)
    assert not await asked.provider.search("北京大学")
    assert await asked.provider.details("amap:B1") is None
    assert not await asked.provider.suggest("北京")
    assert not await asked.provider.reverse(CAMPUS)


async def test_a_wrong_key_that_stays_wrong_is_not_tried_for_ever(asked):
    asked.fake.fail(*[refusal("10001")] * 5)
    for _ in range(5):
        with pytest.raises(AccessError):
            await asked.provider.search("北京大学")
    with pytest.raises(UnavailableError, match="INVALID_USER_KEY"):
        await asked.provider.search("北京大学")
    assert len(asked.fake.asked) == 5


@pytest.mark.parametrize("name", EVERY)
async def test_one_mishap_is_survived(asked, name):
    asked.fake.fail(EVERY[name])
    assert await asked.provider.search("北京大学")
    asked.fake.fail(EVERY[name])
    assert (await asked.provider.road_map(CAMPUS, zoom=15)).png


async def test_the_key_is_never_visible(asked, caplog):
    caplog.set_level(logging.DEBUG)
    seen: list[str] = [repr(asked.provider), repr(asked.provider.services)]

    def echo(delivery):  # some services repeat the request in what they say is wrong with it
        said = {"status": "0", "info": f"BAD key={KEY}", "infocode": "10001"}
        return replace(delivery, reply=Reply.json(said))

    for mishap in (*EVERY.values(), *map(refusal, INFOS), echo):
        for ask in (asked.provider.search, asked.provider.suggest):
            asked.fake.fail(*[mishap] * 3)
            try:
                await ask("北京大学")
            except WheretakenError as error:
                seen += traceback.format_exception(error)
            asked.fake._next.clear()
        await asyncio.sleep(86_400)
    assert any("***" in text for text in seen)
    assert not any(KEY in text for text in [*seen, caplog.text])
    assert all(request.params["key"] == KEY for request in asked.fake.asked)


async def test_tiles_are_asked_without_the_key(asked):
    await asked.provider.satellite(CAMPUS, zoom=17)
    assert {request.host for request in asked.fake.asked} == {"webst01.is.autonavi.com"}
    assert not any("key" in request.params for request in asked.fake.asked)


def test_no_provider_without_a_key():
    with pytest.raises(UserError, match="WHERETAKEN_AMAP_KEY"):
        AmapProvider.connected(Connection(WebSettings(), FakeTransport(FakeService(amap()))))


async def test_closing_closes_everything(tmp_path):
    transport = FakeTransport(FakeService(amap()))
    settings = WebSettings.model_validate({"amap": {"key": KEY}})
    await AmapProvider.connected(Connection(settings, transport)).aclose()
    assert transport.closed


def test_nothing_of_its_answers_may_be_kept(asked):
    assert {asked.provider.keep_days(operation) for operation in ("search", "details", "satellite")} == {0}
