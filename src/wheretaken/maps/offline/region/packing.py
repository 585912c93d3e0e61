"""Lists of numbers as they lie in the tables of a region: unsigned, little-endian, ascending."""

from __future__ import annotations

import sys
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def pack32(numbers: Iterable[int]) -> bytes:
    """Return numbers below 2^32 as bytes."""
    return _little_endian(array("I", numbers)).tobytes()


def unpack32(packed: bytes) -> array[int]:
    """Return what `pack32` packed."""
    numbers = array("I")
    numbers.frombytes(packed)
    return _little_endian(numbers)


def pack16(numbers: array[int]) -> bytes:
    """Return an `array("H")` as bytes."""
    return _little_endian(numbers[:]).tobytes()


def _little_endian(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
