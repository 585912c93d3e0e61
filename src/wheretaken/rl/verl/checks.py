"""Everything that can be wrong with a training and can be found before GPUs are taken.

`check` looks at the settings, the rows, the model's files, the tools and the disk from where the training is
started; `composed` has verl read and check its configuration; `check_cluster` looks from every node, with a
small task that takes no GPU.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import io
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.rl import checks, data
from wheretaken.rl.lengths import Fit, fit
from wheretaken.rl.settings import TrainSettings
from wheretaken.rl.toolbox import closing, open_toolbox
from wheretaken.rl.verl.libraries import check_versions, imported
from wheretaken.rl.verl.overrides import arguments, pixels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheretaken.rl.settings import VerlSettings
    from wheretaken.rl.verl.overrides import Value

FAMILIES = ("qwen3_vl", "qwen3_vl_moe")
"""`model_type` of those for which verl puts a tool's pictures together as their chat template does."""
_ENGINES = {"vllm": "vllm", "sglang": "sglang"}
_CHECKPOINT_SHARE = 6
"""A checkpoint against the weights in half precision: weights, and two states of the optimiser, in full."""
_GIB = 1 << 30
_NODE_SECONDS = 120.0


def check(settings: TrainSettings, *, eval_only: bool = False) -> tuple[Fit, ...]:
    """Check what can be seen from here.

    Returns which photos are used: of those that are trained on, and of the validation set if there is one.

    Raises:
        UserError: something cannot work; the message says what to do.
        MissingExtraError: a library is missing.
    """
    check_versions()
    checks.check_engine(settings, "verl")
    counts = [data.check(settings.data.train)]
    if settings.data.val is not None:
        counts.append(data.check(settings.data.val))
    elif eval_only:
        raise UserError("there is nothing to evaluate: data.val names no photos; export with --val")
    if not eval_only:
        checks.check_batch(settings, counts[0])
    checks.check_model(settings.model.path, "verl", FAMILIES)
    _check_disk(settings)
    asyncio.run(check_tools(settings))
    return _fitting(settings, counts, eval_only=eval_only)


def _fitting(settings: TrainSettings, counts: Sequence[int], *, eval_only: bool) -> tuple[Fit, ...]:
    """Leave out photos whose prompts are too long, as verl will when it reads them.

    Args:
        settings: Of the training.
        counts: Photos of its files.
        eval_only: Whether only the validation set matters.

    Raises:
        UserError: too few are left.
    """
    recipe, model = settings.recipe, settings.model
    if not Path(model.path).is_dir():  # it is to be fetched, and then verl measures
        return tuple(Fit(tuple(range(count))) for count in counts)
    transformers: Any = imported("transformers")
    processor = transformers.AutoProcessor.from_pretrained(model.path)
    files = [(settings.data.train, 1 if eval_only else recipe.batch)]
    files += [(settings.data.val, 1)] if settings.data.val else []
    with closing(open_toolbox(settings.tools)) as toolbox:
        return tuple(
            fit(file, toolbox.toolset, processor, recipe.prompt_tokens, least, pixels(model))
            for file, least in files
        )


async def check_tools(settings: TrainSettings) -> None:
    """Make sure that the tools can be used from here.

    Raises:
        UserError: they cannot.
    """
    toolbox = open_toolbox(settings.tools)
    try:
        await toolbox.check()
    finally:
        await toolbox.aclose()


def composed(told: Mapping[str, Value]) -> Any:
    """Return verl's whole configuration, read and checked by verl.

    Raises:
        UserError: verl refuses a setting; the message has its words.
    """
    hydra: Any = imported("hydra")
    refused = (
        imported("hydra.errors").HydraException,
        imported("omegaconf.errors").OmegaConfBaseException,
        AssertionError,
        ValueError,
        TypeError,
    )
    try:
        with hydra.initialize_config_module("verl.trainer.config", version_base=None):
            made = hydra.compose("ppo_trainer", overrides=arguments(told))
        utils: Any = imported("verl.trainer.ppo.utils")
        # It says on stdout that all is well.
        with contextlib.redirect_stdout(io.StringIO()):
            imported("verl.utils.config").validate_config(
                config=_validated(made),
                use_reference_policy=utils.need_reference_policy(made),
                use_critic=utils.need_critic(made),
            )
    except refused as error:
        why = " ".join(str(error).split())
        raise UserError(f"verl refuses these settings: {why}; see recipe and verl in the settings") from error
    return made


def _validated(made: Any) -> Any:
    """Return what verl checks: it cannot ask an engine about adapters that is not installed here.

    Where the training runs, the engine is installed, and verl does.
    """
    if _installed(made.actor_rollout_ref.rollout.name):
        return made
    checked = made.copy()
    checked.actor_rollout_ref.rollout.name = "elsewhere"
    return checked


def _installed(engine: str) -> bool:
    return engine not in _ENGINES or importlib.util.find_spec(_ENGINES[engine]) is not None


def check_engines(settings: VerlSettings) -> None:
    """Make sure that what generates, and what trains, is installed where this is called.

    Raises:
        UserError: the rollout's engine is not.
        MissingExtraError: Megatron is not.
    """
    name = str(settings.overrides.get("actor_rollout_ref.rollout.name", settings.rollout))
    if not _installed(name):
        raise UserError(f"verl.rollout is {name}, which is not installed: run  pip install 'verl[{name}]'")
    if settings.strategy == "megatron" and importlib.util.find_spec("megatron") is None:
        raise MissingExtraError("verl.strategy megatron", "verl", "megatron-core (verl's extra megatron)")


def check_here(settings: VerlSettings) -> None:
    """Make sure that this machine alone can train.

    Raises:
        UserError: it has too few GPUs, or something is not installed.
        MissingExtraError: Megatron is not.
    """
    if settings.nodes > 1:
        raise UserError(
            f"{settings.nodes} nodes need a Ray cluster: name its address with --address (auto on one of "
            "them)"
        )
    check_engines(settings)
    if settings.overrides.get("trainer.device") == "cpu":
        return
    torch: Any = imported("torch")
    found = int(torch.cuda.device_count())
    if found < settings.gpus_per_node:
        raise UserError(
            f"this machine has {found} GPUs, and verl.gpus_per_node is {settings.gpus_per_node}: set "
            "--gpus-per-node, or name a cluster with --address"
        )


def check_cluster(settings: TrainSettings, config: Path) -> None:
    """Look at the Ray cluster that this process is connected to, from each of its nodes.

    Args:
        settings: Of the training.
        config: Where the nodes find them.

    Raises:
        UserError: there are too few nodes or GPUs, or something is missing on one; the message says where.
    """
    ray: Any = imported("ray")
    strategies: Any = imported("ray.util.scheduling_strategies")
    verl = settings.verl
    nodes = [node for node in ray.nodes() if node["Alive"]]
    fit = [node for node in nodes if node["Resources"].get("GPU", 0) >= verl.gpus_per_node]
    if len(fit) < verl.nodes:
        found = ", ".join(
            f"{node['NodeManagerAddress']}: {node['Resources'].get('GPU', 0):g}" for node in nodes
        )
        raise UserError(
            f"the Ray cluster has {len(fit)} nodes with {verl.gpus_per_node} GPUs, and {verl.nodes} are "
            f"needed (GPUs: {found}): start Ray on more, or set --nodes and --gpus-per-node"
        )
    task = ray.remote(num_cpus=0.01, max_retries=0)(examined)
    asked = {
        task.options(
            scheduling_strategy=strategies.NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(str(config)): node["NodeManagerAddress"]
        for node in fit
    }
    done, late = ray.wait(list(asked), num_returns=len(asked), timeout=_NODE_SECONDS)
    problems = [f"{asked[one]}: no answer within {_NODE_SECONDS:g} s" for one in late]
    problems += [f"{asked[one]}: {said}" for one in done if (said := ray.get(one))]
    if problems:
        raise UserError("not every node can take part: " + "; ".join(sorted(problems)))


def examined(config: str) -> str:
    """Return what is wrong with a node, seen from it; empty if nothing is."""
    try:
        check_versions()
        settings = TrainSettings.load(Path(config))
        check_engines(settings.verl)
        data.check(settings.data.train)
        asyncio.run(check_tools(settings))
        if not os.access(settings.output, os.W_OK):
            return f"cannot write to {settings.output}: all nodes have to see the output"
    except UserError as error:
        return str(error)
    return ""


def _check_disk(settings: TrainSettings) -> None:
    output = settings.output
    checks.check_output(output)
    weights = sum(file.stat().st_size for file in Path(settings.model.path).glob("*.safetensors"))
    needed = weights if settings.model.lora else weights * _CHECKPOINT_SHARE
    free = shutil.disk_usage(output).free
    if free < needed:
        raise UserError(
            f"a checkpoint takes about {needed / _GIB:.0f} GiB, and {output} has {free / _GIB:.0f} GiB left: "
            "make room, or choose another output"
        )
