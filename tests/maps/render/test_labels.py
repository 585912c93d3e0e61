"""Every script is written with real glyphs, not with the boxes that a font draws for what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from wheretaken.maps.offline.render import fonts
from wheretaken.maps.offline.render.engine import mapnik
from wheretaken.maps.offline.render.style import Layer, Rule, at_zoom, text, to_xml
from wheretaken.maps.offline.render.world_names import read_names

if TYPE_CHECKING:
    from pathlib import Path

SCRIPTS = {
    "Latin": ("Łódź", "Ğüşı"), "Vietnamese": ("Huế", "Mỹth"), "Cyrillic": ("Київ", "Ждяў"),
    "Greek": ("Αθήν", "Σπάω"), "Arabic": ("مكةا", "بغدا"),
    "Urdu": ("لاہو", "چگوڑ"), "Hebrew": ("ירוש", "חיפה"),
    "Thai": ("กรุง", "ลพบร"), "Lao": ("ວຽງຈ", "ສະຫວ"), "Khmer": ("ភ្នំ", "សៀមរ"), "Burmese": ("ရန်က", "မန္တ"),
    "Devanagari": ("मुंबई", "दिल्ल"), "Bengali": ("ঢাকা", "কলকা"), "Gurmukhi": ("ਅੰਮ੍", "ਲੁਧਿ"),
    "Gujarati": ("અમદા", "સુરત"), "Oriya": ("କଟକପ", "ପୁରୀ"), "Tamil": ("சென்", "மதுர"),
    "Telugu": ("హైదర", "వరంగ"), "Kannada": ("ಮೈಸೂ", "ಬೆಂಗ"), "Malayalam": ("കൊച്", "തിരു"),
    "Sinhala": ("කොළඹ", "ගාල්"), "Georgian": ("თბილ", "ბათუ"), "Armenian": ("Երևա", "Գյու"),
    "Ethiopic": ("አዲስአ", "ጎንደር"), "Kanji": ("東京", "京都"), "kana": ("さっぽ", "アイウ"),
    "simplified Han": ("广东", "云龙"), "Hangul": ("서울", "부산"),
}  # fmt: skip


def written(word: str) -> bytes:
    """Return the pixels of a word written alone on white."""
    layer = Layer(
        "word", "wkt,name\nPOINT(0 0)," + word, ((Rule((text("[name]", 20, "black"),)),),), inline=True
    )
    engine = mapnik()
    sheet = engine.Map(200, 60)
    engine.load_map_from_string(sheet, to_xml([layer], fonts.register()))
    sheet.zoom_to_box(engine.Box2d(-100, -30, 100, 30))
    canvas = engine.Image(200, 60)
    engine.render(sheet, canvas)
    return canvas.to_string()


@pytest.mark.parametrize("script", SCRIPTS)
def test_words_of_every_script_are_legible(script: str):
    one, other = (written(word) for word in SCRIPTS[script])
    missing = written("\U000e0f00" * len(SCRIPTS[script][0]))  # no font has this plane: boxes or nothing
    blank = bytes(len(one))
    assert one != blank
    assert one not in (other, missing)


def test_arabic_letters_are_joined_and_run_from_right_to_left():
    assert written("بيت") != written("ب\u200cي\u200cت")  # kept apart, they take other shapes
    assert written("אבג") != written("גבא")


def test_numbers_interpolate_between_zooms():
    stops = {10: 1.0, 12: 3.0, 16: 5.0}
    assert [at_zoom(stops, zoom) for zoom in (5, 10, 11, 12, 14, 19)] == [1, 1, 2, 3, 4, 5]


def test_names_with_quotes_and_commas_keep_their_places(world_file: Path):
    countries = read_names(world_file, "").countries
    assert {country.name: (country.lat, country.lon) for country in countries} == {
        'L\'Est, "pays"': (5, 15),
        "ვესტლანდი": (5, 5),
    }
