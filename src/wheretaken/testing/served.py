"""A real tool server as a process of its own, on a free port of this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_STARTS_S = 30.0


class Served:
    """`wheretaken serve` in a directory, which may hold its settings file; it runs when this is made."""

    def __init__(self, directory: Path, *options: str, **environment: str) -> None:
        """Start it with these options and this environment beside our own; its log is `server.log`.

        Raises:
            RuntimeError: it does not start; the log says why.
        """
        self.log = directory / "server.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", "wheretaken", "serve", "--port", "0", "--cache", "memory", *options],
                cwd=directory,
                env=os.environ | {"TMPDIR": str(directory)} | environment,
                stderr=log,
            )
        self.url = self._started()

    def stop(self) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def children(self) -> list[int]:
        """Return the processes of the workers."""
        listed = subprocess.run(  # noqa: S603 - a fixed command
            ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(self.process.pid)],  # noqa: S607 - in every PATH
            capture_output=True,
            text=True,
            check=True,
        )
        lines = (line.split(maxsplit=1) for line in listed.stdout.splitlines())
        return [int(pid) for pid, command in lines if "spawn_main" in command]

    def _started(self) -> str:
        until = time.monotonic() + _STARTS_S
        while time.monotonic() < until and self.process.poll() is None:
            if (found := re.search(r"at (http://\S+)", self.log.read_text())) and _answers(found[1]):
                return found[1]
            time.sleep(0.05)
        self.process.kill()
        self.process.wait()
        raise RuntimeError(f"the server does not start: {self.log.read_text()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=5):  # noqa: S310 - the address that it printed
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
