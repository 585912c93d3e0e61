"""The photos of a training as TRL takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheretaken.agent import prompts
from wheretaken.rl.data import samples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheretaken.rl.lengths import Fit
    from wheretaken.tools import Toolset


def load(file: Path, fit: Fit, toolset: Toolset) -> Any:
    """Return the rows of a file as a data set of `datasets`, in which a photo is opened when it is needed.

    A row has `prompt`, `images` (what the model sees), `photo` (the same, as tools take it), `sha256` and,
    for the reward alone, `lat` and `lon`.

    Args:
        file: Of `train export`.
        fit: Which of its rows are used.
        toolset: The tools that the model is told of.

    Raises:
        DataError: the file is no such file.
    """
    from wheretaken.rl.trl.libraries import datasets  # noqa: PLC0415 - takes seconds

    every = list(samples(file))
    found = [every[number] for number in fit.kept]
    told = [
        {"role": "system", "content": prompts.system(toolset)},
        {"role": "user", "content": prompts.question()},
    ]

    def opened(batch: Mapping[str, Sequence[int]]) -> dict[str, list[Any]]:
        rows = [found[number] for number in batch["number"]]
        photos = [row.picture() for row in rows]
        return {
            "prompt": [told for _ in rows],
            "images": [[photo.open()] for photo in photos],
            "photo": photos,
            "sha256": [row.sha256 for row in rows],
            "lat": [row.truth.lat for row in rows],
            "lon": [row.truth.lon for row in rows],
        }

    return datasets.Dataset.from_dict({"number": list(range(len(found)))}).with_transform(opened)
