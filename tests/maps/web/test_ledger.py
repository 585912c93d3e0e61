import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wheretaken.errors import DataError
from wheretaken.maps.web.ledger import Granted, Ledger, UsedUp, Wait, take
from wheretaken.maps.web.settings import ServiceLimits

NOON = 1_700_000_000.0


class Clock:
    def __init__(self, now: float = NOON) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@settings(deadline=None)
@given(
    per_second=st.floats(0.01, 500),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0, 30), min_size=1, max_size=80),
    eager=st.booleans(),
)
def test_no_window_of_any_length_holds_more_than_the_bucket_allows(
    per_second: float, burst: int, steps: list[float], eager: bool
) -> None:
    limits = ServiceLimits(per_second=per_second, burst=burst)
    now, full_at = NOON, NOON
    sent: list[float] = []
    for step in steps:
        full_at, wait = take(full_at, now, limits)
        if not wait:
            sent.append(now)
        now += wait if wait and eager else step / per_second
    for first, begin in enumerate(sent):
        for last, end in enumerate(sent[first:], first):
            assert last - first + 1 <= burst + (end - begin + 2e-4) * per_second + 1e-3


@settings(deadline=None)
@given(per_second=st.floats(0.01, 500), burst=st.integers(1, 50), pause=st.floats(0, 100))
def test_after_the_wait_that_it_names_a_token_is_there(per_second: float, burst: int, pause: float) -> None:
    limits = ServiceLimits(per_second=per_second, burst=burst)
    now, full_at = NOON, NOON - pause
    for _ in range(burst):
        full_at, wait = take(full_at, now, limits)
        assert wait == 0
    for _ in range(5):
        unchanged, wait = take(full_at, now, limits)
        assert unchanged == pytest.approx(full_at, rel=0, abs=1e-5)
        assert 0 < wait <= 1 / per_second + 1e-4
        now += wait
        full_at, wait = take(full_at, now, limits)
        assert wait == 0


def test_a_clock_that_is_set_back_stops_nothing_for_long() -> None:
    limits = ServiceLimits(per_second=1, burst=2)
    full_at, _ = take(NOON, NOON, limits)
    _, wait = take(full_at, NOON - 3600, limits)
    assert wait <= 1


def test_days_begin_at_the_midnight_of_the_service(tmp_path: Path) -> None:
    midnight = 19_600 * 86_400.0
    limits = ServiceLimits(per_second=100, burst=100, daily=1, quota_utc_offset=-8)
    clock = Clock(midnight)
    with Ledger(tmp_path / "l.sqlite", now=clock) as ledger:
        assert isinstance(ledger.grant("maps", limits), Granted)
        assert ledger.grant("maps", limits) == UsedUp(8 * 3600)
        clock.now = midnight + 8 * 3600 - 1
        assert ledger.grant("maps", limits) == UsedUp(1)
        clock.now += 1
        assert isinstance(ledger.grant("maps", limits), Granted)


def test_services_are_counted_apart_and_counts_survive_a_restart(tmp_path: Path) -> None:
    limits = ServiceLimits(per_second=1, burst=2, daily=2)
    path = tmp_path / "deeper" / "l.sqlite"
    clock = Clock()
    with Ledger(path, now=clock) as ledger:
        assert [type(ledger.grant("a", limits)) for _ in range(3)] == [Granted, Granted, UsedUp]
    with Ledger(path, now=clock) as ledger:
        assert isinstance(ledger.grant("a", limits), UsedUp)
        assert ledger.sent_today("a", limits) == 2
        assert isinstance(ledger.grant("b", limits), Granted)


def test_the_rate_survives_a_restart(tmp_path: Path) -> None:
    limits = ServiceLimits(per_second=1, burst=1)
    clock = Clock()
    with Ledger(tmp_path / "l.sqlite", now=clock) as ledger:
        ledger.grant("a", limits)
    clock.now += 0.25
    with Ledger(tmp_path / "l.sqlite", now=clock) as ledger:
        assert ledger.grant("a", limits) == Wait(pytest.approx(0.75))


def test_a_day_that_the_service_closed_stays_closed_for_all(tmp_path: Path) -> None:
    limits = ServiceLimits(daily=1000)
    clock = Clock(86_400.0 * 19_600 + 60)
    with Ledger(tmp_path / "l.sqlite", now=clock) as one, Ledger(tmp_path / "l.sqlite", now=clock) as other:
        one.grant("a", limits)
        assert one.close_day("a", limits) == UsedUp(86_340)
        assert other.grant("a", limits) == UsedUp(86_340)
        clock.now += 86_340
        assert isinstance(other.grant("a", limits), Granted)


COUNTER = """
import sys
from pathlib import Path
from wheretaken.maps.web.ledger import Granted, Ledger
from wheretaken.maps.web.settings import ServiceLimits
limits = ServiceLimits(per_second=1e6, burst=10**6, daily=4000)
with Ledger(Path(sys.argv[1])) as ledger:
    print(ledger.sent_today("maps", limits), flush=True)
    sys.stdin.readline()
    print(sum(isinstance(ledger.grant("maps", limits), Granted) for _ in range(3000)))
"""


def test_processes_share_one_quota_to_the_last_request(tmp_path: Path) -> None:
    command = [sys.executable, "-c", COUNTER, str(tmp_path / "l.sqlite")]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "0\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    granted = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(granted) == 4000
    assert min(granted) > 0


def test_a_damaged_file_is_named_with_its_remedy(tmp_path: Path) -> None:
    path = tmp_path / "l.sqlite"
    path.write_bytes(b"not a database, " * 100)
    with Ledger(path) as ledger, pytest.raises(DataError, match=r"l\.sqlite.*delete it"):
        ledger.grant("maps", ServiceLimits())


@pytest.mark.parametrize("name", ["l.sqlite", "file/l.sqlite"])
def test_a_file_that_cannot_be_written_is_named_with_its_remedy(name: str, tmp_path: Path) -> None:
    (tmp_path / "l.sqlite").mkdir()
    (tmp_path / "file").touch()
    with Ledger(tmp_path / name) as ledger, pytest.raises(DataError, match=r"l\.sqlite.*can be written"):
        ledger.grant("maps", ServiceLimits())
