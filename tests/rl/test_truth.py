"""The truth of a rollout goes from the row to the reward, and nowhere else."""

import json

import pytest

from wheretaken.evals.datasets import open_dataset
from wheretaken.rl import records
from wheretaken.rl.data import samples
from wheretaken.rl.episode import Episode
from wheretaken.rl.export import Wanted, export
from wheretaken.rl.presets import PRESETS
from wheretaken.rl.records import Line, Recorder
from wheretaken.rl.reward import score
from wheretaken.rl.settings import RewardSettings, ToolSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox
from wheretaken.tools.worldwide import WORLDWIDE

TOLD = ("Kodak", "10.123", "20.456", "11.123", "21.456")
EVERY_TOOL = (
    ("zoom", {"bbox_2d": [100, 100, 900, 900], "label": "sign"}),
    ("search_places", {"query": "Kiosk"}),
    ("suggest_places", {"query": "Kio"}),
    ("find_combination", {"wanted": ["Kiosk", "Kiosk"]}),
    ("place_details", {"id": "osm:n1"}),
    ("reverse_geocode", {"lat": 60.17, "lon": 24.94}),
    ("road_map", {"lat": 60.17, "lon": 24.94, "markers": [[60.17, 24.94]]}),
    ("read_clue", {"text": "+358 9 1234567"}),
    ("fly", {}),
)


@pytest.mark.parametrize("engine", ["trl", "verl"])
async def test_a_rollout_and_all_it_leaves_behind_tell_nothing(make_set, tmp_path, few, answer, engine):
    wanted = Wanted(open_dataset(make_set(2)), engine, PRESETS["toy"], ToolSettings(), val_share=0.0)
    export(wanted, tmp_path / "out")
    settings = TrainSettings.load(tmp_path / "out")
    writer = Recorder(settings.output)
    for number, sample in enumerate(samples(settings.data.train)):
        toolbox = LocalToolbox(WORLDWIDE, few)
        episode = Episode(toolbox, sample.picture(), settings.tools)
        replies = await episode.turn(EVERY_TOOL)
        outcome = episode.outcome(answer)
        scored = score(outcome, sample.truth, RewardSettings(grounding_bonus=0.1, smooth=0.5))
        kept = records.trajectory(
            toolbox, sample.picture(), [answer], episode.log, outcome, id=f"{number}", model="m"
        )
        writer.sample(kept, 1)
        writer.scores([Line.of(scored, outcome, step=1, id=f"{number}", group=sample.sha256)])
        shown = "".join(reply.text for reply in replies).encode()
        shown += b"".join(picture.data for picture in episode.pictures)
        assert [canary for canary in TOLD if canary.encode() in shown] == []
    assert few.asked
    assert [canary for canary in TOLD if canary in json.dumps(few.asked)] == []
    left = [path for path in settings.output.rglob("*") if path.is_file()]
    assert len(left) >= 4
    for path in left:
        assert [
            canary for canary in TOLD if canary.encode() in path.read_bytes() + str(path.name).encode()
        ] == []
