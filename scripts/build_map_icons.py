"""Write the map's icons: white shapes on a badge in the colour of their sort, as SVG files of 16 x 16 pixels.

    python scripts/build_map_icons.py

The shapes, in `map_icons.ini`, were drawn for this project.
"""

from __future__ import annotations

import configparser
import re
from pathlib import Path

from wheretaken.maps.offline.render import palette

TARGET = Path(__file__).parents[1] / "src/wheretaken/maps/offline/data/icons"

SHAPES = Path(__file__).with_name("map_icons.ini")
HATCH = """<svg xmlns="http://www.w3.org/2000/svg" width="12" height="12" viewBox="0 0 12 12">
<path stroke="{colour}" stroke-width="1" stroke-opacity=".4" d="M-3 3 3 -3M-3 15 15 -3M9 15 15 9"/>
</svg>
"""
LINE = 'stroke="#fff" stroke-width="1.1" stroke-linecap="round"'
SVG = """<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 16 16">
<rect x=".5" y=".5" width="15" height="15" rx="4" fill="#fff"/>
<rect x="1.2" y="1.2" width="13.6" height="13.6" rx="3.4" fill="{colour}"/>
{shape}
</svg>
"""


def main() -> None:
    shapes = configparser.ConfigParser(interpolation=None)
    shapes.read_string(SHAPES.read_text())
    TARGET.mkdir(parents=True, exist_ok=True)
    for old in TARGET.glob("*.svg"):
        old.unlink()
    (TARGET / "unknown.svg").write_text(HATCH.format(colour=palette.UNKNOWN))
    for section in shapes.sections():
        colour = getattr(palette, section)
        for name, shape in shapes[section].items():
            drawn = re.sub(r"<(path|circle) W", r'<\1 fill="#fff"', shape.strip())
            drawn = re.sub(r"<(path|circle) L(?! fill)(.*?)/>", rf'<\1 fill="none" {LINE}\2/>', drawn)
            drawn = re.sub(r"<(path|circle) L", rf"<\1 {LINE}", drawn).replace('"C"', f'"{colour}"')
            (TARGET / f"{name}.svg").write_text(SVG.format(colour=colour, shape=drawn))


if __name__ == "__main__":
    main()
