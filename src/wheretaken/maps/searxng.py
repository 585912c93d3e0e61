"""SearXNG: web search on a server of your own (https://docs.searxng.org/dev/search_api.html).

Results come as JSON only where the server's `settings.yml` lists it among `search.formats`; otherwise the
answer is a 403. The server asks other search engines, and says which of them did not answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, Field, SecretStr, TypeAdapter, ValidationError

from wheretaken.maps.base import MapProvider, WebPage
from wheretaken.maps.google.languages import ENGLISH, language_of
from wheretaken.maps.web import Fault, FaultKind
from wheretaken.maps.web.shapes import read

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheretaken.maps.web import Connection, Response, Service


class _Page(BaseModel):
    title: str
    url: str
    content: str | None = None
    published: Annotated[str | None, Field(validation_alias="publishedDate")] = None
    engines: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        return f"SearXNG ({', '.join(self.engines)})" if self.engines else "SearXNG"


class _Reply(BaseModel):
    results: list[_Page]
    unresponsive: Annotated[list[tuple[str, ...] | str], Field(validation_alias="unresponsive_engines")] = []
    """Engine and reason of each; older servers tell the engine alone."""


_SEARCH = TypeAdapter(_Reply)


class Searxng(MapProvider):
    """Web pages, each with the engines that found it, whose terms decide for how long it may be kept."""

    name = "searxng"

    def __init__(self, service: Service) -> None:
        """Ask this service."""
        self._service = service
        self.services = (service,)

    @classmethod
    def connected(cls, connection: Connection) -> Self:
        """Make the provider from the section of its name.

        SearXNG knows no keys. One in the settings is sent as a bearer token, for a proxy before the server.
        """
        section = connection.settings.searxng
        bearer = SecretStr(f"Bearer {section.key.get_secret_value()}") if section.key else None
        service = connection.service(
            cls.name,
            section.url,
            section.limits,
            headers={"Authorization": bearer} if bearer else {},
            secrets=[section.key] if section.key else [],
            fault=_fault,
        )
        return cls(service)

    async def web_search(self, query: str, *, limit: int = 10) -> Sequence[WebPage]:
        """Return web pages, best first.

        Raises:
            ServiceError: it failed, or none of its search engines answered.
        """
        language = language_of(query)
        params = {"q": query, "format": "json", "language": "auto" if language == ENGLISH else language}
        reply = read(self.name, _SEARCH, await self._service.json("/search", params=params))
        return [
            WebPage(
                title=page.title,
                url=page.url,
                snippet=page.content or "",
                date=page.published or "",
                source=page.source,
            )
            for page in reply.results[:limit]
        ]


def _fault(response: Response) -> Fault | None:
    """Return what is wrong where SearXNG says it in its own way."""
    if response.status == 403:
        return Fault(FaultKind.ACCESS, "HTTP 403: list json among search.formats in its settings.yml")
    try:
        reply = _SEARCH.validate_python(response.json)
    except ValidationError:
        return None
    if reply.results or not reply.unresponsive:
        return None
    silent = [one if isinstance(one, str) else ": ".join(one) for one in reply.unresponsive]
    return Fault(FaultKind.REFUSED, f"none of its search engines answered ({'; '.join(silent)})")
