"""The commands of `wheretaken maps`: search, look at and extend the offline maps."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated

import typer

from wheretaken.cli.options import AsJson

app = typer.Typer(help="Search, look at and extend the offline maps.", no_args_is_help=True)

RadiusKm = Annotated[
    float | None,
    typer.Option("--radius-km", metavar="KM", min=0.01, max=20_000, help="Only so far from --near."),
]


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="A name, an address or a text from a sign.")],
    near: Annotated[str | None, typer.Option(metavar="LAT,LON", help="Prefer places near here.")] = None,
    radius_km: RadiusKm = None,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Only this kind, such as cafe, 'tram stop', street or city.")
    ] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="Only this country, such as FI.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="How many results, 1 to 100.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Find places by name in the world index and all street regions."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(
        mapping.search(
            query,
            near=near,
            radius_km=radius_km,
            kind=kind,
            country=country,
            limit=limit,
            as_json=as_json,
        )
    )


@app.command("combine")
def combine(
    wanted: Annotated[list[str], typer.Argument(help="Two to eight names or kinds, each in quotes.")],
    within_m: Annotated[
        float, typer.Option(metavar="M", min=10, max=2000, help="How close together, in metres.")
    ] = 150,
    near: Annotated[str | None, typer.Option(metavar="LAT,LON", help="Prefer what is near here.")] = None,
    radius_km: RadiusKm = None,
    country: Annotated[str, typer.Option(metavar="CODE", help="Only this country, such as FI.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How many results, 1 to 20.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Find where several things are close together, such as a Lidl, a tram stop and a church."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(
        mapping.combine(
            wanted,
            within_m=within_m,
            near=near,
            radius_km=radius_km,
            country=country,
            limit=limit,
            as_json=as_json,
        )
    )


# Southern and western coordinates begin with a minus sign, which must not be taken for an option.
_NEGATIVE_NUMBERS = {"ignore_unknown_options": True}


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        wrong = "there is no such option" if text.startswith("-") else "it is not a number"
        raise typer.BadParameter(f"{text!r}: {wrong}") from None


Latitude = Annotated[float, typer.Argument(parser=_degrees, metavar="LAT", help="Latitude, WGS-84 degrees.")]
Longitude = Annotated[
    float, typer.Argument(parser=_degrees, metavar="LON", help="Longitude, WGS-84 degrees.")
]


@app.command("reverse", context_settings=_NEGATIVE_NUMBERS)
def reverse(
    lat: Latitude,
    lon: Longitude,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How many results, 1 to 20.")] = 5,
    as_json: AsJson = False,
) -> None:
    """Tell what is at a position."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(mapping.reverse(lat, lon, limit=limit, as_json=as_json))


@app.command("render", context_settings=_NEGATIVE_NUMBERS)
def render(
    lat: Latitude,
    lon: Longitude,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE.png", help="Where to write; - is stdout.")
    ],
    zoom: Annotated[
        float, typer.Option(metavar="Z", min=0, max=19, help="0 to 19: 4 a continent, 10 a city, 16 streets.")
    ] = 15,
    size: Annotated[str, typer.Option(metavar="WxH", help="Pixels, 64 to 2048 each way.")] = "500x500",
    marker: Annotated[
        list[str] | None, typer.Option(metavar="LAT,LON", help="A numbered marker; may be repeated.")
    ] = None,
    language: Annotated[
        str, typer.Option(metavar="CODE", help="Language of the labels, such as en; local names without it.")
    ] = "",
) -> None:
    """Draw a map picture around a position."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(
        mapping.render(lat, lon, output, zoom=zoom, size=size, markers=marker or [], language=language)
    )


@app.command("tiles", context_settings=_NEGATIVE_NUMBERS)
def tiles(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Write all tiles into a .pmtiles or .mbtiles file instead."
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(metavar="S,W,N,E", help="What to write, degrees; without it, all regions."),
    ] = None,
    max_zoom: Annotated[
        int, typer.Option(metavar="Z", min=0, max=16, help="The closest tiles to write.")
    ] = 16,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8002,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A web page's origin that may read the tiles; may be repeated."),
    ] = None,
) -> None:
    """Serve vector tiles of the loaded regions to browsers on this machine, until Ctrl-C; or write them."""
    from wheretaken.cli import tiling  # noqa: PLC0415 - see the package's docstring

    if output is not None:
        raise typer.Exit(tiling.export(output, area=area, max_zoom=max_zoom))
    raise typer.Exit(tiling.serve(port=port, origins=allow_origin or []))


@app.command("add")
def add(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="An OpenStreetMap extract: .osm.pbf, .osm, .osm.gz or .osm.bz2."),
    ] = None,
    name: Annotated[str, typer.Option(metavar="NAME", help="What to call it; else the file's name.")] = "",
    overture: Annotated[
        Path | None, typer.Option(metavar="FILE.parquet", help="Add Overture places (GeoParquet) instead.")
    ] = None,
    pmtiles: Annotated[
        Path | None, typer.Option(metavar="FILE.pmtiles", help="Add a basemap to draw below the regions.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Import even what takes many hours.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Add a city's or a country's streets to the offline maps, in place of a region of the same name."""
    from wheretaken.cli import adding  # noqa: PLC0415 - see the package's docstring

    sources = adding.Sources(extract=file, overture=overture, pmtiles=pmtiles)
    raise typer.Exit(adding.add(sources, name=name, force=force, quiet=quiet))


@app.command("remove")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `maps list` shows it.")],
) -> None:
    """Delete a region or a basemap that was added."""
    from wheretaken.cli import adding  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(adding.remove(name))


@app.command("list")
def list_(
    as_json: AsJson = False,
) -> None:
    """List the world index and the street regions on this machine."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(mapping.list_regions(as_json=as_json))
