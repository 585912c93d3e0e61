"""The one HTTP client of downloads: where the hubs are, who is told the token, what is asked again.

- **Hosts** are settings (`HF_ENDPOINT`, `WHERETAKEN_MODELSCOPE_URL`, ...), so that mirrors work.
- **The token** (`HF_TOKEN`) goes to the configured Hugging Face host only: a redirect to another host, which
  is where the bytes of large files are, loses it, and no message, record or log line holds it.
- **Asked again** is what may pass by itself: broken connections, silence, 408, 429 and 5xx, after as long as
  the server asks for. `Web.patiently` decides that for every request; nothing else in this package retries.
- **Errors** leave as `UserError` (a person can mend it) or `ServiceError`, one line without queries, in which
  hubs put signatures.
"""

from __future__ import annotations

import email.utils
import re
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self, TypeVar

import httpx2
import stamina

from wheretaken.errors import ServiceError, UserError, WheretakenError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from types import TracebackType

_T = TypeVar("_T")
_TIMEOUT = httpx2.Timeout(30.0, connect=15.0)
"""Seconds; the first is how long a connection may be silent."""
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
_LONGEST_WAIT = 600.0
"""Seconds; Hugging Face counts requests in windows of 300 s, so a wait of that length is worth its time."""
_HOSTS = {
    "huggingface": ("HF_ENDPOINT", "https://huggingface.co"),
    "modelscope": ("WHERETAKEN_MODELSCOPE_URL", "https://modelscope.cn"),
    "zenodo": ("WHERETAKEN_ZENODO_URL", "https://zenodo.org"),
    "github": ("WHERETAKEN_GITHUB_MEDIA_URL", "https://media.githubusercontent.com"),
}
"""The variable that names a service's host, and the host without it."""
_RATE_LIMIT = re.compile(r"r\s*=\s*0\s*;\s*t\s*=\s*(\d+)")
"""The header `RateLimit: "api";r=0;t=55` (IETF httpapi-ratelimit-headers-09): none left for 55 s."""


class IncompleteError(Exception):
    """A file ended before its announced size: worth another try."""


@dataclass(frozen=True)
class Patience:
    """How often and how slowly something is asked again."""

    attempts: int = 4
    """In a row without getting any further."""
    first_wait: float = 0.5
    """Seconds before the second attempt; doubled each time."""
    longest_wait: float = 30.0
    """Seconds, unless the server asks for more."""


@dataclass(frozen=True)
class Settings:
    """Where the hubs are, and the reader's own token."""

    hosts: Mapping[str, str] = field(default_factory=lambda: {name: url for name, (_, url) in _HOSTS.items()})
    """Service name -> URL without a slash at the end."""
    token: str = field(default="", repr=False)
    """For the Hugging Face host only."""
    patience: Patience = field(default_factory=Patience)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Read the settings from environment variables.

        Raises:
            UserError: A variable does not hold a URL, or the token holds what no header can.
        """
        hosts: dict[str, str] = {}
        for name, (variable, default) in _HOSTS.items():
            url = environment.get(variable) or default
            if not re.fullmatch(r"https?://[^\s/@?#]+(/[^\s?#]*)?", url):
                raise UserError(f"{variable} is not a URL of the form https://HOST: unset it or mend it")
            hosts[name] = url.rstrip("/")
        token = environment.get("HF_TOKEN", "").strip()
        # The library that writes headers shows what it refuses, so the token is looked at before.
        if not re.fullmatch(r"[\x21-\x7e]*", token):
            raise UserError("HF_TOKEN holds spaces or characters that no token has: set it again")
        return cls(hosts, token)


class Web:
    """An HTTP client for as long as a download takes; use it as an asynchronous context manager."""

    def __init__(self, settings: Settings, *, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        """Use these settings; `transport` stands in for the network in tests."""
        self.settings = settings
        self._client = httpx2.AsyncClient(
            timeout=_TIMEOUT,
            follow_redirects=True,
            max_redirects=5,
            transport=transport,
            # Compressed on the way, bytes could neither be counted nor resumed.
            headers={"Accept-Encoding": "identity", "User-Agent": "wheretaken"},
        )

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    @asynccontextmanager
    async def stream(self, url: str, headers: Mapping[str, str]) -> AsyncGenerator[httpx2.Response]:
        """Open a response whose body has not been read.

        Raises:
            httpx2.HTTPError: The request failed, or the status is not a success.
        """
        told = {**headers, **self._authorization(url)}
        async with self._client.stream("GET", url, headers=told) as response:
            response.raise_for_status()
            yield response

    async def get(self, url: str, params: Mapping[str, str | int] | None = None) -> httpx2.Response:
        """Get a small document.

        Raises:
            ServiceError: The service cannot be reached or has no such thing.
            UserError: The service wants to know who asks.
        """

        async def ask() -> httpx2.Response:
            response = await self._client.get(url, params=params, headers=self._authorization(url))
            return response.raise_for_status()

        return await self.patiently(ask, url)

    async def patiently(self, ask: Callable[[], Awaitable[_T]], url: str) -> _T:
        """Do something until it succeeds or patience ends.

        Raises:
            ServiceError: As `get`.
            UserError: As `get`.
        """
        patience = self.settings.patience
        attempts = stamina.retry_context(
            on=_again,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.first_wait,
            wait_max=patience.longest_wait,
            wait_jitter=patience.first_wait,
        )
        try:
            async for attempt in attempts:
                with attempt:
                    return await ask()
        except (httpx2.HTTPError, httpx2.InvalidURL, IncompleteError) as error:
            raise self._complaint(url, error) from None
        raise AssertionError("an attempt succeeds or raises")

    def _complaint(self, url: str, error: Exception) -> WheretakenError:
        """Say in one line what became of a request, and what to do about it."""
        where = shown(url)
        if isinstance(error, httpx2.HTTPStatusError):
            return _refusal(where, error.response)
        if isinstance(error, IncompleteError):
            return ServiceError(f"{where}: {error}: run the command again")
        if isinstance(error, httpx2.TimeoutException):
            return ServiceError(f"{where} does not answer: check the network and run the command again")
        if isinstance(error, httpx2.NetworkError | httpx2.ProxyError):
            hosts = self.settings.hosts
            mirror = " or ".join(var for name, (var, _) in _HOSTS.items() if url.startswith(hosts[name]))
            return ServiceError(
                f"{where} cannot be reached: check the network, choose another source with --from, or set "
                f"{mirror} to a mirror; what has arrived is kept"
            )
        return ServiceError(f"{where}: {type(error).__name__}: run the command again")

    def _authorization(self, url: str) -> dict[str, str]:
        host = httpx2.URL(self.settings.hosts["huggingface"])
        if self.settings.token and httpx2.URL(url).origin == host.origin:
            return {"Authorization": f"Bearer {self.settings.token}"}
        return {}


def shown(url: str) -> str:
    """Return what may be shown of a URL: host and path, neither queries nor credentials."""
    parsed = httpx2.URL(url)
    return f"{parsed.netloc.decode('ascii')}{parsed.path}"


def _refusal(where: str, response: httpx2.Response) -> WheretakenError:
    status = response.status_code
    if status in {401, 403}:
        return UserError(
            f"{where}: access denied ({status}): accept the data set's conditions on its page and set "
            "HF_TOKEN to a token that may read it, or choose another source with --from"
        )
    if status in {404, 410}:
        return ServiceError(f"{where}: not there ({status}): choose another source with --from")
    if status == 429:
        return ServiceError(f"{where}: too many requests ({status}): run the command again later to go on")
    return ServiceError(f"{where}: the server failed ({status}): run the command again later to go on")


def _again(error: Exception) -> bool | float:
    """Say whether to ask again, or after how many seconds."""
    if isinstance(error, httpx2.HTTPStatusError):
        if error.response.status_code not in _TRANSIENT:
            return False
        wait = _asked_wait(error.response)
        return True if wait is None else wait if wait <= _LONGEST_WAIT else False
    return isinstance(
        error, httpx2.NetworkError | httpx2.TimeoutException | httpx2.RemoteProtocolError | IncompleteError
    )


def _asked_wait(response: httpx2.Response) -> float | None:
    """Return how many seconds the server asks to wait: `Retry-After` in both its forms, or `RateLimit`."""
    asked = response.headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    if asked:
        try:
            return max(0.0, email.utils.parsedate_to_datetime(asked).timestamp() - time.time())
        except ValueError:
            return None
    limit = _RATE_LIMIT.search(response.headers.get("RateLimit", ""))
    return float(limit[1]) if limit else None
