"""Commands, options and exit codes.

Exit codes: 0 all is well, 2 bad usage or unreadable input, 3 a photo has no answer, 4 a service failed; as
shells count them, 130 stopped by Ctrl-C and 141 nobody reads the output any more.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from wheretaken import __version__
from wheretaken.cli import cache_app, data_app, eval_app, models_app
from wheretaken.cli.choices import ServedTools
from wheretaken.errors import ModelError, ServiceError, UserError

OK, USAGE, NO_ANSWER, SERVICE, STOPPED, UNHEARD = 0, 2, 3, 4, 130, 141


class _Commands(TyperGroup):
    """The commands, with one line and an exit code for what is no bug."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()  # or a closed pipe would show only when the interpreter ends
        except UserError as error:
            raise _exit(error, USAGE) from None
        except (ServiceError, ModelError) as error:
            raise _exit(error, SERVICE) from None
        except KeyboardInterrupt:
            raise _exit("stopped", STOPPED) from None
        except BrokenPipeError:
            # What is still in the buffer has to go somewhere when the interpreter ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(UNHEARD) from None
        return result


def _exit(reason: object, code: int) -> typer.Exit:
    from wheretaken.cli.consoles import plain  # noqa: PLC0415 - only where something went wrong

    typer.echo(plain(f"wheretaken: {reason}"), err=True)
    return typer.Exit(code)


app = typer.Typer(
    name="wheretaken",
    cls=_Commands,
    help="Find where a photo was taken, and show why.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # half the time of `--help` is the loading of what would draw boxes around it
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
maps_app = typer.Typer(help="Search, look at and extend the offline maps.", no_args_is_help=True)
app.add_typer(maps_app, name="maps")
app.add_typer(eval_app.app, name="eval")
app.add_typer(data_app.app, name="data")
app.add_typer(cache_app.app, name="cache")
app.add_typer(models_app.app, name="models")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"wheretaken {__version__}")
        raise typer.Exit


def _defaults(ctx: typer.Context) -> None:
    """Take the defaults of `locate` from the settings file; the command line and the environment go before.

    Raises:
        UserError: The file is no TOML, or names an option that there is not.
    """
    if ctx.invoked_subcommand != "locate":
        return
    from wheretaken.settings import section, settings_file  # noqa: PLC0415 - loads pydantic

    table = {name.replace("-", "_"): value for name, value in section("locate").items()}
    group = ctx.command
    assert isinstance(group, TyperGroup)
    known = {str(one.name) for one in group.commands["locate"].params} - {"photos"}
    known = known - {"as_json"} | {"json"}
    for name in table.keys() - known:
        there = ", ".join(sorted(known))
        raise UserError(f"{settings_file()}: locate.{name} is no option of locate; there are: {there}")
    if "json" in table:
        table["as_json"] = table.pop("json")
    ctx.default_map = {"locate": table}


@app.callback()
def _root(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
    _defaults(ctx)


@app.command(context_settings={"auto_envvar_prefix": "WHERETAKEN_LOCATE"})
def locate(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="JPEG, PNG, WebP, TIFF, HEIC, AVIF or GIF.")
    ],
    model: Annotated[
        str,
        typer.Option(
            metavar="NAME", help="Who looks: `reader`, the embedded model, or one that `models list` names."
        ),
    ] = "reader",
    base_url: Annotated[
        str,
        typer.Option(metavar="URL", help="The model server's API, up to /v1, if not the usual."),
    ] = "",
    toolset: Annotated[
        str, typer.Option(metavar="NAME", help="worldwide, amap, google, or direct: no tools.")
    ] = "worldwide",
    tools_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Describe the tools as this verl tool-config does."),
    ] = None,
    n: Annotated[int, typer.Option("-n", metavar="N", min=0, max=64, help="Runs with tools.")] = 1,
    direct: Annotated[int, typer.Option(metavar="N", min=0, max=64, help="Further runs without tools.")] = 0,
    verifier: Annotated[
        str,
        typer.Option(metavar="NAME", help="Who decides: vote, model (that of the runs), or model:NAME."),
    ] = "vote",
    early_stop: Annotated[
        bool, typer.Option("--early-stop", help="End the other runs when enough agree.")
    ] = False,
    stream: Annotated[bool, typer.Option("--stream", help="Show what the model is writing.")] = False,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the first run; the others count up.")] = 0,
    hint: Annotated[
        str, typer.Option(metavar="TEXT", help="What you know already, such as `it is in Portugal`.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Keep trajectories, pictures and maps here.", metavar="DIR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per photo on stdout.")] = False,
    max_turns: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Model turns of a run, 1 to 100.")
    ] = 8,
    max_tokens: Annotated[int | None, typer.Option(metavar="N", min=1, help="Tokens of a run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(metavar="S", min=1, help="Seconds of a run.")] = None,
    max_money: Annotated[
        float | None, typer.Option(metavar="USD", min=0, help="US dollars of a run.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the answer.")] = False,
) -> None:
    """Find where photos were taken.

    Progress goes to stderr, answers to stdout. Exit code 3 when a photo has no answer. Options may also be
    set in the table `[locate]` of wheretaken.toml, and as WHERETAKEN_LOCATE_MODEL and so on.
    """
    from wheretaken.cli import locating  # noqa: PLC0415 - see the package's docstring

    options = locating.Options(
        model,
        out,
        as_json=as_json,
        max_turns=max_turns,
        quiet=quiet,
        base_url=base_url,
        toolset=toolset,
        tools_config=tools_config,
        n=n,
        direct=direct,
        verifier=verifier,
        early_stop=early_stop,
        stream=stream,
        seed=seed,
        hint=hint,
        max_tokens=max_tokens,
        max_seconds=max_seconds,
        max_money=max_money,
    )
    raise typer.Exit(locating.locate(photos, options))


CacheStore = Annotated[
    str,
    typer.Option(
        metavar="STORE",
        help="`sqlite:PATH`, `redis://HOST:PORT/DB` or `memory`; else a file in the cache directory.",
    ),
]
ToolsetChoice = Annotated[
    ServedTools,
    typer.Option(
        metavar="NAME",
        help="worldwide, amap, google or all; amap and google have the paper's names and arguments.",
    ),
]
ToolsConfig = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.yaml", help="Offer these of the tools, described as in this verl tool-config."
    ),
]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address; beyond this machine, with a token only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8001,
    workers: Annotated[int, typer.Option(metavar="N", min=1, max=64, help="Processes, 1 to 64.")] = 1,
    cache: CacheStore = "",
    toolset: ToolsetChoice = ServedTools.WORLDWIDE,
    tools_config: ToolsConfig = None,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="WHERETAKEN_SERVER_TOKEN",
            metavar="TEXT",
            help="What every request must carry as a bearer token.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name by which clients may address it; may be repeated."),
    ] = None,
) -> None:
    """Serve the tools over HTTP, and over MCP at /mcp, with a cache, until Ctrl-C or SIGTERM.

    Which map services are asked is said by the settings file and the environment.
    """
    from pydantic import SecretStr  # noqa: PLC0415 - see the package's docstring

    from wheretaken.cli import serving  # noqa: PLC0415 - see the package's docstring
    from wheretaken.server.limits import Limits  # noqa: PLC0415 - as above
    from wheretaken.server.settings import ServerSettings  # noqa: PLC0415 - as above

    settings = ServerSettings(
        host=host,
        port=port,
        workers=workers,
        cache=cache,
        toolset=toolset.value,
        tools_config=tools_config,
        token=None if token is None else SecretStr(token),
        allow_hosts=tuple(allow_host or ()),
        limits=Limits.load(),
    )
    raise typer.Exit(serving.serve(settings))


@app.command()
def web(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(metavar="DIR...", help="Directories of runs to look at, of `eval run` or `locate`."),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A model to choose, as for `locate`; may be repeated. Else `reader`."
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Address; beyond this machine, with a token only.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes any free one.")] = 8080,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="WHERETAKEN_SERVER_TOKEN", metavar="TEXT", help="What users must sign in with, once."
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="A further name by which browsers may address it; may be repeated."
        ),
    ] = None,
    tiles: Annotated[
        str,
        typer.Option(
            metavar="URL", help="Map tiles that browsers load, with {z}, {x}, {y}; else the built-in world."
        ),
    ] = "",
    tiles_credit: Annotated[str, typer.Option(metavar="TEXT", help="Whose tiles these are.")] = "",
) -> None:
    """Locate photos in the browser, watch, and look at recorded runs, until Ctrl-C or SIGTERM.

    Photos and runs are kept in the data directory until they are deleted.
    """
    from pydantic import SecretStr  # noqa: PLC0415 - see the package's docstring

    from wheretaken.cli import browsing  # noqa: PLC0415 - see the package's docstring
    from wheretaken.web.settings import WebSettings  # noqa: PLC0415 - as above

    settings = WebSettings(
        host=host,
        port=port,
        token=None if token is None else SecretStr(token),
        allow_hosts=tuple(allow_host or ()),
        evaluations=tuple(runs or ()),
        tiles=tiles,
        tiles_attribution=tiles_credit,
    )
    raise typer.Exit(browsing.web(settings, model or ["reader"]))


@app.command()
def mcp(
    photo: Annotated[
        Path | None, typer.Argument(metavar="PHOTO", help="What the tools zoom into as picture 0.")
    ] = None,
    cache: CacheStore = "",
    toolset: ToolsetChoice = ServedTools.WORLDWIDE,
    tools_config: ToolsConfig = None,
) -> None:
    """Serve the tools to the MCP client that starts this command, on stdin and stdout.

    Which map services are asked is said by the settings file and the environment.
    """
    from wheretaken.cli import serving_mcp  # noqa: PLC0415 - see the package's docstring
    from wheretaken.server.limits import Limits  # noqa: PLC0415 - as above
    from wheretaken.server.settings import ServerSettings  # noqa: PLC0415 - as above

    settings = ServerSettings(
        cache=cache, toolset=toolset.value, tools_config=tools_config, limits=Limits.load()
    )
    raise typer.Exit(serving_mcp.serve(settings, photo))


RadiusKm = Annotated[
    float | None,
    typer.Option("--radius-km", metavar="KM", min=0.01, max=20_000, help="Only so far from --near."),
]


@maps_app.command("search")
def maps_search(
    query: Annotated[str, typer.Argument(help="A name, an address or a text from a sign.")],
    near: Annotated[str | None, typer.Option(metavar="LAT,LON", help="Prefer places near here.")] = None,
    radius_km: RadiusKm = None,
    kind: Annotated[
        str, typer.Option(metavar="KIND", help="Only this kind, such as cafe, 'tram stop', street or city.")
    ] = "",
    country: Annotated[str, typer.Option(metavar="CODE", help="Only this country, such as FI.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=100, help="How many results, 1 to 100.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
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


@maps_app.command("combine")
def maps_combine(
    wanted: Annotated[list[str], typer.Argument(help="Two to eight names or kinds, each in quotes.")],
    within_m: Annotated[
        float, typer.Option(metavar="M", min=10, max=2000, help="How close together, in metres.")
    ] = 150,
    near: Annotated[str | None, typer.Option(metavar="LAT,LON", help="Prefer what is near here.")] = None,
    radius_km: RadiusKm = None,
    country: Annotated[str, typer.Option(metavar="CODE", help="Only this country, such as FI.")] = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How many results, 1 to 20.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
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


@maps_app.command("reverse", context_settings=_NEGATIVE_NUMBERS)
def maps_reverse(
    lat: Latitude,
    lon: Longitude,
    limit: Annotated[int, typer.Option(metavar="N", min=1, max=20, help="How many results, 1 to 20.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Tell what is at a position."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(mapping.reverse(lat, lon, limit=limit, as_json=as_json))


@maps_app.command("render", context_settings=_NEGATIVE_NUMBERS)
def maps_render(
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


@maps_app.command("tiles", context_settings=_NEGATIVE_NUMBERS)
def maps_tiles(
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


@maps_app.command("add")
def maps_add(
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


@maps_app.command("remove")
def maps_remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As `maps list` shows it.")],
) -> None:
    """Delete a region or a basemap that was added."""
    from wheretaken.cli import adding  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(adding.remove(name))


@maps_app.command("list")
def maps_list(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """List the world index and the street regions on this machine."""
    from wheretaken.cli import mapping  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(mapping.list_regions(as_json=as_json))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout.")] = False,
) -> None:
    """Tell what is installed, what is missing for which feature, and the command that mends it."""
    from wheretaken.cli import checkup  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(checkup.doctor(as_json=as_json))


def run() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # Place names come in every script; a terminal that cannot show one gets its code, not a crash.
            stream.reconfigure(errors="backslashreplace")
    app()


if __name__ == "__main__":
    run()
