"""`read`: every clue in a piece of text, the most telling first."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from wheretaken.clues import airports, brands, codes, domains, languages, measures, telephone
from wheretaken.clues.countries import countries
from wheretaken.clues.model import Clue, ClueKind, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST = 2000
"""Characters that are read: no sign has more, and a pasted document must not cost minutes."""


def _told(clue: Clue) -> float:
    return clue.confidence * max(clue.countries.values(), default=0.0)


def read(text: str, kind: ClueKind = "auto", *, hints: Sequence[str] = ()) -> list[Clue]:
    """Return what a piece of text says about where it is, the most telling clue first.

    Args:
        text: What was read in a photo: a line or a whole sign, lines separated by newlines.
        kind: What it is; `auto` tries everything and keeps only what is distinctive, another kind also admits
            forms that are distinctive only because the caller has seen what they are.
        hints: Countries (ISO alpha-2) that other evidence points to; national telephone numbers are read as
        theirs.
            Unknown codes are ignored.

    Returns:
        Clues by falling confidence times weight of the likeliest country; empty when the text says nothing.

    Raises:
        MissingExtraError: The `offline` extra is not installed and the text needs it.
        ValueError: There is no such kind.
    """
    if kind != "auto" and kind not in get_args(Kind):
        raise ValueError(f"there is no kind of clue named {kind!r}")
    short = "".join(ch for ch in text[:_LONGEST] if ch == "\n" or ch.isprintable() or ch in "\t\u200c\u200d")
    known = [code for hint in hints if (code := hint.upper()) in countries()]
    kinds: tuple[Kind, ...] = get_args(Kind) if kind == "auto" else (kind,)
    readers = _readers(explicit=kind != "auto", hints=known)
    found = [clue for one in kinds for clue in readers[one](short)]
    return sorted(found, key=lambda clue: -_told(clue))


def _readers(*, explicit: bool, hints: Sequence[str]) -> dict[Kind, Callable[[str], list[Clue]]]:
    return {
        "telephone": lambda text: telephone.read(text, explicit=explicit, hints=hints),
        "domain": domains.read_hosts,
        "email": domains.read_addresses,
        "brand": lambda text: brands.read(text, explicit=explicit),
        "language": lambda text: languages.read(text, explicit=explicit),
        "units": measures.read_units,
        "drive_side": lambda text: measures.read_drive_side(text, explicit=explicit),
        "airport": lambda text: airports.read(text, explicit=explicit),
        "currency": measures.read_currency,
        "postcode": lambda text: codes.read_postcode(text, explicit=explicit),
        "vehicle_code": lambda text: codes.read_road(text, explicit=explicit),
    }
