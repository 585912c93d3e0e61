"""Coordinates in running text.

Every number that could be a coordinate is found once, with the hemisphere and the label that stand beside it.
Neighbours make a pair, and the last pair of the most explicit sort is the answer:

1. labels: `lat: 48.85, lon: 2.35`, `Latitude: 48.85° N ... Longitude: 2.35° E`, `纬度：31.23，经度：121.47`
2. hemispheres: `48.8566° N, 2.3522° E`, `48°51'24"N 2°21'03"E`, `东经121.47度，北纬31.23度`
3. a bare pair with at least two decimals: `48.8566, 2.3522`
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.answers.angles import (
    CHINESE_HEMISPHERE,
    NONE,
    NUMBER,
    SWAPPED,
    Angle,
    angle,
    fold,
    hemisphere,
    in_range,
    number_start,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheretaken.answers.model import Repair

_AXES = {"lat", "lon"}
_LAT = r"lat(?:itude)?|[纬緯]°"  # folded: 纬度
_LON = r"lon(?:g(?:itude)?)?|lng|[经經経]°"
_AND = r"\s{0,2}(?:[/,&、]|and|和)?\s{0,2}"
_NUMBER = re.compile(
    rf"{NUMBER} (?P<unit>\s{{0,2}}\(?(?:(?P<unit_lat>{_LAT})|(?:{_LON}))(?![a-z]))?+",
    re.IGNORECASE | re.VERBOSE,
)
_BEFORE = re.compile(
    rf"""(?: (?<![a-z])(?: (?P<both>(?:{_LAT}){_AND}(?:{_LON})) | (?P<turned>(?:{_LON}){_AND}(?:{_LAT}))
                         | (?P<lat>{_LAT}) | (?P<lon>{_LON}) )(?![a-z])
             | (?<![a-z])(?P<letter>[NSEW])\s{{0,2}}\Z | {CHINESE_HEMISPHERE} )
         (?: [\s"'*_`:=≈~<>()\[|°] | -\s | [是为約约大]
             | \b(?:is|are|of|about|around|roughly|approx(?:imately)?)\b\.? ){{0,12}} \Z""",
    re.IGNORECASE | re.VERBOSE,
)
"""The label or hemisphere before a number, up to the number; its last group says which it is."""
_REACH = 48
"""Characters before a number in which its label stands."""
_LABEL_GAP = 80
"""Characters between a labelled number and the next, at most."""
_LETTER_GAP = 20
_BETWEEN_BARE = re.compile(r"\s{0,2}[,;]\s{0,3}\(?")


class Pair(NamedTuple):
    """A position in a text, where it stands, and what was put right."""

    lat: float
    lon: float
    start: int
    end: int
    repairs: frozenset[Repair]


class _Coordinate(NamedTuple):
    """A number with what stands beside it."""

    angle: Angle
    label: str
    """`lat`, `lon`, `both` or `turned` (a label for two numbers, longitude first when turned), or empty."""
    decimals: int
    marked: bool
    """Has a degree sign or decimals, as street numbers have not."""
    start: int
    """Where its label begins."""
    number: int
    """Where the number begins."""
    end: int

    @property
    def axis(self) -> str:
        return self.angle.axis or (self.label if self.label in _AXES else "")


def read_pair(text: str, decimals: int = 2) -> Pair | None:
    """Return the last and most explicit position in a text.

    Args:
        text: as it was written.
        decimals: how many each number of a bare pair must have.
    """
    plain = fold(text)
    pairs = list(itertools.pairwise(_coordinates(plain)))[::-1]
    for sort in (_labelled, _lettered):
        for one, two in pairs:
            if sort(one, two) and (pair := _pair(one, two, one.axis == "lon")):
                return pair
    for one, two in pairs:
        if _bare(one, two, plain, decimals) and (pair := _pair(one, two, one.label in {"lon", "turned"})):
            return pair
    return None


def _coordinates(text: str) -> Iterator[_Coordinate]:
    end = 0
    for match in _NUMBER.finditer(text):
        start = number_start(match)
        before = _BEFORE.search(text, max(end, start - _REACH), start)
        label = before.lastgroup or "" if before else ""
        # Behind a number that has its label already stands that of the next one.
        end = match.start("unit") if match["unit"] and label in _AXES else match.end()
        coordinate = _coordinate(match, before, end)
        if coordinate:
            yield coordinate


def _coordinate(match: re.Match[str], before: re.Match[str] | None, end: int) -> _Coordinate | None:
    """Return a number with what stands beside it; None when its hemisphere contradicts its label."""
    label = before.lastgroup or "" if before else ""
    read = angle(match, hemisphere(before["letter"] or before["chinese"]) if before else "")
    if read is None or (read.axis and label in _AXES and label != read.axis):
        return None
    if match["unit"] and end == match.end():
        label = "lat" if match["unit_lat"] else "lon"
    fraction = match["fraction"] or ""
    return _Coordinate(
        angle=read,
        label="" if label in {"letter", "chinese"} else label,
        decimals=max(0, len(fraction) - 1),
        marked=bool(fraction or match["mark"]),
        start=before.start() if before else number_start(match),
        number=number_start(match),
        end=end,
    )


def _labelled(one: _Coordinate, two: _Coordinate) -> bool:
    has_label = bool(one.label or two.label)
    return has_label and {one.axis, two.axis} == _AXES and two.number - one.end <= _LABEL_GAP


def _lettered(one: _Coordinate, two: _Coordinate) -> bool:
    # "12 S, 7 E" is a street address at least as often: each needs a degree sign or decimals.
    axes = {one.angle.axis, two.angle.axis}
    return axes == _AXES and one.marked and two.marked and two.number - one.end <= _LETTER_GAP


def _bare(one: _Coordinate, two: _Coordinate, text: str, decimals: int) -> bool:
    unnamed = not (one.angle.axis or two.angle.axis or two.label)
    enough = min(one.decimals, two.decimals) >= decimals
    return unnamed and enough and _BETWEEN_BARE.fullmatch(text, one.end, two.number) is not None


def _pair(one: _Coordinate, two: _Coordinate, turned: bool) -> Pair | None:
    lat, lon = (two, one) if turned else (one, two)
    position = in_range(lat.angle.degrees, lon.angle.degrees)
    if position is None:
        return None
    repairs = one.angle.repairs | two.angle.repairs | (SWAPPED if position[2] else NONE)
    return Pair(position[0], position[1], one.start, two.end, repairs)
