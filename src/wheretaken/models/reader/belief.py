"""Where the photo may be, given what it says: a posterior over candidate places.

The model is naive Bayes with heavy tails. Candidates are the places that were found for any text, points
where distance circles meet, and the cities of countries that clues point to. For each candidate,

    log p(candidate) = log prior + sum over texts of log((1 - c) + c * likelihood ratio) + country clues

where a text's likelihood ratio falls with the distance from the places it may name, measured in their own
size. Text can only help: what fits no candidate is taken as a coincidence, never as proof against. Each
line of the picture is used once per candidate, in the reading that fits it best.

Answer and radius come from the tempered posterior: the answer is the candidate with the best expected reward
on the ladder of the paper (arXiv 2601.05432), the radius holds 80 % of the probability. The candidates are
only those that were found: that the photo is at none of them, as its street is on no map here and its words
met a town's name by accident, is a hypothesis of its own (`elsewhere`), which widens the radius. The
constants were set on synthetic scenes with other seeds than those that are reported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wheretaken.geo import LatLon, distance_km, distances_km
from wheretaken.maps import Match, MatchKind, Place
from wheretaken.models.reader import scripts
from wheretaken.models.reader.signs import covered_by, is_street, says_something

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import numpy.typing as npt

    from wheretaken.models.reader.signs import Text

    Floats = npt.NDArray[np.float64]

LADDER = ((0.5, 0.2), (2.0, 0.2), (10.0, 0.2), (25.0, 0.2), (200.0, 0.1), (750.0, 0.1))
"""Kilometres and the reward gained by being closer; together the reward ladder of the paper."""
RELIABILITY = {
    MatchKind.EXACT: 0.95,
    MatchKind.STRIPPED: 0.75,
    MatchKind.PARTIAL: 0.6,
    MatchKind.PREFIX: 0.12,
    MatchKind.FUZZY: 0.45,
    MatchKind.KIND: 0.02,
}
"""How often a text that met a name like this means that place or a namesake of it."""
WORTH_IF_BETTER = 0.15
"""What remains of weaker matches when a text has an exact one."""
COINCIDENCE = 0.012
"""How often a text of normal length names a place that has nothing to do with the photo."""
TEMPER = 0.75
"""Texts on one sign are not independent: the sum of their evidence is taken to this power."""
ROAD_FACTOR = 1.27
"""Road distance over straight line, median; the spread is of the logarithm."""
ROAD_SPREAD = 0.11
POINTED_AT = 0.06
"""How much less a sign that only points to a town weighs than one that stands in it."""
POINTING_KM = 30.0
"""How far off such signs stand."""
SETTLEMENTS = frozenset({"city", "town", "village", "district"})
ORDINARY_WORD = 0.05
"""What remains of a match with a word that signs bear everywhere ("JUVIGNAC SALE" -> Sale, Victoria)."""
STREET_NAMED_AFTER = 0.12
"""How often a street that bears a town's name is in that town, rather than elsewhere on the way to it."""
AREAS = frozenset({"country", "admin1"})
COUNTRY_FLOOR = 0.03
"""What a country clue leaves to countries it does not name."""
COUNTRY_BASE = 0.04
"""How probable a country is before any clue, for the ratio."""
UNKNOWN_CITY = 120_000
"""A street-level place counts as a town of so many people: someone loaded that region on purpose."""
CHOICE_SPREAD_KM = 8.0
"""A candidate's own spread, as far as it matters for which one is the answer."""
CLOSER_COUNTS = 0.1
"""What the last metres are worth, in rewards: a shop at a corner is a better answer than its whole street."""
CLOSE_KM = 0.15
SMALL_KM = 0.15
"""What spreads no wider is a thing at a street."""
LEAST_STREET = 0.005
AS_PROBABLE = 0.2
"""Of a street's probability, what a thing on it must have to say where on the street."""
TO_THE_SMALL = 0.85
"""How much of a street's probability such things are given."""
LOADED = 6.0
"""Odds that a photo whose words are on a street map is from there: someone loaded that map on purpose."""
ELSEWHERE_KM = (300.0, 900.0, 2000.0, 4000.0, 6500.0, 8500.0, 10500.0, 13500.0)
"""Distances of an answer from where the photo may be instead, each as probable: anywhere people live."""
ELSEWHERE_NEAR_KM = (40.0, 100.0, 200.0, 330.0, 500.0, 750.0, 1200.0, 2500.0)
"""The same where other clues point to the answer's country."""
POINTS_THERE = 1.0
"""Nats by which they do."""
QUANTILES = 40
MASS = 0.8
"""The radius holds this part of the probability."""


@dataclass(frozen=True)
class Candidate:
    """A place where the photo may have been taken."""

    place: Place
    spread_km: float
    """How far from its position the photo may be, if it is this place."""

    @property
    def log_prior(self) -> float:
        """Photos are taken where people are, though less than in proportion."""
        people = self.place.population
        if self.place.kind in AREAS:
            # Its cities are candidates of their own; the middle of an area is where nobody stands.
            people = 2_000
        elif not people:
            people = UNKNOWN_CITY if self.spread_km < 1 else 2_000
        return 0.38 * math.log(people + 1_000)


@dataclass(frozen=True)
class Found:
    """A place that a text may name, and how sure that is."""

    place: Place
    weight: float
    call: str
    """The id of the tool call that found it."""


@dataclass(frozen=True)
class LookedUp:
    """A look-up of one reading of a text."""

    call: str
    """The id of the tool call."""
    reading: str
    """What was asked for."""
    places: Sequence[Place]
    """What it found."""


@dataclass(frozen=True)
class Support:
    """What a text says for the answer."""

    text: Text
    found: Found
    gain: float
    """Logarithm of the likelihood ratio, in nats."""


@dataclass
class Belief:
    """The posterior."""

    candidates: list[Candidate]
    weights: Floats
    """Probabilities, same order, summing to 1."""
    order: list[int]
    """Candidates by expected reward, best first."""
    radius_km: float
    confidence: float
    """Probability that the answer is within 25 km."""
    support: list[Support] = field(default_factory=list[Support])

    @property
    def strength(self) -> float:
        """Evidence for the answer in nats, each line once."""
        used: set[int] = set()
        total = 0.0
        for support in self.support:
            if not used & support.text.lines:
                used |= support.text.lines
                total += support.gain
        return total

    @property
    def best(self) -> Candidate:
        """The answer."""
        return self.candidates[self.order[0]]


def reliability(text: Text, looked_up: Sequence[LookedUp]) -> list[Found]:
    """Weigh what the look-ups for a text returned; a place that two readings agree on weighs more.

    Only different readings can agree: that the same one finds a place again, near a hypothesis, is no news.
    """
    hits = [(asked, place, place.match) for asked in looked_up for place in asked.places if place.match]
    exact = any(match.kind == MatchKind.EXACT for _, _, match in hits)
    by_reading: dict[str, dict[str, Found]] = {}
    for asked, place, match in hits:
        weight = _meaning(text, place, match)
        if exact and match.kind != MatchKind.EXACT:
            weight *= WORTH_IF_BETTER
        before = by_reading.setdefault(place.id, {}).get(asked.reading)
        if before is None or weight > before.weight:
            by_reading[place.id][asked.reading] = Found(place, weight, asked.call)
    found = [_agreed(list(readings.values())) for readings in by_reading.values()]
    return [hit for hit in found if hit.weight > 0.002]


def _agreed(readings: Sequence[Found]) -> Found:
    """Return what different readings of a text say together about one place."""
    best, *others = sorted(readings, key=lambda hit: -hit.weight)
    # Readings of one line err together, so that agreement is worth half of what it would be.
    both = best.weight + sum(0.5**n * hit.weight for n, hit in enumerate(others, start=1))
    return Found(best.place, min(both, 0.97), best.call)


def _meaning(text: Text, place: Place, match: Match) -> float:
    """How probable it is that a text means this place, from how its name was met."""
    weight = RELIABILITY[match.kind] * text.confidence
    # The root, because every word has its chance to be the name: half of the words is no half-truth.
    covered = math.sqrt(covered_by(match.alias, text.reads))
    if match.kind == MatchKind.PREFIX:
        weight *= match.similarity
    if match.kind == MatchKind.FUZZY:
        weight *= max(0.0, 1 - 3.0 * (1 - match.similarity)) * covered
    if match.kind in {MatchKind.PARTIAL, MatchKind.STRIPPED}:
        weight *= covered if says_something(match.alias) else covered * ORDINARY_WORD
        if place.kind in SETTLEMENTS and is_street(text.reads):
            weight *= STREET_NAMED_AFTER
    return weight


def coincidence(text: Text) -> float:
    """How probable it is that a text names places by accident: short and small ones often do."""
    letters = sum(char.isalpha() for char in text.reads)
    syllabic = scripts.dominant(text.reads) in {"han", "kana", "hangul"}
    length = letters * (2.2 if syllabic else 1.0)
    return COINCIDENCE * math.exp(max(0.0, 7.0 - length) * 0.45)


def spread_of(place: Place) -> float:
    """How far from its position a photo of a sign that names the place may be taken, in kilometres."""
    if place.kind in AREAS:
        return max(place.extent_km, 30.0)
    if place.extent_km and place.extent_km < 1.0:
        return max(place.extent_km, 0.08)
    return max(place.extent_km, 1.5)


def weigh(
    found: Mapping[Text, Sequence[Found]],
    countries: Sequence[tuple[Mapping[str, float], float]],
    candidates: Sequence[Candidate],
) -> Belief | None:
    """Compute the posterior over the candidates; None when there are none.

    Args:
        found: What each text may name.
        countries: Country clues: probability by code, and how sure the clue is.
        candidates: Where the photo may be.
    """
    if not candidates:
        return None
    import numpy as np  # noqa: PLC0415 - 0.4 s, not needed to list models

    gains = {text: _gains(text, hits, candidates) for text, hits in found.items() if hits}
    evidence = _combine(gains, len(candidates))
    country = np.array([_country_gain(c.place.country_code, countries) for c in candidates])
    prior = np.array([c.log_prior for c in candidates])
    logs = prior + TEMPER * evidence + country
    weights = np.exp(logs - logs.max())
    weights = _specified(candidates, weights / weights.sum())
    return _decide(list(candidates), weights, gains, found, country)


def _specified(candidates: Sequence[Candidate], weights: Floats) -> Floats:
    """Give most of a street's probability to the things on it that are about as probable as it is.

    A shop and its street, both read off one corner, are one hypothesis; the shop says where on the street.
    """
    import numpy as np  # noqa: PLC0415 - loaded before

    told = weights.copy()
    likely = map(int, np.argsort(-weights, kind="stable")[:50])
    small = [n for n in likely if candidates[n].spread_km <= SMALL_KM]
    for n in map(int, np.flatnonzero(weights > LEAST_STREET)):
        street = candidates[n].place
        if street.kind != "street" or candidates[n].spread_km <= SMALL_KM:
            continue
        here = LatLon(street.lat, street.lon)
        on_it = [
            k
            for k in small
            if weights[k] >= weights[n] * AS_PROBABLE
            and distance_km(here, LatLon(candidates[k].place.lat, candidates[k].place.lon))
            <= street.extent_km + SMALL_KM
        ]
        if on_it:
            share = weights[on_it] / weights[on_it].sum()
            told[on_it] += share * weights[n] * TO_THE_SMALL
            told[n] -= weights[n] * TO_THE_SMALL
    return told


def _gains(text: Text, hits: Sequence[Found], candidates: Sequence[Candidate]) -> tuple[Floats, Floats]:
    """Log likelihood ratio of a text at each candidate, and which of its places gives it (shape (n,))."""
    import numpy as np  # noqa: PLC0415 - loaded before

    apart = distances_km(
        np.array([[c.place.lat] for c in candidates]),
        np.array([[c.place.lon] for c in candidates]),
        np.array([[h.place.lat for h in hits]]),
        np.array([[h.place.lon for h in hits]]),
    )
    weights = np.array([h.weight for h in hits])
    if text.distance_km is not None:
        closeness = _ring(apart, text.distance_km)
    else:
        size = np.array([spread_of(h.place) for h in hits])
        reach = np.maximum(size, np.array([[min(c.spread_km, 3.0)] for c in candidates]))
        # A street is as much at its ends as in its middle: all along it, its name is where it says.
        streets = np.array([h.place.kind == "street" for h in hits])
        closeness = _near(np.where(streets, np.maximum(apart - size, 0.0), apart) / reach)
        # A town's name is also seen some way off, on direction signs and in addresses.
        settled = np.array([h.place.kind in SETTLEMENTS for h in hits])
        closeness = np.maximum(closeness, POINTED_AT * settled * _near(apart / POINTING_KM))
    likelihood = weights * closeness
    chance = coincidence(text)
    return np.log1p(likelihood.max(axis=1) / chance), likelihood.argmax(axis=1).astype(np.float64)


def _near(ratio: Floats) -> Floats:
    """Fall from 1 with a heavy tail, at distances in units of the thing's own size."""
    return 1.0 / (1.0 + ratio**2) ** 1.5


def _ring(apart: Floats, road_km: float) -> Floats:
    """Likelihood that a sign `apart` kilometres from a place gives it this road distance, 1 at best."""
    import numpy as np  # noqa: PLC0415 - loaded before

    ratio = np.log(road_km / np.maximum(apart, 0.05) / ROAD_FACTOR)
    # Town signs count to the centre or to the border, which matters when the town is close.
    spread = math.hypot(ROAD_SPREAD, 1.0 / max(road_km, 1.0))
    return np.exp(-0.5 * (ratio / spread) ** 2)


def _combine(gains: Mapping[Text, tuple[Floats, Floats]], count: int) -> Floats:
    """Sum the gains so that each line of the picture counts once per candidate, in its best reading."""
    import numpy as np  # noqa: PLC0415 - loaded before

    total = np.zeros(count)
    for n in range(count):
        used: set[int] = set()
        repeated: dict[str, int] = {}
        for text in sorted(gains, key=lambda t: (-gains[t][0][n], t.reads)):
            gain = float(gains[text][0][n])
            if gain <= 0.01 or used & text.lines:
                continue
            used |= text.lines
            # The same name on three arrows is little more than the name once.
            key = text.reads.split()[-1].casefold()
            total[n] += gain * 0.4 ** repeated.get(key, 0)
            repeated[key] = repeated.get(key, 0) + 1
    return total


def _country_gain(code: str, clues: Sequence[tuple[Mapping[str, float], float]]) -> float:
    total = 0.0
    for countries, sure in clues:
        ratio = countries.get(code, 0.0) / COUNTRY_BASE
        rest = max(1.0 - sum(countries.values()), COUNTRY_FLOOR)
        total += math.log((1 - sure) + sure * max(ratio, rest if code else 0.5))
    return total


def _decide(
    candidates: list[Candidate],
    weights: Floats,
    gains: Mapping[Text, tuple[Floats, Floats]],
    found: Mapping[Text, Sequence[Found]],
    country: Floats,
) -> Belief:
    import numpy as np  # noqa: PLC0415 - loaded before

    # Only probable candidates matter for the answer; the rest only costs time.
    likely = [int(n) for n in np.argsort(-weights, kind="stable")[:150]]
    lats = np.array([candidates[n].place.lat for n in likely])
    lons = np.array([candidates[n].place.lon for n in likely])
    apart = distances_km(lats[:, None], lons[:, None], lats[None, :], lons[None, :])
    spread = np.array([candidates[n].spread_km for n in likely])
    # Capped, because in a large city no point is close: its middle is still better than a suburb.
    blurred = np.hypot(apart, np.minimum(spread, CHOICE_SPREAD_KM)[None, :])
    # The ladder's first rung is a long street: within it, what is close and small is still the better answer.
    fine = CLOSER_COUNTS / (1.0 + blurred / CLOSE_KM)
    reward = sum(gain * (blurred < km) for km, gain in LADDER) + 0.02 / (1.0 + blurred / 100.0) + fine
    expected = (reward * weights[likely][None, :]).sum(axis=1)
    order = [likely[int(n)] for n in np.argsort(-expected, kind="stable")]
    best = int(np.argmax(expected))
    chosen = order[0]
    support = [
        Support(text, hits[int(gains[text][1][chosen])], float(gains[text][0][chosen]))
        for text, hits in found.items()
        if text in gains and gains[text][0][chosen] > 0.3
    ]
    support.sort(key=lambda s: (-s.gain, s.text.reads))
    pointed = float(country[chosen])
    missed = elsewhere(support, pointed, small=candidates[chosen].spread_km < 1.0)
    beyond = ELSEWHERE_NEAR_KM if pointed > POINTS_THERE else ELSEWHERE_KM
    return Belief(
        candidates,
        weights,
        order,
        radius_km=radius_for(apart[best], spread, weights[likely], missed, beyond),
        confidence=float(weights[likely][apart[best] < 25.0].sum()) * (1 - missed),
        support=support,
    )


def elsewhere(support: Sequence[Support], pointed: float, *, small: bool) -> float:
    """Return how probable it is that the photo is at none of the places that were found.

    That is so when every text that speaks for the answer meets its name by accident.

    Args:
        support: What speaks for the answer; without it, the answer is a guess among cities, and is as wide.
        pointed: Nats by which clues to countries speak for the answer's.
        small: Whether the answer is a thing or a street of a street map.
    """
    used: set[int] = set()
    accident = 1.0
    for one in sorted(support, key=lambda s: -s.gain):
        if not used & one.text.lines:
            used |= one.text.lines
            accident *= 1 - min(one.found.weight, 1 - math.exp(-one.gain))
    if not used:
        return 0.0
    meant = (1 - accident) * math.exp(pointed) * (LOADED if small else 1.0)
    return accident / (accident + meant)


def radius_for(
    apart: Floats,
    spread: Floats,
    weights: Floats,
    missed: float = 0.0,
    beyond: Sequence[float] = ELSEWHERE_KM,
) -> float:
    """Return the radius around the answer that holds `MASS` of the probability, in kilometres.

    Each candidate's mass lies around it with a Rayleigh distribution of scale `spread`, taken at
    evenly spaced quantiles; `apart` are the candidates' distances from the answer.

    Args:
        apart: From the answer, in kilometres.
        spread: Of each candidate, in kilometres.
        weights: Of each candidate.
        missed: Probability that it is none of them.
        beyond: Distances, each as probable, where it is then.
    """
    import numpy as np  # noqa: PLC0415 - loaded before

    quantiles = (np.arange(QUANTILES) + 0.5) / QUANTILES
    rings = np.sqrt(-2.0 * np.log1p(-quantiles))
    # In a random direction, the squares of both distances add up on average.
    reach = np.sqrt(apart[:, None] ** 2 + (spread[:, None] * rings[None, :]) ** 2).ravel()
    mass = np.repeat(weights / len(quantiles), len(quantiles)) / weights.sum() * (1 - missed)
    reach = np.concatenate([reach, np.array(beyond)])
    mass = np.concatenate([mass, np.full(len(beyond), missed / len(beyond))])
    order = np.argsort(reach)
    inside = np.cumsum(mass[order]) / mass.sum()
    return float(reach[order][min(int(np.searchsorted(inside, MASS)), len(reach) - 1)])
