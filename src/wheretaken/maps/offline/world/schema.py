"""What the world file holds. Its readers are `WorldIndex` and, through mapnik's SQLite plug-in, the renderer.

Geometry is well-known binary (WKB, little-endian), WGS-84 degrees, longitude first. A table `t` with a
`geometry` column has an R*Tree `idx_t_geometry(pkid, xmin, xmax, ymin, ymax)`, the name and the columns
that mapnik's plug-in looks for.

- `land_low`, `land`: polygons for fills, of 1:50m and 1:10m detail. Large ones are cut into cells that
  overlap by a hair, so that a fill shows no seams: do not stroke them.
- `country`, `admin1`: one row for each separate polygon (an island is a row); rows of one area share `code`.
- `country_border`, `admin1_border`: lines between two areas, each once and without coasts: for strokes.
- `place`: settlements by GeoNames id, with the WKB point that the renderer labels.
- `area`: one row for each country (`code` FR) and first-level division (`code` FR-75), as found by name.
- `alias`: every folded name, with the things that bear it (`refs`: uint32, id * 2 + flag), most populous
  first. `spelling` is one that folds to the key, as `spelling_code` stores it.
- `fuzzy`: the names that misspellings are looked for among. Ids grow with the length of the name's skeleton,
  which keeps that search within a slice of each posting list.
- `gram`: posting lists of the skeletons' trigrams (`postings`: sorted uint32 `fuzzy` ids; all blobs are
  little-endian).
- `meta`: `lengths`, the first `fuzzy` id of each skeleton length as a JSON list; `complete`, written last.
"""

from __future__ import annotations

STRIPPED = 1
"""Flag of a reference: the key is the name without its generic words."""
AREA_BASE = 20_000_000
"""Ids from here on are rows of `area`; GeoNames has given out ids up to 13.4 million."""

VERSION = 4
"""Part of the file's name: raised with every change of the schema or of the data."""

PAGE_SIZE = 8192
"""Bytes; most outlines and posting lists are a few kilobytes, which waste less of larger pages."""

GEOMETRY_TABLES = ("land_low", "land", "country", "admin1", "country_border", "admin1_border", "place")
"""Tables with a geometry and an R*Tree."""

TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE land_low (id INTEGER PRIMARY KEY, geometry BLOB NOT NULL);
CREATE TABLE land (id INTEGER PRIMARY KEY, geometry BLOB NOT NULL);
CREATE TABLE country (
  id INTEGER PRIMARY KEY, code TEXT NOT NULL, name TEXT NOT NULL, name_local TEXT NOT NULL,
  geometry BLOB NOT NULL);
CREATE TABLE admin1 (
  id INTEGER PRIMARY KEY, code TEXT NOT NULL, country_code TEXT NOT NULL, name TEXT NOT NULL,
  name_local TEXT NOT NULL, geometry BLOB NOT NULL);
CREATE TABLE country_border (id INTEGER PRIMARY KEY, geometry BLOB NOT NULL);
CREATE TABLE admin1_border (id INTEGER PRIMARY KEY, geometry BLOB NOT NULL);
CREATE TABLE place (
  id INTEGER PRIMARY KEY,      -- GeoNames id
  name TEXT NOT NULL,          -- as GeoNames spells it
  name_local TEXT NOT NULL,    -- in the script of the country
  english TEXT NOT NULL,       -- the Latin name where name_local is in another script, else ''
  kind TEXT NOT NULL,          -- city, town, village, district
  lat REAL NOT NULL, lon REAL NOT NULL,
  country_code TEXT NOT NULL,
  admin1_code TEXT NOT NULL,   -- the `area` it lies in, such as FR-IDF, or ''
  population INTEGER NOT NULL,
  extent_km REAL NOT NULL,
  geometry BLOB NOT NULL);
CREATE TABLE area (
  id INTEGER PRIMARY KEY,      -- above every GeoNames id in use, so that refs name places and areas alike
  code TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, name_local TEXT NOT NULL,
  english TEXT NOT NULL, lat REAL NOT NULL, lon REAL NOT NULL, country_code TEXT NOT NULL,
  population INTEGER NOT NULL, extent_km REAL NOT NULL, area_km2 REAL NOT NULL,
  west REAL NOT NULL, south REAL NOT NULL, east REAL NOT NULL, north REAL NOT NULL);
CREATE TABLE alias (key TEXT PRIMARY KEY, spelling TEXT NOT NULL, refs BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE fuzzy (id INTEGER PRIMARY KEY, key TEXT NOT NULL);
CREATE TABLE gram (code INTEGER PRIMARY KEY, postings BLOB NOT NULL);
"""

INDEXES = """
CREATE INDEX place_country ON place (country_code, population DESC);
CREATE INDEX country_code ON country (code);
CREATE INDEX admin1_code ON admin1 (code);
"""

_TITLE_CASE = "\x01"


def spelling_code(key: str, spelling: str) -> str:
    """Return what `alias.spelling` holds: most spellings follow from the key and need no room."""
    if spelling == key:
        return ""
    return _TITLE_CASE if spelling == key.title() else spelling


def spelling_of(key: str, code: str) -> str:
    """Undo `spelling_code`."""
    if not code:
        return key
    return key.title() if code == _TITLE_CASE else code
