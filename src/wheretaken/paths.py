"""Where wheretaken keeps what it makes: built indexes in the cache, the user's regions in the data directory.

`WHERETAKEN_CACHE_DIR` and `WHERETAKEN_DATA_DIR` override the platform's own places. Everything in the cache
can be deleted and is rebuilt; nothing in the data directory is ever deleted without being asked.
"""

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import platformdirs


def cache_dir() -> Path:
    """Return the directory for files that can be rebuilt (created when missing)."""
    return _made(os.environ.get("WHERETAKEN_CACHE_DIR") or platformdirs.user_cache_dir("wheretaken"))


def data_dir() -> Path:
    """Return the directory for what the user added, such as regions (created when missing)."""
    return _made(os.environ.get("WHERETAKEN_DATA_DIR") or platformdirs.user_data_dir("wheretaken"))


def _made(path: str) -> Path:
    directory = Path(path).expanduser()
    directory.mkdir(parents=True, exist_ok=True)
    return directory


@contextlib.contextmanager
def atomic_path(target: Path) -> Generator[Path]:
    """Yield a temporary path beside `target` that replaces it on success and is removed on failure.

    A reader sees the old file or the whole new one, never a part; two writers cannot mix.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".tmp")
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
