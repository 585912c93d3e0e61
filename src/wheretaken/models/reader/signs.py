"""From lines of text to what they may say: names to look up, distances, house numbers.

A `Text` is one thing that the picture says, with the spellings worth looking up and the lines it is made of.
Texts overlap on purpose (a line, and the line joined with the next): `belief` uses each line once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.maps.offline.names import (
    BUILDING_WORDS,
    LINK_WORDS,
    SETTLEMENT_WORDS,
    STATION_WORDS,
    STREET_WORDS,
    fold,
)
from wheretaken.models.reader import scripts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.models.reader.eye import Line

_NUMBER = r"\d{1,3}(?:[ .,]\d{3})*(?:[.,]\d)?|\d{1,4}(?:[.,]\d)?"
_UNITS = r"""
    kilometers? kilometres? kms?
    км კმ կմ χλμ كم کم ק"מ क\.?म\.? किमी कि\.मी কিমি কি\.মি ਕਿ\.ਮੀ ਕਿਮੀ કિ\.મી કિમી கி\.மீ கிமீ
    కి\.మీ కిమీ ಕಿ\.ಮೀ ಕಿಮೀ കി\.മീ കിമീ කි\.මී කිමී กม ก\.ม
    ກມ ກິໂລແມັດ គម គ\.ម ကီလိုမီတာ ကီလို ኪ\.?ሜ 公里 千米 キロ 킬로
    miles? mls? mi m
"""
"""Kilometres and miles as signs write them; regular expressions, one a word."""
_UNIT = "|".join(_UNITS.split())
_DISTANCE = re.compile(rf"(?<![\w.,+-])(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})\.?(?!\w)", re.IGNORECASE)
_BARE_NUMBER = re.compile(r"^[\s←→↑↓<>«»()]*(\d{1,4}(?:[.,]\d)?)[\s←→↑↓<>«»()]*$")
_TRAILING_NUMBER = re.compile(r"^(?P<name>\D{3,}?)\s+(?P<number>\d{1,4})$")
_HOUSE_NUMBER = re.compile(r"^\d{1,4}\s?[A-Za-zА-Яа-я]?$")
_EDGES = " \t[](){}<>|«»\"'`´·•*_=~←→↑↓➜-–—:;,.!?！？。、"
FARTHEST_KM = 2500
"""Signs give no greater distances; such a number is something else or misread."""
KM_PER_MILE = 1.609344
MOST_TEXTS = 24

# Words and brands that signs bear everywhere; many are the names of towns as well (Bar, Sale, Samsung).
_EVERYWHERE = """
    open opening hours closed sale sales bar bars hotel motel taxi stop exit entry bus tram metro
    cafe coffee restaurant pizza pizzeria grill food market shop store mall bank atm parking park
    police hospital pharmacy school church museum city centre center centrum downtown airport
    station street road avenue no yes push pull welcome to the and for new free info information
    tourist tickets ticket caution danger warning attention one way only slow end work men women
    toilet toilets wc litter smoking please keep clear private property fire hose emergency north
    south east west left right km mi est since tel phone fax www com mon tue wed thu fri sat sun
    monday tuesday wednesday thursday friday saturday sunday la le les el los das der die de du des
    un une via rue calle san santa saint st samsung sony apple google microsoft huawei xiaomi nokia
    lg panasonic canon nikon toyota honda nissan mazda ford bmw audi volkswagen mercedes benz
    renault peugeot fiat hyundai kia shell bp esso total coca cola pepsi fanta sprite nescafe nestle
    heineken carlsberg mcdonalds burger king kfc subway starbucks ikea zara nike adidas puma visa
    mastercard dhl fedex ups western union wifi wi fi home best super mini big sushi kebab doner
    noodle noodles curry tapas wine beer tea bakery bistro pub deli kiosk optician dentist hair
    beauty nails salon barber shoes books flowers
"""
EVERYWHERE = frozenset(_EVERYWHERE.split())
_GENERIC = BUILDING_WORDS | STATION_WORDS | SETTLEMENT_WORDS | LINK_WORDS | EVERYWHERE

STREET_ENDINGS = (
    "strasse", "str", "gasse", "weg", "platz", "straat", "laan", "gatan", "gata", "vägen", "vej", "gade",
    "katu", "tie", "kuja", "路", "街", "道", "大道", "로", "길", "通り",
)  # fmt: skip


@dataclass(frozen=True)
class Text:
    """Something the picture says that may name a place."""

    reads: str
    """As a person would quote it."""
    queries: tuple[str, ...]
    """Spellings to look up, the most faithful first."""
    lines: frozenset[int]
    """Which lines it is made of."""
    height: float = 0.0
    """Of the writing, as a share of the picture's height: what is large is what the sign is about."""
    confidence: float = 1.0
    distance_km: float | None = None
    """Set on direction signs: the road distance to the place that is named."""


@dataclass
class _Row:
    """A line while distances and numbers are being attached to it."""

    number: int
    line: Line
    name: str
    distance_km: float | None = None
    taken: set[int] = field(default_factory=set[int])


def texts_of(lines: Sequence[Line], picture_height: float) -> list[Text]:
    """Return what the lines may say, the most telling first."""
    rows = [_Row(n, line, line.text.strip(_EDGES)) for n, line in enumerate(lines)]
    _attach_distances(rows)
    found: list[Text] = []
    for row in rows:
        if text := _named(row, picture_height):
            found.append(text)
            found.extend(_addresses(row, rows, text))
    found.extend(_joined(rows, picture_height))
    found.sort(key=lambda t: (-t.confidence * _tells(t), t.reads))
    return found[:MOST_TEXTS]


def _tells(text: Text) -> float:
    """Large writing and names of some length first; direction signs before all."""
    letters = sum(char.isalpha() for char in text.queries[0])
    return min(letters, 12) * (0.02 + text.height) * (3.0 if text.distance_km else 1.0)


def _named(row: _Row, picture_height: float) -> Text | None:
    if not row.name:  # its line is a distance, of which other readings are no names either
        return None
    queries = _spellings(row.name, row.line.alternatives)
    if not queries:
        return None
    return Text(
        reads=row.name,
        queries=queries,
        lines=frozenset({row.number, *row.taken}),
        height=row.line.height / picture_height,
        confidence=row.line.confidence,
        distance_km=row.distance_km,
    )


def _spellings(name: str, alternatives: Sequence[str] = ()) -> tuple[str, ...]:
    """The line, its parts in different scripts, and other readings; without what says nothing."""
    parts = scripts.runs(name)
    options = [name, *(parts if len(parts) > 1 else ()), *alternatives]
    kept: dict[str, None] = {}
    for option in options:
        text = option.strip(_EDGES)
        if says_something(text):
            kept.setdefault(text)
    return tuple(kept)


def says_something(text: str) -> bool:
    """Tell whether a text could name a place: enough letters, and more than words that all signs bear."""
    letters = [char for char in text if char.isalpha()]
    if scripts.dominant(text) in {"han", "kana", "hangul"}:
        return len(letters) >= 2
    if len(letters) < 3:
        return False
    return any(word not in _GENERIC for word in fold(text).split() if not word.isdigit())


def is_street(text: str) -> bool:
    """Tell whether a text names a street by a word for one: "Yuyuan Rd.", "Rue du Louvre", "愚园路"."""
    words = [word for word in fold(text).split() if not word.isdigit()]
    return any(word in STREET_WORDS for word in words) or (bool(words) and words[-1].endswith(STREET_ENDINGS))


def covered_by(name: str, text: str) -> float:
    """Return which part of a text a name makes up, leaving out words that say what a thing is.

    "Yerköy" covers "Yerköy Devlet Hastanesi" (state hospital) well, "Bad" covers "Bad Kohlgrub" badly.
    """
    named = set(fold(name).split())
    telling = [word for word in fold(text).split() if word in named or word not in _GENERIC]
    letters = sum(map(len, telling))
    return min(1.0, len(fold(name).replace(" ", "")) / letters) if letters else 0.0


def _attach_distances(rows: list[_Row]) -> None:
    """Read "Lahti 56 km", "Lahti 56" among its like, and numbers beside or below a name."""
    with_unit = [row for row in rows if not _names_its_distance(row) and _alone_with_unit(row)]
    bare = [row for row in rows if _BARE_NUMBER.match(row.line.text)]
    pairs = [(owner, row) for row in with_unit if (owner := _owner(row, rows))]
    beside = [(owner, row) for row in bare if (owner := _beside(row, rows))]
    # A lone number beside a name is a house number or a route; several in a column are distances.
    if len({owner.number for owner, _ in beside}) >= 2 and not pairs:
        pairs.extend(beside)
    for owner, row in pairs:
        owner.distance_km = _alone_with_unit(row) or _bare(row)
        owner.taken.add(row.number)
        row.name = ""
    trailing = [(row, match) for row in rows if (match := _TRAILING_NUMBER.match(row.name))]
    if len(trailing) >= 2:
        for row, match in trailing:
            if says_something(match["name"]) and row.distance_km is None:
                row.name, row.distance_km = match["name"].strip(_EDGES), float(match["number"])
    _share_between_scripts(rows)


def _names_its_distance(row: _Row) -> bool:
    """Split a line that holds both name and distance; tell whether it does."""
    match = _DISTANCE.search(row.line.text)
    if not match:
        return False
    name = (row.line.text[: match.start()] + " " + row.line.text[match.end() :]).strip(_EDGES)
    if says_something(name):
        row.name, row.distance_km = name, _kilometres(match["number"], match["unit"])
    return says_something(name)


def _alone_with_unit(row: _Row) -> float | None:
    """Kilometres, when a line is nothing but a distance with its unit."""
    match = _DISTANCE.search(row.line.text)
    return _kilometres(match["number"], match["unit"]) if match else None


def _bare(row: _Row) -> float | None:
    match = _BARE_NUMBER.match(row.line.text)
    return _kilometres(match[1], "") if match else None


def _share_between_scripts(rows: list[_Row]) -> None:
    """Give a distance to the other-script name right above or below as well: "서울 / Seoul / 56 km"."""
    for row in rows:
        if row.distance_km is None:
            continue
        for other in rows:
            if other is row or other.distance_km is not None or not says_something(other.name):
                continue
            same_column = _overlap(row.line.box[0::2], other.line.box[0::2]) > 0.5
            gap = max(row.line.box[1], other.line.box[1]) - min(row.line.box[3], other.line.box[3])
            differs = scripts.dominant(row.name) != scripts.dominant(other.name)
            if same_column and differs and gap < max(row.line.height, other.line.height):
                other.distance_km = row.distance_km


def _kilometres(number: str, unit: str) -> float | None:
    digits = re.sub(r"[ .,](?=\d{3})", "", number).replace(",", ".")
    value = float(digits)
    if unit == "m" or not 0 < value < FARTHEST_KM:
        return None
    return value * (KM_PER_MILE if unit.casefold().startswith("m") else 1.0)


def _owner(row: _Row, rows: list[_Row]) -> _Row | None:
    """The name that a distance belongs to: beside it, else the closest above it."""
    if found := _beside(row, rows):
        return found
    left, top, right, _ = row.line.box
    above = [
        other
        for other in rows
        if says_something(other.name)
        and _overlap((left, right), other.line.box[0::2]) > 0.3
        and 0 <= top - other.line.box[1] <= 6 * row.line.height
    ]
    return max(above, key=lambda other: other.line.box[1], default=None)


def _beside(row: _Row, rows: list[_Row]) -> _Row | None:
    """The name in the same row of the sign, to the left before to the right."""
    level = [
        other
        for other in rows
        if other is not row
        and says_something(other.name)
        and _overlap(row.line.box[1::2], other.line.box[1::2]) > 0.5
    ]
    return min(level, key=lambda other: abs(other.line.box[0] - row.line.box[0]), default=None)


def _overlap(a: Sequence[float], b: Sequence[float]) -> float:
    """Common length of two intervals, as a share of the shorter one."""
    shorter = min(a[1] - a[0], b[1] - b[0])
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0])) / shorter if shorter > 0 else 0.0


def _addresses(row: _Row, rows: list[_Row], text: Text) -> list[Text]:
    """Join a name with a house number that stands near it."""
    near = [
        other
        for other in rows
        if other.number not in text.lines
        and _HOUSE_NUMBER.match(other.name)
        and _gap(row.line, other.line) < 4 * row.line.height
    ]
    return [
        Text(
            reads=f"{text.reads} {other.name}",
            queries=(f"{text.queries[0]} {other.name}",),
            lines=text.lines | {other.number},
            height=text.height,
            confidence=text.confidence * 0.9,
        )
        for other in sorted(near, key=lambda other: _gap(row.line, other.line))[:2]
        if row.distance_km is None
    ]


def _gap(a: Line, b: Line) -> float:
    """Distance between two lines' boxes in pixels."""
    dx = max(0.0, max(a.box[0], b.box[0]) - min(a.box[2], b.box[2]))
    dy = max(0.0, max(a.box[1], b.box[1]) - min(a.box[3], b.box[3]))
    return (dx * dx + dy * dy) ** 0.5


def _joined(rows: list[_Row], picture_height: float) -> list[Text]:
    """Join lines of one sign that stand below each other in writing of like size."""
    found: list[Text] = []
    for upper in rows:
        for lower in rows:
            if upper is lower or not _continues(upper, lower):
                continue
            glue = "" if scripts.dominant(upper.name) in scripts.UNSPACED else " "
            name = f"{upper.name}{glue}{lower.name}"
            if says_something(name):
                height = (upper.line.height + lower.line.height) / 2 / picture_height
                sure = min(upper.line.confidence, lower.line.confidence)
                lines = frozenset({upper.number, lower.number})
                found.append(Text(name, (name,), lines, height, sure * 0.9))
    return found


def _continues(upper: _Row, lower: _Row) -> bool:
    a, b = upper.line, lower.line
    if not upper.name or not lower.name or upper.distance_km or lower.distance_km:
        return False
    if scripts.dominant(upper.name) != scripts.dominant(lower.name) or not scripts.dominant(upper.name):
        return False
    like_size = 0.5 < a.height / max(b.height, 1) < 2.0
    gap = b.box[1] - a.box[3]
    below = b.box[1] > a.box[1] and -0.5 * a.height < gap < 0.9 * max(a.height, b.height)
    return like_size and below and _overlap(a.box[0::2], b.box[0::2]) > 0.4
