"""How often a search in street regions finds the right place first: 300 queries made from extracts.

    python bench/search_quality.py [--number 300] [--seed 1] [--save FILE.json]

The queries are of six sorts (the name as it is, without accents, with one letter misread, a translated name,
an address, a crossing), drawn from the built-in region and from the extracts under `osm/` of
`WHERETAKEN_SHARED` where they are at hand. Right is a place within 100 m of what the query was made of (200 m
for streets and large things), of any kind: a station and its stop are one to a person. The baseline is
SQLite's full-text index on the same names, in its own order, as one would write it first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import tempfile
import unicodedata
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km
from wheretaken.maps.offline.names import fold, is_unspaced
from wheretaken.maps.offline.provider import OfflineProvider
from wheretaken.maps.offline.region import builtin, import_extract
from wheretaken.maps.offline.region.geometry import meeting

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXTRACTS = ("monaco.osm.pbf", "tokyo-nakameguro.osm", "shanghai-university.osm")
SORTS = ("exact", "without accents", "one error", "translated", "address", "crossing")
FLOORS = (0.90, 0.96)
"""Shares that must be right first, and right among the first three."""


@dataclass(frozen=True)
class Query:
    """A query and where its answer is."""

    sort: str
    region: str
    text: str
    right: tuple[tuple[float, float], ...]
    """Every place that is as right as the one it was made of: namesakes."""
    within_km: float


def paths(folder: Path) -> list[Path]:
    """Return the region files that are at hand, importing the shared extracts into `folder`."""
    shared = Path(os.environ.get("WHERETAKEN_SHARED") or "../shared") / "osm"
    found = [builtin()]
    for name in EXTRACTS:
        if (shared / name).is_file():
            target = folder / f"{name.partition('.')[0]}.region.sqlite"
            import_extract(shared / name, target, name=name)
            found.append(target)
    return found


def queries(path: Path, number: int, seed: int) -> list[Query]:
    """Return so many queries of each sort that a region has material for."""
    chance = random.Random(f"{path.name} {seed}")
    with closing(sqlite3.connect(path)) as connection:
        makers: dict[str, Callable[[], list[Query]]] = {
            "exact": lambda: _named(connection, path, "exact", 0, str),
            "without accents": lambda: _named(connection, path, "without accents", 0, _plain),
            "one error": lambda: _named(
                connection, path, "one error", 0, lambda name: _misread(name, chance)
            ),
            "translated": lambda: _named(connection, path, "translated", 1, str),
            "address": lambda: _addresses(connection, path),
            "crossing": lambda: _crossings(connection, path, chance, number),
        }
        drawn: list[Query] = []
        for make in makers.values():
            made = make()
            drawn += chance.sample(made, min(number, len(made)))
    return drawn


def _named(
    connection: sqlite3.Connection, path: Path, sort: str, rank: int, change: Callable[[str], str]
) -> list[Query]:
    rows = connection.execute(
        "SELECT alias.name, thing.name, kind, lat, lon, extent_km, folded FROM alias"
        " JOIN alias_folded ON alias_id = alias.id JOIN thing ON thing.id = thing_id"
        " WHERE rank = ? AND kind <> 'address' ORDER BY alias.id",
        (rank,),
    ).fetchall()
    bearers: dict[str, list[tuple[float, float]]] = {}
    for folded, lat, lon in connection.execute(
        "SELECT folded, lat, lon FROM alias JOIN alias_folded ON alias_id = alias.id"
        " JOIN thing ON thing.id = thing_id"
    ):
        bearers.setdefault(folded, []).append((lat, lon))
    made: list[Query] = []
    for name, _, kind, _, _, extent_km, folded in rows:
        text = change(name)
        if text == name and sort in {"without accents", "one error"}:
            continue
        letters = sum(char.isalpha() for char in name)
        if letters < (4 if is_unspaced(folded[:1]) else 5):
            continue
        within = max(0.1, min(extent_km, 0.2)) if kind != "street" else 0.2
        made.append(Query(sort, path.name, text, tuple(bearers[folded]), within))
    return made


def _plain(name: str) -> str:
    kept = "".join(char for char in unicodedata.normalize("NFD", name) if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", kept).upper() if name[:1].isascii() else name


def _misread(name: str, chance: random.Random) -> str:
    """Return the name with one letter read as another that looks like it, else as any."""
    places = [n for n, char in enumerate(name) if char.isalpha()]
    if not places:
        return name
    at = chance.choice(places)
    alike = {
        "o": "0",
        "l": "1",
        "i": "1",
        "s": "5",
        "b": "8",
        "e": "c",
        "c": "e",
        "n": "h",
        "u": "v",
        "a": "o",
    }
    other = alike.get(name[at].lower()) or (chance.choice("aeiourstn") if name[at].isascii() else "口")
    return name[:at] + other + name[at + 1 :]


def _addresses(connection: sqlite3.Connection, path: Path) -> list[Query]:
    rows = connection.execute(
        "SELECT street, house_number, lat, lon FROM thing WHERE street <> '' AND house_number <> ''"
    ).fetchall()
    doors: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for street, number, lat, lon in rows:
        doors.setdefault((street, number), []).append((lat, lon))
    return [
        Query("address", path.name, f"{street} {number}", tuple(spots), 0.1)
        for (street, number), spots in doors.items()
        if any(char.isdigit() for char in number[:1])
    ]


def _crossings(connection: sqlite3.Connection, path: Path, chance: random.Random, number: int) -> list[Query]:
    streets: dict[str, list[bytes]] = {}
    for name, wkb in connection.execute(
        "SELECT thing.name, geometry FROM thing JOIN part ON part.thing_id = thing.id"
        " JOIN line ON line.id = line_id WHERE kind = 'street' ORDER BY thing.id"
    ):
        streets.setdefault(name, []).append(wkb)
    pairs = [(one, other) for one in streets for other in streets if one < other]
    made: list[Query] = []
    for one, other in chance.sample(pairs, len(pairs)):
        lat, lon, apart = meeting(streets[one], streets[other])
        if apart == 0 and fold(one) != fold(other):
            joint = chance.choice((" / ", " & ", "/"))
            made.append(Query("crossing", path.name, f"{one}{joint}{other}", ((lat, lon),), 0.15))
        if len(made) >= number:
            break
    return made


def drawn(found: Sequence[Path], number: int, seed: int) -> list[Query]:
    """Return `number` queries, as many of each sort as there are, the regions in turn."""
    each = number // len(SORTS)
    pool = {path: queries(path, each, seed) for path in found}
    chosen: list[Query] = []
    for sort in SORTS:
        lists = [[query for query in pool[path] if query.sort == sort] for path in found]
        mixed = [query for rank in range(each) for one in lists for query in one[rank : rank + 1]]
        chosen += mixed[:each]
    return chosen


def place_of(query: Query, spots: Sequence[tuple[float, float]]) -> int:
    """Return the place in the list of the first answer that is right, from 1; 0 when none is."""
    for place, (lat, lon) in enumerate(spots, start=1):
        here = LatLon(lat, lon)
        if any(distance_km(here, LatLon(*right)) <= query.within_km for right in query.right):
            return place
    return 0


def plain_index(found: Sequence[Path]) -> Callable[[str], list[tuple[float, float]]]:
    """Return the baseline: FTS5 over the same names and addresses, asked for all words of the query."""
    index = sqlite3.connect(":memory:")
    index.execute("CREATE VIRTUAL TABLE names USING fts5(name, lat UNINDEXED, lon UNINDEXED)")
    for path in found:
        with closing(sqlite3.connect(path)) as connection:
            rows = connection.execute(
                "SELECT alias.name, lat, lon FROM alias JOIN thing ON thing.id = thing_id"
            )
            index.executemany("INSERT INTO names VALUES (?, ?, ?)", rows)
            doors = connection.execute(
                "SELECT street || ' ' || house_number, lat, lon FROM thing WHERE house_number <> ''"
            )
            index.executemany("INSERT INTO names VALUES (?, ?, ?)", doors)

    def ask(query: str) -> list[tuple[float, float]]:
        words = " ".join(f'"{word}"' for word in query.replace('"', " ").replace("/", " ").split())
        sql = "SELECT lat, lon FROM names WHERE names MATCH ? ORDER BY rank LIMIT 10"
        return index.execute(sql, (words,)).fetchall()

    return ask


def measure(found: Sequence[Path], number: int, seed: int) -> list[tuple[Query, int, int]]:
    """Return each query with the place of its answer in our list and in the baseline's."""
    provider = OfflineProvider(regions=lambda: list(found))
    plain = plain_index(found)
    return [
        (
            query,
            place_of(query, [(one.lat, one.lon) for one in asyncio.run(provider.search(query.text))]),
            place_of(query, plain(query.text)),
        )
        for query in drawn(found, number, seed)
    ]


def shares(places: Sequence[int]) -> tuple[float, float]:
    """Return which part is right first, and which among the first three."""
    return (
        sum(place == 1 for place in places) / len(places),
        sum(1 <= place <= 3 for place in places) / len(places),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save", type=Path, help="write every query with the place of its answer here")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = paths(Path(folder))
        results = measure(found, options.number, options.seed)
    print(f"{len(results)} queries from {len(found)} regions, seed {options.seed}; FTS5 is the baseline\n")
    print(f"{'':18}{'n':>4}{'first':>8}{'top 3':>8}{'FTS5 first':>12}{'ratio':>8}")
    for sort in (*SORTS, "all"):
        part = [result for result in results if sort in {"all", result[0].sort}]
        if part:
            first, three = shares([ours for _, ours, _ in part])
            plain, _ = shares([theirs for *_, theirs in part])
            ratio = f"{first / plain:.1f}x" if plain else "-"
            print(f"{sort:18}{len(part):4}{first:8.1%}{three:8.1%}{plain:12.1%}{ratio:>8}")
    for query, ours, _ in results:
        if ours != 1:
            print(f"  {query.sort}: {query.text!r} in {query.region}: {ours or 'not found'}")
    if options.save:
        table = [[q.sort, q.region, q.text, ours] for q, ours, _ in results]
        options.save.write_text(json.dumps(table, ensure_ascii=False, indent=0), "utf-8")


if __name__ == "__main__":
    main()
