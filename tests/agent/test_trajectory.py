"""What a run leaves on disk, also when it is killed."""

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from PIL import Image

from wheretaken.agent import Case, PhotoInfo, Status, StopReason, read, read_log, record
from wheretaken.errors import DataError
from wheretaken.messages import Picture
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

ANSWER = '{"lat": 1.5, "lon": 2.5, "city": "A", "country": "B"}'


def case() -> Case:
    picture = Picture.encode(Image.new("RGB", (40, 30), (90, 20, 20)))
    return Case(picture, PhotoInfo(sha256="1" * 64, width=40, height=30, path="secret-name.jpg"))


def script() -> ScriptedModel:
    return ScriptedModel([call(("zoom", {"bbox_2d": [0, 0, 900, 900]})), say(ANSWER)])


async def test_a_finished_run_is_one_line_with_its_pictures_beside_it(tmp_path):
    made = await record(case(), script(), WORLDWIDE, FewPlaces(), out=tmp_path, seed=3)
    (line,) = (tmp_path / "trajectories.jsonl").read_text().splitlines()
    data = json.loads(line)
    assert data["status"] == "answered"
    assert data["seed"] == 3
    pictures = [p["picture"] for m in data["messages"] for p in m["parts"] if p["type"] == "picture"]
    assert len(pictures) == 2
    for picture in pictures:
        extension = {"image/png": "png", "image/jpeg": "jpg"}[picture["mime"]]
        with Image.open(tmp_path / "media" / f"{picture['sha256']}.{extension}") as image:
            assert image.size == (picture["width"], picture["height"])
    (again,) = read(tmp_path)
    assert again.answer == made.answer
    assert again.model_dump(mode="json") == made.model_dump(mode="json")


async def test_runs_append_and_never_replace(tmp_path):
    for _ in range(3):
        await record(case(), script(), WORLDWIDE, FewPlaces(), out=tmp_path)
    assert len({trajectory.id for trajectory in read(tmp_path)}) == 3


async def test_nothing_is_written_without_a_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = await record(case(), script(), WORLDWIDE, FewPlaces())
    assert made.status == Status.ANSWERED
    assert list(tmp_path.iterdir()) == []


async def test_a_cancelled_run_is_closed_on_record(tmp_path):
    class Slow(ScriptedModel):
        async def complete(self, messages, tools):
            await asyncio.sleep(60)
            return say(ANSWER)

    asked = asyncio.Event()
    running = record(
        case(),
        Slow([]),
        WORLDWIDE,
        FewPlaces(),
        out=tmp_path,
        watch=lambda e: asked.set() if e.number == 2 else None,
    )
    task = asyncio.create_task(running)
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (left,) = read(tmp_path)
    assert (left.status, left.stop_reason) == (Status.FAILED, StopReason.CANCELLED)


def test_kill_9_in_the_middle_leaves_a_readable_run(tmp_path):
    program = """
        import asyncio, sys
        from pathlib import Path
        from PIL import Image
        from wheretaken.agent import Case, PhotoInfo, record
        from wheretaken.messages import Picture
        from wheretaken.testing.maps import FewPlaces
        from wheretaken.testing.scripted import ScriptedModel, call
        from wheretaken.tools.worldwide import WORLDWIDE

        class Hanging(ScriptedModel):
            async def complete(self, messages, tools):
                if self.asked:
                    print("hanging", flush=True)
                    await asyncio.sleep(60)
                return await super().complete(messages, tools)

        picture = Picture.encode(Image.new("RGB", (40, 30)))
        case = Case(picture, PhotoInfo(sha256="2" * 64, width=40, height=30))
        model = Hanging([call(("zoom", {"bbox_2d": [0, 0, 900, 900]}))])
        asyncio.run(record(case, model, WORLDWIDE, FewPlaces(), out=Path(sys.argv[1])))
    """
    arguments = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hanging\n"
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    (left,) = read(tmp_path)
    assert (left.status, left.stop_reason) == (Status.FAILED, StopReason.KILLED)
    assert [message.role for message in left.messages] == ["system", "user", "assistant", "tool"]
    assert (tmp_path / left.messages[-1].pictures[0].reference).is_file()


async def test_a_half_written_line_is_passed_over_and_healed(tmp_path):
    await record(case(), script(), WORLDWIDE, FewPlaces(), out=tmp_path)
    file = tmp_path / "trajectories.jsonl"
    with file.open("a") as stream:
        stream.write('{"id": "half')
    assert len(list(read(tmp_path))) == 1
    await record(case(), script(), WORLDWIDE, FewPlaces(), out=tmp_path)
    assert len(list(read(tmp_path))) == 2
    assert "half" not in file.read_text()


def test_damage_and_absence_are_told_in_one_line(tmp_path):
    with pytest.raises(DataError, match="no directory of runs"):
        list(read(tmp_path / "none"))
    (tmp_path / "trajectories.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(DataError, match="no trajectory"):
        list(read(tmp_path))
    log = tmp_path / "log.jsonl"
    log.write_text('{"type": "wrong"}\n')
    with pytest.raises(DataError, match="no event"):
        read_log(log)


def test_time_is_recorded_in_utc(tmp_path):
    before = time.time()
    asyncio.run(record(case(), script(), WORLDWIDE, FewPlaces(), out=tmp_path))
    (left,) = read(tmp_path)
    assert left.started.endswith("+00:00")
    assert 0 <= left.seconds <= time.time() - before + 1
    assert (tmp_path / "events" / f"{left.id}.jsonl").stat().st_size > 0
