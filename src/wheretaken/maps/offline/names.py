"""How two spellings of a name are compared: folding, OCR look-alikes, words, and generic words.

`fold` gives the key that every index of this package stores and every query is turned into, so equal keys
mean "the same name to a reader". `skeleton` goes further and joins what OCR confuses; it is for fuzzy
comparison only, never for equality. `strip_generic` drops the words that say what a thing is ("City of",
"Bahnhof", 市) rather than what it is called.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

# Letters that Unicode does not decompose but that readers and keyboards replace by plain ones.
_PLAIN_LETTERS = {
    "ø": "o", "đ": "d", "ð": "d", "ł": "l", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i", "ħ": "h", "ŋ": "n",
    "ŧ": "t", "ɓ": "b", "ɗ": "d", "ƙ": "k", "ɔ": "o", "ɛ": "e", "ƴ": "y", "ə": "e",
    # Arabic script: one form each of alef, yeh, kaf, heh and hamza carriers, as search engines do.
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ک": "ك", "ة": "ه", "ہ": "ه",
    "ھ": "ه", "ۀ": "ه", "ؤ": "و", "ئ": "ي",
    # Small kana in Japanese place names is written both ways (ヶ/ケ in 鎌ヶ谷).
    "ヶ": "ケ", "ゖ": "け",
}  # fmt: skip
_DELETED = (
    *(chr(c) for c in range(0x0591, 0x05C8)),  # Hebrew points
    *(chr(c) for c in range(0x0610, 0x061B)),  # Arabic honorifics
    *(chr(c) for c in range(0x064B, 0x0660)),  # Arabic vowel marks
    *(chr(c) for c in range(0x06D6, 0x06DD)),  # Quranic marks
    "\u0640",  # Arabic tatweel
    "\u0670",  # superscript alef
    *"ʻʼʽʾʿˈʹʺ",  # marks of transliterations, which half of all spellings leave out
    "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad",
)
_TABLE = str.maketrans(
    {**_PLAIN_LETTERS, **dict.fromkeys("".join(_DELETED))},
)
_SPECIAL = re.compile(r"[^\w ]|_")
_COMBINING = re.compile("[\u0300-\u036f]")
_ASCII_TABLE = str.maketrans({c: " " for c in map(chr, range(128)) if not c.isalnum()})


def fold(text: str) -> str:
    """Return the comparison key of a name.

    Compatibility forms and width (NFKC), case, and the accents of Latin, Greek and Cyrillic are folded;
    Cyrillic й stays a letter of its own, since leaving it out makes another word, while ё becomes е as it
    does in print. Arabic and Hebrew vowel points go, as do the alef and yeh variants. Vowel signs of Indic
    scripts, Thai tone marks and kana voicing stay. Everything that is no letter, digit or mark becomes one
    space. Traditional and simplified Chinese stay apart: the data hold both. `fold(fold(x)) == fold(x)`.
    """
    if text.isascii():
        if text.isalnum():
            return text.lower()
        return " ".join(text.translate(_ASCII_TABLE).lower().split())
    # Few names hold a character that its neighbours change; folding one by one takes half the time.
    folded = text.translate(_BY_CHARACTER)
    if _CONTEXT in folded:
        folded = _fold_in_context(text)
    return " ".join(folded.split())


def _fold_in_context(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFD", text).replace("и\u0306", "й")
    text = unicodedata.normalize("NFC", _COMBINING.sub("", text)).translate(_TABLE)
    if _SPECIAL.search(text):
        text = "".join(c if c.isalnum() or _is_mark(c) else " " for c in text)
    return text


class _ByCharacter(dict[int, str]):
    """What each character folds to, learnt as it is met; `_CONTEXT` where that depends on the text around it.

    Only marks and conjoining jamo compose with, or are reordered among, the characters before them.
    """

    def __missing__(self, code: int) -> str:
        folded = _fold_in_context(chr(code))
        if any(_joins(char) for char in chr(code) + folded):
            folded = _CONTEXT
        self[code] = folded
        return folded


def _joins(char: str) -> bool:
    return unicodedata.category(char).startswith("M") or "\u1100" <= char <= "\u11ff"


_CONTEXT = "\x00"
_BY_CHARACTER = _ByCharacter()


@cache
def _is_mark(char: str) -> bool:
    return unicodedata.category(char) in {"Mn", "Mc"}


_LOOKALIKE_DIGITS = str.maketrans({"0": "o", "1": "l", "!": "l", "|": "l", "5": "s", "$": "s", "8": "b"})
_LOOKALIKE_PAIRS = (("rn", "m"), ("vv", "w"), ("cl", "d"))
# Capitals that look the same in Latin, Cyrillic and Greek, written in the folded (lower) case, and the
# kanji and katakana that OCR swaps.
_LOOKALIKE_LETTERS = str.maketrans(
    "iіаеорсхтуквнмαειοκρτυχνμηβζ" + "ニハカロエトタヘベペリー",
    "llaeopcxtykbhmaelokptyxnmhbz" + "二八力口工卜夕へべぺり一",
)


# What `_LOOKALIKE_DIGITS` would change before a name is folded: marks are gone afterwards, and a digit may
# be another's neighbour then, which in ASCII makes no difference.
_CHANGED_FIRST = re.compile(r"[!|$]")
_CHANGED_FIRST_BEYOND_ASCII = re.compile(r"[0158!|$]")


def skeleton(text: str, key: str | None = None) -> str:
    """Return the folded name with characters joined that OCR confuses (0/o, 1/l/i/!, 5/s, rn/m, cl/d, т/t).

    Meant for fuzzy comparison of two skeletons; different names may share one.

    Args:
        text: the name.
        key: what it folds to, where that is known already.
    """
    if key is not None:
        changed = _CHANGED_FIRST if text.isascii() else _CHANGED_FIRST_BEYOND_ASCII
        if text.isalnum() or not changed.search(text):
            return skeleton_of_key(key)
    return skeleton_of_key(fold(text if text.isalnum() else text.translate(_LOOKALIKE_DIGITS)))


def skeleton_of_key(key: str) -> str:
    """Return `skeleton` of a name that `fold` has already been applied to."""
    key = key.translate(_LOOKALIKE_DIGITS)
    for pair, one in _LOOKALIKE_PAIRS:
        key = key.replace(pair, one)
    return key.translate(_LOOKALIKE_LETTERS)


_LATIN = re.compile("[a-zA-Z\u00aa-\u02af\u1e00-\u1eff\uff21-\uff5a]")


def romanised(name: str) -> str:
    """Return a name of another script in Latin letters, as one word for each of its own; "" for a Latin one.

    Chinese characters sound as in Mandarin (pinyin without tones), kana as in Hepburn's romaji, which makes
    nothing of Japanese names in kanji: those need the romaji that the data have.
    """
    if name.isascii() or not any(char.isalpha() and not _LATIN.match(char) for char in name):
        return ""
    from anyascii import anyascii  # noqa: PLC0415 - its tables are only needed where such names are

    return " ".join(anyascii(word) for word in name.split())


# Scripts written without spaces between words (Hangul has spaces, but signs run a name and its ending
# together, so it is searched for names inside words as well).
_UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f"  # Myanmar
    "\u1100-\u11ff"  # Hangul jamo
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana and iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul syllables
)
_RUNS = re.compile(f"[{_UNSPACED}]+|[^{_UNSPACED}\\s]+")
_UNSPACED_RUN = re.compile(f"[{_UNSPACED}]+")


def tokens(text: str) -> list[str]:
    """Return the folded words; a run of Han, kana, Hangul, Thai, Lao, Khmer or Burmese is one token."""
    return _RUNS.findall(fold(text))


def is_unspaced(token: str) -> bool:
    """Tell whether a token is written in a script that puts no space between words."""
    return _UNSPACED_RUN.fullmatch(token) is not None


def _words(text: str) -> frozenset[str]:
    return frozenset(fold(word) for word in text.split())


def _longest_first(text: str) -> tuple[str, ...]:
    return tuple(sorted(_words(text), key=lambda word: (-len(word), word)))


SETTLEMENT_WORDS = _words(
    # "city", "town", "municipality", "district", "province" as they stand before or after a name
    "city town village municipality borough township county district province region state prefecture "
    "governorate commune parish department oblast rayon raion krai okrug voivodeship canton metropolis "
    "special ville commune mairie département région arrondissement ciudad municipio provincia "
    "departamento distrito pueblo villa ayuntamiento cidade município concelho freguesia prefeitura estado "
    "città comune provincia regione stadt gemeinde landkreis kreis bezirk markt bundesland stad gemeente "
    "provincie stadt kommune kommun by kommuna kaupunki kunta linn vald pilsēta novads miestas rajonas "
    "miasto gmina powiat województwo město obec okres kraj mesto občina grad općina opština županija "
    "város megye oraș orașul municipiul comuna județul qytet bashki şehri ili ilçesi belediyesi kota "
    "kabupaten kecamatan provinsi bandar daerah negeri lungsod barangay bayan thành phố tỉnh huyện quận "
    "xã phường thị trấn mueang muang amphoe changwat tambon nakhon khwaeng khet jiji mji wilaya daïra "
    "si gun gu do dong eup myeon shi ku ken cho machi mura son fu to gun shiqu xian qu zhen sheng "
    "город деревня село посёлок поселок область район край округ республика місто село селище область "
    "район град община област место горад вобласць раён қала қаласы облысы аудан хот аймаг сум "
    "πόλη δήμος νομός περιφέρεια χωριό κοινότητα مدينة محافظة منطقة ولاية بلدية قرية إمارة شهر استان "
    "شهرستان روستا ضلع تحصیل שכונת עיר מועצה מחוז ქალაქი სოფელი რეგიონი մարզ քաղաք գյուղ "
    "नगर शहर जिला ज़िला राज्य ग्राम নগর শহর জেলা উপজেলা மாவட்டம் நகரம் மாநிலம் ನಗರ ಜಿಲ್ಲೆ నగరం జిల్లా "
    "ജില്ല നഗരം ከተማ ክልል ዞን"
)
"""Folded words for kinds of settlement and area, in many languages."""

STATION_WORDS = _words(
    "station railway train metro subway bus terminal terminus halt stop airport port harbour harbor pier "
    "gare aéroport routière estación aeropuerto terminal puerto estação aeroporto porto rodoviária "
    "stazione aeroporto fermata bahnhof hauptbahnhof hbf bf flughafen haltestelle busbahnhof hafen "
    "station luchthaven haven stasjon lufthavn banegård järnvägsstation flygplats asema rautatieasema "
    "lentoasema satama jaam lennujaam stacija lidosta stotis oro uostas dworzec stacja lotnisko port "
    "nádraží letiště stanica letisko kolodvor pályaudvar állomás repülőtér gara aeroport stacioni istasyonu "
    "garı havalimanı stasiun bandara terminal stesen ga sân bay bến xe eki yeok вокзал станция аэропорт "
    "метро автовокзал порт станція аеропорт гара летище железнодорожный железничка "
    "σταθμός αεροδρόμιο λιμάνι محطة مطار ميناء ایستگاه فرودگاه اسٹیشن תחנת תחנה נמל "
    "სადგური აეროპორტი կայարան օդանավակայան स्टेशन हवाई अड्डा জংশন স্টেশন நிலையம் నిలయం"
)
"""Folded words for stations, airports and harbours, in many languages."""

BUILDING_WORDS = _words(
    "museum gallery palace castle church cathedral chapel abbey monastery temple shrine mosque synagogue "
    "hotel hostel inn restaurant cafe bar pub school university college academy library hospital clinic "
    "pharmacy bank market mall centre center theatre theater cinema stadium arena park garden gardens zoo "
    "tower bridge gate hall house office post police fire supermarket shop store bakery "
    "musée palais château église cathédrale hôtel restaurant école université bibliothèque hôpital "
    "pharmacie banque marché théâtre stade parc jardin tour pont porte maison boulangerie "
    "museo palacio castillo iglesia catedral escuela universidad biblioteca farmacia banco mercado teatro "
    "estadio parque torre puente casa museu palácio castelo igreja sé escola universidade hospital mercado "
    "palazzo castello chiesa duomo basilica scuola università ospedale mercato ponte "
    "schloss burg kirche dom kloster schule universität bibliothek krankenhaus apotheke markthalle rathaus "
    "turm brücke haus bäckerei paleis kasteel kerk school slott kyrka slot kirke linna kirkko museo koulu "
    "yliopisto kirjasto sairaala apteekki kauppa ravintola kahvila muzeum pałac zamek kościół szkoła palác "
    "hrad kostel škola múzeum palota vár templom iskola muzeu palat biserica müzesi sarayı camii okulu "
    "музей дворец собор церковь храм школа университет библиотека больница аптека рынок театр парк "
    "μουσείο παλάτι εκκλησία σχολείο متحف قصر مسجد جامع مدرسة جامعة مستشفى سوق موزه کاخ "
    "วัด พิพิธภัณฑ์ โรงเรียน โรงพยาบาล โรงแรม ตลาด"
)
"""Folded words for public buildings and shops, in many languages."""

STREET_WORDS = _words(
    "street st road rd avenue ave boulevard blvd lane ln drive dr square sq place plaza court ct way "
    "highway hwy rue avenue boulevard place quai chemin allée impasse route cours calle avenida paseo "
    "plaza carrera camino carretera rua praça travessa estrada alameda via viale piazza corso largo vicolo "
    "strasse straße str platz gasse allee weg ring ufer damm straat laan plein gracht kade weg gade gate "
    "gata vej vei väg gatan vägen torg torget katu tie kuja polku tori puistotie tänav maantee puiestee iela "
    "gatvė ulica ul aleja plac ulice náměstí třída utca út tér strada bulevardul piața rruga sokak sokağı "
    "caddesi cad bulvarı jalan jl jln lorong đường phố улица ул проспект пр переулок площадь шоссе вулиця "
    "вул проспект площа улица булевард площад οδός λεωφόρος πλατεία شارع طريق ميدان خیابان کوچه רחוב "
    "שדרות ქუჩა գամզիր फ मार्ग सड़क রোড সড়ক தெரு சாலை"
)
"""Folded words for kinds of street, in many languages."""

LINK_WORDS = _words(
    "of the de du des d la le les l del della dello dei di da do dos das el los las al von zu der die das "
    "am im an van het den ter of i in à au aux og och ja i y e and und et"
)
"""Folded little words that join a generic word and a name; they go when the generic word goes."""

UNSPACED_ENDINGS = _longest_first(
    "特別行政区 特別行政區 特别行政区 自治州 自治区 自治區 自治县 自治縣 直辖市 直轄市 地区 地區 街道 "
    "车站 車站 火车站 機場 机场 空港 地铁站 市 区 區 県 县 縣 省 州 都 府 町 村 郡 镇 鎮 乡 鄉 駅 站 驛 "
    "광역시 특별시 특별자치시 특별자치도 시청 군청 구청 시 군 구 도 읍 면 동 리 역 공항"
)
"""Generic endings of scripts without spaces, longest first."""

UNSPACED_BEGINNINGS = _longest_first(
    "สถานีรถไฟ สถานี เทศบาลนคร เทศบาลเมือง เทศบาลตำบล อำเภอเมือง อำเภอ จังหวัด ตำบล แขวง เขต เมือง บ้าน "
    "ເມືອງ ແຂວງ ບ້ານ ខេត្ត ក្រុង ស្រុក မြို့"
)
"""Generic beginnings of scripts without spaces, longest first."""

_LAST_OF_ENDINGS = frozenset(ending[-1] for ending in UNSPACED_ENDINGS)
_FIRST_OF_BEGINNINGS = frozenset(beginning[0] for beginning in UNSPACED_BEGINNINGS)
_AREA_WORDS = SETTLEMENT_WORDS | STATION_WORDS


def strip_generic(key: str, generic: frozenset[str] = _AREA_WORDS) -> str:
    """Return a folded name without the generic words at its two ends.

    Args:
        key: a name as `fold` gives it.
        generic: folded words that may go; link words next to a dropped word go with it.

    Returns:
        What is left, or `key` itself when nothing but generic words would be.
    """
    if " " not in key:
        return _strip_run(key)
    words = key.split()
    if words and words[0] not in generic and words[-1] not in generic:
        return key
    start, end = 0, len(words)
    while start < end and words[start] in generic:
        start += 1
        while start < end and words[start] in LINK_WORDS:
            start += 1
    while end > start and words[end - 1] in generic:
        end -= 1
        while end > start and words[end - 1] in LINK_WORDS:
            end -= 1
    return " ".join(words[start:end]) or key


def _strip_run(run: str) -> str:
    # Most runs end and begin like none of them: one look at a set is quicker than a hundred comparisons.
    if run[-1:] not in _LAST_OF_ENDINGS and run[:1] not in _FIRST_OF_BEGINNINGS:
        return run
    for ending in UNSPACED_ENDINGS:
        # One syllable is too little left to be a name (津市, 구리시 is 구리 but 도시 is no 도).
        if run.endswith(ending) and len(run) - len(ending) >= 2:
            return run[: -len(ending)]
    for beginning in UNSPACED_BEGINNINGS:
        if run.startswith(beginning) and len(run) - len(beginning) >= 3:
            return run[len(beginning) :]
    return run
