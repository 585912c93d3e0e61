"""One provider over several: each question goes to the provider that is likely to answer it best.

```
operation, where ─► can it, does it cover that place ─► order ─► ask ─► an answer
                                                          ▲        └─► failed, or found nothing: the next one
              region, then the order of the settings, ────┘
              resting ones later, `offline` last
```
A provider is passed over when it fails (`ServiceError`), cannot do this (`UnsupportedError`), or finds
nothing, which says only that this provider has no such name. That nothing was found is the answer if all who
were asked say so, or one that is no last resort; otherwise the failures are raised. A `ToolError`, which the
model must mend, is raised at once. An answer is that of one provider, never a mixture; its `source` or
`attribution` says whose. All providers that are asked for an answer share one deadline.

A provider that failed rests: for as long as its error says, it is asked after the others. What protects the
service itself (its breaker) is in `wheretaken.maps.web`.

`answering` tells those who keep or count answers which providers they came from, and whether a better one
would have been asked if it had worked.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import unicodedata
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict

from wheretaken.errors import DeadlineError, MissingExtraError, ServiceError
from wheretaken.geo import mainland
from wheretaken.maps.base import MapProvider, UnsupportedError
from wheretaken.maps.web import within
from wheretaken.maps.web.breaker import BreakerState
from wheretaken.maps.web.deadlines import deadline
from wheretaken.maps.web.settings import RouterSettings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from wheretaken.geo import LatLon
    from wheretaken.maps.base import Combination, MapPicture, Place, StreetView, WebPage
    from wheretaken.maps.web.settings import RegionSettings

_Answer = TypeVar("_Answer")

OPERATIONS = (
    "search", "combination", "suggest", "details", "reverse", "road_map", "satellite", "street_view",
    "web_search",
)  # fmt: skip
"""Everything that a provider may be asked for."""
LAST_RESORT = "offline"
"""Asked when all others failed or found nothing: it is always there, and knows least of streets and shops."""
_REST_SECONDS = 15.0
"""How long a provider rests whose error does not say how long."""
_SHARE = 2 / 3
"""Of the time left, for a provider after which others could be asked."""
_FAIR_SECONDS = 1.0
"""A provider that was given less does not rest for being late."""


@dataclass
class Answered:
    """Whose answers were used."""

    providers: list[str] = field(default_factory=list[str])
    """Their names, one for each answer."""
    degraded: bool = False
    """Whether one of them stood in for a provider that failed or rested, and may soon be better."""


_answering: ContextVar[Answered | None] = ContextVar("wheretaken_answering", default=None)


@contextlib.contextmanager
def answering() -> Generator[Answered]:
    """Yield what fills with the providers whose answers are used in the block, and in tasks started there."""
    answered = Answered()
    token = _answering.set(answered)
    try:
        yield answered
    finally:
        _answering.reset(token)


class ProviderStatus(BaseModel):
    """Whether a provider works, as far as its last calls tell; nothing is asked to find out."""

    model_config = ConfigDict(frozen=True)

    name: str
    works: bool
    """Whether at least one of its operations may be asked now."""
    operations: tuple[str, ...]
    """What it can do."""
    failing: Mapping[str, str]
    """What is not asked at the moment (an operation, or a service), and why."""
    retry_after: float = 0.0
    """Seconds until all of it is asked again."""


@dataclass(frozen=True)
class _Trouble:
    """Why a provider rests, and until which loop time."""

    until: float
    reason: str


@dataclass(frozen=True)
class _Where:
    """What a question tells of the place that it is about."""

    position: LatLon | None = None
    country_code: str = ""
    written_in: str = ""
    """The country that the query's script hints at: its providers may know, but are not asked first."""

    def within(self, region: RegionSettings) -> bool:
        """Tell whether that place is in a region."""
        if self.position is None:
            return self.country_code == region.country_code
        true = self.position.wgs84
        if region.box is None:
            return region.country_code == "CN" and mainland.contains(true.lat, true.lon)
        south, west, north, east = region.box
        return south <= true.lat <= north and west <= true.lon <= east


class Router(MapProvider):
    """Asks the provider that suits best, and the next one where that leads to nothing."""

    name = "router"

    def __init__(self, providers: Sequence[MapProvider], settings: RouterSettings | None = None) -> None:
        """Choose among these providers; `aclose` closes them.

        Args:
            providers: Each with another name.
            settings: In which order they are asked.

        Raises:
            ValueError: two have the same name.
        """
        if len({provider.name for provider in providers}) < len(providers):
            raise ValueError("two providers have the same name")
        self._settings = settings or RouterSettings()
        places = {name: place for place, name in enumerate(self._settings.order)}
        self.providers = sorted(providers, key=lambda one: places.get(one.name, len(places)))
        """In the order in which they are asked where nothing speaks against it."""
        self.services = tuple(itertools.chain.from_iterable(one.services for one in providers))
        self.id_sources = frozenset(itertools.chain.from_iterable(map(_id_sources, providers)))
        self._troubles: dict[tuple[str, str], _Trouble] = {}

    @property
    def version(self) -> str:
        """Of all providers in their order: what is kept of others is no answer of this one."""
        return ",".join(f"{one.name}={one.version}" for one in self.providers)

    def can(self, operation: str) -> bool:
        """Whether one of the providers can do this."""
        return any(provider.can(operation) for provider in self.providers)

    def covers(self, position: LatLon | None, country_code: str) -> bool:
        """Whether one of the providers knows that place."""
        return any(provider.covers(position, country_code) for provider in self.providers)

    def keep_days(self, operation: str) -> float | None:
        """Return what the strictest of the providers that can do this says."""
        able = (provider for provider in self.providers if provider.can(operation))
        return min((days for one in able if (days := one.keep_days(operation)) is not None), default=None)

    async def aclose(self) -> None:
        """Close all providers."""
        for provider in self.providers:
            await provider.aclose()

    def status(self) -> list[ProviderStatus]:
        """Return how every provider is doing, in their order; to be called in the event loop."""
        return [self._status(provider) for provider in self.providers]

    async def search(
        self,
        query: str,
        *,
        near: LatLon | None = None,
        radius_km: float | None = None,
        kind: str = "",
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Place]:
        """Return the places that `query` may name, from the first provider that finds any."""
        return await self._ask(
            "search",
            _Where(near, country_code.upper(), _written_in(query)),
            lambda one: one.search(
                query, near=near, radius_km=radius_km, kind=kind, country_code=country_code, limit=limit
            ),
        )

    async def combination(
        self,
        wanted: Sequence[str],
        *,
        within_m: float = 150.0,
        near: LatLon | None = None,
        radius_km: float | None = None,
        country_code: str = "",
        limit: int = 10,
    ) -> Sequence[Combination]:
        """Return where several things are close together, from the first provider that finds any."""
        return await self._ask(
            "combination",
            _Where(near, country_code.upper(), _written_in(" ".join(wanted))),
            lambda one: one.combination(
                wanted,
                within_m=within_m,
                near=near,
                radius_km=radius_km,
                country_code=country_code,
                limit=limit,
            ),
        )

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        """Return places whose names complete what was typed so far."""
        return await self._ask(
            "suggest",
            _Where(near, written_in=_written_in(query)),
            lambda one: one.suggest(query, near=near, limit=limit),
        )

    async def details(self, place_id: str) -> Place | None:
        """Return the place with this id from a provider that gives such ids, or None."""
        source = place_id.partition(":")[0]
        givers = [provider for provider in self.providers if source in _id_sources(provider)]
        if not givers:
            return None
        return await self._ask("details", None, lambda one: one.details(place_id), among=givers)

    async def reverse(self, position: LatLon, *, limit: int = 5) -> Sequence[Place]:
        """Return what is at and around a position."""
        return await self._ask("reverse", _Where(position), lambda one: one.reverse(position, limit=limit))

    async def road_map(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
        language: str = "",
    ) -> MapPicture:
        """Return a labelled map picture around `centre` with numbered markers."""
        return await self._ask(
            "road_map",
            _Where(centre),
            lambda one: one.road_map(
                centre, zoom=zoom, width=width, height=height, markers=markers, language=language
            ),
        )

    async def satellite(
        self,
        centre: LatLon,
        *,
        zoom: float,
        width: int = 500,
        height: int = 500,
        markers: Sequence[LatLon] = (),
    ) -> MapPicture:
        """Return imagery from above around `centre` with numbered markers."""
        return await self._ask(
            "satellite",
            _Where(centre),
            lambda one: one.satellite(centre, zoom=zoom, width=width, height=height, markers=markers),
        )

    async def street_view(
        self, position: LatLon, *, heading_deg: float | None = None, field_of_view_deg: float = 90
    ) -> StreetView | None:
        """Return the street-level picture nearest to a position, or None."""
        return await self._ask(
            "street_view",
            _Where(position),
            lambda one: one.street_view(
                position, heading_deg=heading_deg, field_of_view_deg=field_of_view_deg
            ),
        )

    async def web_search(self, query: str, *, limit: int = 10) -> Sequence[WebPage]:
        """Return web pages about a query, best first."""
        return await self._ask("web_search", None, lambda one: one.web_search(query, limit=limit))

    async def _ask(
        self,
        operation: str,
        where: _Where | None,
        call: Callable[[MapProvider], Awaitable[_Answer]],
        among: Sequence[MapProvider] | None = None,
    ) -> _Answer:
        """Ask one provider after the other until one finds something.

        Args:
            operation: What is asked for.
            where: What the question is about; None for no place.
            call: Asks a provider.
            among: Only these providers.

        Raises:
            ToolError: a provider wants another question, or none can do this.
            ServiceError: none answered, or only the last resort, which found nothing; of the type that all
                failures have, where they have one.
        """
        until = deadline(self._settings.deadline)
        failures: list[ServiceError] = []
        unable: dict[str, UnsupportedError | MissingExtraError] = {}
        empty: dict[str, _Answer] = {}
        best = self._ranked(operation, where, self.providers if among is None else among)
        route = sorted(best, key=lambda one: (one.name == LAST_RESORT, self._rests(one, operation)))
        for number, provider in enumerate(route, 1):
            left = until - _now()
            seconds = left * _SHARE if number < len(route) else left
            try:
                with within(seconds):
                    answer = await call(provider)
            except ServiceError as error:
                failures.append(error)
                self._rest(provider, operation, error, seconds)
            except (UnsupportedError, MissingExtraError) as error:
                unable[provider.name] = error
            else:
                self._troubles.pop((provider.name, operation), None)
                if answer:
                    before = {one.name for one in best[: best.index(provider)]}
                    return _noted(provider, answer, degraded=bool(before - empty.keys() - unable.keys()))
                empty[provider.name] = answer
        if empty and (not failures or set(empty) != {LAST_RESORT}):
            provider = next(one for one in route if one.name in empty)
            return _noted(provider, empty[provider.name], degraded=bool(failures))
        if failures:
            raise _together(failures)
        raise next(iter(unable.values()), None) or UnsupportedError(
            f"no map service that is in use here can do this ({operation}); use another tool"
        )

    def _ranked(
        self, operation: str, where: _Where | None, among: Sequence[MapProvider]
    ) -> list[MapProvider]:
        """Return the providers that may answer, the best first."""
        able = [provider for provider in among if provider.can(operation)]
        first: dict[str, int] = {}
        if where is not None:
            country = where.country_code or where.written_in
            able = [provider for provider in able if provider.covers(where.position, country)]
            regions = (region.first for region in self._settings.regions if where.within(region))
            first = {name: place for place, name in enumerate(next(regions, ()))}
        return sorted(able, key=lambda one: (one.name == LAST_RESORT, first.get(one.name, len(first))))

    def _rests(self, provider: MapProvider, operation: str) -> bool:
        trouble = self._troubles.get((provider.name, operation))
        return trouble is not None and trouble.until > _now()

    def _rest(self, provider: MapProvider, operation: str, error: ServiceError, seconds: float) -> None:
        """Let a provider rest that failed within the seconds that it had."""
        if isinstance(error, DeadlineError) and seconds < _FAIR_SECONDS:
            return
        rest = _REST_SECONDS if error.retry_after is None else error.retry_after
        self._troubles[provider.name, operation] = _Trouble(_now() + rest, str(error))

    def _status(self, provider: MapProvider) -> ProviderStatus:
        now = _now()
        operations = tuple(operation for operation in OPERATIONS if provider.can(operation))
        failing: dict[str, str] = {}
        waits = [0.0]
        for operation in operations:
            trouble = self._troubles.get((provider.name, operation))
            if trouble and trouble.until > now:
                failing[operation] = trouble.reason
                waits.append(trouble.until - now)
        asked = {service.name: service.health() for service in provider.services}
        closed = {name: health for name, health in asked.items() if health.state is BreakerState.OPEN}
        for name, health in closed.items():
            failing.setdefault(name, f"left alone for {health.retry_after:.0f} s after several failures")
            waits.append(health.retry_after)
        return ProviderStatus(
            name=provider.name,
            works=not all(operation in failing for operation in operations)
            and (not asked or len(closed) < len(asked)),
            operations=operations,
            failing=failing,
            retry_after=max(waits),
        )


def _id_sources(provider: MapProvider) -> Sequence[str]:
    return tuple(provider.id_sources) or (provider.name,)


def _written_in(query: str) -> str:
    """Return CN for a query in Chinese characters and no kana or Hangul, else ""."""
    scripts = {unicodedata.name(char, "").partition(" ")[0] for char in query if char.isalpha()}
    return "CN" if "CJK" in scripts and not scripts & {"HIRAGANA", "KATAKANA", "HANGUL"} else ""


def _noted(provider: MapProvider, answer: _Answer, *, degraded: bool) -> _Answer:
    """Return the answer, after telling whoever listens whose it is."""
    if answered := _answering.get():
        answered.providers.append(provider.name)
        answered.degraded |= degraded
    return answer


def _together(failures: Sequence[ServiceError]) -> ServiceError:
    """Return the one failure, or several as one: of their common type, with the shortest wait."""
    if len(failures) == 1:
        return failures[0]
    types = {type(failure) for failure in failures}
    waits = [failure.retry_after for failure in failures if failure.retry_after is not None]
    return (types.pop() if len(types) == 1 else ServiceError)(
        "; ".join(str(failure) for failure in failures),
        service=Router.name,
        retry_after=min(waits, default=None),
    )


def _now() -> float:
    return asyncio.get_running_loop().time()
