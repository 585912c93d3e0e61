"""The commands of `wheretaken cache`: look at what tools have answered, move it, and remove it."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - typer reads the annotations when it runs
from typing import Annotated

import typer

from wheretaken.cli.choices import CacheFormat
from wheretaken.cli.options import AsJson

app = typer.Typer(help="The tool server's cache: look at it, move it, make it smaller.", no_args_is_help=True)

CacheOption = Annotated[
    str,
    typer.Option(
        "--cache",
        metavar="WHERE",
        help="sqlite:PATH or redis://HOST:PORT/DATABASE; without it, the server's usual file.",
    ),
]
ProviderOption = Annotated[str, typer.Option(metavar="NAME", help="Only answers of this provider.")]
ToolOption = Annotated[str, typer.Option(metavar="NAME", help="Only answers of this tool.")]


@app.command("stats")
def stats(cache: CacheOption = "", as_json: AsJson = False) -> None:
    """Tell how many answers are kept, how large they are, and how often they were asked for."""
    from wheretaken.cli import caching  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(caching.stats(cache, as_json=as_json))


@app.command("export")
def export(
    output: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write; - is stdout.")],
    cache: CacheOption = "",
    format_: Annotated[
        CacheFormat,
        typer.Option("--format", help="`jsonl` has everything; `flat` and `grouped` are the published JSON."),
    ] = CacheFormat.JSONL,
) -> None:
    """Write all answers that may still be used to a file."""
    from wheretaken.cli import caching  # noqa: PLC0415 - as above

    raise typer.Exit(caching.export(output, cache, format_))


@app.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="JSONL of `export`, or published warm-start JSON.")
    ],
    cache: CacheOption = "",
) -> None:
    """Put answers from files into the cache; where it has a newer one, that one stays."""
    from wheretaken.cli import caching  # noqa: PLC0415 - as above

    raise typer.Exit(caching.import_(files, cache))


@app.command("merge")
def merge(
    sources: Annotated[
        list[str], typer.Argument(metavar="CACHE...", help="Other caches: sqlite:PATH or redis://...")
    ],
    cache: CacheOption = "",
) -> None:
    """Put the answers of other caches into this one; the newest of two answers stays."""
    from wheretaken.cli import caching  # noqa: PLC0415 - as above

    raise typer.Exit(caching.merge(sources, cache))


@app.command("prune")
def prune(
    cache: CacheOption = "",
    older_than: Annotated[str, typer.Option(metavar="AGE", help="Remove what is older: 12h, 30d, 8w.")] = "",
    max_size: Annotated[
        str, typer.Option(metavar="SIZE", help="Remove the oldest until no more is left: 500MB, 2GB.")
    ] = "",
    provider: ProviderOption = "",
    tool: ToolOption = "",
) -> None:
    """Remove answers that have expired, are too old, too many, or of one provider or tool."""
    from wheretaken.cli import caching  # noqa: PLC0415 - as above

    options = caching.PruneOptions(older_than, max_size, provider, tool)
    raise typer.Exit(caching.prune(cache, options))


@app.command("clear")
def clear(
    cache: CacheOption = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Remove all answers."""
    from wheretaken.cli import caching  # noqa: PLC0415 - as above

    raise typer.Exit(caching.clear(cache, yes=yes))
