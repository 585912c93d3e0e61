"""What a query says beyond a name: "X opposite Y street", "the corner of A and B", "A路B路交叉口".

Only words are looked at here. A query is read in every way that its words allow, and `search` keeps the
readings whose parts are on the map: that is what tells "Café am Markt" the name from a café at a market.
"""

# ruff: noqa: E501 - the tables read as one: a language keeps its words together

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from wheretaken.maps.offline.names import fold

if TYPE_CHECKING:
    from collections.abc import Iterator


class Relation(Enum):
    """How far from the second thing the first one is, in kilometres."""

    ON = 0.06
    OPPOSITE = 0.09
    CORNER = 0.1
    NEAR = 0.4


class Placed(NamedTuple):
    """A thing that a query places by another one."""

    subject: str
    relation: Relation
    anchor: str


_BEFORE: dict[Relation, str] = {
    # An apostrophe and what is between words are folded to spaces before these are compared.
    Relation.CORNER: "at the corner of|on the corner of|corner of|corner|an der ecke|ecke|au coin de|coin de|coin|"
    "a l angle de|a l angle|angle|en la esquina de|esquina de|esquina|na esquina da|all angolo con|angolo|op de hoek van|"
    "hoek|hornet av|hornan|на углу|kulmassa",
    Relation.OPPOSITE: "opposite of|opposite to|opposite|across the street from|across from|across|facing|in front of|"
    "gegenuber von|gegenuber|vis a vis|en face de|en face du|en face|face a|face au|frente a|frente al|enfrente de|"
    "em frente a|di fronte a|mittemot|overfor|tegenover|vastapaata|напротив|naprzeciwko|απεναντι",
    Relation.NEAR: "near to|near|nearby|close to|next to|beside|besides|by|around|not far from|"
    "in der nahe von|in der nahe der|nahe|neben|bei|beim|pres de|pres du|a cote de|a cote du|proche de|"
    "cerca de|cerca del|junto a|al lado de|perto de|perto da|perto do|ao lado de|vicino a|vicino al|accanto a|presso|"
    "nara|intill|bredvid|naer|ved|bij|naast|lahella|vieressa|около|возле|рядом с|недалеко от|у|niedaleko|obok|przy|"
    "u|blizko|yakininda|κοντα",
    Relation.ON: "on the|on|at the|at|along|in|auf der|auf dem|auf|an der|an dem|am|an|in der|im|"
    "sur le|sur la|sur|dans la|dans le|dans|au|a la|en la|en el|en|sobre|em|na|no|sul|sulla|in via|nella|pa|vid|langs|"
    "aan de|aan het|aan|op de|op het|op|на|в|ul|na ulici|στην|στον",
}
_RELATIONS = {phrase: relation for relation, text in _BEFORE.items() for phrase in text.split("|")}
_LONGEST = max(len(phrase.split()) for phrase in _RELATIONS)
_ARTICLES = frozenset(
    [
        "the",
        "der",
        "die",
        "das",
        "dem",
        "den",
        "la",
        "le",
        "les",
        "l",
        "el",
        "los",
        "las",
        "il",
        "lo",
        "i",
        "gli",
        "o",
        "a",
        "os",
        "as",
        "de",
        "du",
        "des",
        "di",
    ]
)
_AFTER: dict[str, Relation] = {
    "附近": Relation.NEAR, "旁边": Relation.NEAR, "旁邊": Relation.NEAR, "旁": Relation.NEAR, "边上": Relation.NEAR,
    "の近くにある": Relation.NEAR, "の近く": Relation.NEAR, "近くの": Relation.NEAR, "そば": Relation.NEAR,
    "の隣": Relation.NEAR, "の横": Relation.NEAR, "付近": Relation.NEAR, "근처": Relation.NEAR, "옆": Relation.NEAR,
    "对面": Relation.OPPOSITE, "對面": Relation.OPPOSITE, "の向かい": Relation.OPPOSITE, "の前": Relation.OPPOSITE,
    "前の": Relation.OPPOSITE, "맞은편": Relation.OPPOSITE, "앞": Relation.OPPOSITE,
    "沿いの": Relation.ON, "沿い": Relation.ON, "沿线": Relation.ON, "上的": Relation.ON, "にある": Relation.ON,
    "口的": Relation.CORNER, "路口的": Relation.CORNER, "의": Relation.ON, "的": Relation.ON, "の": Relation.ON,
}  # fmt: skip
_AFTER_PATTERN = re.compile(
    "(?P<anchor>.{2,}?)(?P<word>"
    + "|".join(sorted(_AFTER, key=len, reverse=True))
    + ")(?:的|の)?(?P<subject>.{2,})"
)
_IN_PATTERN = re.compile(
    "(?P<subject>.{2,}?)(?:在|靠近|近|位于)(?P<anchor>.{2,}?)(?P<word>附近|旁边|旁邊|旁|对面|對面|上|边上|路口)?"
)

_OF_CROSSING = re.compile(
    r"^\s*(?:at |on )?(?:the )?(?:street |road )?(?:(?:corner|crossing|crossroads|intersection|junction) (?:of |between )?"
    r"|(?:an der )?(?:ecke|kreuzung)(?: von)? |(?:au |à l['’])?(?:coin|angle|croisement|carrefour)(?: de la| des| du| de)? "
    r"|(?:en la )?(?:esquina|cruce)(?: de)? |(?:all['’])?(?:angolo|incrocio)(?: tra)? |(?:op de )?(?:hoek|kruising)(?: van)? "
    r"|угол |перекр[её]сток |na rogu )",
    re.IGNORECASE,
)
_CROSSING_AFTER = re.compile(
    r"(?:的?(?:交叉路?口|十字路口|交汇处|交會處|交界处?|路口|相交处?)|の?(?:交差点|角)|\s*(?:교차로|사거리|모퉁이)"
    r"|\s+(?:corner|crossing|crossroads|intersection|junction|kulma|kulmassa|risteys|kreuzung|ecke|hörnet|hjørnet))\s*$",
    re.IGNORECASE,
)
_JOINTS = re.compile(
    r"\s*[/|&+@×∕／＆＋]\s*|\s+(?:x|and|und|et|y|e|ja|och|og|en|ve|и|та|i|at|ecke|corner|esquina|angolo|angle|hoek|"
    r"kulma|mit|with|crossing)\s+|\s*[与與和跟及]\s*|\s*と\s*",
    re.IGNORECASE,
)
_STREETS_OF_HAN = re.compile(
    r"(.{1,12}?(?:大道|公路|通り|[路街道巷弄]))[・、\s]*(.{1,12}?(?:大道|公路|通り|[路街道巷弄]))口?"
)


def crossings(query: str) -> Iterator[tuple[str, str]]:
    """Yield the pairs of streets that a query may name the crossing of; no side is empty."""
    text = unicodedata.normalize("NFKC", query)
    named = _CROSSING_AFTER.sub("", _OF_CROSSING.sub("", text))
    for joint in _JOINTS.finditer(named):
        one, other = named[: joint.start()].strip(" ,;"), named[joint.end() :].strip(" ,;")
        if fold(one) and fold(other) and fold(one) != fold(other):
            yield one, other
    if found := _STREETS_OF_HAN.fullmatch(named.strip()):
        yield found[1], found[2]


def placed(query: str) -> Iterator[Placed]:
    """Yield the readings of a query as a thing and where it is, the longest relation first."""
    words = query.replace("'", " ").replace("’", " ").split()
    folded = [fold(word) for word in words]
    for length in range(_LONGEST, 0, -1):
        for start in range(1, len(words) - length):
            relation = _RELATIONS.get(" ".join(folded[start : start + length]))
            if relation is not None:
                rest = start + length
                subject = " ".join(words[:start]).rstrip(" ,")
                yield Placed(subject, relation, " ".join(words[rest:]))
                if folded[rest] in _ARTICLES and rest + 1 < len(words):
                    yield Placed(subject, relation, " ".join(words[rest + 1 :]))
    if query.isascii():
        return
    text = "".join(unicodedata.normalize("NFKC", query).split())
    if found := _AFTER_PATTERN.fullmatch(text):
        yield Placed(found["subject"], _AFTER[found["word"]], found["anchor"])
    if found := _IN_PATTERN.fullmatch(text):
        yield Placed(found["subject"], _AFTER.get(found["word"] or "", Relation.ON), found["anchor"])
