"""File work in a thread of its own, one piece after the other, so that a slow disk holds up no run.

What is given first is done first: of a process that is killed, the beginning of the work is on disk.
"""

from __future__ import annotations

import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from wheretaken.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_WAITING = 10_000
"""Pieces of work; a disk that falls further behind is waited for, or memory would grow."""


class Writer:
    """Does pieces of file work in their order; a context manager that ends when all of them are done."""

    def __init__(self) -> None:
        """Start the thread."""
        self._work: SimpleQueue[Callable[[], object] | threading.Event | None] = SimpleQueue()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_error: object) -> None:
        self._work.put(None)
        self._thread.join()
        if kind is None:
            self._check()

    def do(self, work: Callable[[], object]) -> None:
        """Have a piece of work done, in its turn.

        Raises:
            UserError: an earlier piece failed, as when the disk is full; nothing after that was done.
        """
        self._check()
        if self._work.qsize() >= _MOST_WAITING:
            self._wait()
        self._work.put(work)

    def _wait(self) -> None:
        """Wait until all that was given so far is done."""
        done = threading.Event()
        self._work.put(done)
        done.wait()

    def _run(self) -> None:
        while work := self._work.get():
            if isinstance(work, threading.Event):
                work.set()
            elif self._error is None:
                try:
                    work()
                except OSError as error:
                    self._error = error

    def _check(self) -> None:
        if self._error is not None:
            where = f" {self._error.filename}" if self._error.filename else ""
            why = f"cannot write{where} ({self._error.strerror})"
            raise UserError(f"{why}: make room or get the permission, then go on") from self._error
