"""The trigram index of the fuzzy search: which names share enough trigrams with a misspelt query.

A skeleton of n characters, padded by one mark on each side, has n trigrams, and one edit destroys at most
three. So a name within k edits shares at least n - 3k of the query's trigrams, and its length differs by at
most k. Ids grow with length, so the candidates lie in one slice of each sorted posting list (q-gram count
filter: Gravano et al., "Approximate String Joins in a Database", VLDB 2001).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

_PAD = "\x01"
_BITS = 21
"""A Unicode code point fits in 21 bits, three in an SQLite integer."""


def max_edits(length: int) -> int:
    """Return how many typing errors a name of this many characters may have."""
    if length < 4:
        return 0
    return 1 if length < 8 else 2


def postings(skeletons: Sequence[str]) -> Iterator[tuple[int, bytes]]:
    """Yield each trigram's code with the sorted positions in `skeletons` that have it (uint32, packed)."""
    text = _PAD + _PAD.join(skeletons) + _PAD
    chars = np.frombuffer(text.encode("utf-32-le"), dtype="<u4").astype(np.int64)
    owners = np.cumsum(chars == 1) - 1
    codes = (chars[:-2] << (2 * _BITS)) | (chars[1:-1] << _BITS) | chars[2:]
    inside = chars[1:-1] != 1
    codes, owners = codes[inside], owners[1:-1][inside].astype("<u4")
    order = np.argsort(codes, kind="stable")
    codes, owners = codes[order], owners[order]
    fresh = np.ones(len(codes), dtype=bool)
    fresh[1:] = (codes[1:] != codes[:-1]) | (owners[1:] != owners[:-1])
    codes, owners = codes[fresh], owners[fresh]
    starts = np.flatnonzero(np.concatenate([[True], codes[1:] != codes[:-1]]))
    ends = np.append(starts[1:], len(codes))
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        yield int(codes[start]), owners[start:end].tobytes()


def codes_of(skeleton: str) -> list[int]:
    """Return the distinct trigram codes of one skeleton."""
    chars = [ord(char) for char in f"{_PAD}{skeleton}{_PAD}"]
    return sorted(
        {(a << (2 * _BITS)) | (b << _BITS) | c for a, b, c in zip(chars, chars[1:], chars[2:], strict=False)}
    )


def candidates(lists: Sequence[bytes], wanted: int, first: int, end: int, most: int) -> list[int]:
    """Return the ids in [first, end) that are in at least `wanted` of the posting lists, best first.

    Args:
        lists: posting lists as `postings` packs them.
        wanted: the least number of lists.
        first: the first id of the right length.
        end: one past the last id of the right length.
        most: how many to return at most.
    """
    slices: list[npt.NDArray[np.uint32]] = []
    for packed in lists:
        ids = np.frombuffer(packed, dtype="<u4")
        low, high = np.searchsorted(ids, np.array([first, end], dtype="<u4"))
        slices.append(ids[low:high])
    if not slices or end <= first:
        return []
    # Lists come in any order; counting into one array of the window is faster than sorting their union.
    counts = np.zeros(end - first, dtype=np.uint8)
    for ids in slices:
        counts[ids - np.uint32(first)] += 1
    found = np.flatnonzero(counts >= max(1, wanted))
    if len(found) > most:
        found = found[np.argsort(-counts[found].astype(np.int16), kind="stable")[:most]]
    return (found + first).tolist()
