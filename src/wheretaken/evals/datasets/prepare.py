"""`prepare`: write a data set as one Parquet file, checked and with bare pictures, for whoever reads it.

Truth has its own columns and is nowhere else: pictures come without metadata and without file names, and what
a model or a tool is given (`prompt`, `images`, `extra_info`) is built from constants, a running number and a
hash of the picture. The layouts:

- `table`: `image{bytes, path}, lat, lon, city, country, id, split, sha256`; `open_dataset` reads it.
- `verl` (its `RLHFDataset`): `data_source, agent_name, prompt, images, reward_model{style, ground_truth},
  extra_info`; a prompt has one `<image>` for each image. `need_tools_kwargs` is false: tools get nothing of
  the row. Truth is in `reward_model.ground_truth`, which only the reward function reads.
- `trl` (its trainers): `prompt, images` and, for the reward function, `lat, lon, city, country, sha256`.

`Making.media` writes the pictures as files of a folder, named by their content, and paths into the rows:
processes that share a row then open a picture each for itself.

Memory is bounded: photos are taken as they come, and a row group is written when it is full.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from wheretaken.agent import prompts
from wheretaken.errors import DataError, UserError
from wheretaken.evals.datasets.arrow import Writer
from wheretaken.evals.datasets.checks import Watch, examine
from wheretaken.evals.datasets.opening import PROBLEMS
from wheretaken.messages import EXTENSIONS
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from wheretaken.evals.model import DataSet, Row
    from wheretaken.photos import BareFile

Layout = Literal["table", "verl", "trl"]
AGENT = "tool_agent"
"""verl's own agent loop with tools; `actor_rollout_ref.rollout.agent` may put another under this name."""
_IMAGE = {"bytes": "binary", "path": "string"}
"""As `datasets` has a picture; the path is empty or one of ours, as a file's own name may tell the place."""
_TRUTH = {"lat": "double", "lon": "double", "city": "string", "country": "string"}
_MESSAGES = [{"role": "string", "content": "string"}]
_FIELDS: Mapping[Layout, Mapping[str, Any]] = {
    "table": {"image": _IMAGE, **_TRUTH, "id": "string", "split": "string", "sha256": "string"},
    "verl": {
        "data_source": "string",
        "agent_name": "string",
        "prompt": _MESSAGES,
        "images": [{"bytes": "binary"}],
        "reward_model": {"style": "string", "ground_truth": _TRUTH},
        "extra_info": {"index": "int64", "split": "string", "sha256": "string", "need_tools_kwargs": "bool"},
    },
    "trl": {"prompt": _MESSAGES, "images": [_IMAGE], **_TRUTH, "sha256": "string"},
}
_TEXT, _NUMBER = {"dtype": "string", "_type": "Value"}, {"dtype": "float64", "_type": "Value"}
_PICTURE = {"_type": "Image"}
_PLACE = {"lat": _NUMBER, "lon": _NUMBER, "city": _TEXT, "country": _TEXT}
_FEATURES: Mapping[Layout, Mapping[str, Any] | None] = {
    "table": {"image": _PICTURE, **_PLACE, "id": _TEXT, "split": _TEXT, "sha256": _TEXT},
    "verl": None,  # verl opens the bytes itself
    "trl": {
        "prompt": {"feature": {"role": _TEXT, "content": _TEXT}, "_type": "List"},
        "images": {"feature": _PICTURE, "_type": "List"},
        **_PLACE,
        "sha256": _TEXT,
    },
}
"""What `datasets` makes of the columns: pictures become pictures where they are loaded."""


@dataclass(frozen=True)
class Making:
    """How rows are made."""

    system: str = prompts.SYSTEM
    """What a model is told first."""
    media: Path | None = None
    """The folder that pictures are written to; without it they are in the rows."""
    agent: str = AGENT
    """verl's agent loop."""
    min_pixels: int | None = None
    """For verl's image processor, where pictures are files."""
    max_pixels: int | None = None


@dataclass
class Prepared:
    """What became of a data set."""

    written: int = 0
    read: int = 0
    problems: Counter[str] = field(default_factory=Counter[str])
    """Kind -> how many; every one is in the list beside the output."""
    against_unread: int = 0
    """Photos of the other set that cannot be read, of which only the place was compared."""


def prepare(
    data: DataSet,
    output: Path,
    layout: Layout,
    *,
    against: Sequence[DataSet] = (),
    making: Making | None = None,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Prepared:
    """Write a data set as Parquet, and beside it `OUT.problems.jsonl`: a line for all that is wrong.

    Missing and broken photos are left out, and those that are in `against` as well; duplicates are kept.

    Args:
        data: the set.
        output: replaced when everything is written, left alone when anything fails.
        layout: for whom.
        against: such as the test set.
        making: how rows are made, where not as usual.
        limit: only the first rows.
        progress: told how many photos are done, those of the other sets first.

    Raises:
        DataError: a row cannot be used, or no photo can.
        MissingExtraError: pyarrow is not installed.
        UserError: the output cannot be written.
    """
    result, making = Prepared(), making or Making()
    try:
        with contextlib.ExitStack() as stack:
            listed = stack.enter_context(atomic_path(problems_file(output)))
            target = stack.enter_context(atomic_path(output))
            problems = stack.enter_context(listed.open("w", encoding="utf-8"))
            watch = stack.enter_context(Watch())
            writer = stack.enter_context(Writer(target, _fields(layout, making), features=_FEATURES[layout]))
            for other in against:
                result.against_unread += watch.against(other, progress)
            for item in examine(islice(data.rows(), limit)):
                found = watch.problems(item)
                problems.writelines(problem.model_dump_json() + "\n" for problem in found)
                result.problems.update(problem.kind for problem in found)
                result.read += 1
                if item.picture and not any(problem.kind == "leak" for problem in found):
                    row = _ROWS[layout](data.name, item.row, item.picture, result.written, making)
                    writer.write(row, 0 if making.media else len(item.picture.data))
                    result.written += 1
                if progress:
                    progress(result.read)
            if not result.written:
                raise DataError(_nothing(data, result))
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror or error}") from error
    return result


def problems_file(output: Path) -> Path:
    """Return where the problems of an output are listed."""
    return output.with_name(output.name.removesuffix(".parquet") + PROBLEMS)


def _fields(layout: Layout, making: Making) -> Mapping[str, Any]:
    fields = _FIELDS[layout]
    if layout == "verl" and making.media:
        sizes = {name: "int64" for name in ("min_pixels", "max_pixels") if getattr(making, name)}
        return {**fields, "images": [{"image": "string", **sizes}]}
    return fields


def _kept(making: Making, picture: BareFile) -> dict[str, Any]:
    """Return a picture as `datasets` has it, in the row or as a file beside it."""
    if making.media is None:
        return {"bytes": picture.data}
    file = making.media.resolve() / f"{picture.sha256}.{EXTENSIONS[picture.mime]}"
    if not file.exists():
        with atomic_path(file) as temporary:
            temporary.write_bytes(picture.data)
    return {"path": str(file)}


def _nothing(data: DataSet, result: Prepared) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in result.problems.most_common())
    return (
        f"none of the {result.read} photos of {data.name} can be used ({kinds or 'it has no rows'}): "
        "say where they are with --images DIR, and see  wheretaken data info"
    )


def _truth(row: Row) -> dict[str, Any]:
    return row.truth.model_dump()


def _prompt(making: Making, content: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": making.system}, {"role": "user", "content": content}]


def _table_row(name: str, row: Row, picture: BareFile, number: int, making: Making) -> dict[str, Any]:
    del name, number
    return {
        "image": _kept(making, picture),
        **_truth(row),
        "id": row.id,
        "split": row.split,
        "sha256": picture.sha256,
    }


def _verl_row(name: str, row: Row, picture: BareFile, number: int, making: Making) -> dict[str, Any]:
    image = _kept(making, picture)
    if making.media:
        image = {"image": image["path"], "min_pixels": making.min_pixels, "max_pixels": making.max_pixels}
    return {
        "data_source": name,
        "agent_name": making.agent,
        "prompt": _prompt(making, f"<image>{prompts.QUESTION}"),
        "images": [image],
        "reward_model": {"style": "rule", "ground_truth": _truth(row)},
        "extra_info": {
            "index": number,
            "split": row.split,
            "sha256": picture.sha256,
            "need_tools_kwargs": False,
        },
    }


def _trl_row(name: str, row: Row, picture: BareFile, number: int, making: Making) -> dict[str, Any]:
    del name, number
    return {
        "prompt": _prompt(making, prompts.QUESTION),
        "images": [_kept(making, picture)],
        **_truth(row),
        "sha256": picture.sha256,
    }


_ROWS: Mapping[Layout, Callable[[str, Row, BareFile, int, Making], dict[str, Any]]] = {
    "table": _table_row,
    "verl": _verl_row,
    "trl": _trl_row,
}
