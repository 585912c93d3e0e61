"""Running a data set: results, resuming, and what is refused."""

import asyncio
import io
import json
import threading
from dataclasses import dataclass, field

import pytest
from PIL import Image

from wheretaken.agent import Limits, Status, StopReason, read
from wheretaken.errors import DataError, MissingExtraError, ModelError, UserError
from wheretaken.evals.model import Row, Truth
from wheretaken.evals.results import read_results
from wheretaken.evals.running import Settings, run
from wheretaken.sampling.judge import Judge
from wheretaken.sampling.parallel import Vote
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

SEARCH = call(("search_places", {"query": "Helsinki"}))


def png(n: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (n % 256, n // 256, 20)).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass
class Photos:
    """A data set of photos in memory that counts how far it is read."""

    number: int = 5
    bytes_of: dict[int, bytes] = field(default_factory=dict)
    lat: float = 10.0
    name: str = "squares"
    notes: tuple[str, ...] = ("a note",)
    taken: int = 0

    def rows(self):
        self.taken = 0
        for n in range(self.number):
            self.taken = n + 1
            source = self.bytes_of.get(n, png(n))
            yield Row(f"row-{n}", f"{n}.png", source, Truth(lat=self.lat, lon=20.0), n + 2, "test")


class Models:
    """Makes scripted models, and counts the runs."""

    def __init__(self, *answers: str | Exception) -> None:
        self.answers = answers or ('{"lat": 10.0, "lon": 20.0}',)
        self.seeds: list[int] = []
        self.used: list[int] = []

    def __call__(self, seed: int) -> ScriptedModel:
        self.seeds.append(seed)
        answer = self.answers[seed % len(self.answers)]
        models = self

        class Noting(ScriptedModel):
            async def complete(self, messages, tools):
                if not self.asked:
                    models.used.append(seed)
                return await super().complete(messages, tools)

        last = say(answer, tokens=5) if isinstance(answer, str) else answer
        return Noting([SEARCH, last])


async def go(out, data=None, models=None, *, settings=None, **rest):
    return await run(
        data or Photos(), models or Models(), WORLDWIDE, FewPlaces(), out, settings or Settings(), **rest
    )


def lines(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_every_row_gets_a_result_and_the_directory_says_what_was_run(tmp_path):
    seen = []
    settings = Settings(concurrency=2, limits=Limits(turns=3), seed=4, data_path="squares.jsonl")
    summary = await go(tmp_path, settings=settings, watch=seen.append)
    assert (summary.rows, summary.done, summary.reused, summary.unreadable) == (5, 5, 0, 0)
    assert summary.statuses == {**dict.fromkeys(Status, 0), Status.ANSWERED: 5}

    manifest = lines(tmp_path / "data.jsonl")
    assert [line["id"] for line in manifest] == [f"row-{n}" for n in range(5)]
    assert manifest[1]["truth"] == {"lat": 10.0, "lon": 20.0, "city": "", "country": ""}
    assert (manifest[1]["line"], manifest[1]["split"], manifest[1]["image"]) == (3, "test", "1.png")
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["data"] == {
        "name": "squares",
        "path": "squares.jsonl",
        "rows": 5,
        "fingerprint": config["data"]["fingerprint"],
        "notes": ["a note"],
    }
    assert (config["model"], config["toolset"], config["n"]) == ("scripted", "worldwide", 1)
    assert (config["seed"], config["limits"]["turns"], config["concurrency"]) == (4, 3, 2)

    results = {result.id: result for result in read_results(tmp_path)}
    runs = {run.id: run for run in read(tmp_path)}
    for line in manifest:
        result = results[line["id"]]
        (name,) = result.runs
        assert result.sha256 == runs[name].photo.sha256 == line["sha256"]
        assert (runs[name].seed, runs[name].status) == (4, Status.ANSWERED)
        assert (result.answer.lat, result.agree, result.usage.completion_tokens) == (10.0, None, 5)
    assert [step.done for step in seen if step.stage == "reading"] == [1, 2, 3, 4, 5]
    assert [step.done for step in seen if step.stage == "running"] == [0, 1, 2, 3, 4, 5]


async def test_several_runs_of_a_photo_become_one_of_their_answers(tmp_path):
    near, far, none = '{"lat": 10.0, "lon": 20.0}', '{"lat": -40.0, "lon": 70.0}', "I cannot tell."
    models = Models(near, far, none, '{"lat": 10.01, "lon": 20.0}')
    await go(tmp_path, Photos(2), models, settings=Settings(n=4))
    for result in read_results(tmp_path):
        assert result.status == Status.ANSWERED
        assert result.answer.lat in {10.0, 10.01}
        assert (result.agree, len(result.runs)) == (2, 4)
        assert result.answer.radius_km is not None
        assert result.usage.completion_tokens == 20
    assert sorted(models.used) == [0, 0, 1, 1, 2, 2, 3, 3]


async def test_without_any_answer_the_most_telling_status_counts(tmp_path):
    await go(tmp_path, Photos(1), Models(ModelError("no reply"), "I cannot tell."), settings=Settings(n=2))
    (result,) = read_results(tmp_path)
    assert (result.status, result.answer, result.agree) == (Status.REFUSED, None, 0)


async def test_photos_and_models_that_fail_are_results_with_their_reason(tmp_path):
    summary = await go(tmp_path, Photos(3, {1: b"this is text"}), Models(ModelError("no reply")))
    assert (summary.statuses[Status.FAILED], summary.unreadable) == (3, 1)
    found = {result.id: result.detail for result in read_results(tmp_path)}
    assert found["row-0"] == "no reply"
    assert found["row-1"].startswith("1.png: the picture is text")


async def test_a_missing_file_is_a_result_and_is_run_when_it_is_there(tmp_path):
    class Files(Photos):
        def rows(self):
            yield Row("a", "a.png", tmp_path / "a.png", Truth(lat=1, lon=2))

    assert (await go(tmp_path / "out", Files())).unreadable == 1
    (result,) = read_results(tmp_path / "out")
    assert "a.png cannot be read: No such file" in result.detail
    (tmp_path / "a.png").write_bytes(png(1))
    assert (await go(tmp_path / "out", Files(), resume=True)).statuses[Status.ANSWERED] == 1


async def test_equal_photos_are_run_once_and_count_in_every_row(tmp_path):
    models = Models()
    data = Photos(6, {3: png(1), 5: png(1)})
    await go(tmp_path, data, models, settings=Settings(concurrency=4))
    assert len(models.used) == len(list(read(tmp_path))) == 4
    results = {result.id: result for result in read_results(tmp_path)}
    assert results["row-3"].runs == results["row-5"].runs == results["row-1"].runs
    assert sum(result.usage.completion_tokens for result in results.values()) == 20
    before = {result.id: result for result in read_results(tmp_path)}
    assert (await go(tmp_path, data, models, settings=Settings(concurrency=4), resume=True)).reused == 6
    assert {result.id: result for result in read_results(tmp_path)} == before


async def test_resume_makes_only_the_missing_runs(tmp_path):
    models = Models()
    await go(tmp_path, Photos(3), models, settings=Settings(n=2, limit=2))
    (tmp_path / "results.jsonl").unlink()
    file = tmp_path / "trajectories.jsonl"
    whole = file.read_text().splitlines(keepends=True)
    gone = json.loads(whole[-1])["id"]
    file.write_text("".join(whole[:-1]) + whole[-1][:50])  # half a line; its log is whole
    log = tmp_path / "events" / f"{json.loads(whole[0])['id']}.jsonl"
    events = log.read_text().splitlines(keepends=True)
    file.write_text("".join(whole[1:-1]) + whole[-1][:50])
    log.write_text("".join(events[:-2]) + events[-2][:20])  # killed in the middle of an event
    (tmp_path / "media" / ".x.png.abc.tmp").write_bytes(b"half a picture")

    models.used.clear()
    summary = await go(tmp_path, Photos(3), models, settings=Settings(n=2), resume=True)
    assert (summary.done, summary.reused) == (3, 1)
    assert len(models.used) == 3  # one killed run, and two of the third photo
    ids = [line["id"] for line in lines(file)]
    assert len(ids) == len(set(ids)) == 6
    assert gone in ids
    (aside,) = (tmp_path / "events" / "abandoned").iterdir()
    assert aside.name == f"{log.stem}.1.jsonl"
    assert not list(tmp_path.rglob("*.tmp"))


async def test_reordered_and_longer_sets_are_other_sets_but_longer_ones_go_on(tmp_path):
    models = Models()
    await go(tmp_path, Photos(2), models)
    with pytest.raises(UserError, match=r"row 'row-0' \(line 2\) of the data set is not what .*data.jsonl"):
        await go(tmp_path, Photos(2, lat=11.0), models, resume=True)
    with pytest.raises(UserError, match="over more rows than these 1, such as 'row-1'"):
        await go(tmp_path, Photos(1), models, resume=True)
    assert len(lines(tmp_path / "data.jsonl")) == 2
    models.used.clear()
    assert (await go(tmp_path, Photos(4), models, resume=True)).reused == 2
    assert len(models.used) == 2
    assert json.loads((tmp_path / "config.json").read_text())["data"]["rows"] == 4


async def test_a_directory_goes_on_only_with_what_was_run_in_it(tmp_path):
    out = tmp_path / "out"
    await go(out)
    before = {path: path.read_bytes() for path in out.rglob("*.json*")}
    with pytest.raises(UserError, match="holds this run already: add --resume"):
        await go(out)
    with pytest.raises(UserError, match=r"was run with n 1, not 2: .* the same n to go on"):
        await go(out, settings=Settings(n=2), resume=True)
    with pytest.raises(UserError, match=r'was run with limits \{\}, not \{"turns":3\}'):
        await go(out, settings=Settings(limits=Limits(turns=3)), resume=True)
    assert {path: path.read_bytes() for path in out.rglob("*.json*")} == before
    assert (await go(out, settings=Settings(concurrency=1), resume=True)).reused == 5

    other = tmp_path / "other"
    other.mkdir()
    (other / "trajectories.jsonl").write_text("")
    with pytest.raises(UserError, match=r"holds trajectories\.jsonl of something else"):
        await go(other, resume=True)
    (out / "config.json").write_text("{}")
    with pytest.raises(UserError, match="is no configuration of a run"):
        await go(out, resume=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to"):
        await go(tmp_path / "file")
    with pytest.raises(UserError, match="squares has no photos"):
        await go(tmp_path / "empty", Photos(0))


async def test_damage_that_no_kill_does_is_told_with_its_line(tmp_path):
    await go(tmp_path)
    file = tmp_path / "trajectories.jsonl"
    file.write_text("nonsense\n" + file.read_text())
    with pytest.raises(DataError, match=r"trajectories.jsonl:1 is damaged: remove this line"):
        await go(tmp_path, resume=True)
    manifest = tmp_path / "data.jsonl"
    manifest.write_text("{}\n")
    with pytest.raises(DataError, match=r"data.jsonl:1 is damaged"):
        await go(tmp_path, resume=True)


async def test_failed_runs_are_done_again_on_request_only(tmp_path):
    await go(tmp_path, Photos(2), Models(ModelError("down")))
    assert (await go(tmp_path, Photos(2), Models(), resume=True)).reused == 2
    summary = await go(tmp_path, Photos(2), Models(), resume=True, retry_failed=True)
    assert summary.statuses[Status.ANSWERED] == 2
    assert len(lines(tmp_path / "trajectories.jsonl")) == 2
    assert len(list((tmp_path / "events" / "abandoned").iterdir())) == 2


async def test_cancelling_keeps_what_is_finished_and_the_rest_is_done_later(tmp_path):
    class Stuck(Models):
        def __call__(self, seed):
            model = super().__call__(seed)

            async def complete(messages, tools):
                if len(self.used) >= 3:
                    reached.set()
                    await asyncio.sleep(60)
                return await type(model).complete(model, messages, tools)

            model.complete = complete
            return model

    reached = asyncio.Event()
    task = asyncio.create_task(go(tmp_path, models=Stuck(), settings=Settings(concurrency=1)))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert any(run.stop_reason == StopReason.CANCELLED for run in read(tmp_path))
    done = len(lines(tmp_path / "results.jsonl"))
    assert 0 < done < 5
    assert sum(result.status == Status.FAILED for result in read_results(tmp_path)) == 5 - done
    summary = await go(tmp_path, settings=Settings(concurrency=1), resume=True)
    assert (summary.reused, summary.statuses[Status.ANSWERED]) == (done, 5)
    assert {run.stop_reason for run in read(tmp_path)} == {StopReason.FINISHED}


@pytest.mark.parametrize("error", [MissingExtraError("reading", "offline", "rapidocr"), ZeroDivisionError()])
async def test_what_would_hit_every_run_ends_it_as_itself(tmp_path, error):
    with pytest.raises(type(error)):
        await go(tmp_path, models=Models(error))
    assert (await go(tmp_path, resume=True)).statuses[Status.ANSWERED] == 5


async def test_two_processes_do_not_share_a_directory(tmp_path):
    reached, on = asyncio.Event(), asyncio.Event()

    class Held(ScriptedModel):
        async def complete(self, messages, tools):
            reached.set()
            await on.wait()
            return say('{"lat": 1.0, "lon": 2.0}')

    first = asyncio.create_task(go(tmp_path, models=lambda _: Held([])))
    await reached.wait()
    with pytest.raises(UserError, match=r"is in use by process \d+: wait for it"):
        await go(tmp_path, resume=True)
    on.set()
    assert (await first).done == 5


async def test_the_set_is_read_only_a_little_ahead_of_the_runs(tmp_path):
    data, most, lock = Photos(200), 0, threading.Lock()
    finished = 0

    def watch(step):
        nonlocal most, finished
        if step.result is not None:
            with lock:
                finished = step.done
                most = max(most, data.taken - finished)

    await go(tmp_path, data, settings=Settings(concurrency=3), watch=watch)
    assert finished == 200
    assert most <= 3 + 3 + 2


async def test_no_more_runs_than_allowed_are_made_at_a_time(tmp_path):
    active = most = 0

    class Counting(ScriptedModel):
        async def complete(self, messages, tools):
            nonlocal active, most
            active += 1
            most = max(most, active)
            await asyncio.sleep(0.002)
            active -= 1
            return await super().complete(messages, tools)

    def model(_seed):
        return Counting([say('{"lat": 1.0, "lon": 2.0}')])

    await go(tmp_path, Photos(12), model, settings=Settings(n=3, concurrency=5))
    assert most == 5


async def test_a_photo_that_changes_while_the_set_is_run_is_not_scored_as_another(tmp_path):
    class Changing(Photos):
        reads = 0

        def rows(self):
            self.reads += 1
            yield Row("a", "a.png", png(self.reads), Truth(lat=1, lon=2))

    data = Changing()
    await go(tmp_path, data)
    (result,) = read_results(tmp_path)
    assert (result.status, "has changed since" in result.detail) == (Status.FAILED, True)


class Judging:
    """A verifier that is to be paid for, as a model is."""

    name = "judging"
    asked = 0

    async def decide(self, runs):
        self.asked += 1
        return await Vote().decide(runs)


async def test_who_goes_on_does_not_ask_a_verifier_again(tmp_path):
    verifier = Judging()
    settings = Settings(n=2)
    await go(tmp_path, Photos(3), settings=settings, verifier=verifier)
    before = (tmp_path / "results.jsonl").read_text()
    (tmp_path / "results.jsonl").unlink()
    assert verifier.asked == 3
    await go(tmp_path, Photos(3), settings=settings, verifier=verifier, resume=True)
    assert verifier.asked == 3
    assert sorted((tmp_path / "results.jsonl").read_text().splitlines()) == sorted(before.splitlines())


async def test_a_verifier_that_was_killed_is_shown_the_same_pictures_by_who_goes_on(tmp_path):
    looked = call(("road_map", {"lat": 1.5, "lon": 2.5}))

    def model(_seed):
        return ScriptedModel([looked, say('{"lat": 1.5, "lon": 2.5}')])

    async def judged(**rest):
        judge = ScriptedModel([say('{"lat": 1.5, "lon": 2.5}')])
        settings = Settings(n=2)
        await go(tmp_path, Photos(1), model, settings=settings, verifier=Judge(judge), **rest)
        (asked,) = judge.asked
        return [(message.text, [shown.data for shown in message.pictures]) for message in asked]

    first = await judged()
    assert all(data for _, pictures in first for data in pictures)
    assert len(first[-1][1]) == 2, "the photo and a map"
    for name in ("results.jsonl", "solutions.jsonl"):
        (tmp_path / name).unlink()
    assert await judged(resume=True) == first

    (photo,) = (path for path in (tmp_path / "media").iterdir() if path.read_bytes() in first[-1][1][:1])
    for name in ("results.jsonl", "solutions.jsonl"):
        (tmp_path / name).unlink()
    photo.write_bytes(b"another picture")
    judge = ScriptedModel([])
    settings = Settings(n=2)
    await go(tmp_path, Photos(1), model, settings=settings, verifier=Judge(judge), resume=True)
    assert not judge.asked, "a picture that is not the one that was kept is shown to nobody"


async def test_a_row_that_was_decided_early_needs_no_more_runs(tmp_path):
    models = Models()
    settings = Settings(n=5, direct=1, early_stop=True)
    await go(tmp_path, Photos(2), models, settings=settings)
    assert sorted(models.used) == [0, 0, 1, 1]
    before = lines(tmp_path / "results.jsonl")
    models.used.clear()
    for retry_failed in (False, True):
        await go(tmp_path, Photos(2), models, settings=settings, resume=True, retry_failed=retry_failed)
        assert models.used == []
    assert sorted(map(str, lines(tmp_path / "results.jsonl"))) == sorted(map(str, before))
    with pytest.raises(UserError, match="was run with early_stop True, not False"):
        await go(tmp_path, Photos(2), models, settings=Settings(n=5, direct=1), resume=True)
