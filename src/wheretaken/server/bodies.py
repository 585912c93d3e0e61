"""What a request brings along, up to a size and within a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from wheretaken.server.replies import Refused

if TYPE_CHECKING:
    from starlette.requests import Request


async def read_body(request: Request, most: int, seconds: float) -> bytes:
    """Return the body of a request.

    Raises:
        Refused: it is larger than `most` bytes, or takes longer than `seconds` to arrive.
    """
    too_large = Refused(413, "too_large", f"the request is larger than {most:,} bytes")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > most:
        raise too_large
    content = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                content += chunk
                if len(content) > most:
                    raise too_large
    except TimeoutError:
        raise Refused(408, "slow", "the request did not arrive in time") from None
    return bytes(content)
