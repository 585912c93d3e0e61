"""What a hostile or broken source cannot do: write elsewhere, learn the token, fill the disk."""

import asyncio
import logging
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pytest

from wheretaken.errors import DataError, ServiceError, UserError
from wheretaken.evals.downloads import Settings, download
from wheretaken.evals.downloads.folder import RECORD, Folder
from wheretaken.testing.hub import FakeHub, Fault

from .conftest import SET, Download


@pytest.mark.parametrize(
    "name",
    [
        "../outside.txt",
        "images/../../outside.txt",
        "/outside.txt",
        "images//outside.txt",
        "./outside.txt",
        "images/./x",
        "..",
        "C:/outside.txt",
        "images\\..\\outside.txt",
        "line\nbreak.txt",
        "nul\0.txt",
        "",
        RECORD,
        "images/",
    ],
)
@pytest.mark.parametrize("hub_name", ["modelscope", "zenodo"])
def test_a_name_that_leads_elsewhere_is_refused(
    name: str, hub_name, hub: FakeHub, get: Download, tmp_path: Path
):
    for set_id in ("owner/small", "123"):
        hub.put(set_id, {"good.txt": b"good", name: b"bad"})
    with pytest.raises(DataError, match=r"names a file .*: refused"):
        get(hub_name)
    assert not (tmp_path / "outside.txt").exists()
    assert not (tmp_path / "set" / "good.txt").exists()


def test_names_that_cannot_lie_side_by_side(hub: FakeHub, get: Download):
    hub.put("owner/small", {"images": b"a file", "images/1.jpg": b"in it"})
    with pytest.raises(DataError, match=r"inside another file, 'images/1\.jpg'"):
        get()
    with pytest.raises(DataError, match="'a' twice"):
        Folder(Path("x")).check_names(["a", "a"])


def test_a_link_in_the_folder_is_not_followed_out_of_it(get: Download, tmp_path: Path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "images").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"images.* leads out of .*: remove the link"):
        get()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_the_token_is_told_to_the_hub_only(
    hub: FakeHub, get: Download, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    hub.misbehave("test.jsonl", Fault(status=503))
    get("huggingface")
    told = {(served.server, served.authorization) for served in hub.log}
    assert told == {("hub", "Bearer hf_secret"), ("store", "")}
    assert "hf_secret" not in (tmp_path / "set" / RECORD).read_text()
    assert "HTTP Request: GET" in caplog.text
    assert "hf_secret" not in caplog.text


def test_other_hubs_are_not_told_the_token(settings: Settings, tmp_path: Path):
    told: dict[str, str] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        told[request.url.host] = request.headers.get("Authorization", "")
        return httpx2.Response(404)

    hosts = {name: f"https://{name}.example" for name in settings.hosts}
    for name in ("huggingface", "modelscope", "zenodo"):
        transport = httpx2.MockTransport(answer)
        work = download(SET, tmp_path, hub=name, settings=replace(settings, hosts=hosts), transport=transport)
        with pytest.raises(ServiceError):
            asyncio.run(work)
    assert told == {
        "huggingface.example": "Bearer hf_secret",
        "modelscope.example": "",
        "zenodo.example": "",
    }


@pytest.mark.parametrize(
    "location",
    [
        "https://elsewhere.example/x",
        "https://hub.example:8443/x",
        "http://hub.example/x",
        "//hub.example.org/x",
    ],
)
def test_a_redirect_elsewhere_loses_the_token(location: str, settings: Settings, tmp_path: Path):
    told: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        told.append(request.headers.get("Authorization", ""))
        return (
            httpx2.Response(302, headers={"Location": location}) if len(told) == 1 else httpx2.Response(404)
        )

    hosts = {**settings.hosts, "huggingface": "https://hub.example"}
    transport = httpx2.MockTransport(answer)
    with pytest.raises(ServiceError):
        asyncio.run(download(SET, tmp_path, settings=replace(settings, hosts=hosts), transport=transport))
    assert told == ["Bearer hf_secret", ""]


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_no_error_tells_a_secret(status: int, hub: FakeHub, get: Download):
    hub.misbehave("images", *[Fault(status=status)] * 99, server="store")
    with pytest.raises((UserError, ServiceError)) as caught:
        get("huggingface")
    chain = [caught.value, caught.value.__cause__]
    assert "hf_secret" not in str(chain)
    assert "signature" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("token", ["hf_a b", "hf_a\nX-Header: 1", "hf_é", "hf_\x7f"])
def test_a_token_that_no_header_can_hold_is_not_shown(token: str):
    with pytest.raises(UserError) as caught:
        Settings.from_environment({"HF_TOKEN": token})
    assert "HF_TOKEN" in str(caught.value)
    assert "hf_" not in str(caught.value)
    assert "hf_secret" not in repr(Settings(token="hf_secret"))


def test_a_disk_without_room_is_said_before_anything_arrives(
    hub: FakeHub, get: Download, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=50_000_000))
    with pytest.raises(UserError, match=r"GB are needed and 0\.1 GB are free: make room, or choose another"):
        get()
    assert not hub.served("resolve")


def test_a_folder_that_is_a_file(get: Download, tmp_path: Path):
    (tmp_path / "set").write_text("a file")
    with pytest.raises(UserError, match=r"cannot be written .*choose another folder with -o"):
        get()


def test_a_damaged_record_is_named(get: Download, tmp_path: Path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / RECORD).write_text('{"name": ')
    with pytest.raises(DataError, match=r"wheretaken-download\.json is damaged .*: remove it"):
        get()


def test_a_record_cannot_lead_out_of_its_folder(get: Download, tmp_path: Path):
    get()
    record = tmp_path / "set" / RECORD
    record.write_text(record.read_text().replace('"test.jsonl"', '"../../test.jsonl"'))
    with pytest.raises(DataError, match="refused"):
        get()
