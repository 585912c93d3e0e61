"""The language of a sign, and the countries where signs are in it.

Signs are too short for a statistical language identifier, so three kinds of evidence come first, each a set
of languages with weights: letters that few languages have (`data/letters.tsv`), words that stand on signs
(`data/sign_words.tsv`), wording that is one country's own ("cédez le passage" is French, "arrêt" on a stop
sign is Québécois). Pieces of evidence multiply. Only a longer text without any goes to `py3langid`. English
text is everywhere and is no evidence on its own.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from wheretaken.clues.countries import country_name, language_countries
from wheretaken.clues.model import Clue, scaled
from wheretaken.clues.scripts import Script, han_countries, scripts_in
from wheretaken.clues.tables import pairs, weights
from wheretaken.clues.text import fold, words
from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable

_SOURCE = "orthographies and sign wording (written for this project)"
_HAN_SOURCE = "character forms from OpenCC"
_MASS = 0.93
"""Foreign shop names, tourist signs: a language is now and then far from its country."""
_ABSENT = 0.03
"""Weight of a language that a piece of evidence does not name: names and loans cross borders."""
_SHARED_SCRIPTS = {
    "Cyrillic": {"ru": 0.62, "uk": 0.14, "bg": 0.09, "sr": 0.04, "kk": 0.03, "be": 0.03, "mn": 0.02,
                 "mk": 0.01,
                 "ky": 0.01, "tg": 0.01},
    "Arabic": {"ar": 0.72, "fa": 0.16, "ur": 0.08, "ckb": 0.02, "ps": 0.01, "ug": 0.01},
    "Devanagari": {"hi": 0.75, "ne": 0.15, "mr": 0.1},
}  # fmt: skip
"""How signs in a script of many languages are spread over them when nothing else is known."""
_AUTO_CONFIDENCE = 0.5
_TELLING = 0.6
"""Confidence from which letters and words need no statistics beside them."""
_FEWEST_LETTERS = 2
"""A single letter of another script is more often a logo or a misread one."""
_LONGEST_PHRASE = 4
_STATISTICS_LETTERS = 25
"""Letters from which `py3langid` is asked: on shorter texts it is wrong too often to be of use."""
_STATISTICS_SURE = 60


class _Evidence(NamedTuple):
    what: str
    languages: dict[str, float]
    countries: dict[str, float]
    strength: float


@dataclass(frozen=True, slots=True)
class _Word:
    languages: dict[str, float]
    countries: dict[str, float]
    alone: bool
    """Counts only when it is the whole line: inside one it can be part of a name."""

    @property
    def neutral(self) -> bool:
        return not self.languages and not self.countries


@dataclass(frozen=True, slots=True)
class _Lexicon:
    exact: dict[str, _Word]
    stripped: dict[str, _Word]
    """Without accents, five letters and longer only: short ones are words of other languages."""
    suffixes: dict[str, _Word]
    wide: dict[str, _Word]
    """Han phrases: found anywhere, as there are no spaces."""


@cache
def _letters() -> dict[str, dict[str, float]]:
    return {ch: weights(where) for letters, where in pairs("letters.tsv").items() for ch in letters}


def _exact(text: str) -> str:
    return " ".join(words(unicodedata.normalize("NFKC", text).casefold()))


@cache
def _lexicon() -> _Lexicon:
    lexicon = _Lexicon({}, {}, {}, {})
    for written, where in pairs("sign_words.tsv").items():
        given = {} if where == "none" else weights(where)
        by_country = all(code.isupper() for code in given)
        word = _Word({} if by_country else given, given if by_country else {}, written.startswith("="))
        if written.startswith("-"):
            lexicon.suffixes[fold(written)] = word
        elif ord(written[-1]) > 0x2E80:
            lexicon.wide[written] = word
        else:
            exact = _exact(written.removeprefix("="))
            lexicon.exact[exact] = word
            if len(exact) >= 5:
                lexicon.stripped.setdefault(fold(exact), word)
    return lexicon


def _strength(languages: dict[str, float]) -> float:
    likely = sum(1 for weight in languages.values() if weight >= 0.5)
    return {1: 0.7, 2: 0.55}.get(likely, 0.4)


def _phrase(parts: list[str], start: int, *, whole_line: bool) -> tuple[int, str, _Word, float] | None:
    lexicon = _lexicon()
    for size in range(min(_LONGEST_PHRASE, len(parts) - start), 0, -1):
        text = " ".join(parts[start : start + size])
        word, strength = lexicon.exact.get(text), 0.75
        if word is None:
            word, strength = lexicon.stripped.get(fold(text)), 0.6
        if word and (not word.alone or (whole_line and size == len(parts))):
            return size, text, word, strength
    plain = fold(parts[start])
    for suffix, word in lexicon.suffixes.items():
        if plain.endswith(suffix) and len(plain) >= len(suffix) + 3:
            return 1, parts[start], word, 0.65
    return None


def _word_evidence(text: str) -> tuple[list[_Evidence], set[str]]:
    """Return the evidence of sign words, and the words that were met (whose letters tell nothing more)."""
    found: dict[str, _Evidence] = {}
    met: set[str] = set()
    for line in text.splitlines():
        parts = _exact(line).split()
        at = 0
        while at < len(parts):
            hit = _phrase(parts, at, whole_line=len(parts) <= _LONGEST_PHRASE)
            if hit is None:
                at += 1
                continue
            size, phrase, word, strength = hit
            met.update(parts[at : at + size])
            if not word.neutral:
                spread = strength if len(word.languages) <= 2 else strength * 0.85
                found[phrase] = _Evidence(f'"{phrase}"', word.languages, word.countries, spread)
            at += size
    return list(found.values()), met


def _letter_evidence(text: str, met: set[str]) -> list[_Evidence]:
    table = _letters()
    rest = [word for word in words(text) if _exact(word) not in met]
    by_languages: dict[tuple[tuple[str, float], ...], str] = {}
    for ch in dict.fromkeys("".join(rest) + "".join(rest).lower() + "".join(c for c in text if c in "¿¡")):
        if ch in table:
            key = tuple(table[ch].items())
            by_languages[key] = by_languages.get(key, "") + ch
    return [
        _Evidence(f"letters {chs}", dict(key), {}, _strength(dict(key))) for key, chs in by_languages.items()
    ]


def _combined(evidence: list[_Evidence], prior: dict[str, float]) -> dict[str, float]:
    languages = set(prior).union(*(piece.languages for piece in evidence))
    scores = {language: prior.get(language, 0.0 if prior else 1.0) or _ABSENT / 10 for language in languages}
    for piece in evidence:
        if piece.languages:
            scores = {lang: score * piece.languages.get(lang, _ABSENT) for lang, score in scores.items()}
    return scaled(scores, 1.0)


def _where(languages: dict[str, float], evidence: list[_Evidence]) -> dict[str, float]:
    """Return countries for languages, narrowed by the wording that is of certain countries."""
    spoken: dict[str, float] = {}
    for language, weight in languages.items():
        for code, share in language_countries(language).items():
            spoken[code] = spoken.get(code, 0) + weight * share
    told = [piece.countries for piece in evidence if piece.countries]
    if not told:
        return scaled({code: weight for code, weight in spoken.items() if weight > 0.002}, _MASS)
    mass = max(sum(piece.values()) for piece in told)
    scores = dict.fromkeys(set[str]().union(*told), 1.0)
    for piece in told:
        scores = {code: score * piece.get(code, _ABSENT) for code, score in scores.items()}
    if spoken:
        scores = {code: score * (1 if spoken.get(code, 0) > 0.01 else 0.2) for code, score in scores.items()}
    return scaled(scores, min(mass, _MASS + 0.05))


def _surely(evidence: list[_Evidence]) -> float:
    doubt = 1.0
    for piece in evidence:
        doubt *= 1 - piece.strength
    return min(1 - doubt, 0.96)


class _Identifier(Protocol):
    def classify(self, instance: str) -> tuple[str, float]: ...


@cache
def _identifier() -> _Identifier:
    try:
        from py3langid import langid  # noqa: PLC0415 - 1.4 s with its model, which most texts do not need
    except ImportError as error:
        raise MissingExtraError("telling languages apart", "offline", "py3langid") from error
    # The library has no types: this is the one place where it is touched.
    make = cast("Callable[..., _Identifier]", langid.LanguageIdentifier.from_model_file)  # pyright: ignore[reportUnknownMemberType]
    return make(langid.MODEL_FILE, norm_probs=True)


def _statistics(text: str) -> _Evidence | None:
    """Ask `py3langid` for the language of a text, trusted by its length; None for a short one."""
    letters = sum(ch.isalpha() for ch in text)
    if letters < _STATISTICS_LETTERS:
        return None
    language, probability = _identifier().classify(" ".join(text.split()))
    trust = 0.9 * min(1.0, letters / _STATISTICS_SURE) * probability
    return _Evidence("its letter statistics", {language: 1.0}, {}, trust)


def _shared_script(script: str, text: str, *, explicit: bool) -> Clue | None:
    """Read a text in a script of many languages."""
    evidence, met = _word_evidence(text)
    evidence += _letter_evidence(text, met)
    prior = _SHARED_SCRIPTS.get(script, {})
    source = _SOURCE
    if not prior and _surely(evidence) < _TELLING:
        guess = _statistics(text)
        if guess and ("en" not in guess.languages or (explicit and not evidence)):
            evidence, source = [*evidence, guess], "py3langid"
    if not evidence and not prior:
        return None
    languages = _combined(evidence, prior)
    where = _where(languages, evidence)
    confidence = 0.93 if prior else _surely(evidence)
    if "en" in languages and languages["en"] > 0.9 and not any(piece.countries for piece in evidence):
        where, confidence = scaled(where, 0.5), 0.3
    if not where or (confidence < _AUTO_CONFIDENCE and not explicit):
        return None
    shown = ", ".join(f"{country_name(code)} {weight:.0%}" for code, weight in list(where.items())[:3])
    likely = " or ".join(list(languages)[:2]) if languages else ""
    told = ", ".join(piece.what for piece in evidence[:4]) or "its script alone"
    written = f"{script} script" + (f", language {likely}" if likely else "")
    return Clue(
        kind="language",
        text=text.strip(),
        reading=f"{written} (by {told}): {shown}",
        countries=where,
        confidence=round(confidence, 3),
        source=source,
    )


def _han(text: str) -> Clue:
    where, told = han_countries(text)
    phrases = {phrase: word.countries for phrase, word in _lexicon().wide.items() if phrase in text}
    for given in phrases.values():
        where = {code: weight * given.get(code, _ABSENT) for code, weight in where.items()}
    told += list(phrases)
    where = scaled(where, _MASS + 0.02)
    shown = ", ".join(f"{country_name(code)} {weight:.0%}" for code, weight in list(where.items())[:3])
    return Clue(
        kind="language",
        text=text.strip(),
        reading=f"Han script ({', '.join(told) or 'characters common to all'}): {shown}",
        countries=where,
        confidence=0.9 if told else 0.5,
        source=_HAN_SOURCE,
    )


def _own_script(script: Script, text: str) -> Clue:
    written_in = ", ".join(country_name(code) for code in script.countries)
    return Clue(
        kind="language",
        text=text.strip(),
        reading=f"{script.name} script: written in {written_in}",
        countries=scaled(script.countries, sum(script.countries.values())),
        places=script.places,
        confidence=0.97,
        source="Unicode script ranges",
    )


def read(text: str, *, explicit: bool = False) -> list[Clue]:
    """Return what the scripts and the language of a text say, the script with most letters first.

    Args:
        text: Any text; a whole sign reads better than its lines one by one.
        explicit: The caller asks for the language: an unsure answer is returned as well.

    Raises:
        MissingExtraError: `py3langid` is not installed (only for a longer Latin text without other evidence).
    """
    found = scripts_in(text)
    others = [name for name in found if name != "Latin"]
    total = sum(found[name][1] for name in others)
    clues: list[Clue] = []
    for name in others:
        script, count = found[name]
        single_letter = count < _FEWEST_LETTERS and not (name == "Han" and total == 1 and explicit)
        if single_letter or (name == "Han" and "Kana" in found):
            continue
        if script.countries:
            clue = _own_script(script, text)
        else:
            clue = _han(text) if name == "Han" else _shared_script(name, text, explicit=explicit)
        if clue:
            # A sign for visitors repeats itself in their scripts: the one with most letters is the local one.
            share = 1.0 if not clues else 0.5 * count / total
            clues.append(clue.model_copy(update={"confidence": round(clue.confidence * share, 3)}))
    if "Latin" in found and not clues and (clue := _shared_script("Latin", text, explicit=explicit)):
        clues.append(clue)
    return clues
