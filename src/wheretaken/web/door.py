"""Stands before the pages and the guard: who may send what, and what browsers are told about it.

A browser cannot put a token into the request of a page, a picture or an event stream. It signs in once and
gets the token as a cookie that scripts cannot read and other sites cannot send; the door makes it the header
that the guard of the tool server looks for. A page of another site can make a browser send requests here,
too: such a request says so in its `Origin` or `Sec-Fetch-Site` header and is refused.
"""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from wheretaken.server import replies

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "wheretaken_token"
_SAFE = {"GET", "HEAD"}


def policy(tiles: str) -> str:
    """Return the Content-Security-Policy: everything from here; `tiles` may be asked for pictures of maps."""
    parts = urlsplit(tiles)
    foreign = f" {parts.scheme}://{parts.netloc}" if parts.scheme in {"http", "https"} else ""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: blob:{foreign}",
            f"connect-src 'self' blob:{foreign}",
            "font-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Door:
    """An ASGI application before another one."""

    def __init__(self, app: ASGIApp, tiles: str = "") -> None:
        """Stand before `app`; `tiles` is the URL of tiles of others, empty for none."""
        self._app = app
        self._headers = [
            (b"content-security-policy", policy(tiles).encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        headers: dict[bytes, bytes] = dict(scope["headers"])
        if _foreign(scope["method"], headers):
            said = "this request comes from the page of another site"
            await replies.json({"error": said, "kind": "origin"}, 403)(scope, receive, sealed)
            return
        if b"authorization" not in headers and (token := _token(headers.get(b"cookie", b""))):
            bearer = (b"authorization", f"Bearer {token}".encode("latin-1"))
            scope = {**scope, "headers": [*scope["headers"], bearer]}
        await self._app(scope, receive, sealed)


def _foreign(method: str, headers: dict[bytes, bytes]) -> bool:
    if method in _SAFE:
        return False
    if headers.get(b"sec-fetch-site", b"none") not in {b"same-origin", b"none"}:
        return True
    origin = headers.get(b"origin")
    return origin is not None and urlsplit(origin).netloc.lower() != headers.get(b"host", b"").lower()


def _token(cookies: bytes) -> str:
    jar = SimpleCookie()
    try:
        jar.load(cookies.decode("latin-1"))
    except CookieError:
        return ""
    return jar[COOKIE].value if COOKIE in jar else ""
