"""A training on the island (`wheretaken.testing.island`), ready to run: for learning the system on a laptop.

The directory is one of `export`, with a model that has learned from experts who often guess, and with runs of
such experts, for a warm start of one's own. Unlike in any other training, the photos to validate with are of
the same towns as those to train on: what is to be learned is to look at the map.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.paths import atomic_path
from wheretaken.rl.export import Wanted, export
from wheretaken.rl.presets import Preset
from wheretaken.rl.settings import FILE, Recipe, ToolSettings
from wheretaken.rl.trl.versions import check_versions
from wheretaken.testing import island
from wheretaken.testing.island.model import SKILL

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheretaken.rl.export import Exported

MODEL, EXPERTS = "model", "experts"
VAL_PHOTOS, RUNS = 32, 64
_VAL_SEED = 1000
"""Of photos that no training has."""
_README = """\
# A training on the island

A photo shows which of sixteen sheets of a map to look at, and the sheet shows in which of four corners the
town is. The model, a Qwen3-VL of half a million parameters, has learned from experts who guess at two choices
in five. In this directory:

```sh
wheretaken train trl . --eval-only
wheretaken train trl .
wheretaken train inspect .
wheretaken web run/samples/val-000000
```

Everything can be changed in `config.yaml`. For a warm start from the experts' runs, set `trl.warm_start` to
`{runs: experts, steps: 40, batch: 8, learning_rate: 1e-3}`, and choose another `output`.
"""


def recipe(steps: int, seed: int = 0, **rest: Any) -> Recipe:
    """Return a training of some minutes on one core.

    Args:
        steps: Of the optimiser.
        seed: Of everything that is drawn.
        rest: What else is to be different.
    """
    usual: dict[str, Any] = {
        "batch": 8, "group": 8, "learning_rate": 2e-4, "warmup_steps": 5, "kl": 0.0, "turns": 3,
        "response_tokens": 96, "save_every": 10, "eval_every": 10, "eval_top_p": 1.0, "eval_top_k": 0,
    }  # fmt: skip
    return Recipe.model_validate(usual | {"steps": steps, "seed": seed} | rest)


def write(
    out: Path, *, steps: int = 50, photos: int = 256, seed: int = 0, tell: Callable[[str], None] | None = None
) -> Exported:
    """Write the directory.

    Args:
        out: Where; it is made when missing.
        steps: Of the optimiser.
        photos: To train on.
        seed: Of photos and training.
        tell: Told what is being done, a line at a time.

    Raises:
        UserError: there is a training in the directory already, or it cannot be written to.
        MissingExtraError: libraries are missing.
    """
    check_versions()
    if (out / FILE).exists():
        raise UserError(f"{out} holds a training already: choose another directory")
    if there := [name for name in (MODEL, EXPERTS) if (out / name).exists()]:
        raise UserError(f"{out / there[0]} is there already: choose another directory, or delete it")
    if tell:
        tell("the model is made, which takes some minutes the first time")
    try:
        shutil.copytree(island.warmed(), out / MODEL)
        for number in range(RUNS):
            island.run(number, skill=SKILL, out=out / EXPERTS)
        with tempfile.TemporaryDirectory() as drawn:
            train, val = (
                open_dataset(str(island.dataset(Path(drawn, name), count, seed=which)))
                for name, count, which in (("train", photos, seed), ("val", VAL_PHOTOS, _VAL_SEED))
            )
            made = Preset(MODEL, recipe(steps, seed))
            tools = ToolSettings(toolset="island")
            wanted = Wanted(train, "trl", made, tools, val=val, apart=False)
            done = export(wanted, out)
        with atomic_path(out / "README.md") as temporary:
            temporary.write_text(_README, "utf-8")
    except OSError as error:
        raise UserError(f"cannot write to {out}: {error.strerror or error}") from error
    return done
