"""What a program does beside what it is for, as Python's audit events tell of it (PEP 578)."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

_OUTWARD = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request")
_PROCESSES = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.startfile", "webbrowser.open")
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.mkdir",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NAMELESS: int = getattr(os, "O_TMPFILE", 0)

_watches: list[_Watch] = []
_hooked = False


class _Watch:
    def __init__(self, allowed: Sequence[Path]) -> None:
        self.allowed = [Path(os.path.realpath(folder)) for folder in allowed]
        self.found: list[str] = []

    def note(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in (*_OUTWARD, *_PROCESSES):
            self.found.append(f"{event} {arguments[:2]!r}")
        elif event == "open":
            path, mode, flags = arguments
            if isinstance(flags, int) and _NAMELESS and flags & _NAMELESS == _NAMELESS:
                return  # a file without a name is gone when it is closed
            writes = flags & _WRITING if isinstance(flags, int) else set(str(mode or "")) & set("wax+")
            if writes:
                self._changed(event, path)
        elif event in _CHANGES:
            for path in arguments[: 2 if event in {"os.rename", "os.link"} else 1]:
                self._changed(event, path)

    def _changed(self, event: str, path: object) -> None:
        if isinstance(path, int):
            return  # a file that is open already
        where = Path(os.path.realpath(str(path) if not isinstance(path, bytes) else os.fsdecode(path)))
        if event == "open" and where.is_dir():
            return  # what `tempfile` says of a file without a name; no directory is written to like this
        if not any(where.is_relative_to(folder) for folder in self.allowed):
            self.found.append(f"{event} {where}")


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for watch in tuple(_watches):
        watch.note(event, arguments)


@contextmanager
def watched(*allowed: Path) -> Generator[list[str]]:
    """Collect what happens in this process meanwhile that has no business there.

    Files written or changed elsewhere than in the allowed directories, connections and look-ups of hosts,
    processes. Caches that a program is asked to use belong to what is allowed.

    Args:
        allowed: Directories in which files may change.

    Yields:
        A list that grows: one line for everything that was found.
    """
    global _hooked  # noqa: PLW0603 - a hook can be added to a process and never removed
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    watch = _Watch(allowed)
    _watches.append(watch)
    try:
        yield watch.found
    finally:
        _watches.remove(watch)
