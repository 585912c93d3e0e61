"""A small hub on this machine that speaks like Hugging Face, ModelScope and Zenodo, and misbehaves on demand.

Two servers on the loopback: the *hub* answers the three APIs (formats: `wheretaken.evals.downloads.listing`),
and the *store*, another host to a client, holds the bytes of large files, to which the hub redirects. Both
keep a log of what was asked and how much was sent, so that a test can tell what was downloaded twice and who
was told the token.

```python
with FakeHub() as hub:
    hub.put("GD-ML/MAPBench-V2", {"images/1.jpg": picture, "test.jsonl": lines})
    hub.misbehave("1.jpg", Fault(cut_after=1000), Fault(status=503))
    subprocess.run(["wheretaken", "data", "download", "mapbench-v2"], env=os.environ | hub.environment)
```
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, quote, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK = 16 * 1024
_LARGE = 16 * 1024
"""Bytes from which Hugging Face keeps a file in its store, and knows its SHA-256."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request."""

    status: int = 0
    """Answer with this status and nothing else; 0 goes on to the file."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """More headers of the answer."""
    cut_after: int | None = None
    """Close the connection after so many bytes of the file."""
    corrupt: bool = False
    """Change the first byte that is sent."""
    pause: float = 0.0
    """Seconds before each block of 16 KiB."""
    whole: bool = False
    """Send all of the file, whatever range was asked for."""


@dataclass
class Served:
    """One request, and what came of it."""

    server: str
    """`hub` or `store`."""
    path: str
    """Without the query."""
    query: str
    authorization: str
    """The header, or nothing."""
    if_range: str
    status: int = 0
    start: int = 0
    """The first byte of the file that was sent."""
    sent: int = 0
    """Bytes of the file that were sent."""


class FakeHub:
    """The hub and its store, from `__enter__` to `__exit__`."""

    def __init__(self, *, page_size: int = 1000) -> None:
        """Make a hub without data sets; `page_size` is how many files a page of a listing has."""
        self._page_size = page_size
        self._sets: dict[str, dict[str, bytes]] = {}
        self._plain: dict[str, bytes] = {}
        self._faults: list[tuple[str, str, Fault]] = []
        self._lock = threading.Lock()
        self._servers = {name: _Server(self, name) for name in ("hub", "store")}
        self.log: list[Served] = []
        """Every request, in the order of arrival."""

    def __enter__(self) -> Self:
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        for server in self._servers.values():
            server.shutdown()
            server.server_close()

    @property
    def url(self) -> str:
        """The hub's address."""
        return self._servers["hub"].url

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that lead downloads here, and past any proxy."""
        names = (
            "HF_ENDPOINT",
            "WHERETAKEN_MODELSCOPE_URL",
            "WHERETAKEN_ZENODO_URL",
            "WHERETAKEN_GITHUB_MEDIA_URL",
        )
        return dict.fromkeys(names, self.url) | {"NO_PROXY": "127.0.0.1"}

    def put(self, set_id: str, files: Mapping[str, bytes]) -> None:
        """Hold a data set under an id (at Zenodo, a number), in the place of what was there."""
        self._sets[set_id] = dict(files)

    def put_file(self, path: str, content: bytes) -> None:
        """Hold a single file at a path of the hub, as a plain web server would."""
        self._plain[path] = content

    def misbehave(self, path: str, *faults: Fault, server: str = "") -> None:
        """Let the next requests go wrong whose path or query contains `path`, one a fault.

        With `server`, only those to the `hub` or to the `store`.
        """
        with self._lock:
            self._faults += ((server, path, fault) for fault in faults)

    def served(self, path: str) -> list[Served]:
        """Return the requests whose path or query contains `path`."""
        return [served for served in self.log if path in f"{served.path}?{unquote(served.query)}"]

    def fault(self, served: Served) -> Fault:
        """Take the fault that is planned for a request."""
        asked = f"{served.path}?{unquote(served.query)}"
        with self._lock:
            self.log.append(served)
            for index, (server, path, fault) in enumerate(self._faults):
                if path in asked and server in {"", served.server}:
                    del self._faults[index]
                    return fault
        return Fault()

    def answer(self, served: Served) -> Any:
        """Find out what a request is for: bytes of a file, a `Location`, JSON with headers, or None."""
        if served.server == "store":
            wanted = served.path.split("/")[1]
            contents = (content for files in self._sets.values() for content in files.values())
            return next((content for content in contents if _sha256(content) == wanted), None)
        query = {name: values[0] for name, values in parse_qs(served.query).items()}
        for pattern, reply in (
            (r"/api/datasets/([^/]+/[^/]+)/revision/.+", self._hugging_face_revision),
            (r"/api/datasets/([^/]+/[^/]+)/tree/.+", self._hugging_face_tree),
            (r"/datasets/([^/]+/[^/]+)/resolve/[^/]+/(.+)", self._hugging_face_file),
            (r"/api/v1/datasets/([^/]+/[^/]+)/repo/tree", self._modelscope_tree),
            (r"/api/v1/datasets/([^/]+/[^/]+)/repo", self._modelscope_file),
            (r"/api/records/(\d+)", self._zenodo_record),
            (r"/api/records/(\d+)/files/(.+)/content", self._zenodo_file),
        ):
            found = re.fullmatch(pattern, served.path)
            if found:
                set_id, *path = found.groups()
                return reply(self._sets[set_id], query, set_id, *path) if set_id in self._sets else None
        return self._plain.get(served.path)

    def _hugging_face_revision(
        self, files: Mapping[str, bytes], _query: Mapping[str, str], _set_id: str
    ) -> Any:
        return {"sha": _commit(files)}, {}

    def _hugging_face_tree(self, files: Mapping[str, bytes], query: Mapping[str, str], _set_id: str) -> Any:
        start = int(query.get("cursor", "0"))
        names = sorted(files)
        folders = [{"type": "directory", "path": "images", "oid": "0" * 40, "size": 0}] if not start else []
        page = [_hugging_face_entry(name, files[name]) for name in names[start : start + self._page_size]]
        after = start + self._page_size
        # Hugging Face names itself here, also behind a mirror.
        link = (
            f'<https://elsewhere.invalid/api/datasets/{id}/tree/x?recursive=true&cursor={after}>; rel="next"'
        )
        return [*folders, *page], ({"Link": link} if after < len(names) else {})

    def _hugging_face_file(
        self, files: Mapping[str, bytes], _query: Mapping[str, str], _set_id: str, path: str
    ) -> Any:
        content = files.get(path)
        if content is None or len(content) < _LARGE:
            return content
        return f"{self._servers['store'].url}/{_sha256(content)}/{quote(path)}?signature=secret"

    def _modelscope_tree(self, files: Mapping[str, bytes], query: Mapping[str, str], _set_id: str) -> Any:
        size = int(query["PageSize"])
        start = (int(query["PageNumber"]) - 1) * size
        page = [
            {"Path": name, "Type": "blob", "Size": len(files[name]), "Sha256": _sha256(files[name])}
            for name in sorted(files)[start : start + size]
        ]
        return {"Code": 200, "Success": True, "Data": {"Files": page}}, {}

    def _modelscope_file(self, files: Mapping[str, bytes], query: Mapping[str, str], _set_id: str) -> Any:
        return files.get(query["FilePath"])

    def _zenodo_record(self, files: Mapping[str, bytes], _query: Mapping[str, str], set_id: str) -> Any:
        listed = [
            {"key": name, "size": len(content), "checksum": f"md5:{_md5(content)}"}
            for name, content in files.items()
        ]
        return {"id": int(set_id), "files": listed}, {}

    def _zenodo_file(
        self, files: Mapping[str, bytes], _query: Mapping[str, str], _set_id: str, path: str
    ) -> Any:
        return files.get(path)


class _Server(ThreadingHTTPServer):
    """One of the two servers, on a free port."""

    daemon_threads = True

    def __init__(self, hub: FakeHub, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.hub = hub
        self.name = name

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away in the middle are what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or every answer waits for the head to be acknowledged
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - the only one that makes handlers

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        served = Served(
            self.server.name,
            unquote(parts.path),
            parts.query,
            self.headers.get("Authorization", ""),
            self.headers.get("If-Range", ""),
        )
        fault = self.server.hub.fault(served)
        answer = None if fault.status else self.server.hub.answer(served)
        if isinstance(answer, bytes):
            self._send_file(served, fault, answer)
        elif isinstance(answer, str):
            self._send_text(served, 302, b"", {"Location": answer, **fault.headers})
        elif answer is None:
            self._send_text(served, fault.status or 404, b"", fault.headers)
        else:
            value, headers = answer
            self._send_text(served, 200, json.dumps(value).encode(), {**headers, **fault.headers})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Write nothing: the hub keeps the log."""

    def _send_text(self, served: Served, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        served.status = status
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _send_file(self, served: Served, fault: Fault, content: bytes) -> None:
        etag = f'"{_md5(content)}"'
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        current = served.if_range in {"", etag}
        start = int(asked[1]) if asked and current and not fault.whole else 0
        headers = {"ETag": etag, "Accept-Ranges": "bytes", **fault.headers}
        if asked and start >= len(content):
            self._send_text(served, 416, b"", headers)
            return
        served.status, served.start = (206 if start else 200), start
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.send_response(served.status)
        for name, value in {**headers, "Content-Length": str(len(content) - start)}.items():
            self.send_header(name, value)
        self.end_headers()
        body = content[start:]
        if fault.corrupt:
            body = bytes([body[0] ^ 255]) + body[1:]
        end = len(body) if fault.cut_after is None else min(fault.cut_after, len(body))
        for position in range(0, end, _BLOCK):
            time.sleep(fault.pause)
            block = body[position : min(position + _BLOCK, end)]
            self.wfile.write(block)
            served.sent += len(block)
        self.close_connection = end < len(body)


def _hugging_face_entry(path: str, content: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "size": len(content), "oid": _git_blob(content)}
    if len(content) >= _LARGE:
        entry["lfs"] = {"oid": _sha256(content), "size": len(content), "pointerSize": 130}
    return entry


def _commit(files: Mapping[str, bytes]) -> str:
    names = "".join(f"{quote(name)} {_sha256(content)}\n" for name, content in sorted(files.items()))
    return hashlib.sha1(names.encode(), usedforsecurity=False).hexdigest()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def _git_blob(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
