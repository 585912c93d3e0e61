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
- `alias`: every folded name, with the places that bear it (`refs`, see `pack_refs`). Ids grow with the
  length of the name's skeleton, which keeps the fuzzy search within a slice of each posting list.
- `gram`: posting lists of the skeletons' trigrams (`postings`: sorted little-endian uint32 alias ids).
- `meta`: key and value; `complete` is written last.
"""

from __future__ import annotations

VERSION = 1
"""Part of the file's name: raised with every change of the schema or of the shipped data."""

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
CREATE TABLE alias (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL,
  spelling TEXT NOT NULL,      -- one spelling that folds to the key
  refs BLOB NOT NULL);
CREATE TABLE gram (gram TEXT PRIMARY KEY, postings BLOB NOT NULL) WITHOUT ROWID;
"""

INDEXES = """
CREATE UNIQUE INDEX alias_key ON alias (key);
CREATE INDEX place_country ON place (country_code, population DESC);
CREATE INDEX country_code ON country (code);
CREATE INDEX admin1_code ON admin1 (code);
"""
