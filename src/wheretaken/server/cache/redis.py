"""Keeps the cache in a Redis or Valkey server, for several machines.

Keys, all below `wheretaken:cache:1:`

- `e:<digest>` a hash with the fields of an entry (`_FIELDS`); expires with it
- `p:<sha256>` a hash: `mime`, `width`, `height`, `data`; expires with the last entry that shows it
- `l:<digest>` the lease: its holder's token; expires when it is not renewed
- `u` a hash: `h` or `m`, tool, provider (JSON) to the number of hits or misses

Every change is one Lua script and therefore happens as a whole or not at all, whoever dies. The lease is
the known pattern of a lock with expiry and token (`SET NX PX`; released and renewed only by whoever holds
it): when Redis forgets it, the worst is a second call of a service.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.messages import Picture
from wheretaken.server.cache.entries import Entry
from wheretaken.server.cache.keys import CacheKey
from wheretaken.server.cache.stores import HANDED_SECONDS, Claim, Row, StoreError, Uses

try:
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.exceptions import ConnectionError as NoConnectionError
    from redis.exceptions import RedisError
except ModuleNotFoundError as error:
    if error.name != "redis":
        raise
    raise MissingExtraError("a cache in Redis", "server", "redis") from error

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Generator, Mapping, Sequence

    from wheretaken.server.cache.stores import Digest

_PREFIX = "wheretaken:cache:1:"
_CONNECT_SECONDS = 0.5
_REPLY_SECONDS = 1.0
"""A server that takes longer for a key or a picture is as good as gone."""
_CONNECTIONS = 32
_BATCH = 500
_FIELDS = ("at", "until", "failed", "tool", "arguments", "provider", "version", "source", "pictures", "text")
"""Of an entry: Unix times, 0 or 1, texts, and the pictures as JSON, `[[sha256, bytes], ...]`."""
_ROW = ("at", "until", "failed", "tool", "provider", "pictures", "bytes")
_CLAIM = """
local at = redis.call('HGET', KEYS[1], 'at')
if at and tonumber(at) > tonumber(ARGV[3]) then return 'stored' end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return 'mine' end
return 'held'
"""
_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"
_PUT = """
-- KEYS: entry, lease, pictures. ARGV: at, when only if newer; token; milliseconds; 8 a picture; the entry
local old = redis.call('HMGET', KEYS[1], 'at', 'failed')
if ARGV[1] ~= '' and old[2] == '0' and tonumber(old[1]) >= tonumber(ARGV[1]) then return 0 end
local a = 4
for i = 3, #KEYS do
    redis.call('HSET', KEYS[i], unpack(ARGV, a, a + 7))
    if redis.call('PTTL', KEYS[i]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[i], ARGV[3]) end
    a = a + 8
end
redis.call('HSET', KEYS[1], unpack(ARGV, a))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if redis.call('GET', KEYS[2]) == ARGV[2] then redis.call('DEL', KEYS[2]) end
return 1
"""


class RedisStore:
    """A `Store` in a server."""

    def __init__(self, url: str, *, now: Callable[[], float] = time.time) -> None:
        """Prepare to use a server; it is connected when first asked.

        Args:
            url: `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS.
            now: Unix time in seconds.

        Raises:
            UserError: it is no such URL.
        """
        try:
            place = urlsplit(url)
            self.name = f"{place.scheme}://{place.hostname}:{place.port or 6379}{place.path}"
            self._redis = _connected(url)
        except ValueError:  # its text repeats the URL, which may hold a password
            raise UserError("the cache's URL must look like redis://host:6379/0") from None
        # The library leaves the types of what it passes on open, here and in `from_url`.
        self._scan = cast("Callable[..., Any]", self._redis.scan)  # pyright: ignore[reportUnknownMemberType]
        self._now = now
        self._scripts = {text: self._redis.register_script(text) for text in (_CLAIM, _RENEW, _RELEASE, _PUT)}

    async def get(self, digest: Digest) -> Entry | None:
        """Return what is kept of a call with its pictures, fresh or not."""
        found = await self._fields(_key("e", digest), _FIELDS)
        if found is None:
            return None
        at, until, failed, *texts = (value.decode() for value in found)
        tool, arguments, provider, version, source, shown, text = texts
        pictures = [await self.picture(sha256) for sha256, _ in json.loads(shown)]
        kept = tuple(picture for picture in pictures if picture)
        if len(kept) < len(pictures):  # a server short of memory forgets what it likes
            await self.delete([digest])
            return None
        key = CacheKey(tool, arguments, provider, version)
        return Entry(key, text, kept, source, float(at), float(until), failed == "1")

    async def picture(self, sha256: str) -> Picture | None:
        """Return a kept picture."""
        found = await self._fields(_key("p", sha256), ("mime", "width", "height", "data"))
        if found is None:
            return None
        mime, width, height, data = found
        return Picture(
            mime=cast("Any", mime.decode()), sha256=sha256, width=int(width), height=int(height), data=data
        )

    async def put(self, entry: Entry, token: str = "") -> None:
        """Keep an entry and give back the lease on its digest with this token, in one step."""
        await self._put(entry, token, only_if_newer=False, least_s=HANDED_SECONDS)

    async def merge(self, entries: Sequence[Entry]) -> int:
        """Keep those entries of which no newer answer is there; return how many were."""
        return sum([await self._put(entry, "", only_if_newer=True) for entry in entries])

    async def claim(self, digest: Digest, token: str, seconds: float, newer_than: float) -> Claim:
        """Take the lease on a digest, unless a newer entry is there or somebody has it."""
        keys = [_key("e", digest), _key("l", digest)]
        reply = await self._run(_CLAIM, keys, [token, _milliseconds(seconds), newer_than])
        return Claim(cast("bytes", reply).decode())

    async def renew(self, digest: Digest, token: str, seconds: float) -> None:
        """Keep our lease for so many more seconds."""
        await self._run(_RENEW, [_key("l", digest)], [token, _milliseconds(seconds)])

    async def release(self, digest: Digest, token: str) -> None:
        """Give back our lease, where it is still ours."""
        await self._run(_RELEASE, [_key("l", digest)], [token])

    async def count(self, uses: Mapping[tuple[str, str], Uses]) -> None:
        """Add to the uses that are kept by tool and provider."""
        with self._errors():
            async with self._redis.pipeline() as pipeline:
                for name, use in uses.items():
                    for letter, number in (("h", use.hits), ("m", use.misses)):
                        pipeline.hincrby(_PREFIX + "u", json.dumps([letter, *name]), number)
                await pipeline.execute()

    async def uses(self) -> dict[tuple[str, str], Uses]:
        """Return the uses by tool and provider."""
        with self._errors():
            found = cast("dict[bytes, bytes]", await _reply(self._redis.hgetall(_PREFIX + "u")))
        uses: dict[tuple[str, str], Uses] = {}
        for name, number in found.items():
            letter, tool, provider = cast("list[str]", json.loads(name))
            more = Uses(hits=int(number)) if letter == "h" else Uses(misses=int(number))
            uses[tool, provider] = uses.get((tool, provider), Uses()) + more
        return uses

    async def rows(self) -> AsyncGenerator[Row]:
        """Yield what is kept, in no order."""
        async for keys in self._batches("e"):
            with self._errors():
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for key in keys:
                        pipeline.hmget(key, _ROW)
                    found = cast("list[list[bytes | None]]", await pipeline.execute())
            for key, values in zip(keys, found, strict=True):
                fields = [value.decode() for value in values if value is not None]
                if len(fields) == len(_ROW):  # else it expired meanwhile
                    yield _row(bytes.fromhex(key.rpartition(b":")[2].decode()), fields)

    async def delete(self, digests: Collection[Digest]) -> None:
        """Remove entries."""
        await self._delete([_key("e", digest) for digest in digests])

    async def sweep(self) -> None:
        """Remove pictures that no entry shows any more."""
        shown = {_key("p", sha256).encode() async for row in self.rows() for sha256, _ in row.pictures}
        async for keys in self._batches("p"):
            await self._delete([key for key in keys if key not in shown])

    async def aclose(self) -> None:
        """Close the connections."""
        with contextlib.suppress(RedisError, OSError):
            await self._redis.aclose()

    async def _put(self, entry: Entry, token: str, *, only_if_newer: bool, least_s: float = 0.0) -> int:
        digest = entry.key.digest
        milliseconds = _milliseconds(max(entry.expires_at - self._now(), least_s))
        if milliseconds <= 0:  # Redis cannot keep what has expired
            await self.release(digest, token)
            return 0
        keys = [_key("e", digest), _key("l", digest)]
        arguments: list[Any] = [entry.stored_at if only_if_newer else "", token, milliseconds]
        for picture in entry.pictures:
            keys.append(_key("p", picture.sha256))
            arguments += ("mime", picture.mime, "width", picture.width, "height", picture.height)
            arguments += ("data", picture.data)
        return cast("int", await self._run(_PUT, keys, [*arguments, *_pairs(entry)]))

    async def _fields(self, key: str, names: Sequence[str]) -> list[bytes] | None:
        """Return fields of a hash, or None when it lacks one."""
        with self._errors():
            found = cast("list[bytes | None]", await _reply(self._redis.hmget(key, names)))
        fields = [value for value in found if value is not None]
        return fields if len(fields) == len(found) else None

    async def _delete(self, keys: Sequence[str] | Sequence[bytes]) -> None:
        with self._errors():
            for start in range(0, len(keys), _BATCH):
                await _reply(self._redis.unlink(*keys[start : start + _BATCH]))

    async def _batches(self, letter: str) -> AsyncGenerator[list[bytes]]:
        """Yield the names of all keys of a kind; a name may come twice while the server moves its tables."""
        cursor, seen = 0, set[bytes]()
        while True:
            with self._errors():
                scanned = self._scan(cursor, match=f"{_PREFIX}{letter}:*", count=_BATCH)
                cursor, keys = cast("tuple[int, list[bytes]]", await _reply(scanned))
            fresh = [key for key in dict.fromkeys(keys) if key not in seen]
            seen.update(fresh)
            if fresh:
                yield fresh
            if not cursor:
                return

    async def _run(self, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        with self._errors():
            return await self._scripts[script](keys=keys, args=arguments)

    @contextlib.contextmanager
    def _errors(self) -> Generator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise StoreError(f"{self.name}: {error or type(error).__name__}", service="cache") from error


def _connected(url: str) -> Redis:
    make = cast(
        "Callable[..., BlockingConnectionPool]",
        BlockingConnectionPool.from_url,  # pyright: ignore[reportUnknownMemberType]
    )
    pool = make(
        url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_REPLY_SECONDS,
        max_connections=_CONNECTIONS,
        timeout=_REPLY_SECONDS,
        # Once, as connections that were open before the server was restarted are dead.
        retry=Retry(NoBackoff(), 1, supported_errors=(NoConnectionError,)),
    )
    return Redis.from_pool(pool)


async def _reply(command: Any) -> Any:
    """Wait for a command, which the library types as for synchronous clients as well."""
    return await command


def _key(letter: str, name: bytes | str) -> str:
    return f"{_PREFIX}{letter}:{name if isinstance(name, str) else name.hex()}"


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _pairs(entry: Entry) -> list[Any]:
    """Return names and values of an entry's hash."""
    key = entry.key
    shown = json.dumps([(picture.sha256, len(picture.data)) for picture in entry.pictures])
    values = (entry.stored_at, entry.expires_at, int(entry.failed), key.tool, key.arguments, key.provider)
    values += (key.version, entry.source, shown, entry.text, entry.text_bytes)
    return [part for pair in zip((*_FIELDS, "bytes"), values, strict=True) for part in pair]


def _row(digest: bytes, fields: Sequence[str]) -> Row:
    at, until, failed, tool, provider, shown, size = fields
    pictures = tuple((str(sha256), int(length)) for sha256, length in json.loads(shown))
    return Row(digest, tool, provider, float(at), float(until), failed == "1", int(size), pictures)
