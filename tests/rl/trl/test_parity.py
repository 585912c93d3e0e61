"""What rollouts in TRL come to is what our own loop makes of them, and so what they come to in verl."""

from pathlib import Path

import pytest

from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.rl import records
from wheretaken.rl.settings import (
    DataSettings,
    ModelSettings,
    Recipe,
    RewardSettings,
    ToolSettings,
    TrainSettings,
)
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.testing import parity
from wheretaken.testing.toy_model import trained

pytestmark = pytest.mark.usefixtures("trl_libraries")
FILE = Path(__file__).parents[1] / "parity.json"


class Scripted:
    """Generation that writes what the script of each rollout's photo says."""

    def __init__(self, trainer):
        self.trainer = trainer
        self.tokenizer = trainer.processing_class.tokenizer

    def __call__(self, input_ids, *, attention_mask, **_):
        import torch

        from wheretaken.rl.trl.rollout import pending

        rollouts = self.trainer.environments
        if rollouts[0].said:
            given = zip(input_ids, attention_mask, strict=True)
            rollouts = pending(rollouts, [ids[mask.bool()].tolist() for ids, mask in given])
        said = [parity.script(rollout.photo.open(), len(rollout.said)) for rollout in rollouts]
        written = [self.tokenizer(text, add_special_tokens=False).input_ids for text in said]
        ended = [[*ids, self.tokenizer.eos_token_id] for ids in written]
        longest = max(map(len, ended))
        padded = [ids + [self.tokenizer.pad_token_id] * (longest - len(ids)) for ids in ended]
        return torch.cat([input_ids, torch.tensor(padded)], dim=1)


@pytest.fixture(scope="module")
def output(trl_libraries, tmp_path_factory):
    """Two rollouts of each script, in one batch."""
    from wheretaken.rl.trl import training

    root = tmp_path_factory.mktemp("parity")
    prepare(open_dataset(str(parity.dataset(root / "photos"))), root / "rows.parquet", "trl")
    settings = TrainSettings(
        engine="trl",
        data=DataSettings(train=root / "rows.parquet"),
        model=ModelSettings(path=str(trained())),
        output=root / "run",
        tools=ToolSettings(deadline_s=parity.DEADLINE_S, calls_per_turn=parity.CALLS),
        reward=RewardSettings(fault_neutral=True),
        recipe=Recipe(
            batch=len(parity.NAMES), group=2, steps=1, kl=0.0, eval_every=None, samples=2 * len(parity.NAMES),
            turns=parity.TURNS, response_tokens=parity.TOKENS,
        ),
    )  # fmt: skip
    with training._trainer(settings, LocalToolbox(parity.TOOLS, parity.Moody()), print) as (trainer, _):
        trainer.model.train()
        trainer.model.generate = Scripted(trainer)
        rows = [trainer.train_dataset[number] for number in range(len(parity.NAMES))]
        trainer._generate_and_score_completions([dict(row) for row in rows for _ in range(2)])
    return settings.output


@pytest.fixture(scope="module")
def found(output):
    ended = {line.id: (line.stop, line.score) for line in records.read_scores(output)}
    return parity.rolled(records.samples(output, 1), ended)


@pytest.mark.parametrize("name", parity.NAMES)
def test_a_rollout_is_what_our_own_loop_makes_of_it(found, name):
    assert found[name] == [parity.read(FILE)[name]] * 2
