"""Reads a large extract in a process of its own: what osmium reads in one is written in the other meanwhile.

The child pickles what it has to say to its standard output: some hundred features at a time, what reading
told at the end, or the error that ended it. It ends itself when nobody reads it any more, as when the parent
was killed. The features come in the order of the file, so that a region is the same however it was read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from wheretaken.errors import DataError, WheretakenError
from wheretaken.maps.offline.region import read
from wheretaken.maps.offline.region.read import Feature, Source
from wheretaken.maps.offline.region.schema import ATTRIBUTION

if TYPE_CHECKING:
    from collections.abc import Generator

_LARGE_BYTES = 5_000_000
"""A smaller extract is read before another process has loaded its libraries."""
_BATCH = 500
_PIPE_BYTES = 1 << 20
"""Some thousand features lie ready while others are written; the most that Linux gives everybody."""
_QUEUE = {"OSMIUM_MAX_OSMDATA_QUEUE_SIZE": "4"}
"""Buffers of decoded elements that lie ready in osmium: its own 20 take 40 MB more, and are no faster."""
_PATIENCE_S = 5
"""How long a child that is not read any more may take to clear up."""
_PROGRAM = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"
_TOLD = (WheretakenError, OSError)
"""Errors that the parent raises in its own process; the traceback of any other is on standard error."""


def source(path: Path) -> Source | ReadApart:
    """Return how an extract is read fastest."""
    large = path.is_file() and path.stat().st_size >= _LARGE_BYTES
    return ReadApart(path) if large and (os.cpu_count() or 1) > 1 else Source(path)


@dataclass(slots=True)
class ReadApart:
    """Like `Source`, which the child reads."""

    path: Path
    bounds: tuple[float, float, float, float] | None = None
    date: str = ""
    incomplete: int = 0
    attribution: str = ATTRIBUTION
    _child: int = 0

    def features(self) -> Generator[Feature]:
        """Yield every tagged feature that is drawn or searched; nodes first, as in the file.

        Raises:
            DataError: the file is missing or is no OpenStreetMap extract, or the child was killed.
            MissingExtraError: osmium is not installed.
            OSError: the disk is full.
        """
        # It finds our package and osmium where this process found them.
        program = _PROGRAM.format(path=sys.path, module=__name__)
        with subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-c", program, str(self.path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            pipesize=_PIPE_BYTES,
            env=_QUEUE | os.environ,
            start_new_session=True,  # Ctrl-C is for the parent, which ends the child
        ) as child:
            assert child.stdout is not None
            self._child = child.pid
            try:
                yield from self._heard(child.stdout)
            finally:
                _end(child)
        if child.returncode == -signal.SIGBUS:  # what the system does when a mapped file has no room
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if child.returncode:
            how = f"signal {-child.returncode}" if child.returncode < 0 else f"exit code {child.returncode}"
            raise DataError(f"reading {self.path} was ended ({how}): make room in memory, and add it again")

    def read_share(self) -> tuple[int, int]:
        """Return how many bytes of the file were read, of how many; 0 of 0 where the system does not tell."""
        return read.share(self.path, str(self._child))

    def _heard(self, output: IO[bytes]) -> Generator[Feature]:
        """Yield the features that the child tells of, keep what reading told, and raise what ends it."""
        while True:
            try:
                told: Any = pickle.load(output)  # noqa: S301 - written by our own child
            except (EOFError, pickle.UnpicklingError):
                return  # its exit code says why
            if isinstance(told, BaseException):
                raise told
            if isinstance(told, tuple):
                self.bounds, self.date, self.incomplete = told
                return
            for fields in told:
                yield Feature(*fields)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Wait for a child that has nothing more to say, or that nobody listens to."""
    assert child.stdout is not None
    child.stdout.close()
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
        read.clear_positions()


def main() -> None:
    """Be the child: read the extract that the command line names."""
    extract = Source(Path(sys.argv[1]))
    try:
        with contextlib.closing(extract.features()) as features:
            while batch := [tuple(feature) for feature in islice(features, _BATCH)]:
                _say(batch)
        _say((extract.bounds, extract.date, extract.incomplete))
    except _TOLD as error:
        _say(error)


def _say(told: object) -> None:
    try:
        sys.stdout.buffer.write(pickle.dumps(told))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # The parent is gone: what is left of the output goes nowhere, and the positions are deleted.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
