"""File work in a thread: order, errors, and a disk that falls behind."""

import errno
import threading

import pytest

from wheretaken.agent import writer as module
from wheretaken.agent.writer import Writer
from wheretaken.errors import UserError


def full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device", "runs/results.jsonl")


def test_work_is_done_in_its_order_and_before_the_writer_ends():
    done = []
    with Writer() as writer:
        for number in range(100):
            writer.do(lambda number=number: done.append((number, threading.current_thread().name)))
    assert done == [(number, "writer") for number in range(100)]


def give(*work, wait=False) -> None:
    """Have this work done by a new writer, in the end or with a pause after the first piece."""
    with Writer() as writer:
        for piece in work:
            writer.do(piece)
            if wait:
                writer._wait()


def test_what_cannot_be_written_is_said_and_nothing_is_written_after_it():
    done = []
    with pytest.raises(UserError, match=r"cannot write runs/results.jsonl \(No space left on device\)"):
        give(full_disk, lambda: done.append("after"))
    assert done == []


def test_the_next_piece_of_work_learns_of_the_error():
    done = []
    with pytest.raises(UserError, match="make room"):
        give(full_disk, lambda: done.append("after"), wait=True)
    assert done == []


def broken_run() -> None:
    with Writer() as writer:
        writer.do(full_disk)
        raise ZeroDivisionError


def test_an_error_of_the_run_is_not_hidden_by_one_of_the_disk():
    with pytest.raises(ZeroDivisionError):
        broken_run()


def test_a_disk_that_falls_behind_is_waited_for(monkeypatch):
    monkeypatch.setattr(module, "_MOST_WAITING", 3)
    go_on, most, done = threading.Event(), 0, []
    with Writer() as writer:
        writer.do(go_on.wait)
        for number in range(20):
            if writer._work.qsize() >= 3:
                go_on.set()
            writer.do(lambda number=number: done.append(number))
            most = max(most, writer._work.qsize())
        go_on.set()
    assert done == list(range(20))
    assert most <= 4
