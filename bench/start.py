"""How long a person waits: the command's help, the first photo of a process, and the next ones.

    python bench/start.py [--rounds 5]

Each line is a new process, or the same one for "next photo", on a scene of one megapixel; the place index is
built before. Baselines in the same run: an interpreter that does nothing, and OCR of the photo alone.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

from wheretaken.maps.offline.provider import offline_provider
from wheretaken.testing.scenes import example_scene

NEXT = """
    import asyncio, sys, time
    from wheretaken import photos
    from wheretaken.agent import Case, PhotoInfo, record
    from wheretaken.maps.offline.provider import offline_provider
    from wheretaken.messages import Picture
    from wheretaken.models.reader.eye import Eye
    from wheretaken.models.reader.reader import Reader
    from wheretaken.tools.worldwide import WORLDWIDE

    def locate():
        photo = photos.load(sys.argv[1])
        info = PhotoInfo(sha256=photo.sha256, width=photo.width, height=photo.height)
        case = Case(Picture.encode(photo.image), info)
        # A new reader has read nothing yet; its OCR models stay loaded, as they do between photos.
        return asyncio.run(record(case, Reader(), WORLDWIDE, offline_provider()))

    locate()
    eye = Eye()
    eye.read(photos.load(sys.argv[1]).image)
    for _ in range(int(sys.argv[2])):
        began = time.perf_counter()
        assert locate().answer
        middle = time.perf_counter()
        eye.read(photos.load(sys.argv[1]).image)
        print(middle - began, time.perf_counter() - middle)
"""


def seconds(*command: str) -> float:
    """Run a command and return its wall-clock time."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own commands
    return time.perf_counter() - began


def line(title: str, ours: list[float], name: str, baseline: list[float]) -> None:
    """Print a row: median, slowest, and the ratio to the baseline's median."""
    ratio = statistics.median(ours) / statistics.median(baseline)
    print(
        f"{title:28} {statistics.median(ours):7.2f} {max(ours):7.2f}   "
        f"{name}: {statistics.median(baseline):.2f} s (x {ratio:.1f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    offline_provider().prepare()
    program = Path(sys.executable).with_name("wheretaken")
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        example_scene().image.save(photo, quality=92)
        nothing = [seconds(sys.executable, "-c", "") for _ in range(rounds)]
        help_ = [seconds(str(program), "--help") for _ in range(rounds)]
        reading = "from rapidocr import RapidOCR; import sys; RapidOCR()(sys.argv[1])"
        ocr = [seconds(sys.executable, "-c", reading, str(photo)) for _ in range(rounds)]
        first = [seconds(str(program), "locate", str(photo), "--quiet") for _ in range(rounds)]
        command = [sys.executable, "-c", textwrap.dedent(NEXT), str(photo), str(rounds)]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603 - as above
    pairs = [tuple(map(float, row.split())) for row in printed.splitlines()]
    print(f"{'':28} {'p50 s':>7} {'max s':>7}   baseline")
    line("wheretaken --help", help_, "python -c ''", nothing)
    line("first locate of a process", first, "OCR alone, new process", ocr)
    line("next locate", [a for a, _ in pairs], "OCR alone, same process", [b for _, b in pairs])


if __name__ == "__main__":
    main()
