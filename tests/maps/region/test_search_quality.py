"""The floors of the search's quality, on the queries of `bench/search_quality.py`."""

import asyncio
import importlib.util
import sys
from pathlib import Path

from wheretaken.maps.offline.provider import OfflineProvider

BENCH = Path(__file__).resolve().parents[3] / "bench" / "search_quality.py"


def test_the_right_place_is_first_or_among_the_first(shared: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setenv("WHERETAKEN_SHARED", str(shared))
    spec = importlib.util.spec_from_file_location("search_quality", BENCH)
    assert spec is not None
    assert spec.loader is not None
    quality = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, quality)
    spec.loader.exec_module(quality)
    paths = quality.paths(tmp_path)
    provider = OfflineProvider(regions=lambda: paths)
    places = []
    for query in quality.drawn(paths, 120, 1):
        found = asyncio.run(provider.search(query.text))
        places.append(quality.place_of(query, [(place.lat, place.lon) for place in found]))
    assert len(places) == 120
    first, three = quality.shares(places)
    assert first >= quality.FLOORS[0]
    assert three >= quality.FLOORS[1]
