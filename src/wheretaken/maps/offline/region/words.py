"""What is said again and again in a region, each once and with a number: sorts, kinds, streets, cities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from wheretaken.maps.offline.names import fold

if TYPE_CHECKING:
    import sqlite3

_Key = TypeVar("_Key")


class _Numbers(dict[_Key, int], Generic[_Key]):
    """Numbers what it is asked for, from 1 on, and keeps what was not written yet."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[int, _Key]] = []

    def __missing__(self, key: _Key) -> int:
        number = self[key] = len(self) + 1
        self.waiting.append((number, key))
        return number


class Words:
    """The tables `sort`, `kind`, `street` and `city` while they grow.

    Each entry takes some hundred bytes of memory, and a country has a few hundred thousand of them.
    """

    def __init__(self) -> None:
        self.sorts: _Numbers[tuple[str, str]] = _Numbers()
        """By OpenStreetMap's key and value."""
        self.kinds: _Numbers[str] = _Numbers()
        self.streets: _Numbers[str] = _Numbers()
        self.cities: _Numbers[tuple[str, str]] = _Numbers()
        """By name and country code."""
        self.none = (self.streets[""], self.cities["", ""])
        """The street and the city of what has none."""

    def write(self, connection: sqlite3.Connection) -> None:
        """Write what is new."""
        for table, words in (("sort", self.sorts), ("city", self.cities)):
            connection.executemany(
                f"INSERT INTO {table} VALUES (?, ?, ?)",  # noqa: S608 - a table of this package
                ((number, *key) for number, key in words.waiting),
            )
            words.waiting.clear()
        connection.executemany("INSERT INTO kind VALUES (?, ?, NULL)", self.kinds.waiting)
        self.kinds.waiting.clear()
        rows = ((number, name, fold(name)) for number, name in self.streets.waiting)
        connection.executemany("INSERT INTO street VALUES (?, ?, ?)", rows)
        self.streets.waiting.clear()
