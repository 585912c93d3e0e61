"""From the conversation to thoughts: closer looks, clues, and what the notes hold."""

import json

import pytest
from PIL import Image

from wheretaken.errors import ModelError
from wheretaken.messages import Message, Picture, ToolCall
from wheretaken.models.reader import notes, scripts
from wheretaken.models.reader.eye import Line
from wheretaken.models.reader.thinking import think


def line(text: str, box: tuple[float, float, float, float], confidence: float = 0.9) -> Line:
    left, top, right, bottom = box
    quad = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Line(text, confidence, quad, scripts.dominant(text))


PHOTO = Picture.encode(Image.new("RGB", (1000, 800), (1, 2, 3)), "image/png")
CROP = Picture.encode(Image.new("RGB", (900, 450), (4, 5, 6)), "image/png")


def talk(*done: tuple[str, dict, dict, tuple[Picture, ...]]) -> list[Message]:
    """A conversation in which these calls were made and answered."""
    calls = tuple(
        ToolCall(id=f"c{n}", name=name, arguments=json.dumps(arguments))
        for n, (name, arguments, _, _) in enumerate(done)
    )
    answers = [
        Message.of("tool", json.dumps(result), *pictures, tool_call_id=f"c{n}")
        for n, (_, _, result, pictures) in enumerate(done)
    ]
    asked = [Message.of("system", "s"), Message.of("user", PHOTO, "where?")]
    return [*asked, Message.of("assistant", "t", tool_calls=calls), *answers]


def found(name: str, lat: float, lon: float, **rest) -> dict:
    match = {"kind": "exact", "alias": name, "similarity": 1.0}
    return {"id": f"t:{name}", "name": name, "kind": "town", "lat": lat, "lon": lon, "match": match, **rest}


def test_notes_pair_calls_with_their_answers():
    taken = notes.take(talk(("search_places", {"query": "Turku"}, {"results": [found("Turku", 60, 22)]}, ())))
    (done,) = taken.done
    assert (done.tool, done.arguments, done.id) == ("search_places", {"query": "Turku"}, "c0")
    assert done.places[0].name == "Turku"
    assert taken.turns == 1
    assert taken.has("search_places", query="Turku")
    assert not taken.has("search_places", query="Salo")


def test_errors_told_in_words_and_strange_entries_are_no_results():
    messages = talk(("search_places", {"query": "x"}, {"results": [{"id": 1}, 7]}, ()))
    messages.append(
        Message.of("assistant", "", tool_calls=(ToolCall(id="e", name="zoom", arguments="no json"),))
    )
    messages.append(Message.of("tool", "error: bbox_2d: Field required", tool_call_id="e"))
    first, second = notes.take(messages).done
    assert first.places == []
    assert (second.arguments, second.result) == ({}, {})


def test_a_conversation_without_a_picture_is_an_error():
    with pytest.raises(ModelError, match="no picture"):
        notes.take([Message.of("user", "where?")])


def test_a_closer_look_replaces_what_it_reads_better_and_keeps_the_rest():
    seen = {
        PHOTO.sha256: [line("Kaupp", (100, 100, 200, 120), 0.6), line("Turku", (500, 500, 700, 560))],
        CROP.sha256: [line("Kauppatori", (90, 90, 540, 180), 0.99), line("Torg", (90, 300, 400, 390), 0.95)],
    }
    zoomed = ("zoom", {"bbox_2d": [80, 100, 280, 225]}, {}, (CROP,))
    thoughts = think(notes.take(talk(zoomed)), lambda picture: seen[picture.sha256])
    read = {entry.text: entry.box for entry in thoughts.lines}
    assert set(read) == {"Kauppatori", "Torg", "Turku"}
    # The crop shows 200 x 100 pixels of the photo in 900 x 450: its pixel (90, 90) is (100, 100) there.
    assert read["Kauppatori"] == pytest.approx((100, 100, 200, 120))


def test_places_that_clues_name_speak_for_the_line_they_were_read_in():
    phone = {
        "kind": "telephone", "text": "+33 1 42 60 30 30", "reading": "in Paris",
        "confidence": 0.99, "countries": {"FR": 0.98}, "places": ["Paris"], "source": "x",
    }  # fmt: skip
    seen = [line("Tel +33 1 42 60 30 30", (0, 0, 300, 40))]
    thoughts = think(
        notes.take(
            talk(
                ("read_clue", {"text": "Tel +33 1 42 60 30 30"}, {"clues": [phone]}, ()),
                (
                    "search_places",
                    {"query": "Paris"},
                    {"results": [found("Paris", 48.85, 2.35, country_code="FR")]},
                    (),
                ),
            )
        ),
        lambda _picture: seen,
    )
    assert thoughts.countries == [({"FR": 0.98}, 0.99)]
    assert thoughts.belief is not None
    assert thoughts.belief.best.place.name == "Paris"


def test_an_airport_code_has_a_position_of_its_own():
    code = {
        "kind": "airport", "text": "HEL", "reading": "Helsinki Vantaa airport", "confidence": 0.8,
        "countries": {"FI": 0.99}, "position": {"lat": 60.32, "lon": 24.96}, "radius_km": 5, "source": "x",
    }  # fmt: skip
    messages = talk(("read_clue", {"text": "HEL"}, {"clues": [code]}, ()))
    thoughts = think(notes.take(messages), lambda _picture: [line("HEL", (0, 0, 90, 40))])
    assert thoughts.belief is not None
    assert (thoughts.belief.best.place.lat, thoughts.belief.best.place.lon) == (60.32, 24.96)


def test_the_language_of_the_longest_text_counts_and_counts_once():
    def clue(text: str, countries: dict) -> dict:
        return {"kind": "language", "text": text, "reading": "r", "confidence": 0.9, "countries": countries}

    clues = [clue("Ковиљ", {"RS": 0.3}), clue("Добро", {"RU": 0.5}), clue("Добро дошли Ковиљ", {"RS": 0.35})]
    messages = talk(("read_clue", {"text": "t"}, {"clues": clues}, ()))
    thoughts = think(notes.take(messages), lambda _picture: [])
    assert [countries for countries, _ in thoughts.countries] == [{"RS": 0.35}]
