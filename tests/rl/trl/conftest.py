"""Trainings on the island: a warmed tiny model, photos, and settings of a few steps."""

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.rl.settings import DataSettings, ModelSettings, Recipe, TrainSettings
from wheretaken.testing import island

NEEDED = ("torch", "torchvision", "transformers", "trl", "peft", "tensorboard")


@pytest.fixture(scope="session")
def trl_libraries() -> None:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        reason = f"{', '.join(missing)} not installed; run  pip install 'wheretaken[trl]'"
        if os.environ.get("WHERETAKEN_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def island_model(trl_libraries: None) -> Path:
    return island.warmed()


@pytest.fixture(scope="session")
def island_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with `train.parquet` and `val.parquet`: photos of two worlds."""
    root = tmp_path_factory.mktemp("island")
    for name, count, seed in (("train", 32, 1), ("val", 6, 2)):
        table = island.dataset(root / name, count, seed=seed)
        prepare(open_dataset(str(table)), root / f"{name}.parquet", "trl")
    return root


@pytest.fixture
def settings(island_model: Path, island_rows: Path, tmp_path: Path) -> Callable[..., TrainSettings]:
    """Makes settings of a short training: `recipe`, and what else is to be different."""

    def make(recipe: dict[str, Any] | None = None, **rest: Any) -> TrainSettings:
        usual = {
            "steps": 3, "batch": 2, "group": 4, "learning_rate": 2e-4, "kl": 0.0, "turns": 3,
            "response_tokens": 96, "save_every": 2, "eval_every": None, "samples": 2,
        }  # fmt: skip
        values: dict[str, Any] = {
            "engine": "trl",
            "data": DataSettings(train=island_rows / "train.parquet"),
            "model": ModelSettings(path=str(island_model)),
            "output": tmp_path / "run",
            "recipe": Recipe.model_validate(usual | (recipe or {})),
        }
        return TrainSettings(**values | rest)

    return make
