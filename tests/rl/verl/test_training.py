"""verl's own trainer on a Ray cluster of two nodes, over a running tool server, from the command line."""

import json
import secrets
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from wheretaken.agent.trajectory import read
from wheretaken.maps.offline.provider import offline_provider
from wheretaken.rl import records
from wheretaken.rl.settings import FILE
from wheretaken.testing.served import Served
from wheretaken.testing.verl_cpu import OVERRIDES

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

CLUSTER = Path(__file__).with_name("cluster.py")


@pytest.fixture(scope="module")
def cluster(environment, tmp_path_factory):
    """Its address. Ray gives a node half a minute to start, which on a busy machine may take another try."""
    log = tmp_path_factory.mktemp("cluster") / "log"
    for _ in range(3):
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, str(CLUSTER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        if address := process.stdout.readline().strip():
            break
        process.communicate(timeout=60)
    assert address, log.read_text()
    yield address
    process.communicate(timeout=60)


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
def toys(exported, tmp_path_factory, server):
    """The settings of a training, which are on disk; it is validated on four of its photos."""
    out = tmp_path_factory.mktemp("training") / "toys"
    settings = exported(out, server)
    pq.write_table(pq.read_table(settings.data.val).slice(0, 4), settings.data.val)
    recipe = settings.recipe.model_copy(update={"save_every": 2, "eval_every": 2, "samples": 8})
    verl = {"overrides": dict(OVERRIDES), "log_to": ("console",), "nodes": 2, "micro_batch_per_gpu": 4}
    parts = {
        "recipe": recipe,
        "verl": settings.verl.model_copy(update=verl),
        "reward": settings.reward.model_copy(update={"fault_neutral": True}),
    }
    settings = settings.model_copy(update=parts)
    settings.save(out / FILE)
    return settings


@pytest.fixture(scope="module")
def trained(toys, environment, cluster):
    """Two steps, after a validation."""
    done = wheretaken(environment, "train", "verl", toys.output.parent, "--address", cluster)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return toys, done


@pytest.fixture(scope="module")
def merged(trained, environment, tmp_path_factory):
    settings, _ = trained
    weights = tmp_path_factory.mktemp("merged") / "weights"
    done = wheretaken(environment, "train", "merge", settings.output.parent, "-o", weights)
    assert done.returncode == 0, done.stderr[-3000:]
    return weights, done.stdout


def test_two_steps_are_trained_and_recorded(trained):
    settings, _ = trained
    numbers = {(line.split, line.step): line.values for line in records.read_metrics(settings.output)}
    assert {("train", 1), ("train", 2), ("val", 0), ("val", 2)} <= set(numbers)
    assert numbers["train", 2]["actor/entropy"] > 0
    assert numbers["train", 1]["training/global_step"] == 1
    scores = records.read_scores(settings.output)
    assert len([line for line in scores if line.split == "train"]) == 2 * 8
    assert len([line for line in scores if line.split == "val"]) == 2 * 4
    assert {line.tools.get("road_map", 0) for line in scores} != {0}


def test_what_rollouts_said_is_kept(trained):
    settings, _ = trained
    for split, step in (("train", 1), ("val", 0), ("val", 2)):
        kept = list(read(records.samples(settings.output, step, split)))
        assert len(kept) == {"train": 8, "val": 4}[split]
        assert {one.toolset for one in kept} == {"worldwide"}
        assert all(one.messages[1].pictures for one in kept)
    assert any(one.tools for one in kept)


def test_no_token_is_left_behind(trained, environment):
    settings, done = trained
    files = [file for file in settings.output.rglob("*") if file.is_file()]
    written = b"".join(file.read_bytes() for file in files if file.suffix not in {".pt", ".safetensors"})
    said = written + done.stdout.encode() + done.stderr.encode()
    for name in ("RAY_AUTH_TOKEN", "WHERETAKEN_SERVER_TOKEN"):
        assert environment[name].encode() not in said


def test_the_weights_load_in_transformers_and_have_learned(trained, merged):
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor

    settings, _ = trained
    weights, _ = merged
    first = AutoModelForImageTextToText.from_pretrained(settings.model.path, dtype=torch.float32).state_dict()
    model = AutoModelForImageTextToText.from_pretrained(weights, dtype=torch.float32)
    assert AutoProcessor.from_pretrained(weights).tokenizer.eos_token == "<|im_end|>"
    assert model.state_dict().keys() == first.keys()
    assert any(not torch.equal(value, first[name]) for name, value in model.state_dict().items())


def test_the_commands_that_use_the_weights_are_said(trained, merged):
    settings, _ = trained
    weights, said = merged
    serve, model, locate = said.strip().splitlines()
    assert serve == f"wheretaken serve --toolset worldwide --tools-config {weights}/tools.yaml"
    assert (weights / "tools.yaml").read_bytes() == settings.tools.config.read_bytes()
    assert model.startswith(f"vllm serve {weights} --served-model-name weights")
    assert f"--tools-config {weights}/tools.yaml" in locate
    assert "--model vllm:weights --base-url http://127.0.0.1:8000/v1" in locate


def test_another_models_checkpoint_is_refused(trained, environment, tmp_path):
    settings, _ = trained
    other = tmp_path / "other"
    shutil.copytree(settings.model.path, other)
    config = json.loads((other / "config.json").read_text())
    config["text_config"]["hidden_size"] *= 2
    (other / "config.json").write_text(json.dumps(config))
    model = settings.model.model_copy(update={"path": str(other)})
    settings.model_copy(update={"model": model}).save(tmp_path / FILE)
    done = wheretaken(environment, "train", "export-hf", tmp_path, "-o", tmp_path / "weights")
    assert (done.returncode, "another model" in done.stderr) == (2, True)


def test_an_evaluation_is_runs_like_those_of_eval(trained, environment, cluster):
    settings, _ = trained
    before = set((settings.output / records.SAMPLES).iterdir())
    done = wheretaken(
        environment, "train", "verl", settings.output.parent, "--eval-only", "--address", cluster
    )
    assert done.returncode == 0, done.stderr[-6000:]
    (new,) = set((settings.output / records.SAMPLES).iterdir()) - before
    assert len(list(read(new))) == 4
    scored = wheretaken(environment, "eval", "score", new, "--json")
    assert scored.returncode == 0, scored.stderr
    assert json.loads(scored.stdout)["files"][0]["n"] == 4


def test_a_cluster_that_is_too_small_is_said_before_anything_starts(toys, environment, cluster):
    done = wheretaken(environment, "train", "verl", toys.output.parent, "--nodes", 4, "--address", cluster)
    assert done.returncode == 2
    assert "2 nodes with 1 GPUs, and 4 are needed" in done.stderr.splitlines()[-1]


def test_a_token_that_is_missing_is_said(toys, environment):
    without = {name: value for name, value in environment.items() if name != "WHERETAKEN_SERVER_TOKEN"}
    done = wheretaken(without, "train", "verl", toys.output.parent, "--dry-run")
    assert done.returncode == 2
    assert "asks for a token: set WHERETAKEN_SERVER_TOKEN" in done.stderr


def test_a_dry_run_prints_what_verl_would_be_told_and_looks_at_the_nodes(toys, environment, cluster):
    asked = ("--dry-run", "--nodes", 2, "--address", cluster)
    done = wheretaken(environment, "train", "verl", toys.output.parent, *asked)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("python -m verl.trainer.main_ppo")
    assert "trainer.nnodes=2" in done.stdout
    assert environment["WHERETAKEN_SERVER_TOKEN"] not in done.stdout
    alone = wheretaken(environment, "train", "verl", toys.output.parent, "--dry-run", "--nodes", 4)
    assert alone.returncode == 2
    assert "trainer.nnodes=4" in alone.stdout
    assert "4 nodes need a Ray cluster" in alone.stderr


def test_nobody_joins_the_cluster_without_its_token(environment, cluster):
    other = environment | {"RAY_AUTH_TOKEN": secrets.token_hex(32)}
    ray = Path(sys.executable).with_name("ray")
    done = subprocess.run(
        [ray, "start", "--address", cluster, "--num-cpus", "1"],
        env=other,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert "auth" in (done.stdout + done.stderr).lower()
