"""Stands before everything: looks at the Host header and the token, and counts replies.

A server on loopback can be reached by any page in a browser on the same machine, once that page's own name
resolves to 127.0.0.1 (DNS rebinding); the Host header gives such a page away. A server that others can reach
asks for a token instead.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from wheretaken.server import replies

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pydantic import SecretStr
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN = frozenset({"/healthz", "/readyz"})
"""Paths that need no token: those who ask them (load balancers, container platforms) have none."""


class Guard:
    """An ASGI application before another one."""

    def __init__(
        self,
        app: ASGIApp,
        replied: Callable[[int], None] = lambda _status: None,
        *,
        hosts: Collection[str] | None,
        token: SecretStr | None,
    ) -> None:
        """Let through what is addressed to one of these hosts (None: any) and has this token (None: none).

        `replied` is told the status of every reply.
        """
        self._app = app
        self._replied = replied
        self._hosts = None if hosts is None else frozenset(host.lower() for host in hosts)
        self._token = None if token is None else token.get_secret_value().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._replied(message["status"])
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, counted)

    def _refusal(self, scope: Scope) -> Response | None:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if self._hosts is not None and _name(headers.get(b"host", b"")) not in self._hosts:
            said = "this server is not called that; use its own name, or start it with --allow-host"
            return replies.json({"error": said, "kind": "host"}, 421)
        if self._token is not None and scope["path"] not in OPEN:
            kind, _, given = headers.get(b"authorization", b"").partition(b" ")
            if kind.lower() != b"bearer" or not hmac.compare_digest(given.strip(), self._token):
                said = "a token is needed: send the header  Authorization: Bearer TOKEN"
                return replies.json({"error": said, "kind": "token"}, 401, {"WWW-Authenticate": "Bearer"})
        return None


def _name(host: bytes) -> str:
    """Return a Host header's name without the port; names in brackets are IPv6 addresses."""
    text = host.decode("latin-1").lower()
    return text.partition("]")[0] + "]" if text.startswith("[") else text.partition(":")[0]
