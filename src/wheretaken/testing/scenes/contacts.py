"""Telephone numbers and internet domains as shops in a town show them.

The area code is the town's own, looked up backwards in the geocoding data of the `phonenumbers` package; the
rest follows the style of that library's example numbers (2345...), so that no subscriber is aimed at. A town
whose area code is not in those data gets no number: a wrong one would be a false clue.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from anyascii import anyascii

from wheretaken.errors import MissingExtraError

if TYPE_CHECKING:
    import random

    from wheretaken.testing.scenes.towns import Town

# Where shops register below a second level, or under a generic domain.
_REGISTRATIONS = {
    "GB": "co.uk", "JP": "co.jp", "KR": "co.kr", "TH": "co.th", "ID": "co.id", "IL": "co.il",
    "NZ": "co.nz", "TR": "com.tr", "BR": "com.br", "AU": "com.au", "MX": "com.mx", "AR": "com.ar",
    "TW": "com.tw", "VN": "com.vn", "MY": "com.my", "UA": "com.ua", "US": "com", "EG": "com.eg",
    "SA": "com.sa", "BD": "com.bd", "NP": "com.np", "PE": "com.pe",
}  # fmt: skip
_SUBSCRIBERS = ("23456789", "2345678", "6543210", "3456789", "7654321", "2002345")


@cache
def _prefixes() -> dict[int, dict[str, list[str]]]:
    """Return for each country calling code: place name, lower case -> telephone prefixes, shortest first."""
    try:
        from phonenumbers import COUNTRY_CODE_TO_REGION_CODE as CODES  # noqa: PLC0415 - a constant; loaded on use
        from phonenumbers.geodata import GEOCODE_DATA  # noqa: PLC0415 - 0.7 s, only for shop fronts
    except ImportError as error:
        raise MissingExtraError("scenes of towns", "offline", "phonenumbers") from error
    found: dict[int, dict[str, list[str]]] = {}
    for prefix, names in sorted(GEOCODE_DATA.items(), key=lambda item: (len(item[0]), item[0])):
        code = next((int(prefix[:n]) for n in (1, 2, 3) if int(prefix[:n]) in CODES), 0)
        for name in set(names.values()):
            # "Springfield, IL", "Santos - SP": a town, and the division that tells it from its namesakes.
            town, _, division = name.replace(" - ", ", ").partition(", ")
            for key in {town.lower(), f"{town.lower()}, {division.lower()}"}:
                found.setdefault(code, {}).setdefault(key, []).append(prefix[len(str(code)) :])
    return found


def telephone(town: Town, rng: random.Random) -> str | None:
    """Return a landline number with the town's area code, or None when that is unknown."""
    import phonenumbers as pn  # noqa: PLC0415 - see above

    code = pn.country_code_for_region(town.country)
    names = _prefixes().get(code, {})
    if code == 1:  # one numbering plan, and namesakes in most states
        keys = [f"{town.latin.lower()}, {town.admin1.lower()}"] if town.country == "US" else []
    else:
        keys = [town.local.lower(), town.latin.lower()]
    example = pn.example_number_for_type(town.country, pn.PhoneNumberType.FIXED_LINE)
    length = len(pn.national_significant_number(example)) if example else 0
    for prefix in [prefix for key in keys for prefix in names.get(key, [])][:20]:
        for digits in _SUBSCRIBERS:
            number = prefix + digits[: max(length - len(prefix), 0)]
            parsed = pn.PhoneNumber(country_code=code, national_number=int(number))
            if len(number) == length and pn.is_valid_number_for_region(parsed, town.country):
                style = rng.choice([pn.PhoneNumberFormat.NATIONAL, pn.PhoneNumberFormat.INTERNATIONAL])
                return pn.format_number(parsed, style)
    return None


def domain(town: Town, rng: random.Random) -> str:
    """Return a web address of a business in the town, under its country's top-level domain."""
    slug = "".join(char for char in anyascii(town.latin).lower() if char.isalnum())
    ending = _REGISTRATIONS.get(town.country, town.country.lower())
    word = rng.choice(["info", "shop", "center", "online"])
    return rng.choice(
        [f"www.{word}-{slug}.{ending}", f"{word}-{slug}.{ending}", f"www.{slug}{word}.{ending}"]
    )
