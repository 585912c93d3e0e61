"""The error map: where the photos were taken, coloured by how far off their answers are.

Land comes from the outlines that the package ships (Natural Earth, public domain), in an equirectangular
projection around the photos, true to scale at the middle latitude. The map shows all photos but stray ones.
Photos that are close together share a disc, as thousands of dots would hide each other; lines lead from the
worst photos to their answers, which may lie outside of the map.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from wheretaken.evals.report.model import Figure, Key, distance
from wheretaken.evals.report.svg import Drawing, line
from wheretaken.maps.offline.world import packed
from wheretaken.maps.offline.world.gather import shipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from wheretaken.answers import Answer
    from wheretaken.evals.model import Truth
    from wheretaken.evals.report.model import Run

    Points = npt.NDArray[np.float64]

CLASS_KM = (2.0, 25.0, 200.0, 750.0)
"""Where the colour changes."""
_CLASS_NAMES = ("< 2 km", "2–25 km", "25–200 km", "200–750 km", "≥ 750 km")
_WIDTH, _HEIGHT = 560.0, 350.0
_LEAST_SPAN_DEG = 0.02
_STRAY = 0.005
"""So many photos may lie outside, on each side: one wrong truth must not make the rest a dot."""
_MARGIN = 0.06
_LINES = 25
"""Worst answers that a line leads to."""
_SQUARE, _APART = 2.0, 10.0
"""User units: the grid on which photos are counted, and how near they are when they share a disc."""
_SMALLEST, _LARGEST = 2.6, 15.0
"""Radii of discs in user units; the area stands for the number of photos."""
_FINE_BELOW_DEG = 60.0
"""Narrower maps are drawn from the detailed coast line."""
_DETAIL = 0.8
"""User units: a coast that turns within less is drawn straight."""
_FRAME = 10.0
"""User units around the map, where land outside of it ends."""
_GRATICULE_DEG = (60, 30, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005)


class View:
    """The part of the world that a map shows, and where on the map each position is."""

    def __init__(self, truths: Sequence[Truth]) -> None:
        """Fit the map around photos."""
        (west, east), (south, north) = _span([t.lon for t in truths]), _span([t.lat for t in truths])
        middle, centre = (west + east) / 2, (south + north) / 2
        self._shrink = max(math.cos(math.radians(centre)), 0.2)
        most = 360 * self._shrink / _WIDTH
        self._deg = min(max((east - west) * self._shrink / _WIDTH, (north - south) / _HEIGHT), most)
        """Degrees of latitude per user unit."""
        self.height = min(_HEIGHT, 180 / self._deg)
        wide, high = self._deg * _WIDTH / self._shrink, self._deg * self.height
        self.west = min(max(middle - wide / 2, -180), 180 - wide)
        self.north = max(min(centre + high / 2, 90), high - 90)
        self.east, self.south = self.west + wide, self.north - high

    def units(self, points: Points) -> Points:
        """Return user units (n, 2) of longitudes and latitudes (n, 2)."""
        x = (points[:, 0] - self.west) * self._shrink / self._deg
        return np.column_stack([x, (self.north - points[:, 1]) / self._deg])

    def unit(self, lat: float, lon: float) -> tuple[float, float]:
        """Return the user units of one position."""
        x, y = self.units(np.array([[lon, lat]]))[0].tolist()
        return x, y

    @cached_property
    def land(self) -> str:
        """Land as path data, drawn once for the maps of all runs.

        What lies outside is pressed onto a frame around the view, which leaves the inside as it is and lets
        all points there fall together.
        """
        corner = np.array([_WIDTH + _FRAME, self.height + _FRAME])
        parts: list[str] = []
        for polygon in _coasts("land" if self.east - self.west < _FINE_BELOW_DEG else "land_low"):
            for ring in polygon:
                kept = _thinned(self.units(ring).clip(-_FRAME, corner))
                if len(kept) > 3:
                    parts.append(line(kept, close=True))
        return "".join(parts)


def error_map(run: Run, view: View) -> Figure:
    """Draw the photos of a run by the error of their answers."""
    drawing = Drawing(_WIDTH, view.height, f"Map of the errors of {run.name}")
    _background(drawing, view)
    for km, result, answer in run.worst(_LINES):
        if km >= CLASS_KM[-1]:
            for data in _leads(view, result.truth, answer):
                drawing.path("lead", data, f"{result.id}: {distance(km)}")
    discs = _discs(run, view)
    most = max((disc.n for disc in discs), default=1)
    for disc in discs:
        radius = max(_SMALLEST, min(_LARGEST * math.sqrt(disc.n / most), _SMALLEST * math.sqrt(disc.n)))
        middle = "no answer" if math.isinf(disc.km) else f"median {distance(disc.km)} off"
        photos = "1 photo" if disc.n == 1 else f"{disc.n} photos"
        drawing.circle(f"disc {_colour(disc.km)}", disc.x, disc.y, radius, f"{photos}, {middle}")
    return Figure(
        f"Where it is wrong: {run.name}",
        drawing.render(),
        "Discs are the true places of photos: the area is the number of photos, the colour the median error. "
        f"Lines lead from the {_LINES} worst photos to their answers, where these are {CLASS_KM[-1]:g} km "
        "off or more. Coasts: Natural Earth.",
        [
            *(Key(name, f"dot e{number}", dot=True) for number, name in enumerate(_CLASS_NAMES)),
            Key("no answer", "dot none", dot=True),
        ],
    )


@dataclass(frozen=True, slots=True)
class _Disc:
    """Photos close together: their mean place in user units, and their median error."""

    x: float
    y: float
    n: int
    km: float


def _discs(run: Run, view: View) -> list[_Disc]:
    """Return the discs inside the map, the largest first, so that a small one lies above.

    Photos are first counted on a fine grid; then, the fullest square first, each square joins the first disc
    that began near it, or begins one.
    """
    places = view.units(np.array([(result.truth.lon, result.truth.lat) for result in run.results]))
    squares: dict[tuple[float, float], list[int]] = {}
    for at, (x, y) in enumerate(places.tolist()):
        if 0 <= x <= _WIDTH and 0 <= y <= view.height:
            squares.setdefault((x // _SQUARE, y // _SQUARE), []).append(at)
    members: dict[tuple[float, float], list[int]] = {}
    for square, own in sorted(squares.items(), key=lambda item: -len(item[1])):
        near = (begun for begun in members if math.dist(begun, square) * _SQUARE < _APART)
        members.setdefault(next(near, square), []).extend(own)
    discs: list[_Disc] = []
    for own in members.values():
        x, y = places[own].mean(axis=0).tolist()
        # Of an even number the lower middle one, as the mean with an infinite distance would be lost.
        discs.append(_Disc(x, y, len(own), sorted(run.km[own].tolist())[(len(own) - 1) // 2]))
    return sorted(discs, key=lambda disc: -disc.n)


def _colour(km: float) -> str:
    return "none" if math.isinf(km) else f"e{sum(km >= edge for edge in CLASS_KM)}"


def _span(degrees: Sequence[float]) -> tuple[float, float]:
    low, high = np.quantile(degrees, (_STRAY, 1 - _STRAY), method="nearest").tolist()
    pad = max((high - low) * _MARGIN, _LEAST_SPAN_DEG / 2)
    return low - pad, high + pad


def _background(drawing: Drawing, view: View) -> None:
    drawing.rectangle("sea", 0, 0, _WIDTH, view.height)
    drawing.path("land", view.land)
    step = next((s for s in _GRATICULE_DEG if (view.east - view.west) / s >= 4), _GRATICULE_DEG[-1])
    for lon in _multiples(view.west, view.east, step):
        x, _ = view.unit(0, lon)
        drawing.path("grid", line([(x, 0), (x, view.height)]))
        drawing.text(x + 3, view.height - 5, _degrees(lon, "EW"))
    for lat in _multiples(view.south, view.north, step):
        _, y = view.unit(lat, 0)
        drawing.path("grid", line([(0, y), (_WIDTH, y)]))
        drawing.text(4, y - 3, _degrees(lat, "NS"))


def _multiples(low: float, high: float, step: float) -> list[float]:
    return [number * step for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _degrees(value: float, sides: str) -> str:
    side = "" if not value else f" {sides[value < 0]}"
    return f"{abs(value):.4g}°{side}"


def _thinned(units: Points) -> list[tuple[float, float]]:
    """Return the points that are some way from the one before."""
    kept: list[tuple[float, float]] = []
    for x, y in units.tolist():
        if not kept or abs(x - kept[-1][0]) > _DETAIL or abs(y - kept[-1][1]) > _DETAIL:
            kept.append((x, y))
    return kept


@cache
def _coasts(name: str) -> list[packed.Polygon]:
    return [polygon for _, polygons in packed.unpack(shipped(f"{name}.bin.xz")) for polygon in polygons]


def _leads(view: View, truth: Truth, answer: Answer) -> Iterator[str]:
    """Yield the line from truth to answer, the short way round: across the antimeridian in two pieces."""
    turn = 360 * round((truth.lon - answer.lon) / 360)
    yield line([view.unit(truth.lat, truth.lon), view.unit(answer.lat, answer.lon + turn)])
    if turn:
        yield line([view.unit(truth.lat, truth.lon - turn), view.unit(answer.lat, answer.lon)])
