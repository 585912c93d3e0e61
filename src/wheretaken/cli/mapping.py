"""`wheretaken maps ...`: the offline maps on their own."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from wheretaken.cli import consoles
from wheretaken.cli.main import NO_ANSWER, OK
from wheretaken.cli.offline import offline_maps
from wheretaken.errors import DataError, ToolError, UserError
from wheretaken.geo import LatLon
from wheretaken.paths import atomic_path
from wheretaken.tools.worldwide import combination_data, place_data

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheretaken.maps import Member, Place
    from wheretaken.maps.offline.region import RegionInfo

STDOUT = "-"


def search(
    query: str,
    *,
    near: str | None,
    radius_km: float | None,
    kind: str,
    country: str,
    limit: int,
    as_json: bool,
) -> int:
    """Print places by name; exit code 3 when there are none."""
    if not query.strip() and not country and not kind.strip():
        raise UserError(
            "there is nothing to search for; give a name or a --kind, or --country to list its largest cities"
        )
    position = _middle(near, radius_km, country)
    maps = offline_maps(consoles.notices())
    found = asyncio.run(
        maps.search(
            query,
            near=position,
            radius_km=radius_km,
            kind=kind,
            country_code=country.upper(),
            limit=limit,
        )
    )
    return _print(found, as_json=as_json, nothing=f"no place is called {query or kind!r}")


def combine(
    wanted: Sequence[str],
    *,
    within_m: float,
    near: str | None,
    radius_km: float | None,
    country: str,
    limit: int,
    as_json: bool,
) -> int:
    """Print where several things are close together; exit code 3 when they are nowhere."""
    position = _middle(near, radius_km, country)
    maps = offline_maps(consoles.notices())
    asked = maps.combination(
        wanted,
        within_m=within_m,
        near=position,
        radius_km=radius_km,
        country_code=country.upper(),
        limit=limit,
    )
    try:
        found = asyncio.run(asked)
    except ToolError as error:
        raise UserError(str(error)) from error
    if as_json:
        consoles.write_json([combination_data(one) for one in found])
    elif found:
        table = consoles.table("has", "centre", "spread", "what is there")
        for one in found:
            there = "; ".join(_member(member) for member in one.members)
            where = f"{one.lat:.5f}, {one.lon:.5f}"
            has = f"{one.matched} of {len(one.members)}"
            table.add_row(has, where, f"{one.spread_m:.0f} m", escape(there))
        consoles.results().print(table)
    else:
        consoles.notices().print("wheretaken: no two of these are close together", markup=False)
    return OK if found else NO_ANSWER


def _member(member: Member) -> str:
    if member.place is None:
        return f"no {member.wanted}"
    return f"{member.wanted}: {member.place.name} ({member.distance_m:.0f} m)"


def _middle(near: str | None, radius_km: float | None, country: str) -> LatLon | None:
    """Return the position to look around, after checking what is asked with it."""
    if country and not re.fullmatch("[A-Za-z]{2}", country):
        raise UserError(f"--country is {country!r}; give two letters (ISO 3166-1), such as FI")
    if radius_km is not None and not near:
        raise UserError("--radius-km is around a position; give --near LAT,LON as well")
    return _position(near) if near else None


def reverse(lat: float, lon: float, *, limit: int, as_json: bool) -> int:
    """Print what is at a position; exit code 3 when nothing is known there."""
    position = _checked(lat, lon)
    maps = offline_maps(consoles.notices())
    found = asyncio.run(maps.reverse(position, limit=limit))
    return _print(found, as_json=as_json, nothing=f"nothing is known at {lat}, {lon}")


def render(
    lat: float, lon: float, output: Path, *, zoom: float, size: str, markers: Sequence[str], language: str
) -> int:
    """Write a map picture."""
    match = re.fullmatch(r"(\d{2,4})x(\d{2,4})", size)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if not (64 <= width <= 2048 and 64 <= height <= 2048):
        raise UserError(f"--size is {size!r}; give WIDTHxHEIGHT, 64 to 2048 pixels each, such as 500x500")
    if str(output) != STDOUT and output.suffix.lower() != ".png":
        raise UserError(f"the picture is a PNG file; give -o a name such as {output.stem or 'map'}.png, or -")
    centre, pins = _checked(lat, lon), [_position(marker) for marker in markers]
    maps = offline_maps(consoles.notices())
    picture = asyncio.run(
        maps.road_map(centre, zoom=zoom, width=width, height=height, markers=pins, language=language)
    )
    _write(picture.png, output)
    consoles.notices().print(f"{escape(str(output))}  [dim]{escape(picture.attribution)}[/]", soft_wrap=True)
    return OK


def _write(png: bytes, output: Path) -> None:
    if str(output) == STDOUT:
        sys.stdout.buffer.write(png)
        return
    try:
        with atomic_path(output) as temporary:
            temporary.write_bytes(png)
    except OSError as error:
        raise UserError(f"cannot write {output}: {error.strerror}") from error


def list_regions(*, as_json: bool) -> int:
    """Print the world index and the regions with their area and size."""
    from wheretaken.maps.offline import region, world  # noqa: PLC0415 - only this command lists them

    offline_maps(consoles.notices())
    index = world.ensure()
    rows: list[dict[str, Any]] = [
        {"name": "World", "kind": "places", "bounds": [-90.0, -180.0, 90.0, 180.0], "path": str(index)}
    ]
    damaged: list[str] = []
    for info in _readable(damaged):
        bounds = [info.south, info.west, info.north, info.east]
        about = {"things": info.things, "date": info.source_date, "source": info.attribution}
        rows.append({"name": info.name, "kind": "streets", "bounds": bounds, "path": str(info.path)} | about)
    for basemap in region.basemaps():
        bounds = [basemap.south, basemap.west, basemap.north, basemap.east]
        about = {"zoom": [basemap.min_zoom, basemap.max_zoom], "source": basemap.attribution}
        rows.append(
            {"name": basemap.name, "kind": "basemap", "bounds": bounds, "path": str(basemap.path)} | about
        )
    for row in rows:
        row["bytes"] = Path(row["path"]).stat().st_size
    for complaint in damaged:
        consoles.note(complaint)
    if as_json:
        consoles.write_json(rows)
        return OK
    table = consoles.table("name", "holds", "south, west, north, east", "searchable", "as of", "MB")
    for row in rows:
        area = ", ".join(f"{side:.3f}" for side in row["bounds"])
        cells = row["name"], row["kind"], area, str(row.get("things", "")), row.get("date", "")
        table.add_row(*map(escape, cells), f"{row['bytes'] / 1e6:.1f}")
    consoles.results().print(table)
    return OK


def _readable(complaints: list[str]) -> Iterator[RegionInfo]:
    """Yield the regions; what cannot be read is added to the complaints, and hides no other."""
    from wheretaken.maps.offline import region  # noqa: PLC0415 - as above

    for path in (region.builtin(), *region.own_files()):
        try:
            yield region.read_info(path)
        except DataError as error:
            complaints.append(str(error))


def _print(places: Sequence[Place], *, as_json: bool, nothing: str) -> int:
    if as_json:
        consoles.write_json([place_data(place) for place in places])
    elif places:
        table = consoles.table("place", "kind", "where", "position", "match")
        for place in places:
            name = f"{place.name} ({place.english})" if place.english else place.name
            where = ", ".join(
                part for part in (place.address, place.city, place.admin1, place.country) if part
            )
            match = f"{place.match.kind} “{place.match.alias}”" if place.match else _km(place)
            table.add_row(*map(escape, (name, place.kind, where)), f"{place.lat:.5f}, {place.lon:.5f}", match)
        consoles.results().print(table)
        sources = sorted({place.source for place in places if place.source})
        consoles.notices().print(f"[dim]{escape('; '.join(sources))}[/]")
    else:
        consoles.notices().print(f"wheretaken: {nothing}", markup=False)
    return OK if places else NO_ANSWER


def _km(place: Place) -> str:
    return "" if place.distance_km is None else f"{place.distance_km:.2f} km away"


def _position(text: str) -> LatLon:
    try:
        return LatLon.parse(text)
    except ValueError as error:
        raise UserError(str(error)) from error


def _checked(lat: float, lon: float) -> LatLon:
    try:
        return LatLon(lat, lon)
    except ValueError as error:
        raise UserError(str(error)) from error
