import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheretaken.testing import fonts
from wheretaken.testing.scenes.languages import LANGUAGES

WORDS = {
    "Latin": "Việt Nam Łódź",
    "Cyrillic": "Қызылорда",
    "Greek": "Λιτόχωρο",
    "Arabic": "الإسكندرية",
    "Hebrew": "ירושלים",
    "Thai": "ที่นี่",
    "Hangul": "부천",
    "Han": "東京",
    "Kana": "ようこそ",
    "Devanagari": "मध्यपुर",
    "Bengali": "চট্টগ্রাম",
    "Tamil": "கோயம்புத்தூர்",
    "Telugu": "విశాఖపట్నం",
    "Kannada": "ಹುಬ್ಬಳ್ಳಿ",
    "Malayalam": "കൊച്ചി",
    "Gujarati": "સુરત",
    "Gurmukhi": "ਮੋਗਾ",
    "Georgian": "თბილისი",
    "Armenian": "Գյումրի",
    "Khmer": "ភ្នំពេញ",
    "Lao": "ວຽງຈັນ",
    "Myanmar": "မန္တလေး",
    "Sinhala": "කොළඹ",
    "Ethiopic": "አዲስ አበባ",
}


@pytest.mark.parametrize(("script", "word"), WORDS.items())
def test_each_script_is_recognised_and_drawn_without_replacement_boxes(script, word):
    assert fonts.script_of(word) == script
    assert fonts.missing_glyphs(word) == ""
    assert fonts.ink(word, 40).getextrema() == (0, 255)


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.code)
def test_every_wording_of_every_language_has_all_its_glyphs(language):
    wordings = (*language.entry, *language.civic, *language.shops, *language.streets, language.km)
    text = "".join(wordings).replace("{}", "").replace("|", "")
    assert fonts.missing_glyphs(text, language.code) == ""


def test_a_character_that_no_font_has_is_reported():
    assert fonts.missing_glyphs("Roma \u13a0\U00012000") == "\u13a0\U00012000"  # Cherokee, cuneiform


def test_arabic_letters_join_and_run_from_right_to_left():
    joined, apart = fonts.ink("ببب", 60).width, 3 * fonts.ink("ب", 60).width
    assert joined < 0.8 * apart
    # Alef is a thin stroke, sad a wide bow: the first letter of the word stands at the right.
    mask = fonts.ink("ا صـ", 60)
    right = mask.crop((mask.width - 12, 0, mask.width, mask.height)).getbbox()
    assert right is not None
    assert right[3] - right[1] > 0.8 * mask.height


def test_latin_inside_a_right_to_left_line_stands_left_of_what_comes_before_it():
    assert fonts.script_of("מלון A") == "Hebrew"
    together, hebrew = fonts.ink("מלון A", 50), fonts.ink("מלון", 50)
    left = together.crop((0, 0, together.width - hebrew.width, together.height))
    assert left.getbbox() is not None


def test_han_is_drawn_in_the_form_of_the_language():
    assert fonts.ink("直", 60, language="ja").tobytes() != fonts.ink("直", 60, language="zh").tobytes()


def test_bold_han_has_more_ink_than_regular():
    def weight(mask):
        return sum(level * count for level, count in enumerate(mask.histogram()))

    assert weight(fonts.ink("東京", 72, bold=True)) > 1.1 * weight(fonts.ink("東京", 72, bold=False))


def test_blank_text_is_refused():
    with pytest.raises(ValueError, match="no visible"):
        fonts.ink("  ", 20)


@given(st.text(alphabet="aäÅбΩชเ日서אب1 -", min_size=1, max_size=12).filter(str.strip), st.integers(10, 60))
def test_ink_is_cropped_to_its_bounds_and_grows_with_its_size(text, size):
    mask = fonts.ink(text, size)
    assert mask.getbbox() == (0, 0, *mask.size)
    assert fonts.ink(text, 2 * size).width > mask.width
