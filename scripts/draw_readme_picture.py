"""Draw the README's picture: the example photo, and beside it the map that the reader looked at.

Runs `wheretaken locate` on the example, so that the picture shows what the program really does.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
HEIGHT = 480


def main() -> None:
    """Locate the example and join photo and map."""
    photo = ROOT / "examples" / "helsinki-corner.jpg"
    program = Path(sys.executable).with_name("wheretaken")
    with tempfile.TemporaryDirectory() as out:
        command = [str(program), "locate", str(photo), "--json", "--out", out]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        drawn = Image.open(json.loads(printed)["trajectory"]["map"]).convert("RGB")
    left = Image.open(photo).convert("RGB")
    pictures = [image.resize((image.width * HEIGHT // image.height, HEIGHT)) for image in (left, drawn)]
    joined = Image.new("RGB", (sum(p.width for p in pictures) + 12, HEIGHT), "white")
    joined.paste(pictures[0], (0, 0))
    joined.paste(pictures[1], (pictures[0].width + 12, 0))
    joined.save(ROOT / "docs" / "images" / "helsinki-corner.jpg", quality=88)


if __name__ == "__main__":
    main()
