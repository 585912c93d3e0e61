"""Replies in the shapes that services document: another one is a failure of the service, told in a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from wheretaken.errors import ServiceError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

_Read = TypeVar("_Read")


def read(service: str, shape: TypeAdapter[_Read], data: Any) -> _Read:
    """Return a reply in its documented shape.

    Raises:
        ServiceError: it has another one.
    """
    try:
        return shape.validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise ServiceError(
            f"{service}: answered something unexpected ({where}: {first['msg']})", service=service
        ) from None
