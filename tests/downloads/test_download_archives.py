"""Archives: unpacked beside themselves, refused when they are up to something."""

import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from wheretaken.errors import DataError
from wheretaken.evals.downloads.archives import is_archive, unpack
from wheretaken.evals.downloads.folder import Folder
from wheretaken.testing.hub import FakeHub

from .conftest import Download, contents

FILES = {"photos/1.jpg": b"one" * 1000, "photos/deep/2.jpg": b"two" * 1000, "table.csv": b"id,lat,lon\n"}


def zipped(files: dict[str, bytes]) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("photos")
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Callable[[str, bytes], Folder]:
    def put(name: str, content: bytes) -> Folder:
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return Folder(tmp_path / "set")

    return put


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.zip", zipped(FILES)),
        ("sub/a.tar.gz", tarred(FILES)),
        ("a.tgz", tarred({f"./{name}": content for name, content in FILES.items()})),
        ("a.tar", tarred(FILES, "w")),
    ],
)
def test_members_lie_beside_their_archive(name: str, content: bytes, place, tmp_path: Path):
    folder = place(name, content)
    saved = unpack(name, folder)
    beside = (tmp_path / "set" / name).parent
    assert {path: data for path, data in contents(beside).items() if not is_archive(path)} == FILES
    assert sorted(file.size for file in saved) == sorted(map(len, FILES.values()))
    assert all(folder.size(file.path) == file.size for file in saved)


def test_what_was_unpacked_before_is_kept(place):
    folder = place("a.zip", zipped(FILES))
    unpack("a.zip", folder)
    kept, cut = folder.path("table.csv"), folder.path("photos/1.jpg")
    before = kept.stat().st_ino
    cut.write_bytes(b"cut")
    unpack("a.zip", folder)
    assert kept.stat().st_ino == before
    assert cut.read_bytes() == FILES["photos/1.jpg"]


def test_downloads_unpack_and_remember_it(hub: FakeHub, get: Download, tmp_path: Path):
    hub.put("owner/small", {"photos.zip": zipped(FILES)})
    record = get()
    assert {file.path for file in record.unpacked} == set(FILES)
    asked = len(hub.log)
    assert get() == record
    assert len(hub.log) == asked
    (tmp_path / "set" / "table.csv").unlink()
    get()
    assert (tmp_path / "set" / "table.csv").read_bytes() == FILES["table.csv"]
    assert len(hub.served("photos.zip")) == 1  # it was still there


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        archive.addfile(info)
    return data.getvalue()


def zip_link() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        info = zipfile.ZipInfo("link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    return data.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped({"secret.txt": b"secret"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.rindex(signature) + offset
        data[at] |= 1
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.zip", zipped({"../outside.txt": b"bad"}), "refused"),
        ("a.zip", zipped({"good.txt": b"good", "/outside.txt": b"bad"}), "leads out of its folder: refused"),
        ("sub/a.zip", zipped({"/outside.txt": b"bad"}), "refused"),
        ("sub/a.zip", zipped({"../../outside.txt": b"bad"}), "refused"),
        ("a.zip", zip_link(), "link or device"),
        ("a.zip", encrypted(), "encrypted: unpack it yourself"),
        ("a.zip", zipped({"zeros": bytes(70_000_000)}), "more than 100 times"),
        ("a.zip", zipped({"a.zip": b"itself"}), "twice"),
        ("a.zip", zipped({"wheretaken-download.json": b"{}"}), "refused"),
        ("a.tar", tarred({"../outside.txt": b"bad"}, "w"), "refused"),
        ("a.tar", link("link", "/etc/passwd"), "link or device"),
        ("a.tar", link("link", "a.tar", tarfile.LNKTYPE), "link or device"),
        ("a.tar", link("pipe", "", tarfile.FIFOTYPE), "link or device"),
        ("a.tgz", tarred({"zeros": bytes(70_000_000)}), "more than 100 times"),
        ("a.tar", tarred({"a": b"1", "./a": b"2"}, "w"), "twice"),
        ("a.zip", b"no archive", "is damaged"),
        ("a.tar", b"no archive", "is damaged"),
        ("a.tgz", gzip.compress(b"no archive", mtime=0), "is damaged"),
        ("a.zip", zipped(FILES)[:-30], "is damaged"),
        ("a.tgz", tarred(FILES)[:-30], "is damaged"),
    ],
)
def test_nothing_of_a_suspicious_archive_is_unpacked(
    name: str, content: bytes, words: str, place, tmp_path: Path
):
    folder = place(name, content)
    with pytest.raises(DataError, match=words):
        unpack(name, folder)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [Path(name).name]


def test_a_member_whose_bytes_are_damaged(place, tmp_path: Path):
    data = bytearray(zipped(FILES))
    data[data.index(b"photos/1.jpg") + 20] ^= 255
    folder = place("a.zip", bytes(data))
    with pytest.raises(DataError, match=r"a\.zip is damaged"):
        unpack("a.zip", folder)
    assert not folder.path("photos/1.jpg").exists()
