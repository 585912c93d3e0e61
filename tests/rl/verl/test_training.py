"""verl's own trainer on a Ray cluster of two nodes, over a running tool server, from the command line."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from wheretaken.maps.offline.provider import offline_provider
from wheretaken.rl import records
from wheretaken.rl.settings import FILE
from wheretaken.testing.served import Served
from wheretaken.testing.verl_cpu import ENVIRONMENT, OVERRIDES

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

CLUSTER = Path(__file__).with_name("cluster.py")


@pytest.fixture(scope="module")
def environment():
    """Of every process: verl on processors, and a token without which no process talks to Ray."""
    quiet = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "RAY_USAGE_STATS_ENABLED": "0"}
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    return os.environ | ENVIRONMENT | quiet | token | {"WHERETAKEN_SERVER_TOKEN": "kept-out-of-every-record"}


@pytest.fixture(scope="module")
def cluster(environment):
    process = subprocess.Popen(
        [sys.executable, str(CLUSTER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    )
    yield process.stdout.readline().strip()
    process.stdin.close()
    process.stdout.close()
    process.wait(60)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    offline_provider().prepare()  # takes longer on its first use than the server may take to start
    directory = tmp_path_factory.mktemp("served")
    served = Served(directory, "--toolset", "worldwide", WHERETAKEN_SERVER_TOKEN="kept-out-of-every-record")
    yield served.url
    served.stop()


def wheretaken(environment, *words, timeout=600):
    command = [sys.executable, "-m", "wheretaken", *map(str, words)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=timeout, check=False
    )


@pytest.fixture(scope="module")
def trained(exported, tmp_path_factory, environment, cluster, server):
    """Two steps, after a validation."""
    out = tmp_path_factory.mktemp("training") / "toys"
    settings = exported(out, server)
    recipe = settings.recipe.model_copy(update={"save_every": 2, "eval_every": 2, "samples": 8})
    verl = settings.verl.model_copy(update={"overrides": dict(OVERRIDES), "log_to": ("console",), "nodes": 2})
    settings = settings.model_copy(update={"recipe": recipe, "verl": verl})
    settings.save(out / FILE)
    done = wheretaken(environment, "train", "verl", out, "--address", cluster)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return settings, done


def test_two_steps_are_trained_and_recorded(trained):
    settings, _ = trained
    numbers = {(line.split, line.step): line.values for line in records.read_metrics(settings.output)}
    assert {("train", 1), ("train", 2), ("val", 0), ("val", 2)} <= set(numbers)
    assert numbers["train", 2]["actor/entropy"] > 0
    assert numbers["train", 1]["training/global_step"] == 1
    scores = records.read_scores(settings.output)
    assert len([line for line in scores if line.split == "train"]) == 2 * 8
    assert len([line for line in scores if line.split == "val"]) == 2 * 12
    assert {line.tools.get("road_map", 0) for line in scores} != {0}
