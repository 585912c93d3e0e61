"""Tests against verl itself, in an environment of its own (`make unit` runs them there).

Elsewhere they are not collected: verl and what the rest of the suite needs exclude each other.
"""

import importlib
import importlib.util
import os
import secrets
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from wheretaken.evals.datasets import open_dataset
from wheretaken.rl.export import Wanted, export
from wheretaken.rl.presets import preset
from wheretaken.rl.settings import FILE, ToolSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing import parity, verl_cpu
from wheretaken.testing.toy_model.world import TOYS, ToyMaps

collect_ignore_glob = [] if importlib.util.find_spec("verl") else ["test_*.py"]
if not collect_ignore_glob:
    with warnings.catch_warnings():
        # What verl and Ray warn of when they are imported is theirs.
        warnings.simplefilter("ignore")
        importlib.import_module("wheretaken.rl.verl.rehearsal")
TESTS = Path(__file__).parent
NOT_OURS = (
    # verl, Ray and what they import; what of it is ours is an error everywhere else.
    "ignore::DeprecationWarning",
    "ignore::FutureWarning",
    "ignore::UserWarning",
    "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)


def pytest_collection_modifyitems(items):
    for item in items:
        if TESTS in item.path.parents:
            for ignored in NOT_OURS:
                item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture(scope="session")
def toy_model() -> Path:
    from wheretaken.testing.verl_cpu.model import toy_model as made

    return made()


@pytest.fixture(scope="session")
def exported(tmp_path_factory, toy_model):
    """A training of photos of the toy world, as `train export` makes it; call with a directory."""
    from wheretaken.tools.config import tools_config

    folder = tmp_path_factory.mktemp("photos")
    tables = {count: parity.dataset(folder / str(count), count) for count in (12, len(parity.NAMES))}
    (folder / "tools.yaml").write_text(tools_config(TOYS, "any.Class"))

    def make(out: Path, server: str = "", val: bool = True, photos: int = 12) -> TrainSettings:
        data = open_dataset(str(tables[photos]))
        tools = ToolSettings(toolset="worldwide", config=folder / "tools.yaml", server=server)
        wanted = Wanted(
            data=data, engine="verl", preset=preset("toy"), tools=tools, model=str(toy_model), val_share=0.0
        )
        export(wanted, out)
        settings = TrainSettings.load(out / FILE)
        if val:
            data = settings.data.model_copy(update={"val": settings.data.train.with_name("val.parquet")})
            data.val.write_bytes(data.train.read_bytes())
            settings = settings.model_copy(update={"data": data})
        recipe = settings.recipe.model_copy(
            update={"batch": 4, "group": 2, "steps": 2, "response_tokens": 512}
        )
        return settings.model_copy(update={"recipe": recipe})

    return make


@pytest.fixture(scope="session")
def environment():
    """Of every process: verl on processors, and a token without which no process talks to Ray."""
    quiet = {
        # Else Ray's workers give way to all others on a busy machine.
        "RAY_worker_niceness": "0",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return (
        os.environ
        | verl_cpu.ENVIRONMENT
        | quiet
        | token
        | {"WHERETAKEN_SERVER_TOKEN": "kept-out-of-every-record"}
    )


@pytest.fixture
def toys(monkeypatch):
    """Lets all settings offer the toy world's tools, on these maps."""
    from wheretaken.rl.verl import shared

    world = SimpleNamespace(maps=ToyMaps())
    monkeypatch.setattr(shared, "open_toolbox", lambda _settings: LocalToolbox(TOYS, world.maps))
    for cached in (shared.settings, shared.specs, shared.datum, shared.recorder):
        cached.cache_clear()
    yield world
    for cached in (shared.settings, shared.specs, shared.datum, shared.recorder):
        cached.cache_clear()
