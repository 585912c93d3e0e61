"""Internet addresses: what the top-level domain of a host says about the country.

A country's own domain says a lot, one that is sold worldwide for its letters (.tv, .io) almost nothing, a
generic one (.com) nothing at all: that one gives no clue. `data/domains.tsv` holds the exceptions, the
domains of cities and those in other scripts.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Literal, NamedTuple

from wheretaken.clues.countries import countries, country_name
from wheretaken.clues.model import Clue
from wheretaken.clues.tables import rows, weights

_SOURCE = "domain registries (ISO 3166-1 and IANA's root zone)"
_USUAL_WEIGHT = 0.93
_HOST = re.compile(
    r"(?P<scheme>https?://)?(?P<www>www\d?\.)?(?P<host>[^\W_](?:[\w\-]*[^\W_])?(?:\.[^\W_](?:[\w\-]*[^\W_])?)*)"
    r"\.(?P<tld>xn--[a-z0-9-]+|[^\W\d_][^\W\d_\u200b]{1,14})(?P<path>/\S*)?",
    re.IGNORECASE,
)
_MARKED_HOST = re.compile(r"[^\s/@:,;()<>\[\]\"'|]+")
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?=[^\s@])", re.IGNORECASE)
_WORD_LIKE = frozenset(
    (
        *(
            "de",
            "la",
            "do",
            "is",
            "it",
            "no",
            "to",
            "me",
            "my",
            "so",
            "am",
            "be",
            "at",
            "as",
            "in",
            "us",
            "es",
        ),
        *("se", "il", "al", "si", "du", "ma", "sa", "su", "ne", "pa", "st"),
    )
)
"""Domains that are words: "rue.de la Paix" is a street whose space was lost."""
_FILE_LIKE = frozenset(("py", "sh", "md", "rs", "ps", "pl"))
"""Domains that are endings of file names; they count with "www." or a path only."""
_MIN_LABEL = 4
_SHORTENERS = frozenset(
    ("linktr.ee", "youtu.be", "bit.ly", "amzn.to", "wa.me", "t.me", "fb.me", "adf.ly", "tiny.cc")
)
"""Hosts of the whole world under a country's domain."""
_OFFICIAL = (
    re.compile(r"^(?:city|town|vill|pref|metro)\.(?P<place>[a-z-]+)\."),
    re.compile(
        r"^(?:www\.)?(?:mairie|ville|comune|stadt|gemeinde|gemeente|ayuntamiento)[-.](?P<place>[a-z-]{3,})$"
    ),
    re.compile(r"^(?:www\.)?(?P<place>[a-z]{3,})(?:council)?\.gov$"),
)


class _Domain(NamedTuple):
    countries: dict[str, float]
    place: str


@cache
def _domains() -> dict[str, _Domain]:
    plain = {c.tld: _Domain({c.code: _USUAL_WEIGHT}, "") for c in countries().values() if c.tld}
    special = {tld: _Domain(weights(where), place) for tld, where, place in rows("domains.tsv", 3)}
    return plain | special


def _decoded(tld: str) -> str:
    if not tld.startswith("xn--"):
        return tld
    try:
        return tld.encode("ascii").decode("idna")
    except UnicodeError:
        return tld


def _plausible(match: re.Match[str], text: str, tld: str) -> bool:
    """Tell whether a dotted word is an internet address and not an abbreviation or a lost space."""
    if match["scheme"] or match["www"] or match["path"]:
        return True
    labels = match["host"].split(".")
    if max(map(len, labels)) < _MIN_LABEL or not any(ch.isalpha() for ch in match["host"]):
        return False
    written = match.group()
    if written.isascii() and written not in {written.lower(), written.upper()} and not match["tld"].islower():
        return False
    after = text[match.end() : match.end() + 2]
    return not (tld in _WORD_LIKE and re.match(r"\s?[^\W\d_]", after)) and tld not in _FILE_LIKE


def _places(host: str, tld: str, place: str) -> list[str]:
    found = [place] if place else []
    official = (pattern.match(host) for pattern in _OFFICIAL)
    found += [match["place"].replace("-", " ").title() for match in official if match]
    labels = host.split(".")
    if tld == "jp" and len(labels) >= 3 and labels[0] in {"city", "town", "vill"}:
        found.append(labels[2].title())
    return found


def _clue(
    kind: Literal["domain", "email"], written: str, host: str, tld: str, confidence: float
) -> Clue | None:
    domain = _domains().get(tld)
    if domain is None or f"{host}.{tld}".lower() in _SHORTENERS:
        return None
    names = ", ".join(country_name(code) for code in list(domain.countries)[:3])
    where = f"{domain.place} ({names})" if domain.place else names
    sold = "" if sum(domain.countries.values()) >= 0.7 else ", but is used from elsewhere too"
    return Clue(
        kind=kind,
        text=written,
        reading=f"{written}: .{tld} is the domain of {where}{sold}",
        countries=domain.countries,
        places=_places(host.lower(), tld, domain.place),
        confidence=confidence,
        source=_SOURCE,
    )


def _addresses(text: str) -> list[tuple[int, re.Match[str]]]:
    """Return where each e-mail address begins, and its host."""
    found = ((address.start(), _HOST.match(text, address.end())) for address in _EMAIL.finditer(text))
    return [(start, host) for start, host in found if host and not host["scheme"]]


def read_addresses(text: str) -> list[Clue]:
    """Return the e-mail addresses in a text whose domain says something about the country."""
    found = (
        _clue("email", text[start : host.end()], host["host"], _decoded(host["tld"].lower()), 0.95)
        for start, host in _addresses(text)
    )
    return [clue for clue in found if clue]


def read_hosts(text: str) -> list[Clue]:
    """Return the internet hosts in a text whose domain says something; not those of e-mail addresses."""
    found: list[Clue] = []
    taken = [(start, host.end()) for start, host in _addresses(text)]
    for marked in _MARKED_HOST.finditer(text):
        match = _HOST.search(text, marked.start())
        if match is None or match.start() >= marked.end() or any(s <= match.start() < e for s, e in taken):
            continue
        tld = _decoded(match["tld"].lower())
        taken.append(match.span())
        if _plausible(match, text, tld):
            clue = _clue("domain", match.group(), match["host"], tld, 0.95 if match["www"] else 0.8)
            found += [clue] if clue else []
    return found
