"""The router over providers that do as they are told, on virtual time."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wheretaken.errors import (
    BusyError,
    DataError,
    DeadlineError,
    MissingExtraError,
    QuotaError,
    ServiceError,
    ToolError,
    WheretakenError,
)
from wheretaken.geo import LatLon
from wheretaken.maps import MapPicture, MapProvider, Place, UnsupportedError
from wheretaken.maps.osm import Nominatim, Photon
from wheretaken.maps.router import Router, answering
from wheretaken.maps.web import Connection, Ledger, WebSettings, within
from wheretaken.maps.web.deadlines import deadline
from wheretaken.maps.web.settings import RegionSettings, RouterSettings
from wheretaken.testing.services import (
    FakeService,
    FakeTransport,
    at_random,
    hang,
    loop_time,
    run,
    status,
)
from wheretaken.testing.services.osm import Element, nominatim, photon

PARIS, SHANGHAI, SEOUL = LatLon(48.8566, 2.3522), LatLon(31.2304, 121.4737), LatLon(37.5665, 126.978)

Outcome = WheretakenError | Sequence[Place] | None


def place(source: str) -> Place:
    return Place(id=f"{source}:1", name="Somewhere", kind="city", lat=1, lon=2, source=source)


class Obedient(MapProvider):
    """Searches and tells details; each call takes the next outcome, the last one for ever."""

    def __init__(self, name: str, *outcomes: Outcome, seconds: float = 0.0) -> None:
        self.name = name
        self.outcomes = list(outcomes) or [[place(name)]]
        self.seconds = seconds
        self.given: list[float] = []
        """Seconds that each call had."""
        self.closed = False

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
        return await self.next() or []

    async def details(self, place_id: str) -> Place | None:
        return next(iter(await self.next() or []), None)

    async def aclose(self) -> None:
        self.closed = True

    async def next(self) -> Sequence[Place] | None:
        left = deadline(10_000) - loop_time()
        self.given.append(left)
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if self.seconds:
            await asyncio.sleep(min(self.seconds, left))
            if self.seconds >= left:
                raise DeadlineError(f"{self.name}: late")
        if isinstance(outcome, WheretakenError):
            raise outcome
        return outcome


class Chinese(Obedient):
    def covers(self, position: LatLon | None, country_code: str) -> bool:
        return country_code == "CN" if position is None else position.lon > 73

    async def suggest(self, query: str, *, near: LatLon | None = None, limit: int = 10) -> Sequence[Place]:
        return await self.search(query, near=near, limit=limit)


class Drawing(MapProvider):
    def __init__(self, name: str, days: float | None) -> None:
        self.name = name
        self.days = days

    async def road_map(self, centre: LatLon, **_: Any) -> MapPicture:
        return MapPicture(
            png=b"", width=1, height=1, south=0, west=0, north=1, east=1, zoom=1, attribution=self.name
        )

    def keep_days(self, operation: str) -> float | None:
        return self.days


def asked_of(providers: Sequence[Obedient]) -> list[str]:
    return [provider.name for provider in providers for _ in provider.given]


def found_by(places: Sequence[Place]) -> str:
    return ",".join(found.source for found in places)


def search(router: Router, query: str = "somewhere", **rest: Any) -> str:
    return found_by(run(router.search(query, **rest)))


FAILURES: list[Callable[[], WheretakenError]] = [
    lambda: ServiceError("down"),
    lambda: BusyError("busy", retry_after=3),
    lambda: QuotaError("used up", retry_after=3600),
    lambda: UnsupportedError("cannot"),
    lambda: MissingExtraError("maps", "offline", "mapnik"),
]


@pytest.mark.parametrize("failure", FAILURES)
def test_the_next_one_is_asked_when_one_fails_or_cannot(failure: Callable[[], WheretakenError]) -> None:
    router = Router([Obedient("google", failure()), Obedient("photon")])
    assert search(router) == "photon"


def test_an_empty_answer_is_passed_over_and_stands_if_all_say_so() -> None:
    google, photon_, offline = Obedient("google", []), Obedient("photon", []), Obedient("offline")
    assert search(Router([google, photon_, offline])) == "offline"
    assert search(Router([google, photon_])) == ""


def test_nothing_found_by_the_last_resort_alone_is_a_failure() -> None:
    down, offline = Obedient("google", ServiceError("google: down")), Obedient("offline", [])
    with pytest.raises(ServiceError, match="google: down"):
        search(Router([down, offline]))
    assert search(Router([down, offline, Obedient("photon", [])])) == ""


@pytest.mark.parametrize("error", [ToolError("mend it"), DataError("damaged")])
def test_what_must_be_mended_is_raised_at_once(error: WheretakenError) -> None:
    later = Obedient("photon")
    with pytest.raises(type(error), match=str(error)):
        search(Router([Obedient("google", error), later]))
    assert later.given == []


def test_failures_are_told_together_with_their_type_and_the_shortest_wait() -> None:
    first = Obedient("google", QuotaError("google: used up", retry_after=50))
    second = Obedient("photon", QuotaError("photon: used up", retry_after=20))
    with pytest.raises(QuotaError, match="google: used up; photon: used up") as caught:
        search(Router([first, second]))
    assert (caught.value.retry_after, caught.value.service) == (20, "router")
    third = Obedient("nominatim", ServiceError("down"))
    with pytest.raises(ServiceError) as mixed:
        search(Router([first, third]))
    assert type(mixed.value) is ServiceError


def test_the_settings_order_holds_and_offline_comes_last() -> None:
    names = ["offline", "unknown", "photon", "google"]
    providers = [Obedient(name, []) for name in names]
    router = Router(providers, RouterSettings(order=("offline", "photon", "google")))
    assert [provider.name for provider in router.providers] == ["offline", "photon", "google", "unknown"]
    order: list[str] = []
    for provider in providers:
        ask = provider.next
        provider.next = lambda name=provider.name, ask=ask: (order.append(name), ask())[1]
    search(router)
    assert order == ["photon", "google", "unknown", "offline"]


def test_mainland_china_goes_to_amap_first_and_only_china_does() -> None:
    providers = [Obedient("google"), Chinese("amap"), Obedient("offline")]
    router = Router(providers)
    assert search(router, near=SHANGHAI) == "amap"
    assert search(router, country_code="CN") == "amap"
    assert search(router, near=PARIS) == "google"
    assert search(router, "上海外滩") == "google"
    assert search(Router(providers[1:]), "上海外滩") == "amap"
    for elsewhere in ("Paris", "横浜のカフェ", "서울역 1층"):
        assert search(Router(providers[1:]), elsewhere) == "offline"


def test_regions_are_configurable() -> None:
    korea = RegionSettings(country_code="KR", first=("photon", "google"), box=(33.0, 124.5, 38.7, 131.0))
    router = Router([Obedient("google"), Obedient("photon")], RouterSettings(regions=(korea,)))
    assert search(router, near=SEOUL) == "photon"
    assert search(router, country_code="kr") == "photon"
    assert search(router, near=PARIS) == "google"


def test_details_go_to_who_gives_such_ids() -> None:
    nominatim_, google = Obedient("nominatim"), Obedient("google")
    nominatim_.id_sources = ("osm",)
    router = Router([nominatim_, google])
    for place_id, name in (("osm:n1", "nominatim"), ("google:ChIJ", "google")):
        found = run(router.details(place_id))
        assert found is not None
        assert found.source == name
    assert set(router.id_sources) == {"osm", "google"}


def test_an_unknown_id_is_no_place_and_asks_nobody() -> None:
    google = Obedient("google")
    assert run(Router([google]).details("geonames:1")) is None
    assert google.given == []


def test_details_that_one_does_not_know_another_may() -> None:
    offline, overpass_ = Obedient("offline"), Obedient("overpass", [])
    offline.id_sources = overpass_.id_sources = ("osm",)
    found = run(Router([overpass_, offline]).details("osm:n1"))
    assert found is not None
    assert found.source == "offline"


def test_what_nobody_can_do_is_said_for_the_model() -> None:
    router = Router([Obedient("google"), Obedient("photon")])
    assert not router.can("satellite")
    assert router.can("search")
    with pytest.raises(UnsupportedError, match=r"no map service .* can do this \(satellite\)"):
        run(router.satellite(PARIS, zoom=10))
    with pytest.raises(UnsupportedError, match="suggest"):
        run(router.suggest("x"))


def test_a_provider_that_failed_rests_as_long_as_it_says() -> None:
    async def story() -> list[str]:
        google = Obedient("google", BusyError("busy", retry_after=60), [place("google")])
        router = Router([google, Obedient("photon"), Obedient("offline")])
        told: list[str] = []
        for wait in (0, 50, 20):
            await asyncio.sleep(wait)
            told.append(found_by(await router.search("x")))
        return told

    assert run(story()) == ["photon", "photon", "google"]


def test_resting_providers_are_still_asked_when_the_others_fail_and_before_the_last_resort() -> None:
    async def story() -> list[str]:
        google = Obedient("google", ServiceError("down"), [place("google")])
        photon_ = Obedient("photon", [place("photon")], ServiceError("down"))
        router = Router([google, photon_, Obedient("offline")])
        return [found_by(await router.search("x")) for _ in range(2)]

    assert run(story()) == ["photon", "google"]


def test_the_deadline_is_shared_and_leaves_the_others_a_part() -> None:
    async def story() -> tuple[str, float]:
        found = await Router(providers, RouterSettings(deadline=9)).search("x")
        return found_by(found), loop_time()

    providers = [Obedient("google", seconds=100), Obedient("photon", seconds=100), Obedient("nominatim")]
    found, seconds = run(story())
    assert found == "nominatim"
    assert [provider.given[0] for provider in providers] == pytest.approx([6, 2, 1])
    assert seconds == pytest.approx(8)


def test_the_callers_deadline_is_kept_and_does_not_send_providers_to_rest() -> None:
    async def story() -> list[str]:
        google, photon_ = Obedient("google", seconds=0.5), Obedient("photon", seconds=0.5)
        router = Router([google, photon_])
        with within(0.3), pytest.raises(DeadlineError):
            await router.search("x")
        assert loop_time() == pytest.approx(0.3)
        assert all(provider.works for provider in router.status())
        return [found_by(await router.search("x"))]

    assert run(story()) == ["google"]


def test_who_answered_is_told_and_whether_a_better_one_was_down() -> None:
    async def story() -> list[tuple[list[str], bool]]:
        google = Obedient("google", ServiceError("down", retry_after=5), [place("google")], [])
        router = Router([google, Obedient("photon")])
        heard: list[tuple[list[str], bool]] = []
        for wait in (0, 1, 10, 0):
            await asyncio.sleep(wait)
            with answering() as answered:
                await asyncio.gather(router.search("x"), asyncio.sleep(0))
            heard.append((answered.providers, answered.degraded))
        await router.search("x")
        return heard

    assert run(story()) == [(["photon"], True), (["photon"], True), (["google"], False), (["photon"], False)]


def test_an_empty_answer_beside_a_failure_is_degraded() -> None:
    async def story() -> bool:
        router = Router([Obedient("google", ServiceError("down")), Obedient("photon", [])])
        with answering() as answered:
            assert await router.search("x") == []
        return answered.degraded

    assert run(story())


def test_kept_answers_belong_to_these_providers_in_this_order() -> None:
    class Growing(Obedient):
        @property
        def version(self) -> str:
            return str(len(self.given))

    providers = [Growing("google"), Obedient("photon")]
    router = Router(providers)
    assert router.version == "google=0,photon="
    assert Router(providers, RouterSettings(order=("photon",))).version == "photon=,google=0"
    providers[0].given.append(1.0)
    assert router.version == "google=1,photon="


def test_status_says_who_works_and_why_others_do_not() -> None:
    async def story() -> None:
        google = Obedient("google", ServiceError("google: HTTP 500"))
        router = Router([google, Obedient("offline")])
        assert [one.works for one in router.status()] == [True, True]
        await router.search("x")
        down, up = router.status()
        assert down.failing == {"search": "google: HTTP 500"}
        assert down.works, "its details may still be asked for"
        assert (down.operations, down.retry_after) == (("search", "details"), 15)
        assert (up.name, up.works, up.failing) == ("offline", True, {})
        google.id_sources = ("osm",)
        with pytest.raises(ServiceError):
            await router.details("osm:n1")
        assert not router.status()[0].works
        await asyncio.sleep(16)
        assert router.status()[0].works

    run(story())


def test_the_strictest_terms_hold_for_what_may_be_kept() -> None:
    router = Router([Drawing("a", 30), Drawing("b", None), Drawing("c", 7), Obedient("google")])
    assert router.keep_days("road_map") == 7
    assert router.keep_days("search") is None


def test_two_providers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="same name"):
        Router([Obedient("google"), Obedient("google")])


def test_everything_is_closed() -> None:
    providers = [Obedient("a"), Obedient("b")]
    run(Router(providers).aclose())
    assert all(provider.closed for provider in providers)


kinds = st.sampled_from(["answer", "empty", "fails", "unable", "wrong"])


def outcome_of(kind: str, name: str) -> Outcome:
    return {
        "answer": [place(name)],
        "empty": [],
        "fails": ServiceError(name),
        "unable": UnsupportedError(name),
        "wrong": ToolError(name),
    }[kind]


@given(st.dictionaries(st.sampled_from(["google", "photon", "nominatim", "offline"]), kinds, min_size=1))
def test_one_question_follows_the_rules_whatever_happens(kinds_by_name: dict[str, str]) -> None:
    providers = [Obedient(name, outcome_of(kind, name)) for name, kind in kinds_by_name.items()]
    order = [name for name in ("google", "photon", "nominatim", "offline") if name in kinds_by_name]
    decisive = next((name for name in order if kinds_by_name[name] in {"answer", "wrong"}), None)
    reached = order[: order.index(decisive) + 1] if decisive else order
    try:
        result: object = search(Router(providers))
    except WheretakenError as error:
        result = type(error)
    assert sorted(asked_of(providers)) == sorted(reached)
    empties = [name for name in order if kinds_by_name[name] == "empty"]
    fails = "fails" in kinds_by_name.values()
    if decisive:
        assert result == (decisive if kinds_by_name[decisive] == "answer" else ToolError)
    elif empties and (not fails or empties != ["offline"]):
        assert result == ""
    else:
        assert result is (ServiceError if fails else UnsupportedError)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**32), st.floats(0, 0.9))
def test_real_services_with_faults_give_a_right_answer_or_a_typed_error_in_time(
    tmp_path: Path, seed: int, rate: float
) -> None:
    cafe = [Element("n1", 60.17, 24.95, {"amenity": "cafe", "name": "Strindberg"})]

    async def story() -> None:
        with Ledger(tmp_path / f"{seed}.sqlite", now=loop_time) as ledger:
            fakes = [FakeService(photon(cafe), at_random(rate, seed))]
            fakes.append(FakeService(nominatim(cafe), at_random(rate, seed + 1)))
            asking = [
                provider.connected(Connection(WebSettings(), FakeTransport(fake), ledger))
                for provider, fake in zip((Photon, Nominatim), fakes, strict=True)
            ]
            async with asyncio.timeout(10_000):
                await ask(Router(asking), fakes)

    async def ask(router: Router, fakes: list[FakeService]) -> None:
        for _ in range(10):
            begun = loop_time()
            try:
                (found,) = await router.search("strindberg")
            except ServiceError:
                assert rate > 0
            else:
                assert (found.id, found.name) == ("osm:n1", "Strindberg")
            assert loop_time() - begun <= 30.001
        assert all(fake.open == 0 for fake in fakes)
        await router.aclose()

    run(story())


def test_a_service_that_hangs_costs_its_share_and_then_nothing(tmp_path: Path) -> None:
    cafe = [Element("n1", 60.17, 24.95, {"amenity": "cafe", "name": "Strindberg"})]

    async def story() -> None:
        with Ledger(tmp_path / "ledger.sqlite", now=loop_time) as ledger:
            hanging = FakeService(photon(cafe), [hang()] * 100)
            slow = Photon.connected(Connection(WebSettings(), FakeTransport(hanging), ledger))
            working = FakeService(nominatim(cafe), [status(500), *[None] * 100])
            good = Nominatim.connected(Connection(WebSettings(), FakeTransport(working), ledger))
            router = Router([slow, good])
            times: list[float] = []
            for _ in range(3):
                begun = loop_time()
                assert await router.search("strindberg")
                times.append(loop_time() - begun)
            assert times[0] <= 21.5
            assert max(times[1:]) < 2
            photon_status = router.status()[0]
            assert photon_status.name == "photon"
            assert "search" in photon_status.failing

    run(story())
