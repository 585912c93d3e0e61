"""Which of a place's names stands on its signs: the one in the writing of its country.

GeoNames gives alternate names without their language. The country says which script, and within a script
which letters, a name may be written in (Москва is Russian, Мәскеу is not); among what is left, the name
whose sound is closest to GeoNames' own romanised one wins.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheretaken.maps.offline.names import fold

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = r"\s.,'’·・\-–()"
_RUSSIAN = "А-Яа-яЁё"
_ARABIC = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff"
_KANA = "\u3041-\u309f\u30a1-\u30ff"

_LETTERS = {
    "arabic": _ARABIC,
    "persian": "ءآأؤئابپتثجچحخدذرزژسشصضطظعغفقکگلمنوهی\u200c",
    "pashto": "ءآأؤئابپتټثجچحخځڅدډذرړزژږسشښصضطظعغفقکګگلمنڼوهیيېۍ\u200c",
    "urdu": "ءآأؤئابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنںوہھیے",
    "russian": _RUSSIAN,
    "ukrainian": "АБВГҐДЕЄЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЮЯабвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "belarusian": "А-ЗЙ-ШЫ-яЁёІіЎў",
    "bulgarian": "А-ЪЬЮЯа-ъьюя",
    "serbian": "АБВГДЂЕЖЗИЈКЛЉМНЊОПРСТЋУФХЦЧЏШабвгдђежзијклљмнњопрстћуфхцчџш",
    "macedonian": "АБВГДЃЕЖЗЅИЈКЛЉМНЊОПРСТЌУФХЦЧЏШабвгдѓежзѕијклљмнњопрстќуфхцчџш",
    "kazakh": _RUSSIAN + "ӘәҒғҚқҢңӨөҰұҮүҺһІі",
    "kyrgyz": _RUSSIAN + "ҢңӨөҮү",
    "mongolian": _RUSSIAN + "ӨөҮү",
    "tajik": _RUSSIAN + "ҒғӢӣҚқӮӯҲҳҶҷ",
    "greek": "\u0370-\u03ff\u1f00-\u1fff",
    "hebrew": '\u05d0-\u05ea\u05f3\u05f4"',
    "georgian": "\u10d0-\u10ff",
    "armenian": "\u0531-\u0587",
    "devanagari": "\u0900-\u097f\u200c\u200d",
    "bengali": "\u0980-\u09ff\u200c\u200d",
    "gurmukhi": "\u0a00-\u0a7f",
    "gujarati": "\u0a80-\u0aff",
    "oriya": "\u0b00-\u0b7f",
    "tamil": "\u0b80-\u0bff",
    "telugu": "\u0c00-\u0c7f\u200c",
    "kannada": "\u0c80-\u0cff\u200c\u200d",
    "malayalam": "\u0d00-\u0d7f\u200c\u200d",
    "sinhala": "\u0d80-\u0dff\u200d",
    "thai": "\u0e01-\u0e4f",
    "lao": "\u0e80-\u0eff",
    "tibetan": "\u0f00-\u0fff",
    "burmese": "\u1000-\u109f",
    "ethiopic": "\u1200-\u137f",
    "khmer": "\u1780-\u17ff",
    "hangul": "\uac00-\ud7af",
    "thaana": "\u0780-\u07bf",
    "japanese": _HAN + _KANA,
    "simplified": _HAN,
    "traditional": _HAN,
}
_PATTERNS = {
    script: re.compile(f"(?=.*[{letters}])[{letters}{_SPACE}]+") for script, letters in _LETTERS.items()
}
# Chinese characters are told apart by the national character sets: 东 is in no Japanese one.
_ENCODINGS = {"japanese": "euc_jp", "simplified": "gb2312", "traditional": "big5"}

SCRIPTS = {
    **dict.fromkeys(
        ("AE", "BH", "DZ", "EG", "EH", "IQ", "JO", "KM", "KW", "LB", "LY", "MA", "MR", "OM", "PS", "QA", "SA",
         "SD", "SY", "TN", "YE"),
        "arabic",
    ),
    "IR": "persian", "AF": "pashto", "PK": "urdu", "RU": "russian", "UA": "ukrainian", "BY": "belarusian",
    "BG": "bulgarian", "RS": "serbian", "MK": "macedonian", "KZ": "kazakh", "KG": "kyrgyz", "MN": "mongolian",
    "TJ": "tajik", "GR": "greek", "CY": "greek", "IL": "hebrew", "GE": "georgian", "AM": "armenian",
    "IN": "devanagari", "NP": "devanagari", "BD": "bengali", "LK": "sinhala", "TH": "thai", "LA": "lao",
    "BT": "tibetan", "MM": "burmese", "ET": "ethiopic", "ER": "ethiopic", "KH": "khmer", "KR": "hangul",
    "KP": "hangul", "MV": "thaana", "JP": "japanese", "CN": "simplified", "TW": "traditional",
    "HK": "traditional", "MO": "traditional",
}  # fmt: skip
"""The usual script of a country's signs; a country that is not here writes Latin letters."""

# Indian states (GeoNames codes) with a script of their own.
_INDIAN_STATES = {
    "25": "tamil", "22": "tamil", "19": "kannada", "13": "malayalam", "02": "telugu", "40": "telugu",
    "28": "bengali", "26": "bengali", "03": "bengali", "09": "gujarati", "23": "gurmukhi", "21": "oriya",
}  # fmt: skip


def script_of(country_code: str, admin1_code: str = "") -> str:
    """Return the script that signs there are written in, "" for Latin.

    Args:
        country_code: ISO 3166-1 alpha-2.
        admin1_code: GeoNames first-level code; India has a script for almost every state.
    """
    if country_code == "IN":
        return _INDIAN_STATES.get(admin1_code, "devanagari")
    return SCRIPTS.get(country_code, "")


def local_name(name: str, others: Sequence[str], script: str, known: frozenset[str] = frozenset()) -> str:
    """Return the name in `script` among a place's other names, or `name` where there is none.

    Args:
        name: GeoNames' main name.
        others: its other names.
        script: as `script_of` gives it.
        known: folded names that are certain to be in the country's language: one of them wins.
    """
    if not script:
        return name
    fits = _PATTERNS[script].fullmatch
    found = [other for other in others if not other.isascii() and fits(other)]
    encoding = _ENCODINGS.get(script)
    if encoding:
        found = [other for other in found if _encodable(other, encoding)]
    if len(found) < 2:
        return found[0] if found else name
    if script == "japanese":
        # Romanised kanji tell nothing about Japanese readings: kanji before kana, the plain name before 市.
        return min(found, key=lambda other: (not _has_han(other), len(other)))
    certain = [other for other in found if fold(other) in known]
    return max(certain or found, key=lambda other: (_likeness(other, name), -len(other)))


def _encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _has_han(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


def _likeness(other: str, name: str) -> float:
    from anyascii import anyascii  # noqa: PLC0415 - as above
    from rapidfuzz.fuzz import ratio  # noqa: PLC0415 - only building the index needs these two

    return ratio(anyascii(other).replace(" ", "").casefold(), fold(name).replace(" ", ""))
