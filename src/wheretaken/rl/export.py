"""A directory for training, made out of a data set: everything that an engine reads, and nothing by hand.

| file | what it is |
|---|---|
| `train.parquet`, `val.parquet` | the rows, in the engine's layout, with the truth for the reward |
| `media/` | the pictures, named by their content, without metadata |
| `photos.jsonl` | the same photos as a data set, for `wheretaken eval` before and after |
| `tools.yaml` | what a model is told of the tools, in verl's form; `locate` takes it as well |
| `prompt.txt` | the words before the photo, for people |
| `config.yaml` | the settings, to be edited; written last, so that a directory that has it is whole |
| `*.problems.jsonl` | what was left out, and why |
| `README.md` | the commands that go on from here |

Pictures are files, and rows name them by their whole path: processes that share rows then open each its own.
"""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from wheretaken.agent import prompts
from wheretaken.errors import MissingExtraError, UserError
from wheretaken.evals.datasets.prepare import Making, prepare
from wheretaken.paths import atomic_path
from wheretaken.rl import data as rows
from wheretaken.rl.data import MEDIA, Subset, held_out
from wheretaken.rl.settings import (
    FILE,
    DataSettings,
    ModelSettings,
    RewardSettings,
    ToolSettings,
    TrainSettings,
)
from wheretaken.rl.toolbox import closing, open_toolbox

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheretaken.evals.datasets.prepare import Prepared
    from wheretaken.evals.model import DataSet, Row
    from wheretaken.rl.difficulty import Band
    from wheretaken.rl.presets import Preset
    from wheretaken.rl.toolbox import Toolbox

Engine = Literal["trl", "verl"]
TOOLS, PHOTOS, PROMPT = "tools.yaml", "photos.jsonl", "prompt.txt"
TOOL_CLASS = "wheretaken.rl.verl.tool.MapTool"
LOOP = "wheretaken"
"""The name of the agent loop in verl's rows; `train verl` tells verl which class it is."""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported."""

    data: DataSet
    engine: Engine
    preset: Preset
    tools: ToolSettings
    model: str = ""
    """The preset's by default."""
    val: DataSet | None = None
    """For validation; else `val_share` of the set is kept for it."""
    val_share: float = 0.05
    against: Sequence[DataSet] = ()
    """Sets of which no photo may be trained on, such as the test set."""
    apart: bool = True
    """Whether photos that were taken near one of the validation set are left out."""
    difficulty: Band | None = None
    """Which photos are trained on; all by default. Validation has those of every difficulty."""
    limit: int | None = None
    """Photos to train on at most."""


@dataclass
class Exported:
    """What became of it."""

    train: Prepared
    val: Prepared | None = None
    left_out: Counter[str] = field(default_factory=Counter[str])
    """Rows that are not trained on: `easy or hard`, `never run`."""


def export(wanted: Wanted, out: Path, progress: Callable[[int], None] | None = None) -> Exported:
    """Write the directory.

    Args:
        wanted: What.
        out: Where; it is made when missing.
        progress: Told how many photos are done, of each file anew.

    Raises:
        DataError: the data cannot be used, or none of it is left.
        UserError: there is a training in the directory already, or a setting is wrong.
        MissingExtraError: libraries are missing.
    """
    for module, extra in (("yaml", "train"), ("pyarrow", "train")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError("the export of a training", extra, module)
    if (out / FILE).exists():
        raise UserError(
            f"{out} holds a training already: choose another directory, or delete {out / FILE} to begin anew"
        )
    try:
        with closing(open_toolbox(wanted.tools)) as toolbox:
            return _written(wanted, toolbox, out, progress)
    except OSError as error:
        raise UserError(f"cannot write to {out}: {error.strerror or error}") from error


def _written(wanted: Wanted, toolbox: Toolbox, out: Path, progress: Callable[[int], None] | None) -> Exported:
    """Write all files, the settings last."""
    out.mkdir(parents=True, exist_ok=True)
    exported = _pictures(wanted, toolbox, out, progress)
    _write(out / PHOTOS, _photos(out, exported))
    _write(out / PROMPT, f"{prompts.system(toolbox.toolset)}\n{prompts.question()}\n")
    settings = _settings(wanted, toolbox, out, has_val=exported.val is not None)
    _write(out / "README.md", _readme(settings, exported, out))
    settings.save(out / FILE)
    return exported


def _pictures(
    wanted: Wanted, toolbox: Toolbox, out: Path, progress: Callable[[int], None] | None
) -> Exported:
    """Write the rows and the pictures: the validation set first, which nothing of may be trained on."""
    making = Making(system=prompts.system(toolbox.toolset), media=out / MEDIA, agent=LOOP)
    data, val = wanted.data, wanted.val
    share = 0.0 if val else wanted.val_share
    if share > 0:
        val = Subset(data, lambda row: held_out(row, share))
        if next(val.rows(), None) is None:
            val = None  # a set of a few photos may have none there
    left_out = Counter[str]()
    train = Subset(data, lambda row: not held_out(row, share) and _fits(row, wanted.difficulty, left_out))
    validated = None
    if val is not None:
        validated = prepare(val, out / "val.parquet", wanted.engine, making=making, progress=progress)
    against = [*wanted.against, *([val] if val is not None and wanted.apart else [])]
    trained = prepare(
        train,
        out / "train.parquet",
        wanted.engine,
        against=against,
        making=making,
        limit=wanted.limit,
        progress=progress,
    )
    return Exported(trained, validated, left_out)


def _fits(row: Row, difficulty: Band | None, left_out: Counter[str]) -> bool:
    if difficulty is None or difficulty.wants(row):
        return True
    left_out["easy or hard" if row.id in difficulty.rates else "never run"] += 1
    return False


def _photos(out: Path, exported: Exported) -> str:
    """Return the photos as a data set."""
    lines: list[str] = []
    for split in ("train", *(["val"] if exported.val else [])):
        for number, sample in enumerate(rows.samples(out / f"{split}.parquet")):
            assert isinstance(sample.image, Path)
            line = {
                "id": f"{split}-{number:06d}",
                "image": f"{MEDIA}/{sample.image.name}",
                "lat": sample.truth.lat,
                "lon": sample.truth.lon,
                "city": sample.city,
                "country": sample.country,
                "split": split,
            }
            lines.append(json.dumps(line, ensure_ascii=False) + "\n")
    return "".join(lines)


def _settings(wanted: Wanted, toolbox: Toolbox, out: Path, *, has_val: bool) -> TrainSettings:
    """Write the files that the settings name, and return them."""
    preset = wanted.preset
    longest = preset.longest_text_chars
    tools = wanted.tools.model_copy(update={"longest_text_chars": longest, "config": None})
    if toolbox.toolset.tools:
        from wheretaken.tools.config import tools_config  # noqa: PLC0415 - needs the extra

        _write(out / TOOLS, tools_config(toolbox.toolset, TOOL_CLASS))
        tools = tools.model_copy(update={"config": Path(TOOLS)})
    least, most = preset.pixels
    return TrainSettings(
        engine=wanted.engine,
        data=DataSettings(train=Path("train.parquet"), val=Path("val.parquet") if has_val else None),
        model=ModelSettings(
            path=wanted.model or preset.model, min_pixels=least, max_pixels=most, lora=preset.lora
        ),
        tools=tools,
        reward=RewardSettings(),
        recipe=preset.recipe,
        trl=preset.trl,
        verl=preset.verl,
    )


def _readme(settings: TrainSettings, exported: Exported, out: Path) -> str:
    recipe, tools = settings.recipe, settings.tools
    described = f" --tools-config {TOOLS}" if tools.config else ""
    val = f", {exported.val.written:,} photos to validate with" if exported.val else ""
    serve = ""
    if tools.server:
        serve = f"# on the machine of {tools.server}\nwheretaken serve --toolset {tools.toolset}\n"
    return f"""\
# A training: {exported.train.written:,} photos{val}

Model {settings.model.path}, tools {tools.toolset}, {recipe.group} rollouts of each photo, {recipe.batch}
photos a step. Everything can be changed in `{FILE}`; `photos.jsonl` and the Parquet files hold the truth. In
this directory:

```sh
pip install 'wheretaken[{settings.engine}]'
{serve}wheretaken train {settings.engine} .
wheretaken train inspect run
```

What the model finds, before and after, with the model server on port 8000:

```sh
wheretaken eval run --data photos.jsonl --out before --toolset {tools.toolset} \\
    --model openai:NAME --base-url http://127.0.0.1:8000/v1
wheretaken eval report before after
wheretaken locate PHOTO --toolset {tools.toolset}{described} --model openai:NAME --base-url http://127.0.0.1:8000/v1
```
""".replace(str(out), ".")


def _write(path: Path, text: str) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(text, "utf-8")
