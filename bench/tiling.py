"""A large extract out of a small one: copies of it side by side, as one `.osm.pbf` in the usual order.

    python bench/tiling.py EXTRACT TARGET.osm.pbf COPIES

What a copy holds is as dense, as much tagged and packed as in the original; only the names come again in
each, so that a street has as many namesakes as there are copies. What a country has at its edge only is left
out, as copies have edges everywhere: coastlines, which would end in the middle of nowhere, and relations that
are not whole.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import osmium

GAP = 0.002
"""Degrees between two copies."""
ID_STEP = 10_000_000_000
"""Added to the ids of each further copy: above every id of OpenStreetMap."""
_NUMBERS = re.compile(
    r"^(?P<own>[nwr])(?P<id>\d+)|(?<=[ ,NM])(?P<member>[nwr])(?P<ref>\d+)(?=[,@]|$)"
    r"| x(?P<lon>-?[\d.]+)| y(?P<lat>-?[\d.]+)"
)
_MEMBER_WAYS = re.compile(r"(?<=[,M]w)\d+(?=@)")


class Elements:
    """The elements of one type as lines of OPL (https://osmcode.org/opl-file-format/), with gaps for numbers.

    All of them are kept in memory, of one copy at a time.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._numbers: list[tuple[str, float]] = []

    def add(self, line: str) -> None:
        """Add an element."""
        before, mark, after = line.partition(" T")
        tags, space, members = after.partition(" ")
        self._lines.append(
            self._with_gaps(before) + (mark + tags + space).replace("%", "%%") + self._with_gaps(members)
        )

    def _with_gaps(self, text: str) -> str:
        def gap(found: re.Match[str]) -> str:
            axis = "lon" if found["lon"] else "lat"
            if found[axis]:
                self._numbers.append((axis, float(found[axis])))
                return f" {'x' if axis == 'lon' else 'y'}%.7f"
            self._numbers.append(("id", int(found["id"] or found["ref"])))
            return f"{found['own'] or found['member']}%d"

        # Roles may hold the sign of a gap.
        return _NUMBERS.sub(gap, text.replace("%", "%%"))

    def copy(self, shift: dict[str, float]) -> str:
        """Return the lines with each number moved by the shift of its sort: `id`, `lon`, `lat`."""
        return "".join(self._lines) % tuple(value + shift[sort] for sort, value in self._numbers)


def tile(source: Path, target: Path, copies: int) -> Path:
    """Write so many copies of an extract, as near to a square as their number allows."""
    box = osmium.io.Reader(str(source)).header().box()
    wide, high = box.top_right.lon - box.bottom_left.lon + GAP, box.top_right.lat - box.bottom_left.lat + GAP
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        plain, large = Path(folder, "one.opl"), Path(folder, "all.opl")
        with osmium.SimpleWriter(plain) as writer:
            osmium.apply(str(source), writer)
        sorts = {sort: Elements() for sort in "nwr"}
        ways = set[str]()
        with plain.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                if line[0] == "w":
                    ways.add(line[1:].partition(" ")[0])
                whole = line[0] != "r" or ways.issuperset(_MEMBER_WAYS.findall(line))
                if whole and "natural=coastline" not in line:
                    sorts[line[0]].add(line)
        columns = max(1, round((copies * high / wide) ** 0.5))
        with large.open("w", encoding="utf-8", newline="\n") as file:
            for elements in sorts.values():
                for number in range(copies):
                    row, column = divmod(number, columns)
                    file.write(
                        elements.copy({"id": number * ID_STEP, "lon": column * wide, "lat": row * high})
                    )
        with osmium.SimpleWriter(target, overwrite=True) as writer:
            osmium.apply(str(large), writer)
    return target


if __name__ == "__main__":
    made = tile(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
    print(f"{made}: {made.stat().st_size:,} bytes")
