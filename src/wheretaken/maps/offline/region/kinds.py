"""Where everything of one sort is: all cafés, all shops, all tram stops, as one packed list each.

A search by kind, and one for things close together, needs the positions of thousands of things at once and
little else of them. They are kept in one row per kind, which is read in a millisecond and compared as arrays.
"""

from __future__ import annotations

import struct
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from wheretaken.maps.offline.region.tags import Tags

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

DEGREES = 1e-7
"""What one step of a stored coordinate is: about a centimetre."""
_CLASSES = ("amenity", "shop", "tourism", "historic", "leisure", "office", "craft", "healthcare")
"""Keys that are a sort of their own: "a shop", whatever it sells."""
_WORSHIP = {
    "christian": "church", "muslim": "mosque", "jewish": "synagogue", "buddhist": "temple", "hindu": "temple",
    "taoist": "temple", "shinto": "shrine", "sikh": "temple",
}  # fmt: skip
"""The house of each religion, as values of OpenStreetMap's `building` name it."""
_NOT_SORTS = {"address", "street"}
"""Kinds that are too many to be told apart by what they are."""
ALSO = "also"
"""The key of further values, between semicolons, for sources that give a thing several sorts."""
_TRIPLE = struct.Struct("<Iii")


def of(tags: Tags, kind: str) -> Iterator[str]:
    """Yield every sort that a thing of this kind is: its values in all keys, the keys, what a church is."""
    if kind in _NOT_SORTS:
        return
    yield kind
    for key in (*_CLASSES, "railway", "public_transport", "aeroway"):
        value = tags.get(key, "no")
        if value == "no":
            continue
        if value != "yes":
            yield value
        if key in _CLASSES:
            yield key
    yield from filter(None, tags.get(ALSO, "").split(";"))
    if "public_transport" in tags or tags.get("highway") == "bus_stop":
        if tags.get("tram") == "yes":
            yield "tram_stop"
        if tags.get("bus") == "yes" or "highway" in tags:
            yield "bus_stop"
    if tags.get("amenity") == "place_of_worship" and tags.get("religion") in _WORSHIP:
        yield _WORSHIP[tags["religion"]]


def index(connection: sqlite3.Connection) -> None:
    """Fill the lists of `kind` from `temp.thing_kind`, when all things have their position."""
    rows = connection.execute(
        "SELECT DISTINCT thing_kind.kind, thing_id, lat, lon FROM temp.thing_kind"
        " JOIN things ON things.id = thing_id ORDER BY 1, 2"
    )
    for kind, things in groupby(rows, key=itemgetter(0)):
        packed = b"".join(_TRIPLE.pack(*row[1:]) for row in things)
        connection.execute("UPDATE kind SET places = ? WHERE id = ?", (packed, kind))


class Positions(NamedTuple):
    """Where all things of one kind are, in the order of their numbers."""

    numbers: Ints
    """Rows of `thing`, shape (n,)."""
    lats: Floats
    lons: Floats
    """WGS-84 degrees, shape (n,)."""


def unpack(places: bytes) -> Positions:
    """Return what one `kind` row holds."""
    import numpy as np  # noqa: PLC0415 - an exact search needs no arrays

    columns = np.frombuffer(places, dtype="<i4").reshape(-1, 3)
    return Positions(columns[:, 0].astype(np.int64), columns[:, 1] * DEGREES, columns[:, 2] * DEGREES)
