"""One request over HTTP: built, sent, redirected as far as allowed, and read up to a size.

Keys are added here when a request is built, and taken out of everything that comes back.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies, proxy_bypass

import httpx2
from pydantic import SecretStr

from wheretaken import __version__
from wheretaken.errors import UserError
from wheretaken.maps.web.faults import Fault, FaultKind, Response
from wheretaken.origins import Origin, check_base, may_follow, origin_of
from wheretaken.scrub import Scrubber

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Value = str | int | float
Params = Mapping[str, "Value | Sequence[Value]"]

_REDIRECTS = 3
_USER_AGENT = f"wheretaken/{__version__}"


@dataclass(frozen=True)
class Ask:
    """A request as an adapter wants it, without keys."""

    path: str
    accept: str
    max_bytes: int
    params: Params
    headers: Mapping[str, str]
    method: str = "GET"
    body: Mapping[str, Any] | bytes | None = None
    """An object to be sent as JSON, or bytes whose content type is in `headers`."""


class Wire:
    """Sends requests to one base URL."""

    def __init__(
        self,
        base_url: str,
        *,
        query: Mapping[str, SecretStr | str],
        headers: Mapping[str, SecretStr | str],
        secrets: Sequence[SecretStr],
        hosts: Collection[str],
        transport: httpx2.AsyncBaseTransport | None,
        proxy: SecretStr | None,
        connections: int,
    ) -> None:
        """Describe where to send and with what; nothing is opened before the first request.

        Raises:
            ValueError: the base URL is not one that may be asked.
        """
        self._base_url = check_base(base_url)
        self._origin = origin_of(base_url)
        self._query = dict(query)
        self._headers = {"User-Agent": _USER_AGENT, **headers}
        self._hosts = frozenset(hosts)
        self._transport = transport
        self._proxy = proxy
        self._connections = connections
        given = (*self._query.values(), *self._headers.values(), *secrets, proxy)
        self.scrub = Scrubber(value for value in given if isinstance(value, SecretStr))
        """Takes the keys out of text."""

    async def aclose(self) -> None:
        """Close all connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def send(self, ask: Ask) -> Response | Fault:
        """Send a request, follow redirects where this service may lead, and read the reply.

        Returns:
            The reply, whatever its status, or why there is none.

        Raises:
            UserError: the proxy is of a kind that cannot be used.
        """
        try:
            return await self._send(self._request(ask), ask.max_bytes)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Many of these have no text, so their kind is told as well.
            reason = f"{type(error).__name__}: {error}".rstrip(": ")
            return Fault(FaultKind.TEMPORARY, self.scrub.text(reason))

    async def _send(self, request: httpx2.Request, max_bytes: int) -> Response | Fault:
        for _ in range(_REDIRECTS + 1):
            reply = await self._open().handle_async_request(request)
            try:
                if not reply.has_redirect_location:
                    return await self._read(reply, max_bytes)
                target = request.url.join(reply.headers["location"])
            finally:
                await reply.aclose()
            if request.method != "GET" or not self._may_follow(target):
                return Fault(FaultKind.REFUSED, "redirects to where it is not followed")
            request = _redirected(request, target)
        return Fault(FaultKind.REFUSED, f"redirects more than {_REDIRECTS} times")

    def _may_follow(self, target: httpx2.URL) -> bool:
        try:
            return may_follow(self._origin, origin_of(str(target)), self._hosts)
        except ValueError:
            return False

    async def _read(self, reply: httpx2.Response, max_bytes: int) -> Response | Fault:
        too_large = Fault(FaultKind.REFUSED, f"the reply is larger than {max_bytes:,} bytes")
        length = reply.headers.get("content-length", "")
        if length.isdecimal() and int(length) > max_bytes:
            return too_large
        content = bytearray()
        async for chunk in reply.aiter_bytes():
            content += chunk
            if len(content) > max_bytes:
                return too_large
        headers = {name.lower(): self.scrub.text(value) for name, value in reply.headers.items()}
        response = Response(reply.status_code, headers, bytes(content))
        if response.media_type.startswith("image/"):
            return response
        return dataclasses.replace(response, content=self.scrub.data(response.content))

    def _request(self, ask: Ask) -> httpx2.Request:
        """Build the request; the only place where keys are in plain text."""
        keys = {name: _plain(value) for name, value in self._query.items()}
        always = {name: _plain(value) for name, value in self._headers.items()}
        return httpx2.Request(
            ask.method,
            self._base_url + ask.path,
            params={**ask.params, **keys} or None,
            headers={"Accept": ask.accept, "Accept-Encoding": "gzip, deflate"} | always | dict(ask.headers),
            json=ask.body if isinstance(ask.body, Mapping) else None,
            content=ask.body if isinstance(ask.body, bytes) else None,
        )

    def _open(self) -> httpx2.AsyncBaseTransport:
        if self._transport is None:
            proxy = self._proxy.get_secret_value() if self._proxy else _platform_proxy(self._origin)
            limits = httpx2.Limits(
                max_connections=self._connections, max_keepalive_connections=self._connections
            )
            # The error would carry the proxy's URL with its user name along, so it is not chained.
            with contextlib.suppress(ValueError, ImportError):
                # Timeouts and retries are kept above, where the deadline is known.
                self._transport = httpx2.AsyncHTTPTransport(proxy=proxy, limits=limits)
        if self._transport is None:
            raise UserError(
                "the proxy cannot be used: its URL must begin with http:// or https://; "
                "check WHERETAKEN_PROXY and HTTPS_PROXY"
            )
        return self._transport


def _redirected(request: httpx2.Request, target: httpx2.URL) -> httpx2.Request:
    """Return the request for the place that a reply names."""
    # Keys in headers are for the service itself; what it wants another host to know is in the URL.
    kept = request.headers.keys() - {"host"} if target.host == request.url.host else {"user-agent", "accept"}
    return httpx2.Request("GET", target, headers={name: request.headers[name] for name in kept})


def _platform_proxy(origin: Origin) -> str | None:
    return None if origin.private or proxy_bypass(origin.host) else getproxies().get(origin.scheme)


def _plain(value: SecretStr | str) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else value
