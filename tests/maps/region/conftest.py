"""Region files for the tests: the built-in one, and small ones written as OpenStreetMap XML."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wheretaken.maps.offline.region import Region, builtin, import_extract


@pytest.fixture(scope="session")
def helsinki_path() -> Path:
    return builtin()


@pytest.fixture(scope="session")
def helsinki(helsinki_path: Path) -> Iterator[Region]:
    with Region(helsinki_path) as region:
        yield region


@pytest.fixture(scope="session")
def shared_region(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Region]]:
    """Import one of the shared extracts, once a session."""
    opened: dict[str, Region] = {}

    def get(file_name: str) -> Region:
        if file_name not in opened:
            target = tmp_path_factory.mktemp("regions") / "one.region.sqlite"
            import_extract(shared / "osm" / file_name, target, name=file_name)
            opened[file_name] = Region(target)
        return opened[file_name]

    yield get
    for region in opened.values():
        region.close()


@pytest.fixture
def write_osm(tmp_path: Path) -> Callable[..., Path]:
    """Write an extract from the elements given as XML, with the attributes that osmium asks for."""

    def write(elements: str, name: str = "small.osm") -> Path:
        meta = 'version="1" timestamp="2024-05-06T00:00:00Z" changeset="1" uid="1" user="u"'
        for kind in ("node", "way", "relation"):
            elements = elements.replace(f"<{kind} ", f"<{kind} {meta} ")
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">\n{elements}\n</osm>\n'
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text, encoding="utf-8")
        return path

    return write
