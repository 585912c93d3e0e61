"""In which language to ask Google: the one that the query is written in, as far as its script tells.

Google answers with names in the language that it is asked for. A name that was read off a sign is looked up
in the script of that sign, so that the result can be compared with it.
"""

from __future__ import annotations

import unicodedata

ENGLISH = "en"
_LANGUAGES = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "CJK": "zh-CN", "THAI": "th", "CYRILLIC": "ru",
    "ARABIC": "ar", "HEBREW": "he", "GREEK": "el", "DEVANAGARI": "hi", "BENGALI": "bn", "TAMIL": "ta",
    "TELUGU": "te", "GEORGIAN": "ka", "ARMENIAN": "hy", "KHMER": "km", "LAO": "lo", "MYANMAR": "my",
}  # fmt: skip
"""By the first word of a character's Unicode name. Han comes after kana: both together are Japanese."""
_HAN = {"JP": "ja", "KR": "ko", "TW": "zh-TW", "HK": "zh-TW", "MO": "zh-TW"}
"""What Han alone is read as in these countries."""


def language_of(query: str, country_code: str = "") -> str:
    """Return the BCP 47 tag of the language to ask in; English for the Latin script."""
    scripts = {unicodedata.name(ch, "").partition(" ")[0] for ch in query if ch.isalpha()}
    script = next((script for script in _LANGUAGES if script in scripts), "")
    if script == "CJK" and country_code in _HAN:
        return _HAN[country_code]
    return _LANGUAGES.get(script, ENGLISH)
