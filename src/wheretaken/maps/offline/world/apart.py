"""Builds the world file in a process of its own: building takes 700 MB, which a server would never give back.

The child pickles what it has to say to its standard output: the stages as they begin, and the error that
ended it, if one did. It dies when nobody reads it any more, as when the parent was killed.
"""

from __future__ import annotations

import gc
import os
import pickle
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from wheretaken.errors import DataError, MissingExtraError, WheretakenError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheretaken.maps.offline.world.cached import Progress

_PROGRAM = "import sys; sys.path[:] = {path!r}; from {module} import main; main()"
_TOLD = (WheretakenError, ImportError, OSError, sqlite3.Error)
"""Errors that the parent raises in its own process; the traceback of any other is on standard error."""


def write_file(path: Path, progress: Progress) -> None:
    """Write the whole world file to `path` (an empty file).

    Raises:
        MissingExtraError: the packages that hold the data are not installed.
        DataError: the process that builds was killed.
    """
    # It finds our package and those of the extras where this process found them.
    program = _PROGRAM.format(path=sys.path, module=__name__)
    command = [sys.executable, "-c", program, str(path)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as child:  # noqa: S603 - ours
        assert child.stdout is not None
        try:
            for stage in _heard(child.stdout):
                progress(*stage)
        except BaseException:  # of whatever kind, also Ctrl-C: nobody waits for the file any more
            child.kill()
            raise
    if child.returncode:
        raise DataError(
            f"building the place index was ended ({_how(child.returncode)}): it needs about 700 MB of memory,"
            " once; run  wheretaken doctor  when there is room"
        )


def _heard(output: IO[bytes]) -> Iterator[tuple[str, int, int]]:
    """Yield the stages that the child tells of, and raise what ends it."""
    while True:
        try:
            told: Any = pickle.load(output)  # noqa: S301 - written by our own child
        except EOFError:
            return
        if isinstance(told, BaseException):
            raise told
        yield told


def _how(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def main() -> None:
    """Be the child: write the file that the command line names."""
    gc.disable()  # it would walk millions of live objects again and again, for nothing
    try:
        # At the top it would be loaded by the parent too, with its libraries.
        from wheretaken.maps.offline.world import build  # noqa: PLC0415

        build.write_file(Path(sys.argv[1]), _stage)
    except ModuleNotFoundError as error:
        _say(MissingExtraError("building the place index", "offline", error.name or str(error)))
    except _TOLD as error:
        _say(error)


def _stage(name: str, number: int, of: int) -> None:
    _say((name, number, of))


def _say(told: object) -> None:
    try:
        sys.stdout.buffer.write(pickle.dumps(told))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)  # the parent is gone
