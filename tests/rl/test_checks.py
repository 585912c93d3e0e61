"""What is checked of a training for either engine."""

import json

import pytest

from wheretaken.rl.checks import differences

MIXTURE = {"hidden_size": 64, "num_hidden_layers": 3, "vocab_size": 2048}


@pytest.mark.parametrize("theirs", ["num_experts", "num_local_experts"])
@pytest.mark.parametrize("ours", ["num_experts", "num_local_experts"])
def test_a_checkpoint_of_a_mixture_is_its_own_by_whichever_name_experts_are_counted(tmp_path, theirs, ours):
    def saved(name, key, experts):
        (tmp_path / name).mkdir()
        config = {"model_type": "qwen3_vl_moe", "text_config": MIXTURE | {key: experts}}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        return tmp_path / name

    model = saved("model", ours, 4)
    assert differences(saved("checkpoint", theirs, 4), model) == ""
    assert differences(saved("other", theirs, 8), model) == "num_experts 8 and not 4"
