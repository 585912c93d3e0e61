"""A hub on this machine with a small data set, and downloads that lead there."""

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wheretaken.evals.downloads import DownloadRecord, HubName, Meter, Patience, Settings, download
from wheretaken.evals.downloads.catalogue import CatalogueEntry, Source
from wheretaken.testing.hub import FakeHub

Download = Callable[..., DownloadRecord]

SET = CatalogueEntry(
    "small",
    "A small set",
    "CC0-1.0",
    (
        Source("huggingface", "owner/small", "main"),
        Source("modelscope", "owner/small", "master"),
        Source("zenodo", "123"),
    ),
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1"]))


@pytest.fixture
def files() -> dict[str, bytes]:
    """A table and photos, some small and some large enough for a store of their own."""
    draw = random.Random(20260122)
    photos = {f"images/{n} é.jpg": draw.randbytes(draw.randrange(1_000, 90_000)) for n in range(12)}
    return {**photos, "test.jsonl": b'{"image": "images/0.jpg"}\n', "empty.txt": b""}


@pytest.fixture
def hub(files: dict[str, bytes]) -> Iterator[FakeHub]:
    """The data set at all three hubs; at Zenodo there are no folders."""
    with FakeHub(page_size=5) as hub:
        hub.put("owner/small", files | {".gitattributes": b"*.jpg filter=lfs\n"})
        hub.put("123", {name.replace("/", "-"): content for name, content in files.items()})
        yield hub


@pytest.fixture
def settings(hub: FakeHub) -> Settings:
    made = Settings.from_environment(hub.environment)
    return Settings(made.hosts, "hf_secret", Patience(attempts=3, first_wait=0.01, longest_wait=0.02))


@pytest.fixture
def get(settings: Settings, tmp_path: Path) -> Download:
    """Downloads into `tmp_path/set`."""

    def run(
        hub: HubName | None = None, *, wanted: CatalogueEntry = SET, meter: Meter | None = None
    ) -> DownloadRecord:
        return asyncio.run(download(wanted, tmp_path / "set", hub=hub, settings=settings, meter=meter))

    return run


def contents(root: Path) -> dict[str, bytes]:
    """Everything in a folder but the record."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "wheretaken-download.json"
    }
