"""Why a service's result is in an answer: services rank, but do not say how a query met a name.

The tiers are those of the offline index (`MatchKind`), found by comparing the query with the names that the
service tells of the place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheretaken.errors import MissingExtraError
from wheretaken.maps.base import Match, MatchKind
from wheretaken.maps.offline.names import fold, strip_generic

if TYPE_CHECKING:
    from collections.abc import Iterable

_LEAST_SIMILAR = 0.75
"""Below this, two texts are not one name with errors: the service knows a name that it does not tell."""
_ORDER = list(MatchKind)


def best_match(query: str, names: Iterable[str]) -> Match | None:
    """Return how a query met the best of a place's names; None where none of them explains the result.

    Args:
        query: What was searched for.
        names: Names and address lines of the place, the one on signs first; empty ones are ignored.
    """
    found = [match for name in names if name and (match := _match(query, name))]
    return min(found, key=lambda match: (_ORDER.index(match.kind), -match.similarity), default=None)


def _match(query: str, name: str) -> Match | None:
    asked, known = fold(query), fold(name)
    if not asked or not known:
        return None
    similarity = min(len(asked), len(known)) / max(len(asked), len(known))
    if asked == known:
        kind = MatchKind.EXACT
    elif strip_generic(asked) == strip_generic(known):
        kind = MatchKind.STRIPPED
    elif f" {known} " in f" {asked} ":
        kind = MatchKind.PARTIAL
    elif known.startswith(asked):
        kind = MatchKind.PREFIX
    else:
        kind, similarity = MatchKind.FUZZY, _similarity(asked, known)
    fits = kind is not MatchKind.FUZZY or similarity >= _LEAST_SIMILAR
    return Match(kind=kind, alias=name, similarity=similarity) if fits else None


def _similarity(one: str, other: str) -> float:
    """Return 1 - edit distance / length of the longer text."""
    try:
        from rapidfuzz.distance import Levenshtein  # noqa: PLC0415 - the offline router needs none of this
    except ModuleNotFoundError as error:
        raise MissingExtraError("asking map services", "services", "rapidfuzz") from error
    return Levenshtein.normalized_similarity(one, other)
