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
from wheretaken.cli import cache_app, data_app, eval_app, maps_app, models_app, train_app
from wheretaken.cli.choices import ServedTools
from wheretaken.cli.options import (
    AsJson,
    BaseUrl,
    DirectRuns,
    FirstSeed,
    MaxTurns,
    ModelName,
    Quiet,
    Runs,
    StopEarly,
    ToolsetName,
    VerifierName,
)
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
app.add_typer(maps_app.app, name="maps")
app.add_typer(eval_app.app, name="eval")
app.add_typer(data_app.app, name="data")
app.add_typer(train_app.app, name="train")
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
    model: ModelName = "reader",
    base_url: BaseUrl = "",
    toolset: ToolsetName = "worldwide",
    tools_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Describe the tools as this verl tool-config does."),
    ] = None,
    n: Runs = 1,
    direct: DirectRuns = 0,
    verifier: VerifierName = "vote",
    early_stop: StopEarly = False,
    stream: Annotated[bool, typer.Option("--stream", help="Show what the model is writing.")] = False,
    seed: FirstSeed = 0,
    hint: Annotated[
        str, typer.Option(metavar="TEXT", help="What you know already, such as `it is in Portugal`.")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Keep trajectories, pictures and maps here.", metavar="DIR")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per photo on stdout.")] = False,
    max_turns: MaxTurns = 8,
    max_tokens: Annotated[int | None, typer.Option(metavar="N", min=1, help="Tokens of a run.")] = None,
    max_seconds: Annotated[float | None, typer.Option(metavar="S", min=1, help="Seconds of a run.")] = None,
    max_money: Annotated[
        float | None, typer.Option(metavar="USD", min=0, help="US dollars of a run.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Find where photos were taken.

    Progress goes to stderr, answers to stdout. Exit code 3 when a photo has no answer. Options may also be
    set in the table `[locate]` of wheretaken.toml, and as WHERETAKEN_LOCATE_MODEL and so on.
    """
    from wheretaken.cli import locating  # noqa: PLC0415 - see the package's docstring

    options = locating.Options(
        out,
        as_json=as_json,
        max_turns=max_turns,
        quiet=quiet,
        model=model,
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


@app.command()
def doctor(
    as_json: AsJson = False,
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
