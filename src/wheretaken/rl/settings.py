"""The settings of a training: one YAML file, which `train export` writes and both engines read.

Paths in it are relative to the file's own directory, so that the directory can be moved. A name that is not
known is refused rather than passed over: a setting that nobody reads is a training that nobody wanted.
"""

from __future__ import annotations

import difflib
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic import model_validator as validated

from wheretaken.errors import MissingExtraError, UserError
from wheretaken.origins import check_base
from wheretaken.paths import atomic_path

if TYPE_CHECKING:
    from collections.abc import Iterator

_M = TypeVar("_M", bound=BaseModel)
FILE = "config.yaml"
SHORTEST_TEXT = 200
"""Characters; less of a tool's result tells nothing."""

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
TopP = Annotated[float, Field(gt=0, le=1)]
TopK = Annotated[int, Field(ge=0)]
ServerUrl = Annotated[str, AfterValidator(lambda url: check_base(url) if url else "")]


class _Part(BaseModel):
    # Unknown names are told to the person. Numbers may be texts: to YAML, `1e-6` is one.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)


class LengthPenalty(_Part):
    """Takes a part of the reward of a rollout that writes much; what has no reward loses nothing."""

    start_tokens: Count
    """Tokens that the model may write for nothing."""
    full_tokens: Count
    """Tokens from which the whole share is taken; in between, in proportion."""
    share: Annotated[float, Field(gt=0, le=0.5)] = 0.2

    @validated(mode="after")
    def _order(self) -> Self:
        if self.full_tokens <= self.start_tokens:
            raise ValueError("full_tokens must be more than start_tokens")
        return self


class RewardSettings(_Part):
    """What a rollout earns; see `wheretaken.rl.reward`. Everything beyond the ladder is off by default."""

    reading: Literal["tolerant", "strict"] = "tolerant"
    """How the last words are read: as `locate` reads them, or as the published metric does."""
    smooth: Share = 0.0
    """Share of the ladder that is replaced by a slope with the same corners: a little nearer earns more."""
    grounding_bonus: Share = 0.0
    """Share that a reward grows by when a tool told of, or showed, the place of the answer."""
    grounding_calls: Count = 8
    """A rollout with more calls than this earns no such bonus: asking for everything grounds everything."""
    fault_neutral: bool = False
    """Leave out rollouts in which a service failed: they neither reward nor punish."""
    length: LengthPenalty | None = None
    """Such as {start_tokens: 1500, full_tokens: 3000, share: 0.2}: takes a part from who writes much."""


class ToolSettings(_Part):
    """Which tools there are, where they run, and how much of them a model may use."""

    toolset: Literal["worldwide", "amap", "google", "direct", "island"] = "worldwide"
    """`direct` has no tools; `island` is for learning how all this works (`wheretaken train island`)."""
    config: Path | None = None
    """A verl tool-config file: which tools of the set, and what the model is told about them."""
    server: ServerUrl = ""
    """Of a running `wheretaken serve`; without it, the tools run in the process of the rollouts."""
    token_env: Name = "WHERETAKEN_SERVER_TOKEN"  # noqa: S105 - not the token itself
    """The environment variable that holds the server's token, if it asks for one."""
    deadline_s: Positive = 60.0
    """Until a call is answered, or the rollout goes on without."""
    longest_text_chars: Annotated[int, Field(ge=SHORTEST_TEXT)] = 4096
    """Of one result; of longer ones, head and tail are kept, with a mark between them."""
    calls_per_turn: Count = 16
    """Tool calls run per turn; what is above is refused to the model in words."""

    def token(self) -> SecretStr | None:
        """Return the server's token from the environment."""
        return SecretStr(value) if (value := os.environ.get(self.token_env, "")) else None


class DataSettings(_Part):
    """Parquet files of `train export`."""

    train: Path
    val: Path | None = None


class LoraSettings(_Part):
    """Low-rank adapters instead of all weights."""

    rank: Count = 16
    alpha: Count = 32
    dropout: Share = 0.0


class ModelSettings(_Part):
    """The weights that are trained."""

    path: str
    """A directory, or a name that the engine's libraries load."""
    min_pixels: Count | None = None
    """Pictures with fewer are enlarged by the model's processor; its own setting by default."""
    max_pixels: Count | None = None
    lora: LoraSettings | None = None
    """Such as {rank: 16, alpha: 32}: low-rank adapters instead of all weights."""


class Recipe(_Part):
    """How it is trained. The defaults are the paper's (arXiv 2601.05432)."""

    steps: Count | None = None
    """Optimiser steps; by default as many as `epochs` take."""
    epochs: Count = 2
    batch: Count = 64
    """Prompts a step, each with a group of rollouts."""
    mini_batch: Count | None = None
    """Prompts of one update within a step; the whole batch by default."""
    group: Annotated[int, Field(ge=2)] = 16
    """Rollouts of one prompt."""
    learning_rate: Positive = 1e-6
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    kl: Annotated[float, Field(ge=0)] = 0.001
    """Weight of the divergence from the first weights; 0 needs no second model."""
    temperature: Positive = 1.0
    top_p: TopP = 1.0
    """In training, tokens that sampling leaves out would be missing from the probabilities as well."""
    top_k: TopK = 0
    """0 for all tokens."""
    eval_temperature: Annotated[float, Field(ge=0)] = 1.0
    """Of the rollouts that are measured, as are the next two."""
    eval_top_p: TopP = 0.95
    eval_top_k: TopK = 60
    eval_runs: Count = 1
    """Rollouts of each photo of the validation set; with several, pass@k is measured."""
    turns: Count = 8
    """Model turns of a rollout, the last of which has to answer."""
    prompt_tokens: Count = 4096
    """Of words, tools and photo; photos whose prompt is longer are left out."""
    response_tokens: Count = 4096
    """Of a rollout, what the tools return included."""
    seed: int = 0
    save_every: Count = 20
    """Steps from one checkpoint to the next."""
    eval_every: Count | None = 20
    """Steps from one measurement on the validation set to the next; null for none."""
    eval_first: bool = True
    """Measure before the first step as well."""
    samples: Annotated[int, Field(ge=0)] = 8
    """Rollouts a step that are kept as trajectories; 0 for none."""


class WarmStart(_Part):
    """Learning from the runs of others before the training begins."""

    runs: Path
    """A directory of runs, as `locate --out` and `eval run` write it; those with an answer are learned."""
    steps: Count = 200
    """Optimiser steps."""
    batch: Count = 16
    """Runs a step."""
    learning_rate: Positive = 1e-5


class TrlSettings(_Part):
    """What only TRL is told."""

    warm_start: WarmStart | None = None
    vllm: Literal["auto", "off", "colocate", "server"] = "auto"
    vllm_url: ServerUrl = ""
    vllm_memory: Annotated[float, Field(gt=0, lt=1)] = 0.3
    """Share of a GPU's memory for vLLM in the process of the training: its weights and cache."""
    bf16: bool = False
    micro_batch: Count | None = None
    """Rollouts of one forward pass."""
    gradient_checkpointing: bool = False
    log_to: tuple[Literal["tensorboard", "wandb", "swanlab"], ...] = ("tensorboard",)


class VerlSettings(_Part):
    """What only verl is told."""

    nodes: Count = 1
    gpus_per_node: Count = 8
    strategy: Literal["fsdp", "megatron"] = "fsdp"
    rollout: Literal["vllm", "sglang"] = "vllm"
    tensor_parallel: Count = 1
    micro_batch_per_gpu: Count = 1
    log_to: tuple[Literal["console", "tensorboard", "wandb", "swanlab"], ...] = ("console", "tensorboard")
    overrides: dict[str, str | int | float | bool | None] = Field(default_factory=dict)
    """Settings of verl's own by their dotted names, which go before everything that we set."""


class TrainSettings(_Part):
    """The whole file."""

    engine: Literal["trl", "verl"]
    data: DataSettings
    model: ModelSettings
    output: Path = Path("run")
    """Checkpoints, numbers and sample trajectories."""
    tools: ToolSettings = Field(default_factory=ToolSettings)
    reward: RewardSettings = Field(default_factory=RewardSettings)
    recipe: Recipe = Field(default_factory=Recipe)
    trl: TrlSettings = Field(default_factory=TrlSettings)
    verl: VerlSettings = Field(default_factory=VerlSettings)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a file; every path in it is absolute then.

        Raises:
            UserError: it cannot be read, is no YAML, or a setting is wrong; the message says which.
            MissingExtraError: PyYAML is not installed.
        """
        file = path / FILE if path.is_dir() else path
        content = _yaml(file)
        made = parsed(cls, content, str(file))
        return made.located(file.resolve().parent)

    def located(self, root: Path) -> Self:
        """Return the same settings with the paths made absolute below a directory."""
        data = self.data.model_copy(
            update={"train": root / self.data.train, "val": self.data.val and root / self.data.val}
        )
        tools = self.tools.model_copy(update={"config": self.tools.config and root / self.tools.config})
        model = self.model
        if (root / model.path).exists():  # else it is a name of the hub, or is missing, which the engine says
            model = model.model_copy(update={"path": str(root / model.path)})
        trl = self.trl
        if trl.warm_start:
            warm = trl.warm_start.model_copy(update={"runs": root / trl.warm_start.runs})
            trl = trl.model_copy(update={"warm_start": warm})
        made = {"data": data, "tools": tools, "model": model, "output": root / self.output, "trl": trl}
        return self.model_copy(update=made)

    def save(self, path: Path) -> None:
        """Write the file, with what the settings mean, and without those of the other engine.

        Raises:
            MissingExtraError: PyYAML is not installed.
        """
        other = {"trl": "verl", "verl": "trl"}[self.engine]
        lines = _described(self, leave_out=other)
        with atomic_path(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", "utf-8")


def parsed(kind: type[_M], content: Any, where: str) -> _M:
    """Check settings that were read from a file.

    Raises:
        UserError: one is wrong; the message names it and what would be right.
    """
    if not isinstance(content, dict):
        raise UserError(f"{where}: it must hold settings by name, as `wheretaken train export` writes them")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise UserError(f"{where}: {place} is no setting; {_meant(kind, first['loc'])}") from None
        why = first["msg"].removeprefix("Value error, ")
        raise UserError(f"{where}: {place or 'the file'}: {why[:1].lower()}{why[1:]}") from None


def _meant(kind: type[BaseModel], place: tuple[int | str, ...]) -> str:
    """Say which settings there are where one was not known, the likeliest first."""
    here: type[BaseModel] = kind
    for step in place[:-1]:
        field = here.model_fields.get(str(step))
        inner = next(_models(field.annotation), None) if field else None
        if inner is None:
            break
        here = inner
    names = list(here.model_fields)
    near = difflib.get_close_matches(str(place[-1]), names, n=1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """Yield the settings models that a field may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _yaml(file: Path) -> Any:
    yaml = _library()
    try:
        return yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        raise UserError(f"{file}: {error.strerror}; `wheretaken train export` writes one") from None
    except UnicodeDecodeError:
        raise UserError(f"{file}: not in UTF-8; save it as such") from None
    except yaml.YAMLError as error:
        raise UserError(f"{file}: no YAML: {' '.join(str(error).split())}") from None


def _described(part: BaseModel, indent: str = "", leave_out: str = "") -> Iterator[str]:
    """Yield the lines of a part of the file, each setting below what it means."""
    for name, field in type(part).model_fields.items():
        if name == leave_out:
            continue
        value: Any = getattr(part, name)
        # A part of its own is described where it is defined.
        meaning = field.description or (value.__doc__ if isinstance(value, BaseModel) else "") or ""
        wrapped = textwrap.wrap(meaning.partition("\n\n")[0], 105 - len(indent))
        yield from (f"{indent}# {line}" for line in wrapped)
        if isinstance(value, BaseModel):
            yield f"{indent}{name}:"
            yield from _described(value, f"{indent}  ")
        else:
            content = part.model_dump(mode="json", include={name})
            yield from textwrap.indent(_dumped(content).rstrip(), indent).splitlines()


def _dumped(content: Any) -> str:
    return str(_library().safe_dump(content, sort_keys=False, allow_unicode=True, width=110))


def _library() -> Any:
    try:
        import yaml  # noqa: PLC0415 - optional
    except ImportError:
        raise MissingExtraError("the settings of a training", "train", "PyYAML") from None
    return yaml
