"""Finds a store by the name that the command line takes: `sqlite:PATH`, `redis://...`, `memory`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.errors import UserError
from wheretaken.paths import cache_dir

if TYPE_CHECKING:
    from wheretaken.server.cache.stores import Store

_REDIS = ("redis", "rediss", "valkey", "valkeys")


def opened(name: str = "", *, existing: bool = False) -> Store | None:
    """Open a store; None for `memory`, which needs none.

    Args:
        name: `sqlite:PATH`, `redis://HOST:PORT/DATABASE` (`valkey://` too; `rediss://` for TLS) or `memory`;
            without a name, the file `tools.sqlite` in the cache directory.
        existing: whether a file must be there already.

    Raises:
        UserError: there is no store of this kind, or no such file.
        DataError: the file cannot be used.
        MissingExtraError: the library for Redis is not installed.
    """
    kind, _, place = name.partition(":")
    if name == "memory":
        return None
    if kind in _REDIS:
        from wheretaken.server.cache.redis import RedisStore  # noqa: PLC0415 - its library is optional

        return RedisStore(f"{kind.replace('valkey', 'redis')}:{place}")
    if name and (kind != "sqlite" or not place):
        raise UserError(
            f"the cache {kind!r} is of no known kind: use sqlite:PATH, redis://HOST:PORT or memory"
        )
    path = Path(place).expanduser() if place else cache_dir() / "tools.sqlite"
    if existing and not path.is_file():
        raise UserError(f"there is no cache at {path}: name another one with --cache")
    from wheretaken.server.cache.sqlite import SqliteStore  # noqa: PLC0415 - Redis needs no SQLite

    return SqliteStore(path)
