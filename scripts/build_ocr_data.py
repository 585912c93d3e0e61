"""Rebuild the shipped text-line models for scripts that the main OCR models lack.

Takes Debian's `tesseract-ocr-*` packages (tessdata_fast 4.1.0, Apache-2.0) with `apt-get download` and keeps
only the neural line model, its character set and its version. The word lists, nine tenths of the size, are
left out on purpose: place names are not in them, and reading names does not get worse without them.

Format: https://github.com/tesseract-ocr/tesseract src/ccutil/tessdatamanager.h - an int32 count, that many
int64 offsets (-1 for absent), then the components.
"""

import struct
import subprocess
import tempfile
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "src/wheretaken/models/reader/tessdata"
KEPT = frozenset({0, 17, 21, 22, 23})
"""config, LSTM model, its character set, its recoder, version."""

# Where both exist, the model that read rendered place names with fewer errors was taken.
MODELS = {
    "arabic": ("script-arab", "Arabic"),
    "armenian": ("script-armn", "Armenian"),
    "bengali": ("script-beng", "Bengali"),
    "cyrillic": ("script-cyrl", "Cyrillic"),
    "devanagari": ("script-deva", "Devanagari"),
    "ethiopic": ("amh", "amh"),
    "georgian": ("kat", "kat"),
    "greek": ("script-grek", "Greek"),
    "gujarati": ("script-gujr", "Gujarati"),
    "gurmukhi": ("script-guru", "Gurmukhi"),
    "hangul": ("script-hang", "Hangul"),
    "hebrew": ("heb", "heb"),
    "kannada": ("script-knda", "Kannada"),
    "khmer": ("khm", "khm"),
    "lao": ("script-laoo", "Lao"),
    "malayalam": ("script-mlym", "Malayalam"),
    "myanmar": ("mya", "mya"),
    "sinhala": ("script-sinh", "Sinhala"),
    "tamil": ("script-taml", "Tamil"),
    "telugu": ("script-telu", "Telugu"),
    "thai": ("tha", "tha"),
}


def stripped(data: bytes) -> bytes:
    """Return the container with only the kept components."""
    count = struct.unpack_from("<i", data)[0]
    offsets = struct.unpack_from(f"<{count}q", data, 4)
    head = 4 + 8 * count
    body, table = bytearray(), []
    for number, start in enumerate(offsets):
        if start < 0 or number not in KEPT:
            table.append(-1)
            continue
        end = min((other for other in offsets if other > start), default=len(data))
        table.append(head + len(body))
        body += data[start:end]
    return struct.pack(f"<i{count}q", count, *table) + bytes(body)


def main() -> None:
    """Download, strip and write every model."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        for script, (package, model) in MODELS.items():
            subprocess.run(["apt-get", "download", "-q", f"tesseract-ocr-{package}"], cwd=work, check=True)
            archive = next(Path(work).glob(f"tesseract-ocr-{package}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive, work], check=True)
            source = next(Path(work).rglob(f"{model}.traineddata"))
            made = stripped(source.read_bytes())
            (TARGET / f"{script}.traineddata").write_bytes(made)
            print(f"{script:12} {len(made) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
