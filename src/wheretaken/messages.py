"""Chat messages as the OpenAI chat format has them, with pictures as values instead of URLs.

`Message` is what the loop passes to a model and gets back. Pictures carry their bytes in memory; a stored
trajectory refers to them as `media/<sha256>.<ext>`. Nothing here knows a server, a tool or a file.
"""

from __future__ import annotations

import base64
import hashlib
import io
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


class Picture(BaseModel):
    """An encoded picture without metadata: what a model is shown."""

    model_config = ConfigDict(frozen=True)

    mime: Literal["image/png", "image/jpeg", "image/webp"]
    sha256: str
    """Of `data`, lower-case hexadecimal."""
    width: int
    height: int
    data: bytes = Field(default=b"", repr=False, exclude=True)
    """Never part of the JSON, whose reference names the file; empty in a trajectory that was read back."""

    @classmethod
    def encode(cls, image: PILImage, mime: Literal["image/png", "image/jpeg"] = "image/jpeg") -> Picture:
        """Encode pixels only, so that no metadata can travel with them."""
        buffer = io.BytesIO()
        if mime == "image/png":
            image.convert("RGB").save(buffer, "PNG")
        else:
            image.convert("RGB").save(buffer, "JPEG", quality=90)
        return cls.wrap(buffer.getvalue(), mime, image.width, image.height)

    @classmethod
    def wrap(cls, data: bytes, mime: Literal["image/png", "image/jpeg"], width: int, height: int) -> Picture:
        """Take bytes that are already encoded."""
        digest = hashlib.sha256(data).hexdigest()
        return cls(mime=mime, sha256=digest, width=width, height=height, data=data)

    @property
    def reference(self) -> str:
        """Where a stored trajectory keeps this picture, relative to its file."""
        return f"media/{self.sha256}.{EXTENSIONS[self.mime]}"

    def open(self) -> PILImage:
        """Decode to an RGB image."""
        from PIL import Image  # noqa: PLC0415 - most messages are never decoded

        with Image.open(io.BytesIO(self.data)) as image:
            return image.convert("RGB")

    def data_url(self) -> str:
        """Return the picture as a `data:` URL, as OpenAI-compatible servers take it."""
        return f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"


class TextPart(BaseModel):
    """A piece of text in a message."""

    model_config = ConfigDict(frozen=True)

    type: Literal["text"] = "text"
    text: str


class PicturePart(BaseModel):
    """A picture in a message."""

    model_config = ConfigDict(frozen=True)

    type: Literal["picture"] = "picture"
    picture: Picture


Part = Annotated[TextPart | PicturePart, Field(discriminator="type")]


class ToolCall(BaseModel):
    """A model's wish to run a tool; `arguments` is the JSON text exactly as the model wrote it."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    arguments: str


class Usage(BaseModel):
    """What a completion cost."""

    model_config = ConfigDict(frozen=True)

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    """In US dollars, as far as the price is known."""
    cached_tokens: int = 0
    """Of the prompt tokens, those that the server had read before."""
    reasoning_tokens: int = 0
    """Of the completion tokens, those that were thinking."""

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
        )


class Message(BaseModel):
    """One message of a conversation."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant", "tool"]
    parts: tuple[Part, ...] = ()
    reasoning: str = ""
    """Thinking that the server returned apart from the text."""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    """For `tool` messages: the call that this answers."""
    usage: Usage = Usage()
    stop: Literal["end", "length", "refused"] = "end"
    """For a model's turn: whether it came to its end, was cut off by a token limit, or was withheld."""
    note: str = ""
    """What the model was not shown of the conversation when it wrote this, for whoever reads the record."""

    @classmethod
    def of(
        cls, role: Literal["system", "user", "assistant", "tool"], *parts: str | Picture, **rest: Any
    ) -> Message:
        """Build a message from plain strings and pictures."""
        made = tuple(TextPart(text=p) if isinstance(p, str) else PicturePart(picture=p) for p in parts)
        return cls(role=role, parts=made, **rest)

    @property
    def text(self) -> str:
        """All text parts, joined by line breaks."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """All pictures, in order."""
        return tuple(part.picture for part in self.parts if isinstance(part, PicturePart))


class ToolSpec(BaseModel):
    """What a model is told about a tool."""

    model_config = ConfigDict(frozen=True)

    name: str
    description: str
    parameters: dict[str, Any]
    """JSON Schema of the arguments object."""
