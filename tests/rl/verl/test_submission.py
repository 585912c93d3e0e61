"""A training as a job of a real Ray: submitted to its dashboard by the command, and followed to its end."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from wheretaken.rl import records
from wheretaken.rl.settings import FILE
from wheretaken.testing.verl_cpu import OVERRIDES

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PORTS = ("--port", "--dashboard-port", "--dashboard-agent-listen-port", "--ray-client-server-port")
START_SECONDS, JOB_SECONDS = 120, 400


def free_ports(count):
    listening = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in listening]
    for one in listening:
        one.close()
    return ports


def answers(url, token):
    request = urllib.request.Request(f"{url}/api/version", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def head(environment, tmp_path_factory):
    """The dashboard of a Ray of one node, as `ray start` makes it; afterwards nothing of it is left."""
    ports = free_ports(len(PORTS))
    log = tmp_path_factory.mktemp("ray") / "log"
    # The job's `python` is the one that Ray was started with, as in an environment that is active.
    path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    command = [
        *(Path(sys.executable).with_name("ray"), "start", "--head", "--block", "--disable-usage-stats"),
        *("--node-ip-address", "127.0.0.1", "--dashboard-host", "127.0.0.1", "--num-cpus", "8"),
        *("--num-gpus", "1", "--object-store-memory", "200000000"),
        *[word for name, port in zip(PORTS, ports, strict=True) for word in (name, str(port))],
    ]
    with log.open("w") as said:
        process = subprocess.Popen(
            command, env=environment | {"PATH": path}, stdout=said, stderr=said, start_new_session=True
        )
    url = f"http://127.0.0.1:{ports[1]}"
    until = time.monotonic() + START_SECONDS
    while not answers(url, environment["RAY_AUTH_TOKEN"]) and process.poll() is None:
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.5)
    assert process.poll() is None, log.read_text()
    yield url
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=60)
    until = time.monotonic() + 30
    while any(map(listens, ports)):
        assert time.monotonic() < until, f"ports of {ports} are still in use"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def toys(exported, tmp_path_factory):
    """The settings of a training of one step, which are on disk."""
    out = tmp_path_factory.mktemp("submitted") / "toys"
    settings = exported(out, val=False)
    recipe = settings.recipe.model_copy(update={"steps": 1, "eval_every": None, "save_every": 5})
    verl = {"overrides": dict(OVERRIDES), "log_to": ("console",), "nodes": 1, "micro_batch_per_gpu": 4}
    settings = settings.model_copy(update={"recipe": recipe, "verl": settings.verl.model_copy(update=verl)})
    settings.save(out / FILE)
    return settings


def submitted(toys, environment, url, *words):
    command = [sys.executable, "-m", "wheretaken", "train", "verl", toys.output.parent, "--address", url]
    return subprocess.run(
        [*map(str, command), *map(str, words)],
        env=environment, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def followed(url, job, environment):
    """Return what Ray says of a job's end, and what the job said."""

    def ray(*words):
        command = [Path(sys.executable).with_name("ray"), "job", *words, "--address", url]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=JOB_SECONDS, check=False
        )
        return done.stdout + done.stderr

    said = ray("logs", "--follow", job)
    return ray("status", job), said


def test_a_job_trains_and_ends(toys, environment, head):
    done = submitted(toys, environment, head)
    assert done.returncode == 0, done.stderr
    job = done.stdout.strip()
    assert job.startswith("raysubmit_")
    status, said = followed(head, job, environment)
    assert "succeeded" in status, said[-6000:]
    assert "step:1" in said
    assert [(line.split, line.step) for line in records.read_metrics(toys.output)] == [("train", 1)]
    assert len(records.read_scores(toys.output)) == 4 * 2
    assert environment["RAY_AUTH_TOKEN"] not in said


def test_a_job_that_cannot_work_fails_and_says_why(toys, environment, head):
    done = submitted(toys, environment, head, "--nodes", "2")
    assert done.returncode == 0, done.stderr
    status, said = followed(head, done.stdout.strip(), environment)
    assert "failed" in status
    assert "the Ray cluster has 1 nodes with 1 GPUs, and 2 are needed" in said


def test_nobody_submits_without_the_token(toys, environment, head):
    done = submitted(toys, environment | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}, head)
    assert done.returncode == 2
    assert "took no job" in done.stderr
    assert "RAY_AUTH_TOKEN" in done.stderr
