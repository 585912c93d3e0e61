"""Calls as training makes them: many rollouts at once over HTTP, every reply checked.

```
shops = Shops()
fake = FakeService(shops.answer, at_random(0.2, seed=1))       # all map services in one, with mishaps
with serve(fake) as upstream:
    (folder / "wheretaken.toml").write_text(shops.settings(upstream))
    ...                                                          # start `wheretaken serve` in that folder
    outcomes = await run(url, plan(shops, rollouts=2000))
```
Every shop is made up, and everything that is asked of it names it, so that an answer to another question, or
half an answer, is seen to be wrong. What a rollout may get:

| verdict | what came |
|---|---|
| `RIGHT` | the answer |
| `STAND_IN` | the offline maps' answer to the same question, when the services failed |
| `TYPED` | an error with its kind, as the server documents it |
| `WRONG` | an answer to something else |
| `UNTYPED` | an error that says nothing |
| `LOST` | nothing, however often it was asked |
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import ssl
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import httpx2

from wheretaken.testing.services import Reply, osm, searxng

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from wheretaken.testing.services import Asked

_RESENT = 40
"""Times that a request is sent again whose connection broke, or that was told to come back later."""
_PAUSE = 0.1
_OFFLINE = "GeoNames"
"""Whose data the offline maps' answers are from, far from any loaded region."""


@dataclass(frozen=True)
class Errand:
    """A call of a tool, and how its right answer is known."""

    tool: str
    arguments: Mapping[str, Any]
    marker: str
    """Stands in the text of the right answer, and of no other; empty for a map."""
    shows: tuple[float, float] | None = None
    """Latitude and longitude that the right map shows."""
    shop: int = 0
    """Of whom it is."""


class Verdict(StrEnum):
    """What became of a call; see the module."""

    RIGHT = "right"
    STAND_IN = "stand-in"
    TYPED = "typed error"
    WRONG = "wrong"
    UNTYPED = "untyped error"
    LOST = "lost"


@dataclass(frozen=True)
class Outcome:
    """A call that was made."""

    errand: Errand
    verdict: Verdict
    detail: str
    """The error's kind; of what is wrong, what came instead."""
    cached: bool
    began: float
    """Monotonic seconds."""
    seconds: float
    """Of the last try."""
    broken: int = 0
    """Connections that broke before."""
    refused: int = 0
    """Times that it was told to come back later."""


@dataclass(frozen=True)
class Shops:
    """A world of made-up shops in the empty parts of the sea, and the services that know them."""

    number: int = 10_000
    tools: Sequence[str] = ("search_places", "place_details", "reverse_geocode", "web_search", "road_map")
    _row: int = field(default=100, repr=False)

    def errand(self, tool: str, shop: int) -> Errand:
        """Return a call of a tool about a shop."""
        lat, lon = self._position(shop)
        at = {"lat": lat, "lon": lon}
        made = {
            "search_places": Errand(tool, {"query": _name(shop)}, f'"{_name(shop)}"'),
            "place_details": Errand(tool, {"id": f"osm:n{shop}"}, f'"{_name(shop)}"'),
            "reverse_geocode": Errand(tool, at, f'"{_name(shop)}"'),
            "web_search": Errand(tool, {"query": _name(shop)}, f'"https://shops.test/{shop}"'),
            "road_map": Errand(tool, {**at, "zoom": 15}, "", (lat, lon)),
        }
        return replace(made[tool], shop=shop)

    def answer(self, asked: Asked) -> Reply:
        """Answer as Photon, Nominatim, SearXNG or a tile server, by the first part of the path."""
        _, service, path = asked.path.split("/", 2)
        inner = replace(asked, path=f"/{path}")
        if service == "tiles":
            return osm.tiles()(inner)
        shop = self.asked_for(asked)
        if shop is None:
            return Reply.json({"error": "not found"}, 404)
        lat, lon = self._position(shop)
        known = [osm.Element(f"n{shop}", lat, lon, {"shop": "kiosk", "name": _name(shop)})]
        pages = [{"title": _name(shop), "url": f"https://shops.test/{shop}", "content": "A shop"}]
        if service == "searxng":
            return searxng.searxng(pages)(inner)
        return (osm.photon if service == "photon" else osm.nominatim)(known)(inner)

    def asked_for(self, asked: Asked) -> int | None:
        """Return the shop that a request to a service is about; None for tiles."""
        params = asked.params
        if found := re.search(r"\d+", params.get("q", "") or params.get("osm_ids", "")):
            return int(found[0])
        if "lat" not in params:
            return None
        row = round((float(params["lat"]) + 40) / 0.1)
        return row * self._row + round((float(params["lon"]) + 120) / 0.1)

    def settings(self, upstream: str, *, attempt: float = 1, deadline: float = 6) -> str:
        """Return a settings file that sends everything to these services, as fast as they can.

        Args:
            upstream: Where they are.
            attempt: Seconds after which a request that has no answer is sent again.
            deadline: Seconds for a call with all its requests.
        """
        times = f"attempt = {attempt}, deadline = {deadline}"
        limits = f"limits = {{ per_second = 5000, burst = 5000, concurrency = 64, {times} }}"
        tiles = f'url = "{upstream}/tiles/{{z}}/{{x}}/{{y}}.png"'
        urls = {name: f'url = "{upstream}/{name}"' for name in ("photon", "nominatim", "searxng")}
        sections = {**urls, "tiles": tiles}
        parts = [f"[maps.{name}]\nenabled = true\n{url}\n{limits}\n" for name, url in sections.items()]
        return "\n".join(parts)

    def _position(self, shop: int) -> tuple[float, float]:
        """Return degrees: rows in the South Pacific, some ten kilometres from each other."""
        return round(-40 + shop // self._row * 0.1, 6), round(-120 + shop % self._row * 0.1, 6)


def _name(shop: int) -> str:
    """Return a name that no place has, so that the offline maps find nothing like it."""
    return f"Qwyx {shop:05d} Zhbv"


def plan(
    shops: Shops, *, rollouts: int, calls: int = 5, repeats: float = 0.6, seed: int = 0
) -> list[list[Errand]]:
    """Return what each rollout asks, one after the other.

    Args:
        shops: Whom it asks about.
        rollouts: How many there are.
        calls: Calls of each.
        repeats: Share of the calls that some rollout makes as well.
        seed: The same for the same plan.
    """
    dice = random.Random(seed)  # noqa: S311 - repeatable, not secret
    fresh: Iterator[int] = iter(dice.sample(range(shops.number), shops.number))
    known: list[Errand] = []
    plans: list[list[Errand]] = []
    for _ in range(rollouts):
        errands: list[Errand] = []
        for _ in range(calls):
            if known and dice.random() < repeats:
                errands.append(dice.choice(known))
            else:
                known.append(shops.errand(dice.choice(shops.tools), next(fresh)))
                errands.append(known[-1])
        plans.append(errands)
    return plans


async def run(
    url: str,
    plans: Sequence[Sequence[Errand]],
    *,
    at_once: int = 256,
    events: Mapping[float, Callable[[], None]] | None = None,
) -> list[Outcome]:
    """Let rollouts call a tool server, and return what became of every call, the first to end first.

    Args:
        url: Of the server.
        plans: What each rollout asks.
        at_once: Rollouts that run at the same time, each with a connection of its own.
        events: What else is to happen, in a thread, by the share of all calls after which it does.
    """
    total = sum(map(len, plans))
    waiting = iter(plans)
    coming = sorted((events or {}).items())
    outcomes: list[Outcome] = []
    tls = ssl.create_default_context()  # which takes longer to make than a call
    async with asyncio.TaskGroup() as group:

        async def work() -> None:
            async with httpx2.AsyncClient(base_url=url, timeout=120, trust_env=False, verify=tls) as client:
                for errands in waiting:  # shared, so that each is taken once
                    for errand in errands:
                        outcomes.append(await _call(client, errand))
                        while coming and len(outcomes) >= coming[0][0] * total:
                            group.create_task(asyncio.to_thread(coming.pop(0)[1]))

        for _ in range(min(at_once, len(plans))):
            group.create_task(work())
    return outcomes


def verdicts(outcomes: Sequence[Outcome]) -> Counter[Verdict]:
    """Count what became of calls."""
    return Counter(outcome.verdict for outcome in outcomes)


async def _call(client: httpx2.AsyncClient, errand: Errand) -> Outcome:
    """Make a call, again when its connection broke or the server is busy, as training clients do."""
    broken = refused = 0
    began = time.monotonic()
    for _ in range(_RESENT):
        sent = time.monotonic()
        try:
            reply = await client.post(f"/tools/{errand.tool}", json=errand.arguments)
        except httpx2.TransportError:
            broken += 1
            await asyncio.sleep(_PAUSE)
            continue
        if reply.status_code == 429:
            refused += 1
            await asyncio.sleep(float(reply.headers["retry-after"]))
            continue
        seconds = time.monotonic() - sent
        verdict, detail, cached = _judged(errand, reply.status_code, reply.content)
        return Outcome(errand, verdict, detail, cached, sent, seconds, broken, refused)
    seconds = time.monotonic() - began
    return Outcome(errand, Verdict.LOST, "", cached=False, began=began, seconds=seconds, broken=broken)


def _judged(errand: Errand, status: int, content: bytes) -> tuple[Verdict, str, bool]:
    """Return the verdict on a reply, its detail, and whether it came from the cache."""
    try:
        body = json.loads(content)
    except ValueError:
        return Verdict.UNTYPED, f"{status} {content[:100]!r}", False
    if status != 200:
        typed = isinstance(body, dict) and body.keys() >= {"error", "kind"} and body["kind"] != "bug"  # pyright: ignore[reportUnknownVariableType] - JSON
        return (Verdict.TYPED if typed else Verdict.UNTYPED), f"{body['kind']}" if typed else f"{body}", False
    stands_in = _OFFLINE in body["source"]
    if errand.shows:
        area, (lat, lon) = json.loads(body["text"]), errand.shows
        right = area["south"] < lat < area["north"] and area["west"] < lon < area["east"] and body["images"]
    else:
        right = stands_in or errand.marker in body["text"]
    if not right:
        return Verdict.WRONG, body["text"][:200], body["cached"]
    return (Verdict.STAND_IN if stands_in else Verdict.RIGHT), "", body["cached"]
