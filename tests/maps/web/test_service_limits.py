import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken.errors import (
    BusyError,
    QuotaError,
    ServiceError,
    ToolError,
    UnavailableError,
)
from wheretaken.maps.web import Fault, FaultKind, Ledger, Service
from wheretaken.maps.web.breaker import BreakerState
from wheretaken.testing.services import FakeService, Reply, at_random, hang, reset, slow, status

Make = Callable[..., Service]


def fake(latency: float = 0.0) -> FakeService:
    return FakeService(lambda asked: Reply.json(asked.path), mishaps=iter(lambda: slow(latency), None))


def now() -> float:
    return asyncio.get_running_loop().time()


async def outcomes(calls: list[asyncio.Task[object]]) -> list[object]:
    return await asyncio.gather(*calls, return_exceptions=True)


def start(service: Service, number: int) -> list[asyncio.Task[object]]:
    return [asyncio.create_task(service.json(f"/{i}")) for i in range(number)]


async def test_only_so_many_requests_are_open_at_a_time(make_service: Make) -> None:
    upstream = fake(latency=1)
    await asyncio.gather(*start(make_service(upstream, concurrency=4), 12))
    assert (upstream.most_open, upstream.open, now()) == (4, 0, pytest.approx(3))


async def test_requests_go_out_at_the_rate_and_in_order(make_service: Make) -> None:
    upstream = fake()
    await asyncio.gather(*start(make_service(upstream, per_second=2, burst=3), 9))
    assert [asked.at for asked in upstream.asked] == pytest.approx([0, 0, 0, 0.5, 1, 1.5, 2, 2.5, 3])
    assert [asked.path for asked in upstream.asked] == [f"/v1/{i}" for i in range(9)]


async def test_a_full_queue_refuses_at_once_and_says_when_to_come_back(make_service: Make) -> None:
    upstream = fake(latency=1)
    service = make_service(upstream, concurrency=2, queue=3)
    calls = start(service, 6)
    await asyncio.sleep(0.5)
    assert [call.done() for call in calls] == [False] * 5 + [True]
    assert service.health().inside == 5
    error = calls[5].exception()
    assert isinstance(error, BusyError)
    assert error.retry_after is not None
    assert error.retry_after > 0
    assert await asyncio.gather(*calls[:5]) == [f"/v1/{i}" for i in range(5)]


async def test_calls_that_could_not_be_served_in_time_are_refused_when_they_come(make_service: Make) -> None:
    upstream = fake()
    calls = start(make_service(upstream, per_second=1, burst=1, concurrency=1, deadline=10), 50)
    await asyncio.sleep(0.1)
    refused = [call for call in calls if call.done() and isinstance(call.exception(), BusyError)]
    assert len(refused) >= 38
    served = [call for call in await outcomes(calls) if not isinstance(call, BusyError)]
    assert len(served) == len(upstream.asked) == 10
    assert now() < 10


async def test_a_cancelled_caller_gives_back_its_slot(make_service: Make) -> None:
    upstream = fake()
    service = make_service(upstream, concurrency=1)
    upstream.fail(hang())
    stuck, *waiting = start(service, 4)
    await asyncio.sleep(1)
    waiting[0].cancel()
    stuck.cancel()
    assert await asyncio.gather(*waiting[1:]) == ["/v1/2", "/v1/3"]
    assert (now(), upstream.open, service.health().inside) == (pytest.approx(1), 0, 0)


async def test_a_cancelled_caller_gives_back_its_token(make_service: Make, ledger: Ledger) -> None:
    upstream = fake()
    service = make_service(upstream, per_second=1, burst=1, daily=100)
    calls = start(service, 5)
    await asyncio.sleep(0.5)
    for call in calls[1:4]:
        call.cancel()
    assert await calls[4] == "/v1/4"
    assert [asked.at for asked in upstream.asked] == pytest.approx([0, 1])
    assert ledger.sent_today("maps", service.limits) == 2


async def test_no_slot_is_lost_whenever_callers_are_cancelled(make_service: Make) -> None:
    upstream = FakeService(
        lambda _: Reply.json({}), mishaps=at_random(0.5, seed=7, among=[slow(3), slow(0.2)])
    )
    service = make_service(upstream, per_second=5, burst=2, concurrency=3, deadline=1000)
    for round_ in range(20):
        calls = start(service, 8)
        for number, call in enumerate(calls):
            await asyncio.sleep(0.01 * ((round_ * 7 + number * 3) % 11))
            if (round_ + number) % 3:
                call.cancel()
        await outcomes(calls)
        assert (service.health().inside, upstream.open) == (0, 0)
    began = now()
    await asyncio.gather(*start(service, 3))
    assert upstream.most_open == 3
    assert now() - began < 4


async def test_the_quota_of_a_day_is_kept_and_ends_with_the_day(make_service: Make) -> None:
    upstream = fake()
    service = make_service(upstream, daily=3, quota_utc_offset=8)
    results = await outcomes(start(service, 5))
    errors = [error for error in results if isinstance(error, QuotaError)]
    assert (len(errors), len(upstream.asked)) == (2, 3)
    assert errors[0].retry_after == pytest.approx(16 * 3600)
    await asyncio.sleep(16 * 3600)
    assert await service.json("/tomorrow") == "/v1/tomorrow"


async def test_retries_count_against_the_quota(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(500), status(500), status(500))
    with pytest.raises(QuotaError):
        await make_service(upstream, daily=2).json("/a")
    assert len(upstream.asked) == 2


async def test_a_service_that_says_its_quota_is_used_up_is_not_asked_until_tomorrow(
    make_service: Make,
) -> None:
    upstream = fake()
    read = lambda response: Fault(FaultKind.QUOTA, "OVER_LIMIT") if response.status == 456 else None  # noqa: E731
    service = make_service(upstream, fault=read)
    upstream.fail(status(456))
    with pytest.raises(QuotaError, match="OVER_LIMIT") as caught:
        await service.json("/a")
    assert caught.value.retry_after == pytest.approx(86_400)
    with pytest.raises(QuotaError):
        await make_service(upstream).json("/b")
    assert len(upstream.asked) == 1
    await asyncio.sleep(86_400)
    await service.json("/c")


async def test_a_service_that_keeps_failing_is_left_alone_and_then_tried_by_one_call(
    make_service: Make,
) -> None:
    upstream = fake(latency=1)
    service = make_service(upstream, attempts=1, failures=3, cooldown=30)
    upstream.fail(*[status(500)] * 4)
    for _ in range(3):
        with pytest.raises(ServiceError, match="HTTP 500"):
            await service.json("/a")
    for _ in range(5):
        with pytest.raises(
            UnavailableError, match=r"3 failures in a row \(HTTP 500\); next try in 30 s"
        ) as caught:
            await service.json("/b")
    assert caught.value.retry_after == 30
    assert len(upstream.asked) == 3
    await asyncio.sleep(30)
    assert service.health().state is BreakerState.HALF_OPEN
    kinds = [type(error) for error in await outcomes(start(service, 4))]
    assert kinds == [ServiceError, UnavailableError, UnavailableError, UnavailableError]
    assert service.health().state is BreakerState.OPEN
    await asyncio.sleep(30)
    upstream.fail(slow(0))
    assert await service.json("/c") == "/v1/c"
    assert service.health().state is BreakerState.CLOSED
    assert await asyncio.gather(*start(service, 4))


async def test_a_trial_that_is_cancelled_lets_another_call_try(make_service: Make) -> None:
    upstream = fake()
    service = make_service(upstream, attempts=1, failures=1, cooldown=10)
    upstream.fail(reset(), hang())
    await outcomes(start(service, 1))
    await asyncio.sleep(10)
    (trial,) = start(service, 1)
    await asyncio.sleep(1)
    trial.cancel()
    await outcomes([trial])
    assert await service.json("/a") == "/v1/a"


async def test_those_who_wait_do_not_ask_a_service_that_has_failed_meanwhile(
    make_service: Make, ledger: Ledger
) -> None:
    upstream = fake(latency=1)
    upstream.fail(*[status(500)] * 100)
    service = make_service(upstream, attempts=1, failures=2, concurrency=1)
    results = await outcomes(start(service, 20))
    assert len(upstream.asked) == ledger.sent_today("maps", service.limits) == 2
    assert [type(error) for error in results] == [ServiceError] * 2 + [UnavailableError] * 18


@pytest.mark.parametrize(("code", "opens"), [(429, False), (404, False), (500, True), (403, True)])
async def test_only_failures_of_the_service_count_against_it(
    code: int, opens: bool, make_service: Make
) -> None:
    upstream = fake()
    upstream.fail(*[status(code)] * 3)
    service = make_service(upstream, attempts=1, failures=3)
    for _ in range(3):
        with pytest.raises(ServiceError):
            await service.json("/a")
    assert (service.health().state is BreakerState.OPEN) == opens


async def test_a_service_is_not_blamed_for_callers_in_a_hurry(make_service: Make) -> None:
    upstream = fake(latency=1)
    service = make_service(upstream, deadline=0.2, failures=2)
    await outcomes(start(service, 5))
    assert service.health().state is BreakerState.CLOSED
    assert service.health().counts == {"sent": 5, "late": 5}


async def test_a_wrong_argument_does_not_count_against_the_service(make_service: Make) -> None:
    service = make_service(fake(), failures=1, fault=lambda _: Fault(FaultKind.ARGUMENT, "unknown id"))
    for _ in range(3):
        with pytest.raises(ToolError, match="maps: unknown id"):
            await service.json("/a")


async def test_many_calls_with_many_mishaps_all_end_right(make_service: Make) -> None:
    upstream = FakeService(lambda asked: Reply.json(asked.path), mishaps=at_random(0.2, seed=3))
    service = make_service(
        upstream, per_second=50, burst=20, failures=1000, queue=3000, deadline=300, attempt=2
    )
    results = await outcomes(start(service, 500))
    wrong = [r for i, r in enumerate(results) if not isinstance(r, ServiceError) and r != f"/v1/{i}"]
    failed = [r for r in results if isinstance(r, ServiceError)]
    assert wrong == []
    assert len(failed) < 15
    assert service.health().counts["sent"] == len(upstream.asked)
    assert upstream.most_open <= service.limits.concurrency


async def test_the_default_ledger_is_in_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_service: Make
) -> None:
    monkeypatch.setenv("WHERETAKEN_DATA_DIR", str(tmp_path))
    upstream = fake()
    service = make_service(upstream)
    async with Service("maps", "https://maps.test", transport=service._wire._transport) as own:
        await own.json("/a")
        assert (tmp_path / "services.sqlite").is_file()
