"""Options that several commands take, each declared once; and what they say of the runs of a photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="JSON on stdout.")]
Images = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where the photos are, when not beside the table.")
]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column", metavar="FIELD=NAME", help="Which column is image, lat, lon, city, ...; repeatable."
    ),
]
DatumName = Annotated[
    str, typer.Option("--datum", metavar="NAME", help="Of the table's positions: WGS-84, GCJ-02 or BD-09.")
]

ModelName = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Who looks: `reader`, the embedded model, or one that `models list` names."
    ),
]
BaseUrl = Annotated[
    str, typer.Option(metavar="URL", help="The model server's API, up to /v1, if not the usual.")
]
ToolsetName = Annotated[
    str, typer.Option(metavar="NAME", help="worldwide, amap, google, or direct: no tools.")
]
Runs = Annotated[int, typer.Option("-n", metavar="N", min=0, max=64, help="Runs with tools per photo.")]
DirectRuns = Annotated[
    int, typer.Option("--direct", metavar="N", min=0, max=64, help="Further runs without tools.")
]
VerifierName = Annotated[
    str, typer.Option(metavar="NAME", help="Who decides: vote, model (that of the runs), or model:NAME.")
]
StopEarly = Annotated[
    bool, typer.Option("--early-stop", help="End the other runs of a photo when enough agree.")
]
MaxTurns = Annotated[int, typer.Option(metavar="N", min=1, max=100, help="Model turns of a run, 1 to 100.")]
FirstSeed = Annotated[int, typer.Option(metavar="N", help="Of the first run; the others count up.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, only the result.")]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """What the user asked of the runs of each photo."""

    model: str = "reader"
    base_url: str = ""
    toolset: str = "worldwide"
    n: int = 1
    direct: int = 0
    verifier: str = "vote"
    early_stop: bool = False
    max_turns: int = 8
    seed: int = 0
    quiet: bool = False
