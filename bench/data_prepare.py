"""How fast `data prepare` writes a data set, and how much memory it takes.

    python bench/data_prepare.py [--photos 5000]

The photos are synthetic: crops of one large texture with the grain of a camera, half of them 640x480 and half
1024x768, each with a GPS position in EXIF. The baseline is what one would write first: a loop in one process
that opens each photo with Pillow, encodes it anew, and hands all rows to pyarrow. Both are programs of their
own, measured from start to end; memory is the peak of the program, which has no children. CPU seconds tell
how much of a busy machine it got.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

SIZES = ((640, 480), (1024, 768))
BASELINE_PHOTOS = 500
"""The baseline is measured on as many; it would take minutes for all."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--photos", type=int, default=5000)
    parser.add_argument("--baseline", nargs=2, type=Path, metavar=("TABLE", "OUT"))
    options = parser.parse_args()
    if options.baseline:
        simple_loop(*options.baseline)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        size = make_photos(folder, options.photos)
        few = (folder / "photos.jsonl").read_text().splitlines()[:BASELINE_PHOTOS]
        (folder / "few.jsonl").write_text("\n".join(few))
        print(
            f"{options.photos} JPEG photos, {' and '.join(f'{w}x{h}' for w, h in SIZES)}, {size / 1e6:.0f} MB"
        )
        print(
            f"{'program':34} {'photos':>7} {'s':>7} {'CPU s':>7} {'photos/s':>9} {'peak MB':>8} {'ratio':>6}"
        )
        script = [sys.executable, __file__, "--baseline"]
        base = run(
            "Pillow, pyarrow: a simple loop", [*script, folder / "few.jsonl", folder / "b.parquet"], len(few)
        )
        command = [sys.executable, "-m", "wheretaken", "data", "prepare", folder / "photos.jsonl"]
        for layout in ("table", "verl"):
            out = folder / f"{layout}.parquet"
            args = [*command, "-o", out, "--for", layout]
            run(f"wheretaken data prepare --for {layout}", args, options.photos, base)
            out.unlink()


def run(name: str, command: list[str | Path], photos: int, base: float = 0) -> float:
    """Print a line of the table; return photos per second."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    rate = photos / seconds
    cpu, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    ratio = rate / (base or rate)
    print(f"{name:34} {photos:7} {seconds:7.1f} {cpu:7.1f} {rate:9.0f} {peak:8.0f} {ratio:5.1f}x", flush=True)
    return rate


def make_photos(folder: Path, count: int) -> int:
    """Write the photos and their table; return their size in bytes."""
    rng = np.random.default_rng(1)
    coarse = Image.fromarray(rng.integers(20, 235, (160, 160, 3), dtype=np.uint8))
    texture = np.asarray(coarse.resize((2560, 2560), Image.Resampling.BICUBIC), dtype=np.int16)
    grain = rng.normal(0, 6, (2560, 2560, 1)).astype(np.int16)
    texture = (texture + grain).clip(0, 255).astype(np.uint8)
    total = 0
    with (folder / "photos.jsonl").open("w") as table:
        for number in range(count):
            width, height = SIZES[number % 2]
            left, top = rng.integers(0, 2560 - 1024, 2)
            lat, lon = float(rng.uniform(-60, 70)), float(rng.uniform(-180, 180))
            data = encoded(Image.fromarray(texture[top : top + height, left : left + width]), lat, lon)
            (folder / f"{number}.jpg").write_bytes(data)
            table.write(json.dumps({"image": f"{number}.jpg", "lat": lat, "lon": lon}) + "\n")
            total += len(data)
    return total


def encoded(picture: Image.Image, lat: float, lon: float) -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x0110] = 1, "A camera"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N" if lat >= 0 else "S", (abs(lat), 0.0, 0.0)
    gps[3], gps[4] = "E" if lon >= 0 else "W", (abs(lon), 0.0, 0.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=88, exif=exif)
    return buffer.getvalue()


def simple_loop(table: Path, out: Path) -> None:
    rows: list[dict[str, object]] = []
    for line in table.read_text().splitlines():
        row = json.loads(line)
        buffer = io.BytesIO()
        with Image.open(table.parent / row["image"]) as picture:
            picture.convert("RGB").save(buffer, "JPEG", quality=95)
        rows.append({"image": {"bytes": buffer.getvalue()}, "lat": row["lat"], "lon": row["lon"]})
    pq.write_table(pa.Table.from_pylist(rows), out)


if __name__ == "__main__":
    main()
