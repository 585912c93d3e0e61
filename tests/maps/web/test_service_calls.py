import asyncio
import gzip
import io
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from PIL import Image

from wheretaken.errors import (
    AccessError,
    BusyError,
    DeadlineError,
    QuotaError,
    ServiceError,
    ToolError,
    WheretakenError,
)
from wheretaken.maps.web import Fault, FaultKind, Response, Service, within
from wheretaken.testing.services import (
    EVERY,
    FakeService,
    Mishap,
    Reply,
    at_random,
    garbage,
    half_body,
    hang,
    reset,
    serve,
    slow,
    stalled_body,
    status,
    wrong_type,
)

Make = Callable[..., Service]


def encoded(kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (90, 120, 60)).save(buffer, kind)
    return buffer.getvalue()


PNG = encoded("PNG")


def fake(reply: Reply | None = None) -> FakeService:
    return FakeService(lambda asked: reply or Reply.json({"path": asked.path, "params": dict(asked.params)}))


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_json_comes_back_parsed_and_parameters_arrive(make_service: Make) -> None:
    service = make_service(fake())
    answer = await service.json("/place/text", params={"keywords": "外滩", "page": 2})
    assert answer == {"path": "/v1/place/text", "params": {"keywords": "外滩", "page": "2"}}


async def test_an_object_is_posted_as_json(make_service: Make) -> None:
    upstream = fake()
    await make_service(upstream).json("/search", method="POST", body={"textQuery": "café"})
    (asked,) = upstream.asked
    assert (asked.method, asked.json, asked.headers["content-type"]) == (
        "POST",
        {"textQuery": "café"},
        "application/json",
    )


async def test_the_caller_is_named_to_the_service(make_service: Make) -> None:
    upstream = fake()
    await make_service(upstream).json("/a")
    await make_service(upstream, headers={"User-Agent": "wheretaken/1 (desk@example.org)"}).json("/b")
    assert [asked.headers["user-agent"].split("/")[0] for asked in upstream.asked] == ["wheretaken"] * 2
    assert upstream.asked[1].headers["user-agent"] == "wheretaken/1 (desk@example.org)"


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_a_picture_comes_back_as_it_was_sent(kind: str, make_service: Make) -> None:
    data = encoded(kind)
    service = make_service(fake(Reply(data, f"image/{kind.lower()}")))
    assert await service.picture("/staticmap") == data


async def test_a_picture_without_a_type_is_known_by_its_first_bytes(make_service: Make) -> None:
    assert await make_service(fake(Reply(PNG, "application/octet-stream"))).picture("/1/2/3") == PNG


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(b'{"status":"0"}'), "application/json where a picture"),
        (Reply(PNG, "image/svg+xml"), "image/svg"),
        (Reply(b"GIF89a;", "image/png"), "not the image/png"),
        (Reply(PNG[:-8], "image/png"), "cut short"),
        (Reply(b"", "image/png"), "not the image/png"),
        (Reply(encoded("JPEG")[:-40] + bytes(40), "image/jpeg"), "cut short"),
    ],
)
async def test_what_is_no_whole_picture_is_refused(reply: Reply, said: str, make_service: Make) -> None:
    with pytest.raises(ServiceError, match=said):
        await make_service(fake(reply), attempts=1).picture("/staticmap")


@pytest.mark.parametrize("mishap", EVERY.values(), ids=EVERY)
async def test_one_mishap_is_survived(mishap: Mishap, make_service: Make) -> None:
    upstream = fake()
    upstream.fail(mishap)
    assert (await make_service(upstream, attempt=2).json("/a"))["path"] == "/v1/a"
    assert len(upstream.asked) == (1 if mishap is EVERY["latency"] else 2)


@pytest.mark.parametrize("mishap", EVERY.values(), ids=EVERY)
@pytest.mark.parametrize("seconds", [0.05, 3.0])
async def test_no_mishap_outlasts_the_deadline(mishap: Mishap, seconds: float, make_service: Make) -> None:
    upstream = FakeService(lambda _: Reply.json({}), mishaps=iter(lambda: mishap, None))
    service = make_service(upstream, attempt=2, attempts=10, failures=100, deadline=seconds)
    if mishap is EVERY["latency"] and seconds > 1:
        assert await service.json("/a") == {}
    else:
        with pytest.raises(ServiceError) as caught:
            await service.json("/a")
        assert caught.value.service == "maps"
    assert now() <= seconds + 1e-6
    assert all(asked.at < seconds for asked in upstream.asked)


@pytest.mark.parametrize(
    ("mishap", "error", "said"),
    [
        (status(429, 7), BusyError, "HTTP 429"),
        (status(500), ServiceError, "HTTP 500"),
        (status(403), AccessError, "key is refused"),
        (status(404), ServiceError, "HTTP 404"),
        (hang(), DeadlineError, "no answer within 2 s"),
        (stalled_body(), DeadlineError, "no answer within 2 s"),
        (half_body(), ServiceError, "RemoteProtocolError"),
        (reset(), ServiceError, "ReadError"),
        (garbage(), ServiceError, "cannot be read as JSON"),
        (wrong_type(), ServiceError, "text/html that cannot be read"),
    ],
)
async def test_an_error_says_which_service_failed_and_how(
    mishap: Mishap, error: type[ServiceError], said: str, make_service: Make
) -> None:
    upstream = fake()
    upstream.fail(mishap)
    with pytest.raises(error, match=f"^maps: .*{said}") as caught:
        await make_service(upstream, attempts=1, attempt=2).json("/a")
    assert type(caught.value) is error


@pytest.mark.parametrize("code", [400, 401, 403, 404, 410])
async def test_what_another_try_does_not_change_is_not_tried_again(code: int, make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(code))
    with pytest.raises(ServiceError):
        await make_service(upstream).json("/a")
    assert len(upstream.asked) == 1


async def test_retries_are_spaced_out_with_jitter(make_service: Make) -> None:
    gaps: list[float] = []
    for _ in range(20):
        upstream = fake()
        upstream.fail(status(500), status(500))
        await make_service(upstream, backoff=0.5).json("/a")
        first, second, third = (asked.at for asked in upstream.asked)
        assert 0.5 <= second - first <= 1.0
        assert 1.0 <= third - second <= 1.5
        gaps.append(second - first)
    assert max(gaps) - min(gaps) > 0.05


async def test_retry_after_is_honoured_by_everyone(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(429, 6))
    service = make_service(upstream)
    first = asyncio.create_task(service.json("/first"))
    await asyncio.sleep(1)
    assert service.health().retry_after == pytest.approx(5)
    await asyncio.gather(first, service.json("/second"))
    assert [asked.at for asked in upstream.asked] == pytest.approx([0, 6, 6])


async def test_retry_after_may_be_a_date(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(503, format_datetime(datetime.now(UTC) + timedelta(seconds=9), usegmt=True)))
    await make_service(upstream).json("/a")
    assert 7 < upstream.asked[1].at - upstream.asked[0].at <= 9


@pytest.mark.parametrize("value", ["soon", "-3", "1e9999", "Wed, 99 Foo 2024 00:00:00 GMT", ""])
async def test_a_retry_after_that_means_nothing_is_ignored(value: str, make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(503, value))
    await make_service(upstream).json("/a")
    assert now() < 1


async def test_a_retry_after_beyond_the_deadline_is_told_at_once(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(429, 600))
    service = make_service(upstream)
    with pytest.raises(BusyError) as caught:
        await service.json("/a")
    assert (now(), caught.value.retry_after) == (0, 600)
    with pytest.raises(BusyError) as caught:
        await service.json("/b")
    assert caught.value.retry_after == pytest.approx(600)
    assert len(upstream.asked) == 1


async def test_a_retry_after_of_nothing_still_waits_a_little(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(429, 0))
    await make_service(upstream, backoff=0.5).json("/a")
    assert upstream.asked[1].at >= 0.5


async def test_a_retry_after_of_years_silences_a_service_for_a_day(make_service: Make) -> None:
    upstream = fake()
    upstream.fail(status(429, "9" * 400))
    service = make_service(upstream)
    with pytest.raises(BusyError):
        await service.json("/a")
    await asyncio.sleep(86_400)
    await service.json("/b")


async def test_the_deadline_of_the_task_holds_for_all_its_calls(make_service: Make) -> None:
    upstream = FakeService(lambda _: Reply.json({}), mishaps=iter(lambda: slow(2), None))
    service = make_service(upstream)
    with within(5):
        await service.json("/a")
        with within(60):
            await service.json("/b")
        with pytest.raises(DeadlineError):
            await asyncio.create_task(service.json("/c"))
    assert now() == pytest.approx(5)
    await service.json("/d")


async def test_a_deadline_that_has_passed_asks_nothing(make_service: Make) -> None:
    upstream = fake()
    with within(1):
        await asyncio.sleep(2)
        with pytest.raises(DeadlineError, match="no time is left"):
            await make_service(upstream).json("/a")
    assert upstream.asked == []


async def test_a_reply_that_is_announced_too_large_is_not_read(make_service: Make) -> None:
    upstream = fake(Reply(b" " * 3_000_000))
    with pytest.raises(ServiceError, match="larger than 1,000,000 bytes"):
        await make_service(upstream, max_text_bytes=1_000_000).json("/a")
    assert (upstream.sent_bytes, len(upstream.asked), upstream.open) == (0, 1, 0)


async def test_a_reply_of_unknown_length_is_read_up_to_the_limit(make_service: Make) -> None:
    upstream = fake(Reply(PNG + bytes(9_000_000), "image/png", headers={"Content-Length": "unknown"}))
    with pytest.raises(ServiceError, match="larger than"):
        await make_service(upstream, max_picture_bytes=1_000_000).picture("/a")
    assert 1_000_000 < upstream.sent_bytes < 1_100_000
    assert upstream.open == 0


def read_amap(response: Response) -> Fault | None:
    """Read errors as AMap writes them, with HTTP 200."""
    if not isinstance(response.json, dict) or response.json.get("status") != "0":
        return None
    code = response.json["infocode"]
    kinds = {"10044": FaultKind.QUOTA, "10021": FaultKind.BUSY, "10001": FaultKind.ACCESS}
    return Fault(kinds.get(code, FaultKind.ARGUMENT), response.json["info"])


@pytest.mark.parametrize(
    ("code", "error", "asked"),
    [("10044", QuotaError, 1), ("10021", BusyError, 3), ("10001", AccessError, 1), ("20000", ToolError, 1)],
)
@pytest.mark.parametrize("what", ["json", "picture"])
async def test_the_adapter_reads_errors_as_its_service_writes_them(
    code: str, error: type[WheretakenError], asked: int, what: str, make_service: Make
) -> None:
    upstream = fake(Reply.json({"status": "0", "infocode": code, "info": "SOME_REASON"}))
    with pytest.raises(error, match="maps: SOME_REASON"):
        await getattr(make_service(upstream, fault=read_amap), what)("/a")
    assert len(upstream.asked) == asked


@pytest.mark.parametrize(
    "path",
    ["/../admin", "/a/%2e%2e/b", "//evil.test/a", "a", "/a?key=1", "/a#b", "/a\\b", "/a b", "/a\nb", "/.."],
)
async def test_an_id_cannot_leave_its_place_in_the_path(path: str, make_service: Make) -> None:
    upstream = fake()
    with pytest.raises(ToolError, match="check the id"):
        await make_service(upstream).json(path)
    assert upstream.asked == []


def test_retries_print_nothing_where_logging_is_not_configured(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from wheretaken.maps.web import Ledger, Service\n"
        "from wheretaken.testing.services import FakeService, FakeTransport, Reply, loop_time, run, status\n"
        f"ledger = Ledger(Path({str(tmp_path / 'l')!r}), now=loop_time)\n"
        "fake = FakeService(lambda _: Reply.json([1]), mishaps=[status(500)])\n"
        "service = Service('maps', 'https://a.test', transport=FakeTransport(fake), ledger=ledger)\n"
        "print(run(service.json('/a')), len(fake.asked))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[1] 2\n", "")


@pytest.mark.enable_socket
async def test_over_real_connections_every_call_ends_right_or_with_an_error(make_service: Make) -> None:
    mishaps = at_random(0.3, seed=5, among=[m for name, m in EVERY.items() if "Retry-After" not in name])
    upstream = FakeService(lambda asked: Reply.json(asked.path), mishaps)
    with serve(upstream) as base_url:
        limits = {"attempt": 0.6, "backoff": 0.01, "failures": 1000, "concurrency": 16, "attempts": 4}
        async with make_service(upstream, base_url=base_url, transport=None, **limits) as service:
            calls = [service.json(f"/{i}") for i in range(60)]
            results = await asyncio.gather(*calls, return_exceptions=True)
    failed = [result for result in results if isinstance(result, ServiceError)]
    assert len(failed) < 6
    assert all(isinstance(r, ServiceError) or r == f"/{i}" for i, r in enumerate(results))
    assert len(upstream.asked) > 60


async def test_a_reply_that_swells_when_it_is_unpacked_is_not_unpacked_whole(make_service: Make) -> None:
    packed = gzip.compress(b" " * 50_000_000)
    upstream = fake(Reply(packed, headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    try:
        with pytest.raises(ServiceError, match="larger than 100,000 bytes"):
            await make_service(upstream, max_text_bytes=100_000).json("/a")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


async def test_closing_the_service_closes_its_connections(make_service: Make) -> None:
    async with make_service(fake()) as service:
        await service.json("/a")
    assert service._wire._transport.closed  # pyright: ignore[reportAttributeAccessIssue] - the fake's
