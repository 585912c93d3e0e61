"""Training's load on the real server: faulty services, killed workers, a killed Redis."""

import asyncio
import os
import signal
import ssl
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from prometheus_client.mmap_dict import MmapedDict

from wheretaken.testing import rollouts
from wheretaken.testing.rollouts import Outcome, Shops, Verdict
from wheretaken.testing.served import Served
from wheretaken.testing.services import Asked, FakeService, Mishap, Reply, at_random, slow
from wheretaken.testing.services import serve as serve_fake

from .conftest import until

Serve = Callable[..., Served]

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1", "::1"])]

SHOPS = Shops()
BAD = {Verdict.WRONG, Verdict.UNTYPED, Verdict.LOST}
SECONDS = 30.0
"""Until a call is over, as the server is set up by default."""


@contextmanager
def services(
    directory: Path,
    mishaps: Iterator[Mishap | None],
    answer: Callable[[Asked], Reply] = SHOPS.answer,
    **times: float,
) -> Iterator[FakeService]:
    fake = FakeService(answer, mishaps)
    with serve_fake(fake) as upstream:
        (directory / "wheretaken.toml").write_text(SHOPS.settings(upstream, **times))
        yield fake


def start(serve: Serve, directory: Path, cache: str, workers: int) -> Served:
    """Start a server that counts its requests in a file of its own, and wait for all its workers."""
    data = {"WHERETAKEN_DATA_DIR": str(directory / "data")}
    one = serve("--cache", cache, "--workers", str(workers), **data)
    for _ in range(400):
        if len(replied(directory)) >= workers:
            return one
        httpx2.get(f"{one.url}/healthz")
        time.sleep(0.05)
    pytest.fail("not all workers answer")


def replied(directory: Path) -> dict[int, int]:
    """Return how many replies each worker gave, by process."""
    counts: dict[int, int] = {}
    for path in directory.glob("wheretaken-server-*/metrics/counter_*.db"):
        values = MmapedDict.read_all_values_from_file(str(path))
        counts[int(path.stem.rpartition("_")[2])] = int(
            sum(value for key, value, *_ in values if "wheretaken_replies" in key)
        )
    return {process: count for process, count in counts.items() if count}


def hits(outcomes: Sequence[Outcome]) -> float:
    return sum(outcome.cached for outcome in outcomes) / len(outcomes)


async def test_faulty_services_lead_to_no_wrong_answer_no_lost_call_and_typed_errors(
    serve: Serve, tmp_path: Path
) -> None:
    plans = rollouts.plan(SHOPS, rollouts=40, calls=5, seed=3)
    with services(tmp_path, at_random(0.2, seed=3)) as fake:
        one = start(serve, tmp_path, "sqlite:answers.sqlite", 2)
        outcomes = await rollouts.run(one.url, plans, at_once=20)
    counts = rollouts.verdicts(outcomes)
    assert len(outcomes) == sum(counts.values()) == 200
    assert not BAD & counts.keys(), [outcome for outcome in outcomes if outcome.verdict in BAD]
    assert counts[Verdict.RIGHT] > 150
    assert hits(outcomes) > 0.4
    wanted: dict[int, float] = {}
    for outcome in outcomes:
        shop, end = outcome.errand.shop, outcome.began + SECONDS
        wanted[shop] = max(wanted.get(shop, 0.0), end)
    asked = [(shop, one.at) for one in fake.asked if (shop := SHOPS.asked_for(one)) is not None]
    assert len(asked) > 60
    assert all(at <= wanted[shop] for shop, at in asked)


@pytest.mark.parametrize("workers", [1, 4])
async def test_64_identical_misses_become_one_request_also_when_the_first_caller_goes_away(
    serve: Serve, tmp_path: Path, place: str, workers: int
) -> None:
    # On a busy machine half a second takes longer, and a request that was given up would be sent again.
    with services(tmp_path, iter(lambda: slow(0.5), None), attempt=25, deadline=28) as fake:
        one = start(serve, tmp_path, place, workers)
        before = replied(tmp_path)
        # One connection after the other, so that all workers get some of them.
        tls = ssl.create_default_context()
        clients = [httpx2.AsyncClient(base_url=one.url, timeout=30, verify=tls) for _ in range(64)]
        for client in clients:
            await client.get("/healthz")
        errands = [SHOPS.errand("search_places", shop) for shop in (17, 4711)]

        async def ask(client: httpx2.AsyncClient, number: int) -> httpx2.Response:
            errand = errands[number]
            return await client.post(f"/tools/{errand.tool}", json=errand.arguments)

        together = await asyncio.gather(*(ask(client, 0) for client in clients))
        first = asyncio.create_task(ask(clients[0], 1))
        await until(lambda: any(SHOPS.asked_for(asked) == 4711 for asked in fake.asked))
        others = [asyncio.create_task(ask(client, 1)) for client in clients[1:]]
        await asyncio.sleep(0.1)
        first.cancel()
        afterwards = await asyncio.gather(*others)
        for client in clients:
            await client.aclose()
    assert Counter(SHOPS.asked_for(asked) for asked in fake.asked) == {17: 1, 4711: 1}
    for replies, errand in ((together, errands[0]), (afterwards, errands[1])):
        assert {reply.status_code for reply in replies} == {200}
        assert len({reply.json()["text"] for reply in replies}) == 1
        assert errand.marker in replies[0].json()["text"]
    assert sum(not reply.json()["cached"] for reply in together) == 1
    took_part = [process for process, count in replied(tmp_path).items() if count > before.get(process, 0)]
    assert len(took_part) >= min(workers, 2)


async def test_a_store_that_is_killed_in_mid_load_is_done_without_and_used_again(
    serve: Serve, tmp_path: Path, redis_server
) -> None:
    plans = rollouts.plan(SHOPS, rollouts=80, calls=5, repeats=0.8, seed=5)
    healthy = iter(lambda: None, 0)
    with services(tmp_path, healthy):
        one = start(serve, tmp_path, redis_server.url, 2)
        troubled: list[str] = []

        def kill() -> None:
            redis_server.kill()

        def start_again() -> None:
            troubled.extend(httpx2.get(f"{one.url}/readyz").json()["cache"] for _ in range(20))
            redis_server.start()

        outcomes = await rollouts.run(one.url, plans, at_once=16, events={0.3: kill, 0.5: start_again})
        assert not (BAD | {Verdict.TYPED}) & rollouts.verdicts(outcomes).keys()
        assert any("redis" in said for said in troubled)
        # What came back is empty, and everybody uses it: what one worker asks, no other has to ask again.
        fresh = [[SHOPS.errand("search_places", shop)] for shop in range(9000, 9004) for _ in range(8)]
        for client_of_each in range(20):
            said = {httpx2.get(f"{one.url}/readyz").json()["cache"] for _ in range(10)}
            if said == {"ok"}:
                break
            await rollouts.run(one.url, [[SHOPS.errand("search_places", 8000 + client_of_each)]] * 8)
            await asyncio.sleep(0.25)
        else:
            pytest.fail(f"the store is not used again: {said}")
        again = await rollouts.run(one.url, fresh, at_once=8)
    assert hits(again) == 1 - 4 / len(fresh)
    assert "Traceback" not in one.log.read_text()


async def test_workers_that_are_killed_in_mid_load_lose_no_call_and_no_answer(
    serve: Serve, tmp_path: Path, redis_server
) -> None:
    plans = rollouts.plan(SHOPS, rollouts=80, calls=5, repeats=0.8, seed=6)
    with services(tmp_path, iter(lambda: None, 0)) as fake:
        one = start(serve, tmp_path, redis_server.url, 2)
        before = replied(tmp_path)
        killed: list[int] = []

        def kill() -> None:
            served = {worker: count - before[worker] for worker, count in replied(tmp_path).items()}
            killed.append(max(served, key=lambda worker: served[worker]))
            os.kill(killed[0], signal.SIGKILL)

        outcomes = await rollouts.run(one.url, plans, at_once=16, events={0.4: kill})
        await until(lambda: len(now := one.children()) == 2 and killed[0] not in now, 0.1)
    assert rollouts.verdicts(outcomes) == {Verdict.RIGHT: 400}
    assert sum(outcome.broken for outcome in outcomes) > 0
    assert hits(outcomes[-100:]) > 0.7
    shops = Counter(shop for asked in fake.asked if (shop := SHOPS.asked_for(asked)) is not None)
    # Only what the dead worker was asking is asked again, by whoever takes its lease.
    assert sum(count - 1 for count in shops.values()) <= 8
