"""Nothing that tells where a photo is from, other than its pixels, reaches a model, a tool or a map service.

A photo is given canaries in every place where a file can say where it was taken. It then goes the way that
the command line takes it, to a model and a map service that keep all they are given.
"""

import io
import json
import struct
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw, ImageFont

from wheretaken.agent import read
from wheretaken.cli import locating
from wheretaken.evals import running
from wheretaken.evals.model import Row, Truth
from wheretaken.maps import Place
from wheretaken.messages import Message, ToolSpec
from wheretaken.models.reader.reader import Reader
from wheretaken.sampling.judge import Judge
from wheretaken.sampling.parallel import Statement, Vote
from wheretaken.testing.maps import FewPlaces
from wheretaken.testing.scripted import ScriptedModel, call, say
from wheretaken.tools.worldwide import WORLDWIDE

CITY = "Ushuaia"
DEGREES = (("S", 54, 48, 7.11), ("W", 68, 18, 13.77))
"""The true place in EXIF form: 54°48'07.11" S, 68°18'13.77" W."""
CANARIES = (
    *(CITY, "Tierra", "Fuego", "Kodakanary", "2031:07:19", "canary"),
    *("54.80", "68.30", "54,48", "48.119", "13.77", "711/100", "1377/100"),
)
"""Any of these in what a model, a tool or a map is given betrays the file; none is in our own prompts."""
GPS, EXIF_COMMENT = 0x8825, 0x9286
ANSWER = '{"lat": 1.5, "lon": 2.5, "city": "Elsewhere", "country": "Nowhere"}'
EVERY_TOOL = (
    call(
        ("zoom", {"bbox_2d": [100, 100, 900, 900], "label": "sign"}),
        ("search_places", {"query": "Elsewhere"}),
        ("place_details", {"id": "t:1"}),
        ("reverse_geocode", {"lat": 1.5, "lon": 2.5}),
        ("road_map", {"lat": 1.5, "lon": 2.5, "markers": [[1.5, 2.5]]}),
        ("read_clue", {"text": "+358 9 1234567"}),
    ),
    call(("zoom", {"bbox_2d": [0, 0, 500, 500], "image": 1}), ("fly", {}), ("zoom", {"bbox_2d": []})),
)


def pixels() -> Image.Image:
    picture = Image.new("RGB", (640, 360), (235, 240, 245))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 110, 580, 250), fill=(20, 60, 160))
    draw.text((100, 140), "HELSINKI", fill="white", font=ImageFont.load_default(80))
    return picture


def exif() -> bytes:
    data = Image.Exif()
    data[0x010E] = f"{CITY}, Tierra del Fuego"  # ImageDescription
    data[0x010F] = "Kodakanary"  # Make
    data[0x0132] = "2031:07:19 12:00:00"  # DateTime
    position = data.get_ifd(GPS)
    for tag, (reference, *angle) in zip((1, 3), DEGREES, strict=True):
        position[tag], position[tag + 1] = reference, tuple(angle)
    data.get_ifd(0x8769)[EXIF_COMMENT] = b"ASCII\0\0\0canary comment 54.80198, -68.30383"
    return data.tobytes()


def segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def with_canaries(profile: bool) -> bytes:
    """A JPEG that says in EXIF, XMP, IPTC, comment, colour profile and behind its end where it was taken."""
    buffer = io.BytesIO()
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"icc_profile": colours + f"{CITY} canary".encode()} if profile else {}
    pixels().save(buffer, "JPEG", quality=92, exif=exif(), **options)
    plain = buffer.getvalue()
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><City>{CITY}</City><Lat>54.80198</Lat></x:xmpmeta>'
    iptc = b"\x1c\x02\x5a" + struct.pack(">H", len(CITY)) + CITY.encode()  # 2:90 is the city
    photoshop = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc
    return b"".join(
        (
            plain[:2],
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp.encode()),
            segment(0xED, b"Photoshop 3.0\0" + photoshop),
            segment(0xFE, f"canary: {CITY} 54.80198 -68.30383".encode()),
            plain[2:],
            f"{CITY} canary behind the end".encode(),
        )
    )


class Listening:
    """Passes on to another model what it is asked, and keeps it."""

    def __init__(self, model: Reader) -> None:
        self._model = model
        self.name = model.name
        self.pictures_in_tool_results = model.pictures_in_tool_results
        self.said: list[Message] = []
        self.asked: list[tuple[Message, ...]] = []

    async def complete(self, messages: Sequence[Message], tools: Sequence[ToolSpec]) -> Message:
        self.asked.append(tuple(messages))
        self.said.append(await self._model.complete(messages, tools))
        return self.said[-1]


def locate(photo: Path, model, maps=None, out: Path | None = None) -> int:
    options = locating.Options(out, as_json=False, max_turns=8, quiet=True)
    return locating.locate([photo], options, model=model, maps=maps)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo whose directory and name tell its place as well."""
    folder = tmp_path / f"{CITY}, Tierra del Fuego"
    folder.mkdir()
    path = folder / f"{CITY} -54.80198 -68.30383 canary.jpg"
    path.write_bytes(with_canaries(profile=True))
    return path


def test_the_photo_really_holds_the_canaries(photo):
    data = photo.read_bytes()
    assert data.count(CITY.encode()) == 6  # EXIF, XMP, IPTC, comment, profile, behind the end
    with Image.open(photo) as picture:
        assert picture.getexif().get_ifd(GPS)[2] == DEGREES[0][1:]
        assert "Kodakanary" in picture.getexif()[0x010F]
        assert CITY.encode() in picture.info["icc_profile"]
        assert CITY.encode() in picture.info["xmp"]
        assert CITY.encode() in picture.info["comment"]


@pytest.mark.parametrize("inline", [True, False])
def test_models_tools_and_maps_are_given_nothing_but_pixels(photo, tmp_path, inline):
    elsewhere = Place(id="t:1", name="Elsewhere", kind="city", lat=1.5, lon=2.5)
    maps = FewPlaces([elsewhere])
    model = ScriptedModel(
        [*EVERY_TOOL, say("Somewhere."), say(ANSWER)], pictures_in_tool_results=inline, strict=False
    )
    assert locate(photo, model, maps, tmp_path / "runs") == 0
    (run,) = read(tmp_path / "runs")
    assert CITY in run.photo.path  # people do find the name in the record

    conversation = model.asked[-1]
    assert {message.role for message in conversation} == {"system", "user", "assistant", "tool"}
    assert len(maps.asked) == 4
    given = [message.model_dump_json() for asked in model.asked for message in asked]
    given += [spec.model_dump_json() for offered in model.offered for spec in offered]
    given += [event.model_dump_json() for event in run.tools]
    given += maps.asked
    for text in given:
        assert [canary for canary in CANARIES if canary.casefold() in text.casefold()] == []

    file = photo.read_bytes()
    pictures = {picture for asked in model.asked for message in asked for picture in message.pictures}
    assert len(pictures) == 4  # the photo, a zoom, a map, a zoom of the zoom
    for picture in pictures:
        assert [canary for canary in CANARIES if canary.encode() in picture.data] == []
        assert picture.data not in file
        assert file[:1000] not in picture.data
        with Image.open(io.BytesIO(picture.data)) as opened:
            assert not opened.getexif()
            assert not {"icc_profile", "exif", "xmp", "comment", "photoshop"} & set(opened.info)


def test_the_reader_says_the_same_of_the_same_pixels_under_another_name(photo, tmp_path):
    """Byte for byte; without the colour profile, which changes what the pixels mean."""
    photo.write_bytes(with_canaries(profile=False))
    bare = tmp_path / "x.jpg"
    pixels().save(bare, "JPEG", quality=92)
    heard = []
    for path in (photo, bare):
        model = Listening(Reader())
        assert locate(path, model) == 0
        heard.append([[m.model_dump_json() for m in turn] for turn in (*model.asked, model.said)])
        pictures = [p.data for m in model.asked[-1] for p in m.pictures]
        heard[-1].append([data.hex() for data in pictures])
    assert heard[0] == heard[1]
    assert len(heard[0]) > 3
    assert any("HELSINKI" in text for text in heard[0][-2])
    assert not [canary for canary in CANARIES if canary in json.dumps(heard[0][:-1])]


class Canaries:
    """A data set whose every field tells the place."""

    name = f"photos of {CITY}"
    notes = (f"canary: all from {CITY}",)

    def __init__(self, photo: Path) -> None:
        self.photo = photo

    def rows(self):
        truth = Truth(lat=-54.80198, lon=-68.30383, city=CITY, country="Tierra del Fuego")
        extra = {"caption": f"canary {CITY}"}
        yield Row(f"{CITY}-54.80-68.30", self.photo.name, self.photo, truth, 1, f"{CITY} canary", extra)


class Hearing(Vote):
    """A verifier that keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[Statement] = []

    async def decide(self, runs):
        self.heard += runs
        return await super().decide(runs)


@pytest.mark.parametrize("again", [False, True])
async def test_running_a_data_set_gives_models_maps_and_verifiers_nothing_of_the_truth(
    photo, tmp_path, again
):
    """Also when it goes on with a directory in which the truth of the first time lies."""
    elsewhere = Place(id="t:1", name="Elsewhere", kind="city", lat=1.5, lon=2.5)
    maps, verifier = FewPlaces([elsewhere]), Hearing()
    models = []

    def model(_seed: int) -> ScriptedModel:
        models.append(ScriptedModel([*EVERY_TOOL, say("Somewhere."), say(ANSWER)], strict=False))
        return models[-1]

    out, settings = tmp_path / f"{CITY} canary runs", running.Settings(n=2, data_path=str(photo))
    await running.run(Canaries(photo), model, WORLDWIDE, maps, out, settings, verifier=verifier)
    if again:
        first = (out / "trajectories.jsonl").read_text().splitlines(keepends=True)
        (out / "trajectories.jsonl").write_text(first[0])
        log = out / "events" / f"{json.loads(first[1])['id']}.jsonl"
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:-1]))
        await running.run(
            Canaries(photo), model, WORLDWIDE, maps, out, settings, verifier=verifier, resume=True
        )
    (result,) = (out / "results.jsonl").read_text().splitlines()
    assert CITY in result  # truth and names are in the results, for people

    used = [model for model in models if model.asked]
    assert len(used) == (3 if again else 2)
    given = [message.model_dump_json() for model in used for asked in model.asked for message in asked]
    given += [spec.model_dump_json() for model in used for offered in model.offered for spec in offered]
    given += maps.asked
    given += [repr(statement) for statement in verifier.heard]
    for text in given:
        assert [canary for canary in CANARIES if canary.casefold() in text.casefold()] == []
    for picture in {p for model in used for asked in model.asked for m in asked for p in m.pictures}:
        assert [canary for canary in CANARIES if canary.encode() in picture.data] == []


@pytest.mark.parametrize("again", [False, True])
async def test_a_model_that_verifies_is_shown_nothing_of_the_truth(photo, tmp_path, again):
    """Also when the runs are read back from a directory in which results with the truth lie."""
    maps = FewPlaces([Place(id="t:1", name="Elsewhere", kind="city", lat=1.5, lon=2.5)])
    far = ANSWER.replace("1.5", "-9.5")
    judge = ScriptedModel([say(ANSWER)] * 4)

    def model(seed: int) -> ScriptedModel:
        return ScriptedModel([*EVERY_TOOL, say((ANSWER, far)[seed % 2])], strict=False)

    out, settings = tmp_path / f"{CITY} canary runs", running.Settings(n=2, data_path=str(photo))
    for resume in (False, True)[: 1 + again]:
        verifier = Judge(judge, shuffles=2)
        await running.run(
            Canaries(photo), model, WORLDWIDE, maps, out, settings, verifier=verifier, resume=resume
        )
        (out / "solutions.jsonl").unlink()

    assert len(judge.asked) == (4 if again else 2)
    assert not any(judge.offered)
    file = photo.read_bytes()
    for asked in judge.asked:
        pictures = [shown for message in asked for shown in message.pictures]
        assert len(pictures) == 3  # the photo and two maps
        for text in (message.model_dump_json() for message in asked):
            assert [canary for canary in CANARIES if canary.casefold() in text.casefold()] == []
            assert [word for word in ("score", "reward", "truth") if word in text] == []
        for shown in pictures:
            assert shown.data
            assert shown.data not in file
            assert [canary for canary in CANARIES if canary.encode() in shown.data] == []
