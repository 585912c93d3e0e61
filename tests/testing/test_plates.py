import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wheretaken.testing.scenes.languages import ON_BLUE, ON_WHITE
from wheretaken.testing.scenes.plates import SHEET_HEIGHT, SHEET_WIDTH, Row, Sheet, plate

NAMES = st.sampled_from(
    [
        "Oy",
        "Säästöpankinranta",
        "พระนครศรีอยุธยา",
        "San Giovanni in Persiceto",
        "الإسكندرية",
        "東大阪市",
        "Nové Mesto nad Váhom",
    ]
)
ROWS = st.builds(Row, NAMES, st.integers(12, 110), st.sampled_from(["", "7", "120 km"]))


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4), st.integers(420, 900), st.sampled_from(["centre", "left"]))
def test_no_text_is_clipped_and_no_two_texts_touch(rows, max_width, align):
    sign = plate(rows, ON_WHITE, max_width=max_width, padding=20, edge=5, align=align)
    assert sign.image.width <= max_width
    boxes = [box for _, box, _ in sign.inks]
    for left, top, right, bottom in boxes:
        assert 25 <= left < right <= sign.image.width - 25
        assert 25 <= top < bottom <= sign.image.height - 25
    for index, a in enumerate(boxes):
        for b in boxes[index + 1 :]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


def test_a_text_that_cannot_fit_is_refused():
    with pytest.raises(ValueError, match="does not fit"):
        plate([Row("Säästöpankinranta", 40)], ON_WHITE, max_width=90)


def test_ink_is_where_the_marks_say():
    sign = plate([Row("Kauppakatu", 50), Row("Lahti", 40, tail="12 km")], ON_WHITE, max_width=500)
    dark = np.asarray(sign.image.convert("L")) < 100
    dark[:8], dark[-8:], dark[:, :8], dark[:, -8:] = False, False, False, False  # the border
    for _, (left, top, right, bottom), _ in sign.inks:
        assert dark[top:bottom, left:right].mean() > 0.1
        dark[top:bottom, left:right] = False
    assert not dark.any()


def test_a_long_name_takes_two_lines_and_loses_no_word():
    sign = plate([Row("Juttutuvan ruokasali", 60)], ON_BLUE, max_width=330)
    assert [text for text, *_ in sign.inks] == ["Juttutuvan", "ruokasali"]


def test_a_placed_plate_leaves_its_marks_and_takes_its_room():
    sheet = Sheet(Image.new("RGBA", (SHEET_WIDTH, SHEET_HEIGHT), (200, 200, 200, 255)))
    sign = plate([Row("P", 50, decisive=False)], ON_BLUE, max_width=200)
    box = sheet.place(sign, 300, 400)
    assert sheet.marks[0].text == "P"
    assert not sheet.marks[0].decisive
    assert box[0] < sheet.marks[0].quad[0][0] < sheet.marks[0].quad[2][0] < box[2]
    assert not sheet.is_free((box[0] + 5, box[1] + 5, box[2] + 50, box[3] + 50))
    assert sheet.is_free((box[2] + 40, box[1], box[2] + 90, box[3]))
    shadow = sheet.image.getpixel((box[2] + 2, box[3] - 5))
    assert isinstance(shadow, tuple)
    assert shadow[0] < 195
