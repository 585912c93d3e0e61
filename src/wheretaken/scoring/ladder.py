"""The measures of one answer: its step on the reward ladder, and its GeoScore."""

from __future__ import annotations

import math

LADDER: tuple[tuple[float, float], ...] = (
    *((0.5, 1.0), (2.0, 0.8), (10.0, 0.6)),
    *((25.0, 0.4), (200.0, 0.2), (750.0, 0.1)),
)
"""(kilometres, reward): an answer strictly nearer than this earns that much, by its first step.

Source: "Thinking with Map", arXiv 2601.05432, its reward and its six accuracy levels.
"""
ACC_KM: tuple[float, ...] = tuple(km for km, _ in LADDER)
"""The distances of Acc@500m, 2km, 10km, 25km, 200km, 750km."""
IM2GPS_KM: tuple[float, ...] = (1.0, 25.0, 200.0, 750.0, 2500.0)
"""Street, city, region, country and continent level of the IM2GPS test sets (Vo, Jacobs, Hays 2017)."""
GEOSCORE_MAX, GEOSCORE_KM = 5000.0, 1492.7


def reward(km: float) -> float:
    """Return the reward of an answer this far from the truth: 1 below 500 m, 0 from 750 km on; NaN is 0."""
    return next((earned for limit, earned in LADDER if km < limit), 0.0)


def geoscore(km: float) -> float:
    """Return `5000 exp(-d / 1492.7 km)`, the GeoGuessr world score; 0 without an answer (infinity, NaN).

    Source: Haas et al., "PIGEON: Predicting Image Geolocations", CVPR 2024.
    """
    return 0.0 if math.isnan(km) else GEOSCORE_MAX * math.exp(-km / GEOSCORE_KM)


def label(km: float) -> str:
    """Return how a distance is written in `Acc@...`: `500m`, `2km`."""
    return f"{km * 1000:g}m" if km < 1 else f"{km:g}km"
