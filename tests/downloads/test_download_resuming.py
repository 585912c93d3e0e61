"""What broke off goes on: nothing is downloaded twice, nothing is mixed, nothing wrong is kept."""

import asyncio
import email.utils
import json
import random
import time
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from wheretaken.errors import ServiceError, UserError
from wheretaken.evals.downloads import HubName, Meter, Settings, download
from wheretaken.evals.downloads.catalogue import CatalogueEntry, Source
from wheretaken.evals.downloads.folder import Folder
from wheretaken.evals.downloads.listing import RemoteFile
from wheretaken.evals.downloads.transfer import fetch
from wheretaken.evals.downloads.web import Web
from wheretaken.testing.hub import FakeHub, Fault

from .conftest import SET, Download, contents

BIG = random.Random(7).randbytes(3_000_000)


@pytest.fixture
def big(hub: FakeHub) -> bytes:
    """One large file in the place of the others."""
    for set_id in ("owner/small", "123"):
        hub.put(set_id, {"big.bin": BIG})
    return BIG


def sent(hub: FakeHub) -> list[tuple[int, int]]:
    """First byte and number of bytes of every answer with bytes of the big file."""
    return [(served.start, served.sent) for served in hub.served("big.bin") if served.sent]


@pytest.mark.parametrize("name", ["huggingface", "modelscope", "zenodo"])
def test_a_broken_connection_goes_on_where_it_broke(
    name: HubName, hub: FakeHub, big: bytes, get: Download, tmp_path: Path
):
    server = "store" if name == "huggingface" else "hub"
    hub.misbehave("big.bin", Fault(cut_after=500_000), Fault(cut_after=1_200_000), server=server)
    meter = Meter()
    get(name, meter=meter)
    assert contents(tmp_path / "set") == {"big.bin": big}
    assert sent(hub) == [(0, 500_000), (500_000, 1_200_000), (1_700_000, 1_300_000)]
    assert (meter.arrived, meter.expected) == (len(big), len(big))


def test_patience_begins_anew_after_every_good_stretch(
    hub: FakeHub, big: bytes, get: Download, tmp_path: Path
):
    # Five breaks in a row are more than the three attempts, but two of them came far.
    cuts = (10, 1_100_000, 10, 1_100_000, 10)
    hub.misbehave("big.bin", *(Fault(cut_after=cut) for cut in cuts), server="store")
    get()
    assert contents(tmp_path / "set") == {"big.bin": big}
    assert sum(count for _, count in sent(hub)) == len(big)


def test_a_server_that_never_gets_further_is_given_up(hub: FakeHub, big: bytes, get: Download):
    hub.misbehave("big.bin", *[Fault(cut_after=2_000_000, whole=True)] * 20, server="store")
    with pytest.raises(ServiceError, match="ends after 2000000 of 3000000 bytes: run the command again"):
        get()
    assert len(sent(hub)) <= 5


def test_a_later_run_goes_on(hub: FakeHub, big: bytes, get: Download, tmp_path: Path):
    hub.misbehave("big.bin", Fault(cut_after=900_000), *[Fault(status=503)] * 3, server="store")
    with pytest.raises(ServiceError, match=r"big\.bin: the server failed \(503\)"):
        get()
    assert not (tmp_path / "set" / "big.bin").exists()
    meter = Meter()
    get(meter=meter)
    assert contents(tmp_path / "set") == {"big.bin": big}
    assert sent(hub) == [(0, 900_000), (900_000, 2_100_000)]
    assert (meter.arrived, meter.expected) == (2_100_000, 2_100_000)


def test_a_file_that_changed_meanwhile_is_fetched_anew(
    hub: FakeHub, big: bytes, get: Download, tmp_path: Path
):
    hub.misbehave("FilePath=big.bin", Fault(cut_after=900_000), *[Fault(status=500)] * 3)
    with pytest.raises(ServiceError):
        get("modelscope")
    changed = bytes(reversed(big))
    hub.put("owner/small", {"big.bin": changed})
    get("modelscope")
    assert contents(tmp_path / "set") == {"big.bin": changed}
    assert sent(hub) == [(0, 900_000), (0, len(changed))]
    assert hub.log[-1].if_range == ""  # the listing tells already that it is another file


def fetch_one(
    hub: FakeHub, settings: Settings, root: Path, file: RemoteFile, meter: Meter | None = None
) -> None:
    async def run() -> None:
        async with Web(settings) as web:
            await fetch(web, file, Folder(root), meter or Meter())

    asyncio.run(run())


def test_without_a_checksum_the_etag_decides(hub: FakeHub, settings: Settings, tmp_path: Path):
    hub.put_file("/plain.bin", BIG)
    file = RemoteFile("plain.bin", len(BIG), f"{hub.url}/plain.bin")
    hub.misbehave("plain.bin", Fault(cut_after=900_000), *[Fault(status=500)] * 3)
    with pytest.raises(ServiceError):
        fetch_one(hub, settings, tmp_path, file)
    hub.put_file("/plain.bin", bytes(reversed(BIG)))
    meter = Meter()
    fetch_one(hub, settings, tmp_path, file, meter)
    assert (tmp_path / "plain.bin").read_bytes() == bytes(reversed(BIG))
    last = hub.log[-1]
    assert last.if_range
    assert (last.status, last.start) == (200, 0)
    assert (meter.arrived, meter.expected) == (len(BIG), 0)


def test_without_any_validator_it_begins_anew(hub: FakeHub, settings: Settings, tmp_path: Path):
    hub.put_file("/plain.bin", BIG)
    file = RemoteFile("plain.bin", len(BIG), f"{hub.url}/plain.bin")
    hub.misbehave("plain.bin", Fault(cut_after=900_000, headers={"ETag": 'W/"weak"'}))
    fetch_one(hub, settings, tmp_path, file)
    assert (tmp_path / "plain.bin").read_bytes() == BIG
    assert [served.start for served in hub.log] == [0, 0]


def test_a_server_without_ranges_sends_all_of_it(hub: FakeHub, big: bytes, get: Download, tmp_path: Path):
    hub.misbehave("big.bin", Fault(cut_after=900_000), Fault(whole=True), server="store")
    get()
    assert contents(tmp_path / "set") == {"big.bin": big}


def test_a_part_that_nobody_asked_for_is_not_taken(settings: Settings, tmp_path: Path):
    content = BIG[:2_000_000]
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.headers.get("Range", ""))
        headers = {"ETag": '"x"'}
        if len(asked) == 1:
            return httpx2.Response(200, stream=httpx2.ByteStream(content[:1_500_000]), headers=headers)
        if len(asked) == 2:
            headers["Content-Range"] = "bytes 5-1999999/2000000"
            return httpx2.Response(206, stream=httpx2.ByteStream(content[5:]), headers=headers)
        return httpx2.Response(200, stream=httpx2.ByteStream(content), headers=headers)

    async def run() -> None:
        file = RemoteFile("plain.bin", len(content), "https://plain.example/plain.bin")
        async with Web(settings, transport=httpx2.MockTransport(answer)) as web:
            await fetch(web, file, Folder(tmp_path), Meter())

    asyncio.run(run())
    assert (tmp_path / "plain.bin").read_bytes() == content
    assert asked == ["", "bytes=1500000-", ""]


def test_a_beginning_that_was_damaged_is_found_out_and_mended_by_the_next_run(
    hub: FakeHub, big: bytes, get: Download, tmp_path: Path
):
    hub.misbehave("big.bin", Fault(cut_after=900_000), *[Fault(status=503)] * 3, server="store")
    with pytest.raises(ServiceError):
        get()
    (part,) = (tmp_path / "set" / ".wheretaken-download").glob("*.part")
    part.write_bytes(b"?" + part.read_bytes()[1:])
    with pytest.raises(
        ServiceError, match=r"big\.bin: sha256:\w+ arrived .* announces sha256:\w+: it was removed"
    ):
        get()
    assert not part.exists()
    get()
    assert contents(tmp_path / "set") == {"big.bin": big}


def test_a_damaged_note_means_a_new_beginning(hub: FakeHub, big: bytes, get: Download, tmp_path: Path):
    hub.misbehave("big.bin", Fault(cut_after=900_000), *[Fault(status=503)] * 3, server="store")
    with pytest.raises(ServiceError):
        get()
    (note,) = (tmp_path / "set" / ".wheretaken-download").glob("*.json")
    note.write_text('{"ident')
    get()
    assert contents(tmp_path / "set") == {"big.bin": big}


@pytest.mark.parametrize("name", ["huggingface", "modelscope", "zenodo"])
def test_wrong_bytes_are_removed(name: HubName, hub: FakeHub, big: bytes, get: Download, tmp_path: Path):
    hub.misbehave("big.bin", *[Fault(corrupt=True)] * 2)
    hub.misbehave("big.bin", Fault(corrupt=True), server="store")
    with pytest.raises(ServiceError, match="it was removed"):
        get(name)
    assert [path.name for path in (tmp_path / "set").rglob("*") if path.is_file()] == ["lock"]


def test_small_files_are_checked_by_their_git_id(hub: FakeHub, get: Download):
    hub.misbehave("resolve", *[Fault(corrupt=True)] * 8)
    with pytest.raises(ServiceError, match=r"git:[0-9a-f]{40} arrived"):
        get("huggingface")


@pytest.mark.parametrize("content", [BIG + b"more", BIG[:-1]])
def test_a_size_that_was_not_announced(content: bytes, hub: FakeHub, settings: Settings, tmp_path: Path):
    hub.put_file("/plain.bin", content)
    file = RemoteFile("plain.bin", len(BIG), f"{hub.url}/plain.bin")
    with pytest.raises(
        ServiceError, match=r"more than 3000000 bytes arrived|shorter there than the announced 3000000"
    ):
        fetch_one(hub, settings, tmp_path, file)
    assert not (tmp_path / "plain.bin").exists()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_by_itself_is_asked_again(status: int, hub: FakeHub, get: Download):
    hub.misbehave("/tree/", Fault(status=status), Fault(status=status))
    hub.misbehave("test.jsonl", Fault(status=status), Fault(status=status))
    get()
    assert [served.status for served in hub.served("test.jsonl")] == [status, status, 200]


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (
            401,
            UserError,
            "access denied .401.: accept the data set's conditions on its page and set HF_TOKEN",
        ),
        (403, UserError, "access denied .403."),
        (404, ServiceError, "not there .404.: choose another source"),
        (400, ServiceError, "the server failed .400."),
    ],
)
def test_what_will_not_pass_is_asked_once(
    status: int, error: type[Exception], words: str, hub: FakeHub, get: Download
):
    hub.misbehave("test.jsonl", Fault(status=status))
    with pytest.raises(error, match=words):
        get()
    assert len(hub.served("test.jsonl")) == 1


@pytest.mark.parametrize("form", ["seconds", "date", "rate limit"])
def test_the_server_says_how_long_to_wait(form: str, hub: FakeHub, get: Download):
    headers = {
        "seconds": {"Retry-After": "1"},
        "date": {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)},
        "rate limit": {"RateLimit": '"resolvers";r=0;t=1'},
    }[form]
    hub.misbehave("test.jsonl", Fault(status=429, headers=headers))
    start = time.monotonic()
    get()
    assert 0.9 < time.monotonic() - start < 10


def test_nobody_waits_for_hours(hub: FakeHub, get: Download):
    hub.misbehave("test.jsonl", Fault(status=429, headers={"Retry-After": "7200"}))
    with pytest.raises(ServiceError, match=r"too many requests \(429\): run the command again later"):
        get()


def test_a_network_that_is_not_there(settings: Settings, tmp_path: Path):
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    work = download(SET, tmp_path / "set", settings=settings, transport=httpx2.MockTransport(refuse))
    with pytest.raises(ServiceError, match=r"cannot be reached: check the network, .* set HF_ENDPOINT"):
        asyncio.run(work)


def test_a_server_that_falls_silent_in_a_file(settings: Settings, tmp_path: Path):
    def time_out(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("nothing", request=request)

    async def run() -> None:
        file = RemoteFile("plain.bin", 10, "https://plain.example/plain.bin")
        async with Web(settings, transport=httpx2.MockTransport(time_out)) as web:
            await fetch(web, file, Folder(tmp_path), Meter())

    with pytest.raises(ServiceError, match=r"plain\.example/plain\.bin does not answer"):
        asyncio.run(run())


def test_a_server_that_says_nothing(settings: Settings, tmp_path: Path):
    def time_out(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("nothing", request=request)

    work = download(SET, tmp_path / "set", settings=settings, transport=httpx2.MockTransport(time_out))
    with pytest.raises(ServiceError, match="does not answer"):
        asyncio.run(work)


def test_redirects_that_go_round_in_circles_end(hub: FakeHub, get: Download):
    hub.misbehave("test.jsonl", *[Fault(status=302, headers={"Location": "/test.jsonl"})] * 30)
    with pytest.raises(ServiceError, match="TooManyRedirects"):
        get()


def test_two_downloads_into_one_folder(hub: FakeHub, settings: Settings, tmp_path: Path):
    with (
        Folder(tmp_path / "set").locked(),
        pytest.raises(UserError, match=r"another download into .* is under"),
    ):
        asyncio.run(download(SET, tmp_path / "set", settings=settings))


def test_a_listing_without_end(hub: FakeHub, settings: Settings, tmp_path: Path):
    sha = {"sha": "0" * 40}
    page = [{"type": "directory", "path": "x", "oid": "0" * 40}]

    def answer(request: httpx2.Request) -> httpx2.Response:
        again = {"Link": '<https://huggingface.co/?cursor=x>; rel="next"'}
        return httpx2.Response(
            200, text=json.dumps(page if "/tree/" in request.url.path else sha), headers=again
        )

    quick = replace(settings, hosts={**settings.hosts, "huggingface": "https://huggingface.co"})
    source = CatalogueEntry("x", "X", "", (Source("huggingface", "o/x", "main"),))
    work = download(source, tmp_path / "set", settings=quick, transport=httpx2.MockTransport(answer))
    with pytest.raises(ServiceError, match="does not end"):
        asyncio.run(work)
