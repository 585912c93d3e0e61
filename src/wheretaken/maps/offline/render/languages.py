"""In which language a label is written: as SQL, for whoever reads names from a map file.

`""` is what stands on the signs. A language code gives the name in that language where the data have one;
else the local name where its readers know the script; else the English, international or romanised name;
else the local one.
"""

from __future__ import annotations

import re

from wheretaken.errors import ToolError

_CODE = re.compile(r"[A-Za-z]{2,3}([_-][A-Za-z0-9]{1,8}){0,3}")

_RELATED = {
    "zh": ("zh-Hans", "zh-Hant"), "zh-hant": ("zh-TW", "zh-HK"), "zh-tw": ("zh-Hant",), "zh-hk": ("zh-Hant",),
    "zh-cn": ("zh-Hans",), "no": ("nb", "nn"), "nb": ("no",), "nn": ("no",), "sr": ("sr-Cyrl", "sr-Latn"),
}  # fmt: skip
"""Codes, beside the language itself, whose names its readers read as their own."""

_LATIN = ("en", "int_name", "ja-Latn", "ja_rm", "zh_pinyin", "zh-Latn-pinyin", "ko-Latn", "ko_rm")
"""Where a name in Latin letters is found, the most usual first."""

_HAN, _CYRILLIC, _ARABIC = "一-鿿", "Ѐ-ӿ", "؀-ۿ"
_SCRIPTS = {
    "zh": _HAN, "yue": _HAN, "ja": _HAN + "ぁ-ヿ", "ko": "가-힣", "el": "Ͱ-Ͽ", "he": "֐-׿", "yi": "֐-׿",
    "th": "ก-๿", "lo": "຀-໿", "km": "ក-៿", "my": "က-႟", "ka": "Ⴀ-ჿ", "hy": "԰-֏", "am": "ሀ-፿", "hi": "ऀ-ॿ",
    "mr": "ऀ-ॿ", "ne": "ऀ-ॿ", "bn": "ঀ-৿", "pa": "਀-੿", "gu": "઀-૿", "ta": "஀-௿", "te": "ఀ-౿", "kn": "ಀ-೿",
    "ml": "ഀ-ൿ", "si": "඀-෿", **dict.fromkeys(("ar", "fa", "ur", "ps", "ckb"), _ARABIC),
    **dict.fromkeys(("ru", "uk", "be", "bg", "mk", "sr", "kk", "ky", "mn", "tg"), _CYRILLIC),
}  # fmt: skip
"""Letters of languages that are not written in Latin ones, as ranges in brackets of SQL's GLOB."""


def checked(language: str) -> str:
    """Return a language code that labels can be asked for in; "" is every place's own.

    Raises:
        ToolError: it is no language code. Nothing else may get into a query.
    """
    if language and not _CODE.fullmatch(language):
        raise ToolError(
            f'language is {language!r}; give a code such as "en", "ja" or "zh-Hant", or "" for local'
        )
    return language


def street_name(language: str) -> str:
    """Return the SQL for the label of a feature of a region, which has the columns `name` and `names`."""
    if not checked(language):
        return "name"
    wanted = [f"json_extract(names, '$.\"{key}\"')" for key in _keys(language)]
    instead = [f"json_extract(names, '$.\"{key}\"')" for key in _LATIN if key not in _keys(language)]
    readable = _readable("name", language)
    own = [f"CASE WHEN {readable} THEN name END"] if readable else []
    found = f"COALESCE({', '.join([*wanted, *own, *instead, 'name'])})"
    return f"CASE WHEN names = '' THEN name ELSE {found} END"


def settlement_name(language: str) -> str:
    """Return the SQL for the label of a settlement of the world file: local, English, or GeoNames' own."""
    if not checked(language):
        return "name_local"
    readable = _readable("name_local", language)
    own = f"WHEN {readable} THEN name_local " if readable else ""
    return f"CASE {own}WHEN english <> '' THEN english ELSE name END"


def country_name(language: str) -> str:
    """Return the SQL for the label of a country of the world file, which has local and English names."""
    if not checked(language):
        return "name_local"
    readable = _readable("name_local", language)
    return f"CASE WHEN {readable} THEN name_local ELSE name END" if readable else "name"


def _keys(language: str) -> list[str]:
    """Return the `name:*` keys of a language, the closest first."""
    base = re.split("[_-]", language)[0].lower()
    related = (*_RELATED.get(language.lower(), ()), base, *_RELATED.get(base, ()))
    return list(dict.fromkeys((language, *related)))


def _readable(column: str, language: str) -> str:
    letters = _SCRIPTS.get(re.split("[_-]", language)[0].lower())
    return f"{column} GLOB '*[{letters}]*'" if letters else ""
