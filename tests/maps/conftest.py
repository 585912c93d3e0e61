"""The world file, built once for all map tests and reused between runs."""

from pathlib import Path

import pytest

from wheretaken.maps.offline import world


@pytest.fixture(scope="session")
def world_index_path() -> Path:
    return world.ensure()


@pytest.fixture(scope="session")
def world_index(world_index_path: Path) -> world.WorldIndex:
    return world.WorldIndex(world_index_path)
