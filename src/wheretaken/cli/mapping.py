"""`wheretaken maps ...`: the offline maps on their own."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from wheretaken.cli.main import NO_ANSWER, OK
from wheretaken.cli.offline import offline_maps
from wheretaken.errors import UserError
from wheretaken.geo import LatLon
from wheretaken.paths import atomic_path
from wheretaken.tools.worldwide import place_data

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheretaken.maps import Place


def search(query: str, *, near: str | None, country: str, limit: int, as_json: bool) -> int:
    """Print places by name; exit code 3 when there are none."""
    maps = offline_maps(Console(stderr=True))
    position = _position(near) if near else None
    found = asyncio.run(maps.search(query, near=position, country_code=country.upper(), limit=limit))
    return _print(found, as_json=as_json, nothing=f"no place is called {query!r}")


def reverse(lat: float, lon: float, *, limit: int, as_json: bool) -> int:
    """Print what is at a position; exit code 3 when nothing is known there."""
    maps = offline_maps(Console(stderr=True))
    found = asyncio.run(maps.reverse(_checked(lat, lon), limit=limit))
    return _print(found, as_json=as_json, nothing=f"nothing is known at {lat}, {lon}")


def render(lat: float, lon: float, output: Path, *, zoom: float, size: str, markers: Sequence[str]) -> int:
    """Write a map picture."""
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (64 <= width <= 2048 and 64 <= height <= 2048):
        raise UserError(f"--size is {size!r}; give WIDTHxHEIGHT, 64 to 2048 pixels each, such as 500x500")
    pins = [_position(marker) for marker in markers]
    maps = offline_maps(Console(stderr=True))
    picture = asyncio.run(
        maps.road_map(_checked(lat, lon), zoom=zoom, width=width, height=height, markers=pins)
    )
    try:
        with atomic_path(output) as temporary:
            temporary.write_bytes(picture.png)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}") from error
    Console(stderr=True, highlight=False).print(f"{escape(str(output))}  [dim]{picture.attribution}[/]")
    return OK


def list_regions(*, as_json: bool) -> int:
    """Print the world index and the regions with their area and size."""
    from wheretaken.maps.offline import region  # noqa: PLC0415 - only this command lists regions

    offline_maps(Console(stderr=True))
    found = region.regions()
    if as_json:
        _json([info.model_dump(mode="json") for info in found])
        return OK
    table = Table("name", "area (south, west, north, east)", "places", "date", "MB", box=None)
    for info in found:
        area = ", ".join(f"{side:.3f}" for side in info.bounds)
        table.add_row(info.name, area, str(info.things), info.source_date, f"{info.size_bytes / 1e6:.1f}")
    Console().print(table)
    return OK


def _print(places: Sequence[Place], *, as_json: bool, nothing: str) -> int:
    if as_json:
        _json([place_data(place) for place in places])
    elif places:
        table = Table("place", "kind", "where", "position", "match", box=None)
        for place in places:
            name = f"{place.name} ({place.english})" if place.english else place.name
            where = ", ".join(
                part for part in (place.address, place.city, place.admin1, place.country) if part
            )
            match = f"{place.match.kind} “{place.match.alias}”" if place.match else _km(place)
            table.add_row(*map(escape, (name, place.kind, where)), f"{place.lat:.5f}, {place.lon:.5f}", match)
        Console().print(table)
    else:
        Console(stderr=True, highlight=False).print(f"wheretaken: {escape(nothing)}")
    return OK if places else NO_ANSWER


def _km(place: Place) -> str:
    return "" if place.distance_km is None else f"{place.distance_km:.2f} km away"


def _json(data: Any) -> None:
    sys.stdout.write(json.dumps(data, ensure_ascii=False) + "\n")


def _position(text: str) -> LatLon:
    try:
        return LatLon.parse(text)
    except ValueError as error:
        raise UserError(f"{text!r} is no position: {error}") from error


def _checked(lat: float, lon: float) -> LatLon:
    try:
        return LatLon(lat, lon)
    except ValueError as error:
        raise UserError(str(error)) from error
