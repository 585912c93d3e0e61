"""The tables of a region file, and the one way to open them.

A region is one SQLite file. `area`, `line` and `point` are drawn (the map renderer reads them through mapnik,
which wants WKB in `geometry` and an R*Tree named `idx_<table>_geometry`); `thing`, `alias`, `gram` and
`part` are searched, and `kind` says where all of one sort are. The first five are views: what is said again
and again (a class, a street, a city) is stored once, in a table of its own. All positions are WGS-84 degrees;
R*Tree columns are x = longitude, y = latitude.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from wheretaken.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

VERSION = "6"
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
CREATE TABLE sort(id INTEGER PRIMARY KEY, class TEXT, subclass TEXT); -- OpenStreetMap's key and value
-- `osm` is an id as `osm_number` packs it; `names` the JSON object language -> name of `name:*` and
-- `int_name`, or '' where there are none.
CREATE TABLE areas(
  id INTEGER PRIMARY KEY, osm, sort INTEGER, name TEXT, names TEXT, house_number TEXT, area_m2 REAL,
  thing_id INTEGER, geometry BLOB
);
CREATE TABLE lines(
  id INTEGER PRIMARY KEY, osm, sort INTEGER, name TEXT, names TEXT, ref TEXT,
  oneway INTEGER, -- 1 along the geometry, -1 against it, 0 both ways
  tunnel INTEGER, bridge INTEGER, geometry BLOB
);
CREATE TABLE points(
  id INTEGER PRIMARY KEY, osm, sort INTEGER, name TEXT, names TEXT, house_number TEXT,
  detail TEXT, -- the religion of a place of worship, what kind of station a station is
  geometry BLOB
);
CREATE VIRTUAL TABLE idx_area_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE VIRTUAL TABLE idx_line_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE VIRTUAL TABLE idx_point_geometry USING rtree(pkid, xmin, xmax, ymin, ymax);
CREATE TABLE kind(
  id INTEGER PRIMARY KEY,
  kind TEXT, -- see `kinds.of`
  places BLOB -- its things as little-endian 32-bit triples: thing id, latitude and longitude in 1e-7 degrees
);
CREATE TABLE street(id INTEGER PRIMARY KEY, name TEXT, folded TEXT); -- 1 is the empty name
CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT, country_code TEXT); -- 1 is the unknown one
CREATE TABLE things(
  id INTEGER PRIMARY KEY, osm, kind INTEGER, name TEXT, english TEXT,
  lat INTEGER, lon INTEGER, -- 1e-7 degrees
  street INTEGER, house_number TEXT, city INTEGER, extent_m INTEGER
);
CREATE TABLE cell(
  id INTEGER PRIMARY KEY, -- of a grid, see `cells`
  things BLOB -- what is in it, without streets: ascending, unsigned 32-bit, little-endian
);
CREATE TABLE part(line_id INTEGER PRIMARY KEY, thing_id INTEGER); -- the ways that make up a street
CREATE TABLE aliases(
  id INTEGER PRIMARY KEY, -- in the order of the length of skeleton(name)
  thing_id INTEGER,
  rank INTEGER, -- 0 the name itself, 1 translations, 2 other names, 3 brand and the like, 4 romanised
  name TEXT -- as the data spell it; NULL where it is that of the thing
);
CREATE TABLE alias_folded(folded TEXT, alias_id INTEGER, PRIMARY KEY(folded, alias_id)) WITHOUT ROWID;
-- without generic words ("museum", "katu"), where that leaves another name
CREATE TABLE alias_stripped(stripped TEXT, alias_id INTEGER, PRIMARY KEY(stripped, alias_id)) WITHOUT ROWID;
-- each folded alias from its 2nd, 3rd... word on
CREATE TABLE alias_tail(folded TEXT, alias_id INTEGER, PRIMARY KEY(folded, alias_id)) WITHOUT ROWID;
CREATE TABLE alias_length(length INTEGER PRIMARY KEY, first_id INTEGER); -- of skeletons
CREATE TABLE gram(
  id INTEGER PRIMARY KEY, -- two neighbouring characters of a skeleton, and a block of aliases: see `aliases`
  ids BLOB -- which aliases of the block have it: ascending, unsigned 16-bit, little-endian
);
"""

_OSM_ID = "CASE typeof(osm) WHEN 'integer' THEN substr('nwr', (osm & 3) + 1, 1) || (osm >> 2) ELSE osm END"
# CROSS JOIN: the feature is looked up first, by the view that is asked for, and its sort afterwards.
VIEWS = f"""
CREATE VIEW area AS SELECT areas.id, {_OSM_ID} AS osm_id, class, subclass, name, names, house_number, area_m2,
  geometry FROM areas CROSS JOIN sort ON sort.id = areas.sort;
CREATE VIEW line AS SELECT lines.id, {_OSM_ID} AS osm_id, class, subclass, name, names, ref, oneway, tunnel,
  bridge, geometry FROM lines CROSS JOIN sort ON sort.id = lines.sort;
CREATE VIEW point AS SELECT points.id, {_OSM_ID} AS osm_id, class, subclass, name, names, house_number,
  detail, geometry FROM points CROSS JOIN sort ON sort.id = points.sort;
CREATE VIEW thing AS SELECT things.id, {_OSM_ID} AS osm_id, kind.kind AS kind, things.name AS name, english,
  lat / 1e7 AS lat, lon / 1e7 AS lon, street.name AS street, house_number, city.name AS city,
  extent_m / 1e3 AS extent_km, country_code, folded AS street_folded
  FROM things JOIN kind ON kind.id = things.kind JOIN street ON street.id = street
  JOIN city ON city.id = city;
CREATE VIEW alias AS SELECT aliases.id, thing_id, rank, coalesce(aliases.name, things.name) AS name
  FROM aliases JOIN things ON things.id = thing_id;
"""  # noqa: S608 - constants of this module

INDEXES = """
CREATE INDEX part_thing ON part(thing_id);
CREATE INDEX thing_osm ON things(osm);
CREATE INDEX thing_door ON things(street) WHERE house_number <> '';
CREATE INDEX street_folded ON street(folded);
CREATE INDEX alias_thing ON aliases(thing_id);
CREATE UNIQUE INDEX kind_name ON kind(kind);
"""
_TYPES = "nwr"


def osm_number(osm_id: str) -> int | str:
    """Return how an id is stored: an element's type is in the two lowest bits; other ids stay as they are."""
    number = osm_id[1:]
    if osm_id[:1] in _TYPES and number.isascii() and number.isdecimal():
        return int(number) << 2 | _TYPES.index(osm_id[0])
    return osm_id


_FAST = (
    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;"
    " PRAGMA cache_size = -32768; PRAGMA temp.cache_size = -32768;"
)
"""32 MB of memory each for the file and for the temporary tables, whatever the size of the map."""


def create(path: Path) -> sqlite3.Connection:
    """Make the empty tables in a new file; it has no journal, as it is thrown away on failure."""
    connection = sqlite3.connect(path)
    connection.executescript(_FAST + TABLES + VIEWS)
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
