"""A training on the island, from the command line: made, run, and of use for a warm start."""

import pytest
from typer.testing import CliRunner

from wheretaken.cli.main import app
from wheretaken.errors import UserError
from wheretaken.rl import data, records
from wheretaken.rl.settings import ToolSettings, TrainSettings
from wheretaken.rl.toolbox import closing, open_toolbox
from wheretaken.testing import island

pytestmark = pytest.mark.usefixtures("island_model")


@pytest.fixture(scope="module")
def made(trl_libraries, tmp_path_factory):
    out = tmp_path_factory.mktemp("exercise") / "island"
    done = CliRunner().invoke(app, ["train", "island", "-o", str(out), "--steps", "1", "--photos", "16"])
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(out)
    return out


def test_everything_is_there(made):
    settings = TrainSettings.load(made)
    assert (settings.recipe.steps, settings.model.path) == (1, str(made / "model"))
    assert (data.check(settings.data.train), data.check(settings.data.val)) == (16, 32)
    shown = [{one.sha256 for one in data.samples(file)} for file in (settings.data.train, settings.data.val)]
    assert not shown[0] & shown[1]
    # The model is told of the tool in the words that it has learned.
    with closing(open_toolbox(settings.tools)) as toolbox:
        assert list(toolbox.specs) == list(island.ISLAND.specs)


def test_it_trains_with_the_map(made):
    done = CliRunner().invoke(app, ["train", "trl", str(made)])
    assert done.exit_code == 0, done.output
    scores = records.read_scores(made / "run")
    assert [line.split for line in scores] == ["train"] * 64 + ["val"] * 32 * 2
    assert sum(line.tools.get("road_map", 0) - line.failed_calls for line in scores) > 100
    # Who looks at neither photo nor map earns 0.206.
    assert sum(line.score for line in scores) / len(scores) > 0.25


def test_the_experts_runs_are_a_warm_start(made):
    from wheretaken.rl.trl.sft import learned_from

    assert len(learned_from(made / "experts")) == 64


def test_a_training_is_not_written_over(made):
    done = CliRunner().invoke(app, ["train", "island", "-o", str(made)])
    assert done.exit_code == 2
    assert "holds a training already" in done.output


@pytest.mark.parametrize("name", ["model", "experts"])
def test_what_the_user_has_there_is_left_alone(tmp_path, trl_libraries, name):
    (tmp_path / name).mkdir()
    (tmp_path / name / "mine.txt").write_text("mine")
    done = CliRunner().invoke(app, ["train", "island", "-o", str(tmp_path)])
    assert done.exit_code == 2
    assert "is there already: choose another directory" in " ".join(done.output.split())
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["mine.txt"]


def test_no_server_has_the_islands_tools():
    with pytest.raises(UserError, match=r"leave tools\.server empty"):
        open_toolbox(ToolSettings(toolset="island", server="http://127.0.0.1:1"))
