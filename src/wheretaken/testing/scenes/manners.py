"""How places letter their signs: trades, opening hours, street names and stops, language by language.

Manners are what one sees on the walls of a town, not what a dictionary says: no word stands for a trade whose
shops show their name alone.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - the annotations of a dataclass
from dataclasses import dataclass

from wheretaken.testing.scenes.languages import BLACK, BLUE, GREEN, WHITE, Paint

KINDS = (
    *(
        "restaurant",
        "cafe",
        "pub",
        "bar",
        "fast_food",
        "pharmacy",
        "hairdresser",
        "florist",
        "bakery",
        "optician",
    ),
    *("books", "hotel", "hostel", "clothes", "jewelry", "beauty", "bank", "shoes", "furniture", "kiosk"),
    *("convenience", "supermarket", "art", "theatre", "library", "museum", "gallery", "cinema", "nightclub"),
    *("sports", "interior_decoration", "gift", "mobile_phone", "dentist", "travel_agency", "tea", "deli"),
    *("antiques", "toys", "cosmetics", "bicycle", "musical_instrument", "confectionery", "tailor", "music"),
    *("stationery", "second_hand"),
)
"""OpenStreetMap values of things with a sign over their door."""


@dataclass(frozen=True, slots=True)
class Manners:
    """The manners of a place."""

    language: str
    """ISO 639-1, of what stands first."""
    script: str
    trades: Mapping[str, str]
    """OpenStreetMap value -> the word that stands on such a front; others show their name alone."""
    days: tuple[str, str, str, str, str, str, str]
    """Monday to Sunday, as doors have them."""
    open: tuple[str, ...]
    """What stands over opening hours."""
    streets: tuple[Paint, ...]
    """Colours of street signs; a light one is lettered in capitals."""
    stop: str
    """What marks a stop, beside its name."""
    stops: str = "tram_stop"
    """The OpenStreetMap value of stops with a sign: `tram_stop` or `bus_stop`."""
    second: str = ""
    """ISO 639-1 of what stands below the first name on signs of streets and stops, where the map has it."""
    kinds: tuple[str, ...] = KINDS
    """Of the shops that are drawn."""
    crossings: bool = True
    """Whether corners, with the signs of both streets, are places of their own."""


FINNISH = Manners(
    language="fi",
    script="Latin",
    trades={
        "restaurant": "Ravintola", "cafe": "Kahvila", "pub": "Pub", "bar": "Bar", "fast_food": "Grilli",
        "pharmacy": "Apteekki", "hairdresser": "Parturi-Kampaamo", "florist": "Kukkakauppa",
        "bakery": "Leipomo", "optician": "Optikko", "books": "Kirjakauppa", "hotel": "Hotelli",
        "hostel": "Hostel", "jewelry": "Kultaseppä", "beauty": "Kauneushoitola", "bank": "Pankki",
        "shoes": "Kengät", "kiosk": "Kioski", "art": "Galleria", "theatre": "Teatteri",
        "library": "Kirjasto", "museum": "Museo", "gallery": "Galleria",
        "interior_decoration": "Sisustus", "gift": "Lahjatavarat", "dentist": "Hammaslääkäri",
        "travel_agency": "Matkatoimisto", "deli": "Herkut", "antiques": "Antiikki", "toys": "Lelut",
        "bicycle": "Polkupyörät", "musical_instrument": "Soittimet", "confectionery": "Makeiset",
        "tailor": "Räätäli", "music": "Levyt", "stationery": "Paperikauppa", "second_hand": "Kirpputori",
    },
    days=("Ma", "Ti", "Ke", "To", "Pe", "La", "Su"),
    open=("Avoinna", "Aukioloajat", "Avoinna – Öppet"),
    streets=(Paint(BLUE, WHITE, WHITE), Paint(WHITE, BLACK, (60, 62, 70))),
    stop="H",
    second="sv",
    crossings=False,
)  # fmt: skip
_MORE = (
    "post_office",
    "doctors",
    "kindergarten",
    "place_of_worship",
    "school",
    "copyshop",
    "mall",
    "university",
)
FRENCH = Manners(
    language="fr",
    script="Latin",
    trades={
        "restaurant": "Restaurant", "cafe": "Café", "bar": "Bar", "pharmacy": "Pharmacie",
        "hairdresser": "Coiffure", "florist": "Fleuriste", "bakery": "Boulangerie – Pâtisserie",
        "optician": "Opticien", "books": "Librairie", "hotel": "Hôtel", "jewelry": "Joaillerie",
        "bank": "Banque", "shoes": "Chaussures", "art": "Galerie", "theatre": "Théâtre",
        "library": "Bibliothèque", "museum": "Musée", "gallery": "Galerie", "dentist": "Dentiste",
        "travel_agency": "Voyages", "tea": "Salon de thé", "deli": "Traiteur", "antiques": "Antiquités",
        "toys": "Jouets", "bicycle": "Cycles", "confectionery": "Confiserie", "stationery": "Papeterie",
    },
    days=("Lu", "Ma", "Me", "Je", "Ve", "Sa", "Di"),
    open=("Ouvert", "Horaires", "Heures d'ouverture"),
    streets=(Paint(BLUE, WHITE, (0, 98, 62)), Paint(WHITE, (150, 26, 30), (150, 26, 30))),
    stop="BUS",
    stops="bus_stop",
    kinds=(*KINDS, *_MORE),
)  # fmt: skip
JAPANESE = Manners(
    language="ja",
    script="Han",
    trades={
        "cafe": "カフェ", "bar": "バー", "pub": "居酒屋", "pharmacy": "薬局", "hairdresser": "美容室",
        "florist": "生花", "bakery": "パン", "optician": "メガネ", "books": "書店", "hotel": "ホテル",
        "bank": "銀行", "dentist": "歯科", "tea": "お茶", "toys": "おもちゃ", "bicycle": "自転車",
        "stationery": "文具",
    },
    days=("月", "火", "水", "木", "金", "土", "日"),
    open=("営業時間", "営業中"),
    streets=(Paint(BLUE, WHITE, WHITE), Paint(WHITE, BLUE, BLUE)),
    stop="バス",
    stops="bus_stop",
    second="en",
    kinds=(*KINDS, *_MORE),
)  # fmt: skip
CHINESE = Manners(
    language="zh",
    script="Han",
    trades={
        "restaurant": "餐厅", "cafe": "咖啡", "bar": "酒吧", "pharmacy": "药店", "hairdresser": "理发",
        "florist": "鲜花", "bakery": "面包", "optician": "眼镜", "hotel": "宾馆", "jewelry": "珠宝",
        "convenience": "便利店", "dentist": "口腔", "tea": "茶叶", "copyshop": "打印复印",
        "stationery": "文具",
    },
    days=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    open=("营业时间",),
    streets=(Paint(GREEN, WHITE, WHITE), Paint(BLUE, WHITE, WHITE)),
    stop="公交",
    stops="bus_stop",
    second="en",
    kinds=(*KINDS, *_MORE),
)  # fmt: skip
ENGLISH = Manners(
    language="en",
    script="Latin",
    trades={
        "pharmacy": "Pharmacy", "hairdresser": "Barber", "florist": "Florist", "bakery": "Bakery",
        "optician": "Opticians", "books": "Books", "hotel": "Hotel", "jewelry": "Jewellers",
        "museum": "Museum", "library": "Library", "theatre": "Theatre", "gallery": "Gallery",
        "dentist": "Dental Practice", "antiques": "Antiques", "bicycle": "Cycles",
    },
    days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    open=("Open", "Opening hours"),
    streets=(Paint(WHITE, BLACK, BLACK), Paint(GREEN, WHITE, WHITE)),
    stop="BUS",
    stops="bus_stop",
    kinds=(*KINDS, *_MORE),
)  # fmt: skip

MANNERS = {manners.language: manners for manners in (ENGLISH, FINNISH, FRENCH, JAPANESE, CHINESE)}
"""By language."""
