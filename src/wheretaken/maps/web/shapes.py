"""Replies in the shapes that services document: another one is a failure of the service, told in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from wheretaken.errors import ServiceError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_Read = TypeVar("_Read")

_LONGEST = 60
"""Characters of a key that are told."""


def read(service: str, shape: TypeAdapter[_Read], data: Any) -> _Read:
    """Return a reply in its documented shape.

    Raises:
        ServiceError: it has another one.
    """
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(_plain(str(step)) for step in first["loc"])
        raise ServiceError(
            f"{service}: answered something unexpected ({where}: {first['msg']})", service=service
        ) from None


def _plain(step: str) -> str:
    """A key as the service wrote it may hold anything: it is told in one short line."""
    return "".join(sign if sign.isprintable() else "?" for sign in step)[:_LONGEST]
