"""A fake service in process: what is asked through the transport reaches it without a socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx2

from wheretaken.testing.services.fake import Asked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from wheretaken.testing.services.fake import Delivery, FakeService

_CHUNK = 65_536


class FakeTransport(httpx2.AsyncBaseTransport):
    """Hands every request to a fake, whatever host it is for; time is that of the event loop."""

    def __init__(self, fake: FakeService) -> None:
        """Deliver for this fake."""
        self._fake = fake
        self.closed = False
        """Whether the client that uses it was closed."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Deliver one reply.

        Raises:
            httpx2.ReadError: the delivery is a reset connection.
        """
        body = await request.aread()
        target = request.url.raw_path.decode("ascii")
        now = asyncio.get_running_loop().time()
        asked = Asked.of(request.method, request.url.host, target, request.headers, body, now)
        delivery = self._fake.begin(asked)
        stream = _Body(self._fake, delivery)
        try:
            await _first_byte(delivery)
        except BaseException:
            await stream.aclose()
            raise
        reply = delivery.reply
        headers = {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        return httpx2.Response(reply.status, headers=headers, stream=stream)

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


async def _first_byte(delivery: Delivery) -> None:
    await asyncio.sleep(delivery.delay)
    if delivery.reset:
        raise httpx2.ReadError("connection reset by peer")


class _Body(httpx2.AsyncByteStream):
    def __init__(self, fake: FakeService, delivery: Delivery) -> None:
        self._fake = fake
        self._delivery = delivery
        self._ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = self._delivery.reply.body
        cut = self._delivery.after_half != "goes on"
        end = len(body) // 2 if cut else len(body)
        for start in range(0, end, _CHUNK):
            chunk = body[start : min(start + _CHUNK, end)]
            self._fake.sent_bytes += len(chunk)
            yield chunk
        if self._delivery.after_half == "hangs":
            await asyncio.Event().wait()
        if cut:
            raise httpx2.RemoteProtocolError("peer closed connection without sending complete message body")

    async def aclose(self) -> None:
        if not self._ended:
            self._ended = True
            self._fake.end()
