"""Line drawings as SVG elements, built with the standard library, which also escapes their texts.

Colours are CSS classes of the page, so that a drawing follows its light and dark schemes; coordinates are
user units of the view box with one decimal.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from xml.etree.ElementTree import Element


class Drawing:
    """A view box that paths and texts are added to, the later above the earlier."""

    def __init__(self, width: float, height: float, title: str) -> None:
        """Begin an empty drawing; the title is what a screen reader says of it."""
        self.width, self.height = width, height
        box = f"0 0 {_short(width)} {_short(height)}"
        self._root = ET.Element("svg", {"viewBox": box, "role": "img", "aria-label": title})

    def path(self, classes: str, data: str, title: str = "") -> None:
        """Add a path; nothing when it is empty. The title is shown by a pointer that rests on it."""
        if data:
            self._titled(ET.SubElement(self._root, "path", {"class": classes, "d": data}), title)

    def circle(self, classes: str, x: float, y: float, radius: float, title: str) -> None:
        """Add a disc; its title is shown by a pointer that rests on it."""
        attributes = {"class": classes, "cx": _short(x), "cy": _short(y), "r": _short(radius)}
        self._titled(ET.SubElement(self._root, "circle", attributes), title)

    def text(self, x: float, y: float, text: str, classes: str = "") -> None:
        """Add a line of text that starts at a point; class `mid`: is centred there, `end`: ends there."""
        if not text:
            return
        attributes = {"x": _short(x), "y": _short(y)} | ({"class": classes} if classes else {})
        ET.SubElement(self._root, "text", attributes).text = text

    def rectangle(self, classes: str, x: float, y: float, width: float, height: float) -> None:
        """Add a rectangle."""
        self.path(classes, f"M{_short(x)} {_short(y)}h{_short(width)}v{_short(height)}h{_short(-width)}z")

    def render(self) -> str:
        """Return the mark-up."""
        return ET.tostring(self._root, encoding="unicode")

    @staticmethod
    def _titled(element: Element, title: str) -> None:
        if title:
            ET.SubElement(element, "title").text = title


def line(points: Iterable[tuple[float, float]], *, close: bool = False) -> str:
    """Return path data through points."""
    joined = "L".join(f"{_short(x)} {_short(y)}" for x, y in points)
    return f"M{joined}{'z' if close else ''}" if joined else ""


def dots(points: Iterable[tuple[float, float]]) -> str:
    """Return path data with a dot at each point, for a stroke with round ends; equal points come once."""
    return "".join(dict.fromkeys(f"M{_short(x)} {_short(y)}h0" for x, y in points))


class Scale:
    """A linear or logarithmic axis: values to user units, cut off at its ends."""

    def __init__(self, values: tuple[float, float], units: tuple[float, float], *, log: bool = False) -> None:
        """Map the two values to the two units."""
        self._log = log
        self.first, self.last = values
        self._low, self._high = self._place(values[0]), self._place(values[1])
        self._start, self._end = units

    def __call__(self, value: float) -> float:
        """Return where a value is drawn."""
        least, most = sorted((self.first, self.last))
        part = (self._place(min(max(value, least), most)) - self._low) / (self._high - self._low)
        return self._start + part * (self._end - self._start)

    def _place(self, value: float) -> float:
        return math.log10(value) if self._log else value


def frame(
    drawing: Drawing,
    x: Scale,
    y: Scale,
    *,
    xticks: Sequence[tuple[float, str]],
    yticks: Sequence[tuple[float, str]],
) -> None:
    """Draw the grid and the numbers of both axes."""
    left, right, low, high = x(x.first), x(x.last), y(y.first), y(y.last)
    for value, text in yticks:
        drawing.path("grid", line([(left, y(value)), (right, y(value))]))
        drawing.text(left - 6, y(value) + 4, text, "end")
    for value, text in xticks:
        drawing.path("grid", line([(x(value), low), (x(value), high)]))
        drawing.text(x(value), low + 17, text, "mid")


def _short(number: float) -> str:
    """Return a number with at most one decimal, without a trailing zero or a minus before zero."""
    text = f"{number:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text
