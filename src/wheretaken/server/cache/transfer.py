"""Reads and writes caches as files: our JSON lines, and the JSON that was published for a warm start.

A line of ours is an answer with all that belongs to it:

    {"tool", "arguments": {...}, "provider", "version", "data": {...}, "source", "stored_at", "expires_at",
     "pictures": [{"mime", "sha256", "width", "height", "data": base64}]}

The published form (the tool server released with arXiv 2601.05432) is one object, flat `{"api:query":
text}` or grouped `{api: {query: text}}`. It holds texts only, and neither times nor services: an answer
is taken to be as old as its file, and to come from the service that the published server asked. Its text
becomes the data `{"text": ...}`, which stands in for any provider's answer (see `ToolCache`). Where files
disagree, the newest answer wins.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, ValidationError

from wheretaken.errors import DataError, ToolError
from wheretaken.messages import Picture
from wheretaken.server.cache.entries import Entry, compact
from wheretaken.server.cache.keys import CacheKey
from wheretaken.server.cache.policy import USUAL_DAYS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Iterator
    from pathlib import Path

    from wheretaken.server.cache.stores import Store

_SOURCES = {"amap": "AMap (高德)", "serper": "Google through Serper"}
_MAGIC = {"image/png": b"\x89PNG\r\n", "image/jpeg": b"\xff\xd8\xff", "image/webp": b"RIFF"}
_BATCH = 200


def _decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


class _PictureLine(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mime: Literal["image/png", "image/jpeg", "image/webp"]
    sha256: str
    width: int
    height: int
    data: Annotated[bytes, BeforeValidator(_decoded)]

    def picture(self) -> Picture:
        if hashlib.sha256(self.data).hexdigest() != self.sha256:
            raise ValueError("a picture is not the one that its sha256 says")
        if not self.data.startswith(_MAGIC[self.mime]):
            raise ValueError(f"a picture is no {self.mime}")
        return Picture(**self.model_dump())


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tool: str
    arguments: dict[str, Any]
    provider: str
    version: str = ""
    data: dict[str, Any]
    source: str = ""
    stored_at: AwareDatetime
    expires_at: AwareDatetime
    pictures: list[_PictureLine] = []

    def entry(self) -> Entry:
        return Entry(
            CacheKey.of(self.tool, self.arguments, self.provider, self.version),
            compact(self.data),
            tuple(picture.picture() for picture in self.pictures),
            self.source,
            self.stored_at.timestamp(),
            self.expires_at.timestamp(),
        )


async def kept(store: Store, now: float) -> AsyncGenerator[Entry]:
    """Yield the answers of a store that may still be used, in no order.

    Raises:
        StoreError: the store cannot be read.
    """
    async for row in store.rows():
        if not row.failed and row.expires_at > now:
            entry = await store.get(row.digest)
            if entry is not None:  # it may have been removed meanwhile
                yield entry


async def add(store: Store, entries: Iterable[Entry], now: float) -> tuple[int, int]:
    """Put answers into a store, except those that it has a newer one of and those that have expired.

    Returns:
        How many were put, and how many there were.

    Raises:
        StoreError: the store cannot be written.
        DataError: the file that the entries come from cannot be read.
    """
    put = there = 0
    batch: list[Entry] = []
    try:
        for entry in entries:
            there += 1
            if entry.expires_at > now:
                batch.append(entry)
            if len(batch) == _BATCH:
                put += await store.merge(batch)
                batch = []
    finally:  # also when a line cannot be read
        put += await store.merge(batch)
    return put, there


def line(entry: Entry) -> str:
    """Write an answer as a line of ours, without the line break."""
    key = entry.key
    told: dict[str, Any] = {
        "tool": key.tool,
        "arguments": json.loads(key.arguments),
        "provider": key.provider,
        "version": key.version,
        "data": json.loads(entry.text),
        "source": entry.source,
        "stored_at": _iso(entry.stored_at),
        "expires_at": _iso(entry.expires_at),
    }
    if entry.pictures:
        told["pictures"] = [
            picture.model_dump() | {"data": base64.b64encode(picture.data).decode()}
            for picture in entry.pictures
        ]
    return compact(told)


def read(path: Path) -> Iterator[Entry]:
    """Read answers from a file of either form.

    Raises:
        DataError: the file cannot be read or is of neither form; the message names the line.
    """
    try:
        with path.open(encoding="utf-8") as file:
            first = next((text for text in file if text.strip()), "")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); name a JSON or JSONL file in UTF-8") from None
    if _is_ours(first):
        return _read_lines(path)
    return _read_published(path)


def published(entry: Entry) -> tuple[str, str, str] | None:
    """Return api, query and text of an answer as the published form has it; None where it cannot hold it."""
    arguments = json.loads(entry.key.arguments)
    if entry.pictures or set(arguments) != {"query"}:
        return None
    data = json.loads(entry.text)
    return entry.key.tool, arguments["query"], data["text"] if set(data) == {"text"} else entry.text


def _is_ours(first: str) -> bool:
    try:
        told: Any = json.loads(first)
    except ValueError:
        return False
    return isinstance(told, dict) and "tool" in told and "arguments" in told


def _read_lines(path: Path) -> Iterator[Entry]:
    with path.open(encoding="utf-8") as file:
        for number, text in enumerate(file, 1):
            if not text.strip():
                continue
            try:
                yield _Line.model_validate(json.loads(text)).entry()
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                where = ".".join(str(step) for step in first["loc"])
                reason = f"{where}: {first['msg']}" if where else first["msg"]
                raise DataError(_broken(path, number, reason)) from None
            except (ValueError, ToolError) as error:
                raise DataError(_broken(path, number, str(error))) from None


def _broken(path: Path, number: int, reason: str) -> str:
    return f"{path}:{number}: {reason}; mend or remove the line (those before it were taken)"


def _read_published(path: Path) -> Iterator[Entry]:
    try:
        told: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: {error}; it is neither JSON lines nor one JSON object") from None
    if not isinstance(told, dict):
        raise DataError(f'{path}: must be an object, {{"api:query": text}} or {{api: {{query: text}}}}')
    stored_at = round(path.stat().st_mtime, 6)
    for tool, query, text in _flat(cast("dict[str, Any]", told)):
        key = CacheKey.of_published(tool, query)
        if key is None or not isinstance(text, str) or not text.strip("` \n\r\t"):
            continue  # an empty answer is a failure that was kept
        expires_at = stored_at + USUAL_DAYS * 86_400
        yield Entry(key, compact({"text": text}), (), _SOURCES[key.provider], stored_at, expires_at)


def _flat(told: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield api, query and value of either form."""
    for name, value in told.items():
        if isinstance(value, dict):
            for query, text in cast("dict[str, Any]", value).items():
                yield name, query, text
        else:
            tool, _, query = name.partition(":")
            yield tool, query, value


def _iso(unix: float) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat()
