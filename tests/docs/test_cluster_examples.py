"""The jobs for clusters: run with stand-ins for the cluster's commands, and read by the real command line."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import click
import pytest
import typer
import yaml

from wheretaken.cli.main import app

CLUSTER = Path(__file__).resolve().parents[2] / "examples" / "cluster"
STAND_IN = f"""#!{sys.executable}
import json, os, sys
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
if name == "srun":
    options = [word for word in words if word.startswith("--")]
    os.environ["NODE"] = next(word.split("=")[1] for word in options if word.startswith("--nodelist="))
    while words[0].startswith("--"):
        del words[0]
    os.execvp(words[0], words)
line = {{"node": os.environ.get("NODE", ""), "words": [name, *words], "tokens": sorted(
    key for key in os.environ if key.endswith("TOKEN"))}}
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps(line) + "\\n")
if name == "scontrol":
    print("node1\\nnode2\\nnode3")
elif name == "openssl":
    print(sum(1 for line in open(os.environ["CALLS"]) if "openssl" in line) * "5ec2e7")
elif (name, words[:1]) == ("ray", ["status"]):
    print("Active:\\n 1 node_a\\n 1 node_b\\n 1 node_c")
"""


def understood(words):
    """Have the command line read the words of one of its commands; it says what it does not know."""
    command = typer.main.get_command(app)
    name, *rest = words
    assert name == "wheretaken"
    while isinstance(command, click.Group) or hasattr(command, "commands"):
        command, rest = command.commands[rest[0]], rest[1:]
    return command.make_context("wheretaken", list(rest)).params


@pytest.fixture
def slurm(tmp_path):
    """What was called, in order, by the job for Slurm."""
    commands = tmp_path / "bin"
    commands.mkdir()
    for name in ("srun", "scontrol", "openssl", "ray", "wheretaken", "curl"):
        file = commands / name
        file.write_text(STAND_IN)
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    (commands / "activate").write_text("")
    (tmp_path / "training").mkdir()
    environment = os.environ | {
        "PATH": f"{commands}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "VENV": str(tmp_path),
        "SLURM_JOB_NODELIST": "node[1-3]",
    }
    done = subprocess.run(
        ["bash", str(CLUSTER / "slurm.sh"), "training"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]


def test_the_job_for_slurm_starts_ray_everywhere_then_trains_then_merges(slurm, tmp_path):
    ours = [call for call in slurm if call["words"][0] == "wheretaken"]
    assert {call["node"] for call in ours} == {"node1"}
    training = str(tmp_path / "training")
    asked = {call["words"][1 if call["words"][1] == "serve" else 2]: call["words"] for call in ours}
    assert list(asked)[-2:] == ["verl", "merge"]
    served, trained, merged = (understood(asked[name]) for name in ("serve", "verl", "merge"))
    assert (served["host"], served["allow_host"]) == ("0.0.0.0", ["node1"])
    assert (trained["nodes"], trained["address"]) == (3, "node1:6379")
    assert trained["server"] == f"http://node1:{served['port']}"
    assert (str(trained["config"]), str(merged["config"])) == (training, training)
    started = {call["node"]: call["words"] for call in slurm if call["words"][:2] == ["ray", "start"]}
    assert set(started) == {"node1", "node2", "node3"}
    assert "--head" in started["node1"]
    assert "--address=node1:6379" in started["node3"]


def test_tokens_are_in_the_environment_and_in_no_words(slurm):
    for call in slurm:
        assert "5ec2e7" not in " ".join(call["words"])
        if call["words"][0] in {"ray", "wheretaken"}:
            assert {"RAY_AUTH_TOKEN", "WHERETAKEN_SERVER_TOKEN"} <= set(call["tokens"])


def test_the_job_for_kuberay_is_read_by_the_command_line():
    service, tools, job = yaml.safe_load_all((CLUSTER / "kuberay.yaml").read_text())
    (container,) = tools["spec"]["template"]["spec"]["containers"]
    served = understood([*container["command"], *container["args"]])
    assert served["port"] == service["spec"]["ports"][0]["port"]
    assert served["allow_host"] == [service["metadata"]["name"]]
    trained = understood(job["spec"]["entrypoint"].split())
    cluster = job["spec"]["rayClusterSpec"]
    (workers,) = cluster["workerGroupSpecs"]
    gpus = workers["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]
    assert (trained["nodes"], trained["gpus_per_node"]) == (workers["replicas"], int(gpus))
    assert workers["rayStartParams"]["num-gpus"] == gpus
    for pods in (cluster["headGroupSpec"], workers):
        (container,) = pods["template"]["spec"]["containers"]
        (token,) = [one for one in container["env"] if one["name"] == "WHERETAKEN_SERVER_TOKEN"]
        assert set(token["valueFrom"]) == {"secretKeyRef"}
