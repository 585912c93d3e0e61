"""The tables of a region file, and the one way to open them.

A region is one SQLite file. `area`, `line` and `point` are drawn (the map renderer reads them through mapnik,
which wants WKB in `geometry` and an R*Tree named `idx_<table>_geometry`); `thing`, `alias`, `gram` and `part`
are searched, and `kind` says where all of one sort are. All positions are WGS-84 degrees; R*Tree columns are
x = longitude, y = latitude.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from wheretaken.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "5"
"""Changes whenever a table or the meaning of a column changes; older files must be imported again."""

ATTRIBUTION = "© OpenStreetMap contributors (ODbL)"
OVERTURE = "overture"
"""What ids of Overture's places begin with, before a colon; those of OpenStreetMap have no such prefix."""
OVERTURE_ATTRIBUTION = "© OpenStreetMap contributors, Overture Maps Foundation (CDLA Permissive 2.0)"


def place_id(osm_id: str) -> str:
    """Return the id of a place from that of a thing."""
    return osm_id if osm_id.startswith(f"{OVERTURE}:") else f"osm:{osm_id}"


def source_of(osm_id: str) -> str:
    """Return who a thing with this id is from, as their licence wants it said."""
    return OVERTURE_ATTRIBUTION if osm_id.startswith(f"{OVERTURE}:") else ATTRIBUTION


DRAWN = ("area", "line", "point")

TABLES = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL);
-- `names` is the JSON object language -> name of `name:*` and `int_name`, or '' where there are none.
CREATE TABLE area(
  id INTEGER PRIMARY KEY, osm_id TEXT, class TEXT, subclass TEXT, name TEXT, names TEXT, house_number TEXT,
  area_m2 REAL, geometry BLOB
);
CREATE TABLE line(
  id INTEGER PRIMARY KEY, osm_id TEXT, class TEXT, subclass TEXT, name TEXT, names TEXT, ref TEXT,
  oneway INTEGER, -- 1 along the geometry, -1 against it, 0 both ways
  tunnel INTEGER, bridge INTEGER, geometry BLOB
);
CREATE TABLE point(
  id INTEGER PRIMARY KEY, osm_id TEXT, class TEXT, subclass TEXT, name TEXT, names TEXT, house_number TEXT,
  detail TEXT, -- the religion of a place of worship, what kind of station a station is
  geometry BLOB
);
CREATE VIRTUAL TABLE idx_area_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE VIRTUAL TABLE idx_line_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE VIRTUAL TABLE idx_point_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE TABLE thing(
  id INTEGER PRIMARY KEY, osm_id TEXT, kind TEXT, name TEXT, english TEXT, lat REAL, lon REAL,
  street TEXT, house_number TEXT, city TEXT, extent_km REAL,
  country_code TEXT,
  street_folded TEXT -- fold(street), so that an address is found through its street
);
CREATE VIRTUAL TABLE idx_thing_position USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE TABLE part(thing_id INTEGER, line_id INTEGER); -- the ways that make up a street
CREATE TABLE alias(
  id INTEGER PRIMARY KEY,
  folded TEXT, -- fold(name): what an exact query is compared with
  stripped TEXT, -- folded without generic words ("museum", "katu"); empty when nothing is left
  thing_id INTEGER,
  name TEXT, -- as the data spell it
  rank INTEGER, -- 0 the name itself, 1 translations, 2 other names, 3 brand and the like, 4 romanised
  skeleton TEXT -- skeleton(name): what a fuzzy query is compared with
);
CREATE TABLE alias_length(length INTEGER PRIMARY KEY, first_id INTEGER); -- aliases are numbered by it
CREATE TABLE tail(folded TEXT, alias_id INTEGER); -- each folded alias from its 2nd, 3rd... word on
CREATE TABLE gram(
  gram TEXT PRIMARY KEY, -- two neighbouring characters of a skeleton
  ids BLOB -- the aliases that have it: ascending, unsigned 32-bit, little-endian
) WITHOUT ROWID;
CREATE TABLE kind(
  kind TEXT PRIMARY KEY, -- see `kinds.of`
  places BLOB -- its things as little-endian 32-bit triples: thing id, latitude and longitude in 1e-7 degrees
) WITHOUT ROWID;
"""

INDEXES = """
CREATE INDEX area_class ON area(class, subclass);
CREATE INDEX line_class ON line(class, subclass);
CREATE INDEX point_class ON point(class, subclass);
CREATE INDEX part_thing ON part(thing_id);
CREATE INDEX part_line ON part(line_id);
CREATE INDEX thing_osm ON thing(osm_id);
CREATE INDEX thing_street ON thing(street_folded) WHERE street_folded <> '';
CREATE INDEX alias_folded ON alias(folded);
CREATE INDEX alias_stripped ON alias(stripped) WHERE stripped <> '';
CREATE INDEX alias_thing ON alias(thing_id);
CREATE INDEX tail_folded ON tail(folded);
"""


def create(path: Path) -> sqlite3.Connection:
    """Make the empty tables in a new file; it has no journal, as it is thrown away on failure."""
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;" + TABLES)
    return connection


def open_region(path: Path) -> sqlite3.Connection:
    """Open a region file for reading from any thread (the caller serialises the calls).

    Raises:
        DataError: the file is missing, is not a region file, or was made by another version.
    """
    again = "add its extract again (wheretaken maps add FILE), or remove it"
    if not path.is_file():
        raise DataError(f"there is no region file {path}: {again}")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
    try:
        meta = read_meta(connection)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise DataError(f"{path} is not a region file or is damaged ({error}): {again}") from error
    version = meta.get("schema_version", "none")
    if version != VERSION:
        connection.close()
        if source := meta.get("source_file"):
            again = f"add it again: wheretaken maps add {source} --name {meta.get('name', '')!r}"
        raise DataError(f"{path} has region format {version}, this version reads {VERSION}: {again}")
    return connection


def read_meta(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the `meta` table: schema_version, name, source_date, bounds "south,west,north,east", counts."""
    return dict(connection.execute("SELECT key, value FROM meta").fetchall())
