"""One upstream call for any number of identical requests."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from wheretaken.errors import BusyError, DeadlineError, QuotaError, ToolError
from wheretaken.maps.web.deadlines import deadline, within
from wheretaken.server.cache import ToolCache, opened
from wheretaken.server.cache.stores import HANDED_SECONDS
from wheretaken.tools import ToolResult

WORKER = """
import asyncio, os, sys, time
from wheretaken.server.cache import CacheKey, Policy, ToolCache, opened
from wheretaken.tools import ToolResult

place, log, provider, requests, seconds, lease = *sys.argv[1:4], *map(float, sys.argv[4:])

async def call():
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, b"called\\n")
    os.close(file)
    await asyncio.sleep(seconds)
    return ToolResult({"by": os.getpid()})

async def main():
    policy = Policy({"test": lambda _: None, "forbidding": lambda _: 0.0})
    async with ToolCache(opened(place), policy=policy, lease_seconds=lease) as cache:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        key = CacheKey.of("search_places", {"query": "Louvre"}, provider, "1")
        answers = await asyncio.gather(*(cache.get_or_call(key, call) for _ in range(int(requests))))
        print(len(answers), *{answer.text for answer in answers}, flush=True)

asyncio.run(main())
"""


class Workers:
    """Processes that share a store, ready to ask."""

    def __init__(
        self,
        number: int,
        place: str,
        log: Path,
        *,
        requests: int,
        seconds: float,
        lease: float = 10,
        provider: str = "test",
    ) -> None:
        numbers = (str(requests), str(seconds), str(lease))
        command = [sys.executable, "-c", WORKER, place, str(log), provider, *numbers]
        pipe = subprocess.PIPE
        self.processes = [
            subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(number)
        ]
        for process in self.processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def ask(self) -> None:
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def answers(self) -> list[str]:
        return [process.communicate(timeout=60)[0].strip() for process in self.processes]


def calls(log: Path) -> int:
    return log.read_text().count("called") if log.exists() else 0


async def test_64_requests_of_one_process_make_one_call(place: str, made) -> None:
    service = made.Service(0.1)
    async with ToolCache(opened(place), policy=made.policy) as cache:
        answers = await asyncio.gather(*(cache.get_or_call(made.key(), service) for _ in range(64)))
    assert service.calls == 1
    assert {answer.text for answer in answers} == {'{"results":[{"name":"call 1"}]}'}
    assert sum(not answer.cached for answer in answers) == 1


@pytest.mark.parametrize("provider", ["test", "forbidding"])
def test_64_requests_of_four_processes_make_one_call(place: str, tmp_path: Path, provider: str) -> None:
    log = tmp_path / "calls"
    workers = Workers(4, place, log, requests=16, seconds=0.5, provider=provider)
    workers.ask()
    answers = workers.answers()
    assert calls(log) == 1
    assert len(set(answers)) == 1
    assert answers[0].startswith("16 {")


async def test_what_nobody_may_keep_is_for_those_who_waited_only(place: str, made) -> None:
    service, key = made.Service(0.2), made.key(provider="forbidding")
    async with (
        ToolCache(opened(place), policy=made.policy) as cache,
        ToolCache(opened(place), policy=made.policy) as elsewhere,
    ):
        first = asyncio.create_task(cache.get_or_call(key, service))
        await service.asked.wait()
        waited = await elsewhere.get_or_call(key, service)
        assert (waited.text, waited.cached, service.calls) == ((await first).text, True, 1)
        for which in (cache, elsewhere):
            assert not (await which.get_or_call(key, service)).cached
        assert service.calls == 3


async def test_what_nobody_may_keep_is_gone_from_the_store(place: str, made) -> None:
    async def call() -> ToolResult:
        return made.result(pictures=1)

    store, key = opened(place), made.key(provider="forbidding")
    async with ToolCache(store, policy=made.policy) as cache:
        answer = await cache.get_or_call(key, call)
        (shown,) = answer.result.pictures
        assert await store.picture(shown.sha256) is not None
        await asyncio.sleep(HANDED_SECONDS + 0.5)
        assert await store.get(key.digest) is None
        assert await store.picture(shown.sha256) is None


def test_four_processes_may_begin_a_file_together(tmp_path: Path) -> None:
    """Each opens it as soon as it can; none waits for another, and calls take no time."""
    log = tmp_path / "calls"
    workers = Workers(4, f"sqlite:{tmp_path / 'cache.sqlite'}", log, requests=1, seconds=0)
    workers.ask()
    assert len(set(workers.answers())) == 1
    assert calls(log) == 1


async def test_a_cancelled_first_caller_takes_nothing_from_the_others(place: str, made) -> None:
    service = made.Service(0.2)
    async with (
        ToolCache(opened(place), policy=made.policy) as cache,
        ToolCache(opened(place), policy=made.policy) as elsewhere,
    ):
        first = asyncio.create_task(cache.get_or_call(made.key(), service))
        await service.asked.wait()
        others = [
            asyncio.create_task(which.get_or_call(made.key(), service))
            for which in (cache, elsewhere)
            for _ in range(32)
        ]
        await asyncio.sleep(0.05)
        first.cancel()
        answers = await asyncio.gather(*others)
        with pytest.raises(asyncio.CancelledError):
            await first
    assert service.calls == 1
    assert {answer.text for answer in answers} == {'{"results":[{"name":"call 1"}]}'}


async def test_the_call_goes_on_when_all_callers_are_cancelled(place: str, made) -> None:
    service = made.Service(0.1)
    async with ToolCache(opened(place), policy=made.policy) as cache:
        callers = [asyncio.create_task(cache.get_or_call(made.key(), service)) for _ in range(3)]
        await service.asked.wait()
        for caller in callers:
            caller.cancel()
        await asyncio.sleep(0.3)
        answer = await cache.get_or_call(made.key(), service)
    assert (service.calls, answer.cached) == (1, True)


def test_a_killed_process_is_replaced_when_its_lease_runs_out(place: str, tmp_path: Path) -> None:
    log = tmp_path / "calls"
    dying = Workers(1, place, log, requests=8, seconds=60, lease=1)
    dying.ask()
    while not calls(log):
        time.sleep(0.02)
    others = Workers(2, place, log, requests=8, seconds=0.2, lease=1)
    others.ask()
    time.sleep(0.3)
    assert calls(log) == 1, "they wait as long as it lives"
    dying.processes[0].kill()
    dying.processes[0].communicate()
    answers = others.answers()
    assert calls(log) == 2
    assert len(set(answers)) == 1


async def test_a_lease_is_renewed_for_as_long_as_the_call_takes(place: str, made) -> None:
    service = made.Service(1.2)
    async with (
        ToolCache(opened(place), policy=made.policy, lease_seconds=0.4) as cache,
        ToolCache(opened(place), policy=made.policy, lease_seconds=0.4) as elsewhere,
    ):
        answers = await asyncio.gather(
            cache.get_or_call(made.key(), service), elsewhere.get_or_call(made.key(), service)
        )
    assert service.calls == 1
    assert sorted(answer.cached for answer in answers) == [False, True]


async def test_the_deadline_of_the_first_caller_is_not_that_of_all(made) -> None:
    given: list[float] = []

    async def call() -> ToolResult:
        given.append(deadline(100) - asyncio.get_running_loop().time())
        return made.result()

    async with ToolCache(policy=made.policy) as cache:
        with within(1):
            await cache.get_or_call(made.key(), call)
    assert given == [pytest.approx(100, abs=1)]


@pytest.mark.parametrize(
    "error", [QuotaError("used up", service="maps", retry_after=9.0), ToolError("no id")]
)
async def test_a_failure_is_told_to_all_and_kept_for_seconds(place: str, made, error: Exception) -> None:
    clock = [time.time()]
    service = made.Service(0.05, error)
    async with (
        ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as cache,
        ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as elsewhere,
    ):
        waiting = (which.get_or_call(made.key(), service) for which in (cache, elsewhere) for _ in range(8))
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert service.calls == 1
        assert {(type(failure), str(failure)) for failure in failures} == {(type(error), str(error))}
        assert getattr(failures[-1], "retry_after", None) == getattr(error, "retry_after", None)
        assert cache.tally.failed + elsewhere.tally.failed == 1
        service.error = None
        clock[0] += made.policy.failure_seconds + 1
        answer = await elsewhere.get_or_call(made.key(), service)
    assert (service.calls, answer.cached) == (2, False)


async def test_an_entry_that_others_still_use_keeps_nobody_from_calling(place: str, made) -> None:
    """Machines may differ in their clocks and settings: what one refuses, it asks for at once."""
    clock = [time.time()]
    service = made.Service(0, QuotaError("used up"))
    patient = type(made.policy)(made.policy.terms, failure_seconds=3600)
    async with (
        ToolCache(opened(place), policy=patient, now=lambda: clock[0]) as cache,
        ToolCache(opened(place), policy=made.policy, now=lambda: clock[0]) as elsewhere,
    ):
        with pytest.raises(QuotaError):
            await cache.get_or_call(made.key(), service)
        clock[0] += 60
        with pytest.raises(QuotaError):
            await cache.get_or_call(made.key(), service)
        assert service.calls == 1
        service.error = None
        async with asyncio.timeout(5):
            answer = await elsewhere.get_or_call(made.key(), service)
    assert (service.calls, answer.cached) == (2, False)


@pytest.mark.parametrize("error", [BusyError("full"), DeadlineError("late"), ZeroDivisionError("a bug")])
async def test_a_failure_of_the_moment_is_told_to_all_and_not_kept(
    place: str, made, error: Exception
) -> None:
    service = made.Service(0.05, error)
    async with ToolCache(opened(place), policy=made.policy) as cache:
        failures = await asyncio.gather(
            *(cache.get_or_call(made.key(), service) for _ in range(8)), return_exceptions=True
        )
        assert {type(failure) for failure in failures} == {type(error)}
        service.error = None
        started = time.monotonic()
        answer = await cache.get_or_call(made.key(), service)
    assert time.monotonic() - started < 5, "the lease was given back"
    assert (service.calls, answer.cached) == (2, False)


async def test_what_must_not_be_kept_is_given_to_those_who_wait_only(place: str, made) -> None:
    service = made.Service(0.05)
    async with ToolCache(opened(place), policy=made.policy) as cache:
        one = made.key(provider="forbidding")
        await asyncio.gather(*(cache.get_or_call(one, service) for _ in range(8)))
        assert service.calls == 1
        answer = await cache.get_or_call(one, service)
        assert (service.calls, answer.cached) == (2, False)
    store = opened(place)
    assert store
    assert [row async for row in store.rows()] == []
    await store.aclose()


async def test_a_tool_that_works_on_the_callers_pictures_is_never_shared(made) -> None:
    service = made.Service(0.01)
    async with ToolCache(policy=made.policy) as cache:
        zooming = (cache.get_or_call(made.key(tool="zoom"), service) for _ in range(4))
        answers = await asyncio.gather(*zooming)
    assert service.calls == 4
    assert not any(answer.cached for answer in answers)


def test_a_process_killed_while_it_writes_leaves_a_sound_file(tmp_path: Path) -> None:
    """Many small writes, killed in the midst of them, several times over the same file."""
    program = """
import asyncio, itertools, os, sys
from wheretaken.messages import Picture
from wheretaken.server.cache import CacheKey, Policy, ToolCache, opened
from wheretaken.tools import ToolResult

async def main():
    async with ToolCache(opened(sys.argv[1]), policy=Policy({"test": lambda _: None})) as cache:
        for n in itertools.count():
            async def call():
                picture = Picture.wrap(os.urandom(50_000), "image/png", 1, 1)
                return ToolResult({"n": n}, (picture,))
            key = CacheKey.of("road_map", {"n": n, "pid": os.getpid()}, "test")
            await cache.get_or_call(key, call)
            print(n, flush=True)

asyncio.run(main())
"""
    place = f"sqlite:{tmp_path / 'cache.sqlite'}"
    written = 0
    for _ in range(3):
        process = subprocess.Popen([sys.executable, "-c", program, place], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        for line in process.stdout:
            if int(line) == 20:
                os.kill(process.pid, signal.SIGKILL)
                break
        written += len(process.communicate()[0].split()) + 21
    assert written <= asyncio.run(whole_entries(place)) <= written + 3


async def whole_entries(place: str) -> int:
    """Count the entries of a store, each of which must be what its key says."""
    store = opened(place)
    assert store
    rows = [row async for row in store.rows()]
    for row in rows:
        entry = await store.get(row.digest)
        assert entry
        assert json.loads(entry.text)["n"] == json.loads(entry.key.arguments)["n"]
        assert len(entry.result.pictures) == 1
    await store.aclose()
    return len(rows)
