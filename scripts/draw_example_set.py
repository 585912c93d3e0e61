"""Draw the small data set of `examples/scenes`: photo-like scenes of real places, with their truth.

The first scenes of a seed as they come, in three difficulties, so that some are answered well and some are
not. File names say nothing about the place.
"""

import json
import shutil
from pathlib import Path

from wheretaken.clues import country_name
from wheretaken.testing.scenes import Scene, street_scene, street_targets, town_scene, town_targets

SET = Path(__file__).resolve().parents[1] / "examples" / "scenes"
NUMBER, SEED = 4, 7
LEVELS = (1, 2, 3)


def main() -> None:
    """Draw the pictures and write their table."""
    shutil.rmtree(SET, ignore_errors=True)
    (SET / "images").mkdir(parents=True)
    streets = [
        (street_scene(target, SEED, LEVELS[index % 3]), "Helsinki", "Finland")
        for index, target in enumerate(street_targets(NUMBER, SEED))
    ]
    towns = [
        (town_scene(town, SEED, LEVELS[index % 3]), town.latin, country_name(town.country))
        for index, town in enumerate(town_targets(NUMBER, SEED))
    ]
    rows = [line(index, *entry) for index, entry in enumerate(streets + towns)]
    (SET / "scenes.jsonl").write_text("".join(rows), "utf-8")


def line(index: int, scene: Scene, city: str, country: str) -> str:
    """Save a scene and return its line of the table."""
    name = f"images/{index:02d}.jpg"
    scene.image.save(SET / name, quality=60)
    truth = {"latitude": round(scene.truth.lat, 6), "longitude": round(scene.truth.lon, 6)}
    return json.dumps({"image": name, **truth, "city": city, "country": country}, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
