"""A directory for training: it holds what both engines read, and tells no model where a photo was taken."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import datasets
from wheretaken.agent import Case, prompts
from wheretaken.errors import DataError, PhotoError, UserError
from wheretaken.evals.datasets import open_dataset
from wheretaken.evals.datasets.prepare import prepare
from wheretaken.geo import LatLon, distance_km
from wheretaken.models.settings import ModelSettings
from wheretaken.rl import data
from wheretaken.rl import export as exporting
from wheretaken.rl.difficulty import Band, Rate, pass_rates
from wheretaken.rl.export import Wanted, export
from wheretaken.rl.presets import PRESETS, preset
from wheretaken.rl.settings import ToolSettings, TrainSettings
from wheretaken.rl.toolbox import LocalToolbox, closing, open_toolbox
from wheretaken.testing.maps import FewPlaces
from wheretaken.tools.amap import AMAP

ENGINES = ("trl", "verl")
NEVER_TOLD = ("Kodak", "10.123", "20.456", "11.123", "21.456", ".123", ".456")


def exported(table: Path, out: Path, engine: str = "trl", **options) -> TrainSettings:
    usual = {"preset": PRESETS["toy"], "tools": ToolSettings(toolset="amap"), "val_share": 0.0}
    export(Wanted(data=open_dataset(table), engine=engine, **(usual | options)), out)
    return TrainSettings.load(out)


def told(row: dict) -> str:
    """What of a row a model or a tool is given."""
    shown = {name: row[name] for name in ("prompt", "images", "extra_info", "agent_name") if name in row}
    return json.dumps(shown)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_directory_is_whole_and_its_settings_load(make_set, tmp_path, engine):
    settings = exported(make_set(), tmp_path / "out", engine)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        *("config.yaml", "media", "photos.jsonl", "prompt.txt", "README.md", "tools.yaml"),
        *("train.parquet", "train.problems.jsonl"),
    }
    assert settings.engine == engine
    assert settings.recipe == PRESETS["toy"].recipe
    with closing(open_toolbox(settings.tools)) as toolbox:
        assert (toolbox.specs, toolbox.datum) == (AMAP.specs, AMAP.datum)
    assert data.check(settings.data.train) == 4


class Watched(FewPlaces):
    """Maps that know whether they were closed."""

    closed = 0

    async def aclose(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("left", [True, False])
def test_the_tools_are_closed_whether_the_export_succeeds_or_not(make_set, tmp_path, monkeypatch, left):
    maps, table = Watched(), make_set()
    monkeypatch.setattr(exporting, "open_toolbox", lambda _settings: LocalToolbox(AMAP, maps))
    with contextlib.nullcontext() if left else pytest.raises(DataError):
        exported(table, tmp_path / "out", against=[] if left else [open_dataset(table)])
    assert maps.closed == 1


async def test_tools_are_closed_where_an_event_loop_runs():
    maps = Watched()
    with closing(LocalToolbox(AMAP, maps)) as toolbox:
        assert (toolbox.specs, maps.closed) == (AMAP.specs, 0)
    assert maps.closed == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_what_a_model_is_given_tells_no_place(make_set, tmp_path, engine):
    settings = exported(make_set(), tmp_path / "out", engine)
    for row in pq.read_table(settings.data.train).to_pylist():
        assert [canary for canary in NEVER_TOLD if canary in told(row)] == []
        assert row["prompt"][0]["content"] == prompts.system(AMAP)
        assert "GCJ-02" in row["prompt"][0]["content"]
    for name in ("tools.yaml", "prompt.txt", "config.yaml"):
        text = (tmp_path / "out" / name).read_text()
        assert [canary for canary in NEVER_TOLD if canary in text] == []
    for file in (tmp_path / "out" / "media").iterdir():
        assert b"Kodak" not in file.read_bytes() + file.name.encode()


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_have_the_picture_that_locate_would_see_and_the_truth(make_set, tmp_path, engine):
    table = make_set()
    settings = exported(table, tmp_path / "out", engine)
    for sample, row in zip(data.samples(settings.data.train), open_dataset(table).rows(), strict=True):
        assert sample.picture() == Case.of(row.read()).picture
        assert sample.sha256 == sample.picture().sha256
        assert sample.truth == LatLon(row.truth.lat, row.truth.lon)
        assert (sample.city, sample.country) == (row.truth.city, row.truth.country)
    again = open_dataset(tmp_path / "out" / "photos.jsonl")
    assert [row.truth for row in again.rows()] == [row.truth for row in open_dataset(table).rows()]
    assert [Case.of(row.read()).picture.sha256 for row in again.rows()] == [
        sample.sha256 for sample in data.samples(settings.data.train)
    ]


def test_trl_loads_the_rows_with_their_pictures(make_set, tmp_path):
    settings = exported(make_set(), tmp_path / "out")
    rows = datasets.load_dataset(
        "parquet", data_files=str(settings.data.train), cache_dir=str(tmp_path / "cache"), split="train"
    )
    assert rows[0]["images"][0].size == (64, 48)
    assert rows[0]["lat"] == 10.123


def test_verl_gets_files_and_the_pixels_of_the_model(make_set, tmp_path):
    settings = exported(make_set(), tmp_path / "out", "verl")
    (first, *_) = pq.read_table(settings.data.train).to_pylist()
    assert list(first["images"][0]) == ["image"]
    assert Path(first["images"][0]["image"]).is_file()
    assert first["agent_name"] == "wheretaken"
    assert first["reward_model"]["ground_truth"]["lat"] == 10.123


def test_a_part_is_kept_for_validation_by_place(make_set, tmp_path):
    table = make_set(60, apart=0.5)
    settings = exported(table, tmp_path / "out", val_share=0.3)
    train, val = (list(data.samples(path)) for path in (settings.data.train, settings.data.val))
    assert len(train) + len(val) == 60
    assert 5 < len(val) < 35
    again = exported(table, tmp_path / "again", val_share=0.3)
    assert [one.sha256 for one in data.samples(again.data.val)] == [one.sha256 for one in val]
    splits = [row.split for row in open_dataset(tmp_path / "out" / "photos.jsonl").rows()]
    assert splits == ["train"] * len(train) + ["val"] * len(val)


def test_nothing_of_the_validation_is_trained_on_not_even_from_next_door(make_set, tmp_path):
    """Photos every 46 metres: those at the border of two cells would give each other away."""
    settings = exported(make_set(120, apart=0.0003), tmp_path / "out", val_share=0.5)
    assert settings.data.val is not None
    train, val = (list(data.samples(path)) for path in (settings.data.train, settings.data.val))
    assert len(val) + len(train) < 120
    assert min(distance_km(a.truth, b.truth) for a in train for b in val) > 0.05


def test_leaks_into_test_sets_are_left_out(make_set, tmp_path):
    table = make_set(6)
    tests = [make_set(2, "one", first=1), make_set(1, "two", first=4)]
    settings = exported(table, tmp_path / "out", against=[open_dataset(path) for path in tests])
    assert [one.city for one in data.samples(settings.data.train)] == [f"Kodaktown {n}" for n in (0, 3, 5)]
    problems = (tmp_path / "out" / "train.problems.jsonl").read_text()
    assert problems.count('"leak"') == 3


def test_difficulty_chooses(make_set, tmp_path):
    rates = {f"Kodaktown {n}": Rate(right, 4) for n, right in enumerate((0, 1, 3, 4))}
    band = Band(rates)
    done = export(
        Wanted(
            data=open_dataset(make_set(5)),
            engine="trl",
            preset=PRESETS["toy"],
            tools=ToolSettings(),
            val_share=0.0,
            difficulty=band,
        ),
        tmp_path / "out",
    )
    assert done.train.written == 2
    assert done.left_out == {"easy or hard": 2, "never run": 1}


def published(path: Path, table: Path, km: float) -> Path:
    """Answers to the first three photos of a set, so far off."""
    lines = []
    for row in list(open_dataset(table).rows())[:3]:
        answer = json.dumps(
            {"lat": row.truth.lat + km / 111, "lon": row.truth.lon, "city": "", "country": ""}
        )
        truth = {"lat": row.truth.lat, "lon": row.truth.lon, "city": "", "country": ""}
        lines.append(json.dumps({"index": row.id, "ground_truth": truth, "solution_str": answer}) + "\n")
    path.write_text("".join(lines))
    return path


def test_pass_rates_are_of_what_was_run(make_set, tmp_path):
    table = make_set(5)
    runs = [published(tmp_path / f"{km}.jsonl", table, km) for km in (1, 5, 300)]
    rates = pass_rates(runs, open_dataset(table), 10)
    assert rates == {f"Kodaktown {n}": Rate(2, 3) for n in range(3)}


def test_every_run_of_a_directory_counts(make_set, tmp_path):
    table = make_set(2)
    command = [sys.executable, "-m", "wheretaken", "eval", "run", "--data", str(table), "--out", "runs"]
    done = subprocess.run(
        [*command, "-n", "2", "-q"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 3}, done.stderr
    rates = pass_rates([tmp_path / "runs"], open_dataset(table), 10)
    assert [rate.runs for rate in rates.values()] == [2, 2]


def test_runs_of_other_photos_are_refused(make_set, tmp_path):
    other = published(tmp_path / "other.jsonl", make_set(3, "other", first=50), 1)
    with pytest.raises(DataError, match="other"):
        pass_rates([other], open_dataset(make_set(2)), 10)


def test_a_training_is_not_overwritten(make_set, tmp_path):
    table = make_set()
    exported(table, tmp_path / "out")
    edited = (tmp_path / "out" / "config.yaml").read_text() + "# mine\n"
    (tmp_path / "out" / "config.yaml").write_text(edited)
    with pytest.raises(UserError, match="holds a training already"):
        exported(table, tmp_path / "out")
    assert (tmp_path / "out" / "config.yaml").read_text() == edited


def test_a_directory_that_failed_has_no_settings(make_set, tmp_path):
    table = make_set(1)
    next(table.parent.glob("*.jpg")).unlink()
    with pytest.raises(DataError, match="1 missing"):
        exported(table, tmp_path / "out")
    assert not (tmp_path / "out" / "config.yaml").exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_a_directory_may_be_moved(make_set, tmp_path, engine):
    exported(make_set(), tmp_path / "out", engine)
    (tmp_path / "out").rename(tmp_path / "moved")
    settings = TrainSettings.load(tmp_path / "moved")
    assert data.check(settings.data.train) == 4
    (tmp_path / "moved" / "media").rename(tmp_path / "elsewhere")
    with pytest.raises(PhotoError, match="put the folder media back"):
        data.check(settings.data.train)


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"prompt": ["x"]}, "has no column images"),
        ({"images": [[{"bytes": b"x"}]]}, "has no truth for the reward"),
        ({"images": [[]], "lat": [1.0], "lon": [1.0]}, "row 1 has 0 pictures"),
        ({"images": [[{"bytes": b""}]], "lat": [1.0], "lon": [1.0]}, "row 1 has an empty picture"),
        ({"images": [[{"bytes": b"x"}]], "lat": [99.0], "lon": [1.0]}, "row 1 has no position"),
        ({"images": [[{"bytes": b"x"}]], "lat": [None], "lon": [1.0]}, "row 1 has no position"),
    ],
)
def test_a_file_that_cannot_be_trained_on_is_said_before_anything_begins(tmp_path, columns, said):
    import pyarrow as pa

    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(DataError, match=said):
        data.check(tmp_path / "x.parquet")


def test_a_picture_that_is_none_is_said_before_anything_begins(tmp_path):
    import pyarrow as pa

    columns = {"images": [[{"bytes": b"x"}]], "lat": [1.0], "lon": [1.0]}
    pq.write_table(pa.table(columns), tmp_path / "x.parquet")
    with pytest.raises(PhotoError):
        data.check(tmp_path / "x.parquet")
    pq.write_table(pa.table(columns).slice(0, 0), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="has no rows"):
        data.check(tmp_path / "x.parquet")
    with pytest.raises(DataError, match="does not exist"):
        data.check(tmp_path / "none.parquet")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_data_prepare_wrote_can_be_trained_on_as_well(make_set, tmp_path, engine):
    prepare(open_dataset(make_set()), tmp_path / "x.parquet", engine)
    assert data.check(tmp_path / "x.parquet") == 4


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_recipes(name, make_set, tmp_path):
    settings = exported(make_set(), tmp_path / "out", "verl", preset=preset(name))
    if name != "toy":
        shown = ModelSettings.model_fields
        assert settings.model.min_pixels == shown["min_pixels"].default
        assert settings.model.max_pixels == shown["max_pixels"].default
    assert settings.recipe == PRESETS[name].recipe
    assert settings.model.path == PRESETS[name].model
    paper = name in {"paper", "released"}
    assert (settings.tools.longest_text_chars == 1024) is paper
    if paper:
        recipe = settings.recipe
        assert (recipe.learning_rate, recipe.kl, recipe.group, recipe.batch) == (1e-6, 0.001, 16, 64)
        assert (recipe.turns, recipe.response_tokens) == (8, 4096)


def test_an_unknown_preset_is_named():
    with pytest.raises(UserError, match="there are: toy, single, paper, released"):
        preset("papper")


def test_from_the_command_line(make_set, tmp_path):
    table = make_set(12)
    command = [
        sys.executable,
        "-m",
        "wheretaken",
        "train",
        "export",
        "--data",
        str(table),
        "--engine",
        "verl",
    ]
    options = ["--toolset", "amap", "--preset", "toy", "--val-share", "0.3", "-o", "out"]
    done = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "out\n"), done.stderr
    assert "photos to train on" in done.stderr
    settings = TrainSettings.load(tmp_path / "out")
    assert settings.tools.toolset == "amap"
    again = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "choose another directory" in again.stderr
    wrong = subprocess.run(
        [*command, "--toolset", "mars", "-o", "x"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "toolset" in wrong.stderr
