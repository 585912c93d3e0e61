"""Rows whose pictures are files, each opened as the agent loop opens a photo, once for every rollout.

verl would reduce the photo in a way of its own before the model's processor does, and share one open file
between the rollouts of a photo. Here a photo is what `locate` would show: without metadata, upright, whole.
"""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.rl.data import located, picture, size
from wheretaken.rl.lengths import Ruler, fitting
from wheretaken.rl.verl.libraries import imported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Picture

_log = logging.getLogger(__name__)
rl_dataset: Any = imported("verl.utils.dataset.rl_dataset")


def photo(messages: Sequence[dict[str, Any]]) -> Picture:
    """Return the one photo of a prompt.

    Raises:
        PhotoError: it is missing or broken.
        ValueError: the prompt has none, or several.
    """
    (image,) = _images(messages)
    return picture(Path(image["image"]))


def _images(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    contents: list[Any] = [message["content"] for message in messages]
    parts: list[dict[str, Any]] = [part for one in contents if not isinstance(one, str) for part in one]
    return [part for part in parts if part["type"] == "image"]


class PhotoDataset(rl_dataset.RLHFDataset):
    """The rows of a Parquet file of `train export`."""

    def _build_messages(self, example: dict[str, Any], key: str) -> list[dict[str, Any]]:
        above: Any = super()
        folder = Path(str(self.original_data_files[0])).parent
        messages: list[dict[str, Any]] = above._build_messages(example, key)  # noqa: SLF001 - our own
        for part in _images(messages):
            part["image"] = str(located(Path(part["image"]), folder))
        return messages

    def __getitem__(self, item: int) -> dict[str, Any]:
        """Return a row, which says whether it is trained on or validated with.

        Both may be parts of the same set, whose own word for it is another.
        """
        above: Any = super()
        row: dict[str, Any] = above.__getitem__(item)
        files, config = [str(file) for file in self.original_data_files], self.config
        row["extra_info"]["split"] = "val" if files == [str(config.val_files)] else "train"
        return row

    def maybe_filter_out_long_prompts(self, dataframe: Any = None) -> Any:
        """Leave out rows whose prompt is too long, by the rule of both engines.

        Raises:
            UserError: none is left.
        """
        if not self.filter_overlong_prompts:
            return dataframe
        ruler = Ruler(self.processor, self.tool_schemas or (), dict(self.mm_processor_kwargs))
        lengths: list[int] = []
        for row in dataframe:
            messages = self._build_messages(row, key=self.prompt_key)
            (image,) = _images(messages)
            lengths.append(ruler.words(messages) + ruler.photo(size(Path(image["image"]))))
        where = ", ".join(map(str, self.original_data_files))
        fit = fitting(lengths, self.max_prompt_length, where)
        if fit.said:
            _log.warning(fit.said)
        return dataframe.select(fit.kept)

    @classmethod
    def _process_multi_modal_info(
        cls, messages: Sequence[dict[str, Any]], *_rest: Any, **_options: Any
    ) -> tuple[list[Any], None, None]:
        return [photo(messages).open()], None, None

    @classmethod
    async def process_multi_modal_info(
        cls, messages: Sequence[dict[str, Any]], *_rest: Any, **_options: Any
    ) -> tuple[list[Any], None, None]:
        """Return the picture of a prompt; there are neither videos nor sounds."""
        return await asyncio.to_thread(cls._process_multi_modal_info, messages)
