"""The commands of `wheretaken models`: which models there are, and what a server can do."""

from __future__ import annotations

from typing import Annotated

import typer

from wheretaken.cli.options import AsJson

app = typer.Typer(help="List models, and find out what a model's server can do.", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List the models of the settings file and the presets, with address and whether they have a key."""
    from wheretaken.cli import modelling  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(modelling.list_models(as_json=as_json))


@app.command("check")
def check(
    model: Annotated[
        str,
        typer.Option(metavar="NAME", help="As for `locate`, such as vllm or openai:NAME."),
    ],
    base_url: Annotated[
        str, typer.Option(metavar="URL", help="The server's API, up to /v1, if it is not the usual one.")
    ] = "",
    deadline: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, max=600, help="Time for each of about ten requests.")
    ] = 60,
    as_json: AsJson = False,
) -> None:
    """Ask a server for a reply, a picture's content, a tool call, a stream, and tell what works.

    Prints settings that fit. Exit code 3 when photos cannot be located with it, 4 when it cannot be reached.
    """
    from wheretaken.cli import modelling  # noqa: PLC0415 - as above

    raise typer.Exit(modelling.check(model, base_url=base_url, deadline=deadline, as_json=as_json))
