"""A conversation as chat templates of transformers take it, which is how it is trained on.

It is written by what also writes it for servers, so that a model reads in training what it reads afterwards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from wheretaken.messages import PicturePart
from wheretaken.models.openai.wire import Writer
from wheretaken.models.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.messages import Message, Picture

_NOWHERE = "http://127.0.0.1/v1"
"""Settings of a server need an address; nothing is asked here."""


def conversation(messages: Sequence[Message]) -> tuple[list[dict[str, Any]], list[Picture]]:
    """Return a conversation, in which pictures are placeholders, and its pictures in their order."""
    pictures = [part.picture for m in messages for part in m.parts if isinstance(part, PicturePart)]
    settings = ModelSettings.model_validate({"base_url": _NOWHERE})
    written = Writer(settings, {shown.sha256: "" for shown in pictures}).messages(messages, ())
    for message in written:
        content: Any = message["content"]
        if isinstance(content, list):
            parts = cast("list[dict[str, Any]]", content)
            message["content"] = [{"type": "image"} if p["type"] == "image_url" else p for p in parts]
        elif content is None:
            # Servers take it for nothing said; transformers before 5.17 does not.
            message["content"] = ""
    return written, pictures
