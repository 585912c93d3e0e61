"""What makes two calls the same call: the tool, its arguments, and who answers.

Arguments are compared in a canonical form, so that the spelling of a request does not matter: names are
sorted, texts are in Unicode's composed form (NFC) with single spaces, and numbers are rounded to seven
decimals (a centimetre, for degrees) and written without a fraction where they have none. Upper and lower
case stay apart, as services rank by them. Defaults are filled in before, by `Tool.complete`.
"""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from wheretaken.errors import ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORM = 1
"""Goes up when the same arguments would be written differently; older entries are then not met any more."""
_DECIMALS = 7
PUBLISHED = {
    "amap_input_tips": "amap",
    "amap_keyword_search": "amap",
    "amap_poi_detail": "amap",
    "google_map_search": "serper",
    "google_search": "serper",
}
"""The tools whose answers were published for a warm start, and the service that its server asked for each."""


@dataclass(frozen=True)
class CacheKey:
    """A call as the cache knows it; equal keys have equal answers, as long as those are fresh."""

    tool: str
    arguments: str
    """Canonical JSON, see `canonical`."""
    provider: str
    """`MapProvider.name` of who answers."""
    version: str = ""
    """Of the provider's data or API; another version is another key."""

    @classmethod
    def of(cls, tool: str, arguments: Mapping[str, Any], provider: str, version: str = "") -> CacheKey:
        """Make the key of a call with complete arguments.

        Raises:
            ToolError: an argument is no finite number, or no text that can be encoded.
        """
        return cls(tool, canonical(arguments), provider, version)

    @classmethod
    def of_published(cls, tool: str, query: str) -> CacheKey | None:
        """Make the key of a published answer; None for tools that it has none of."""
        provider = PUBLISHED.get(tool)
        return cls.of(tool, {"query": query}, provider, "published") if provider else None

    @property
    def published(self) -> CacheKey | None:
        """The key under which a published answer to the same call is kept; None where there can be none."""
        provider = PUBLISHED.get(self.tool)
        return CacheKey(self.tool, self.arguments, provider, "published") if provider else None

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the key, under which stores keep the answer: 32 bytes."""
        parts = [_FORM, self.tool, self.arguments, self.provider, self.version]
        return hashlib.sha256(json.dumps(parts).encode()).digest()


def canonical(arguments: Mapping[str, Any]) -> str:
    """Write arguments as JSON that is the same for all spellings of the same call.

    Raises:
        ToolError: an argument is no finite number, or no text that can be encoded.
    """
    text = json.dumps(_plain(arguments), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ToolError("the arguments hold half of a surrogate pair: send whole characters") from error
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).split())
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ToolError("numbers must be finite: neither NaN nor Infinity")
        rounded = round(value, _DECIMALS)
        return int(rounded) if rounded.is_integer() else rounded
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {name: _plain(item) for name, item in items}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value
