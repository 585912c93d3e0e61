from __future__ import annotations

import pytest

from wheretaken.clues.tables import rows
from wheretaken.models.reader import eye, scripts
from wheretaken.testing import fonts


def test_every_line_model_is_of_a_script_of_the_table():
    models = {path.stem for path in eye.TESSDATA.glob("*.traineddata")}
    assert models
    assert models <= {row[0].lower() for row in rows("scripts.tsv", 4)}


def test_every_script_with_a_line_model_can_be_drawn():
    assert {path.stem for path in eye.TESSDATA.glob("*.traineddata")} <= {one.lower() for one in fonts.DRAWN}


@pytest.mark.parametrize(
    ("char", "script"),
    [
        ("ß", "latin"), ("Ž", "latin"), ("я", "cyrillic"), ("ώ", "greek"), ("ー", "kana"), ("東", "han"),
        ("𠮷", "han"), ("서", "hangul"), ("ก", "thai"), ("မ", "myanmar"), ("7", ""),
        ("٧", ""), ("๗", ""), ("-", ""),
    ],
)  # fmt: skip
def test_letters_have_a_script_and_digits_have_none(char, script):
    assert scripts.script_of(char) == script


def test_a_line_is_split_where_its_script_changes():
    assert scripts.runs("港区 MINATO CITY") == ["港区", "MINATO CITY"]
    assert scripts.runs("ラーメン一番 Ramen") == ["ラーメン一番", "Ramen"]


def test_a_long_vowel_mark_is_part_of_its_word():
    assert scripts.share("ラーメン", "kana") == 1
    assert scripts.dominant("スーパー ABC") == "kana"
