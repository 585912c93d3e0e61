"""Telephone numbers: the country and, for landlines, the region that a number is assigned to.

Numbering plans are those of libphonenumber (`phonenumbers`, Apache-2.0). An international number is read as
it is. A national one is tried in many countries, and counts only where it is valid *and* grouped the way that
country writes it, because almost any ten digits are a valid number somewhere.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.clues.countries import country_name, country_prior
from wheretaken.clues.model import Clue, scaled
from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from phonenumbers import PhoneNumber

_SOURCE = "libphonenumber"
_LABEL = re.compile(
    r"(?i)(?:\b(?:tel|tél|telp|tlf|tfno|fono|phone|telefon|telefono|teléfono|telefone|téléphone|puh|puhelin|ph|call|fax|"
    r"mob|mobile|whatsapp|hotline|тел|телефон|факс|τηλ|gsm|cel|hp|sđt|đt)\b|☎|☏|📞|📱|✆|電話|电话|전화|โทร|هاتف|تلفن|טל)"
    r"\s*[.:/]*\s*$"
)
_CYRILLIC = ("RU", "UA", "BG", "BY", "KZ", "RS", "MK")
_LABEL_COUNTRIES: dict[str, tuple[str, ...]] = {
    "puh": ("FI",),
    "puhelin": ("FI",),
    "tlf": ("DK", "NO"),
    "tfno": ("ES",),
    "fono": ("CL",),
    "telp": ("ID",),
    "sđt": ("VN",),
    "đt": ("VN",),
    "โทร": ("TH",),
    "전화": ("KR",),
    "電話": ("JP", "TW", "HK", "MO"),
    "电话": ("CN",),
    "τηλ": ("GR", "CY"),
    "טל": ("IL",),
    "تلفن": ("IR", "AF"),
    "tél": ("FR", "BE", "CH", "CA", "LU", "MA", "TN", "DZ"),
    "телефон": _CYRILLIC,
    "тел": _CYRILLIC,
}
"""Labels that only these countries' languages have."""
_INTERNATIONAL = re.compile(r"(?<![\w+])(?:\+|00(?=[1-9]))\s?\(?\d[\d\s().\-/‑–]{6,22}\d")
_NATIONAL = re.compile(r"(?<![\w,+/-])(?<!\d[.:])\(?\d[\d\s().\-/‑–]{5,18}\d(?![\w,:/]|\.\d)")
_GROUPS = re.compile(r"\d+")
_DATE = re.compile(
    r"^(?:\d{1,2}[./\- ]\d{1,2}[./\- ](?:19|20)?\d{2}|(?:19|20)\d{2}[./\- ]\d{1,2}[./\- ]\d{1,2}"
    r"|(?:1[5-9]|20)\d{2}\s?[-–/]\s?(?:1[5-9]|20)?\d{2})$"
)
_MONEY_BEFORE = re.compile(
    r"(?:[$€£¥₩₹₽₺₴฿₫₱₪]|\b(?:Rp|RM|Rs|kr|CHF|EUR|USD|No|Nr|№|n°))\.?\s*$", re.IGNORECASE
)
_MONEY_AFTER = re.compile(
    r"^\s*(?:[$€£¥₩₹₽₺₴฿₫₱₪%°]|(?:kr|zł|kč|ft|lei|руб|km|m|kg|cm|mm|ml|g|h|円|元|원|บาท)(?!\w))",
    re.IGNORECASE,
)
_TRUNK_REGIONS = (
    *(
        "FR",
        "GB",
        "IE",
        "DE",
        "AT",
        "CH",
        "NL",
        "BE",
        "IT",
        "SE",
        "FI",
        "TR",
        "RO",
        "BG",
        "RS",
        "HR",
        "SI",
        "SK",
    ),
    *(
        "UA",
        "HU",
        "JP",
        "KR",
        "TW",
        "TH",
        "VN",
        "ID",
        "MY",
        "PH",
        "AU",
        "NZ",
        "IN",
        "PK",
        "BD",
        "LK",
        "NP",
        "IL",
    ),
    *(
        "EG",
        "MA",
        "DZ",
        "ZA",
        "NG",
        "KE",
        "GH",
        "TZ",
        "UG",
        "AR",
        "BR",
        "VE",
        "PY",
        "IR",
        "IQ",
        "JO",
        "LB",
        "SA",
    ),
    *("AE", "KH", "LA", "MM", "MN", "AL", "BA", "MK", "ME", "MD", "GE", "AM", "AZ", "UZ", "KG", "CY"),
)
"""Countries whose national numbers begin with 0 or are written with the area code in brackets."""
_MAX_FITS = 4
"""A national number that fits more countries than this tells nothing."""


class _Place(NamedTuple):
    kind: str
    region: str


@cache
def _library_ready() -> bool:
    try:
        import_module("phonenumbers.geocoder")  # 0.8 s of tables that only numbers need
    except ImportError as error:
        raise MissingExtraError("reading telephone numbers", "offline", "phonenumbers") from error
    return True


def _parsed(text: str, region: str | None) -> PhoneNumber | None:
    from phonenumbers import NumberParseException, is_valid_number, parse  # noqa: PLC0415 - 0.8 s that only numbers need

    try:
        number = parse(text, region)
    except NumberParseException:
        return None
    return number if is_valid_number(number) else None


def _described(number: PhoneNumber, country: str) -> _Place:
    from phonenumbers import PhoneNumberType, geocoder, number_type  # noqa: PLC0415 - 0.8 s that only numbers need

    mobile = number_type(number) in {PhoneNumberType.MOBILE, PhoneNumberType.PAGER}
    kind = "a mobile number" if mobile else "a number"
    region = geocoder.description_for_valid_number(number, "en")
    if mobile or region in {"", country_name(country)}:
        return _Place(kind, "")
    known = geocoder.country_name_for_number(number, "en")
    return _Place("a landline" if not mobile else kind, "" if region == known else region)


def _international(match: re.Match[str]) -> Clue | None:
    from phonenumbers import PhoneNumberFormat, format_number, region_code_for_number  # noqa: PLC0415 - 0.8 s that only numbers need

    raw = match.group().strip()
    number = _parsed("+" + raw[2:] if raw.startswith("00") else raw.replace("(0)", ""), None)
    if number is None:
        return None
    country = region_code_for_number(number)
    if not country or country == "001":
        return None
    kind, region = _described(number, country)
    where = f"{region}, {country_name(country)}" if region else country_name(country)
    written = format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return Clue(
        kind="telephone",
        text=raw,
        reading=f"{written} is {kind} in {where}",
        countries={country: 0.97},
        places=[part.strip() for part in region.split("/")] if region else [],
        confidence=0.97 if raw.startswith("+") else 0.85,
        source=_SOURCE,
    )


def _fits(raw: str, country: str, *, loose: bool) -> PhoneNumber | None:
    """Return the number when it is valid in a country and, unless `loose`, grouped as there."""
    from phonenumbers import PhoneNumberFormat, format_number, is_valid_number_for_region  # noqa: PLC0415 - 0.8 s that only numbers need

    number = _parsed(raw, country)
    if number is None or not is_valid_number_for_region(number, country):
        return None
    usual = format_number(number, PhoneNumberFormat.NATIONAL)
    return number if loose or _GROUPS.findall(usual) == _GROUPS.findall(raw) else None


def _national(raw: str, labelled: bool, hints: Sequence[str]) -> Clue | None:
    groups = _GROUPS.findall(raw)
    digits = "".join(groups)
    written_like_one = len(groups) >= 3 and (digits[0] == "0" or raw[0] == "(") and len(digits) >= 9
    american = re.fullmatch(r"(?:1[-. ])?\(?[2-9]\d\d\)?[-. ][2-9]\d\d[-. ]\d{4}", raw) is not None
    if not (labelled or written_like_one or american or hints):
        return None
    regions = list(hints) or [*(_TRUNK_REGIONS if digits[0] == "0" or raw[0] == "(" else ()), "US", "CA"]
    fits = {code: number for code in regions if (number := _fits(raw, code, loose=False))}
    if not fits and hints:
        fits = {code: number for code in hints if (number := _fits(raw, code, loose=True))}
    if not fits or len(fits) > _MAX_FITS:
        return None
    weights = country_prior(fits, 0.9)
    best = next(iter(weights))
    described = {code: _described(number, code) for code, number in fits.items()}
    places = [part.strip() for code in weights for part in described[code].region.split("/") if part]
    named = [
        f"{described[c].region}, {country_name(c)}" if described[c].region else country_name(c)
        for c in weights
    ]
    return Clue(
        kind="telephone",
        text=raw,
        reading=f"{raw} is {described[best].kind} as written in {' or '.join(named)}",
        countries=scaled(weights, 0.9 if labelled or hints else 0.75),
        places=places,
        confidence=0.85 if labelled and hints else 0.7 if labelled else 0.65,
        source=_SOURCE,
    )


def read(text: str, *, explicit: bool = False, hints: Sequence[str] = ()) -> list[Clue]:
    """Return the telephone numbers in a text.

    Args:
        text: Any text.
        explicit: The caller says that it is a telephone number, as a label before it would.
        hints: Countries (ISO alpha-2) whose national numbers are tried instead of the usual ones.

    Raises:
        MissingExtraError: `phonenumbers` is not installed (only when the text has something like a number).
    """
    found: list[Clue] = []
    taken: list[tuple[int, int]] = []
    for match in _INTERNATIONAL.finditer(text):
        if _library_ready() and (clue := _international(match)):
            found.append(clue)
            taken.append(match.span())
    for match in _NATIONAL.finditer(text):
        raw, start, end = match.group().strip(), match.start(), match.end()
        before, after = text[max(0, start - 24) : start], text[end : end + 8]
        if _DATE.match(raw) or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after):
            continue
        if any(start < e and s < end for s, e in taken):
            continue
        label = _LABEL.search(before)
        named = _LABEL_COUNTRIES.get(label.group().strip(" .:/").lower(), ()) if label else ()
        if _library_ready() and (clue := _national(raw, explicit or label is not None, hints or named)):
            found.append(clue)
    return found
