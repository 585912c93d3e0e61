"""Write src/wheretaken/geo/mainland.json, the polygon inside which GCJ-02 applies.

Input: `borders.json` of the npm package `@rapideditor/country-coder` (ISC licence), unpacked with
`npm pack @rapideditor/country-coder@5.6.1 && tar xzf rapideditor-country-coder-5.6.1.tgz`:

    python scripts/build_mainland.py package/src/data/borders.json

Its feature "Mainland China" already leaves out Hong Kong, Macau and Taiwan, and it runs through the water
instead of along the coast, so that quays, bridges and reclaimed land count. The same area from Natural
Earth 1:10 million was tried and is worse here: of 2,500 photographed places in mainland China it misses 25,
this one 2, and it puts Mong Cai (Vietnam) inside and Dandong (China) outside.

The rings are kept as they are, rounded to 1e-5 degrees (1.1 m) and written as differences: north, east,
north, east, ... in units of 1e-5 degrees, the first pair from 0, 0.
"""

import json
import sys
from pathlib import Path

UNITS_PER_DEGREE = 100_000
MAINLAND = "Q19188"  # Wikidata: the area under the direct jurisdiction of the PRC without the two SARs
TARGET = Path(__file__).parent.parent / "src" / "wheretaken" / "geo" / "mainland.json"


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} PATH/TO/country-coder/src/data/borders.json")
    features = json.loads(Path(sys.argv[1]).read_text("utf-8"))["features"]
    [feature] = [f for f in features if f["properties"].get("wikidata") == MAINLAND]
    rings = [deltas(ring) for polygon in feature["geometry"]["coordinates"] for ring in polygon]
    data = {
        "source": "npm @rapideditor/country-coder 5.6.1 (ISC licence), feature Mainland China",
        "units_per_degree": UNITS_PER_DEGREE,
        "rings": rings,
    }
    TARGET.write_text(json.dumps(data, separators=(",", ":")) + "\n", "utf-8")
    print(f"{TARGET}: {len(rings)} rings, {sum(map(len, rings)) // 2} points, {TARGET.stat().st_size} bytes")


def deltas(ring: list[list[float]]) -> list[int]:
    result: list[int] = []
    lat = lon = 0
    for east, north in ring:
        next_lat, next_lon = round(north * UNITS_PER_DEGREE), round(east * UNITS_PER_DEGREE)
        result += [next_lat - lat, next_lon - lon]
        lat, lon = next_lat, next_lon
    return result


if __name__ == "__main__":
    main()
