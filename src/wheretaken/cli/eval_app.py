"""The commands of `wheretaken eval`: measure answers, vote, compare, run and report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wheretaken.cli.choices import Reading, ReportFormat
from wheretaken.cli.options import (
    AsJson,
    BaseUrl,
    DatumName,
    DirectRuns,
    FirstSeed,
    Images,
    MaxTurns,
    ModelName,
    Quiet,
    Runs,
    StopEarly,
    ToolsetName,
    VerifierName,
)

app = typer.Typer(help="Measure answers: score, compare, vote, run a data set, report.", no_args_is_help=True)

Files = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", help="Result lines, verl dumps, trajectories, or directories of runs."),
]
ReadingOption = Annotated[
    Reading, typer.Option(help="`tolerant` reads what a person would; `strict` is the published metric.")
]
Data = Annotated[
    Path | None, typer.Option(metavar="PATH", help="The data set: gives truth, and every photo counts.")
]
Seed = Annotated[int, typer.Option(metavar="N", help="Seed of the resampling.")]


@app.command("score")
def score(
    files: Files,
    reading: ReadingOption = Reading.TOLERANT,
    thresholds: Annotated[
        str,
        typer.Option(metavar="KM,KM,...", help="Other distances than the six, such as 1,25,200,750,2500."),
    ] = "",
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Score files of answers: Acc at six distances with 95 % intervals, reward, median, GeoScore."""
    from wheretaken.cli import scoring  # noqa: PLC0415 - see the package's docstring

    raise typer.Exit(scoring.score(files, reading=reading, thresholds=thresholds, data=data, as_json=as_json))


@app.command("split")
def split(
    files: Files,
    at: Annotated[
        str, typer.Option(metavar="DISTANCE", help="Near enough to be right: 500m, 10km.")
    ] = "10km",
    agree: Annotated[
        int, typer.Option(metavar="N", min=1, help="So many runs must be right for a photo to be easy.")
    ] = 2,
    reading: ReadingOption = Reading.TOLERANT,
    as_json: AsJson = False,
) -> None:
    """Split a data set into easy and hard by how many runs are right, and score each run on both."""
    from wheretaken.cli import scoring  # noqa: PLC0415 - as above

    raise typer.Exit(scoring.split(files, at=at, agree=agree, reading=reading, as_json=as_json))


@app.command("compare")
def compare(
    a: Annotated[Path, typer.Argument(metavar="A", help="A file or directory, as for `score`.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another one over the same photos.")],
    reading: ReadingOption = Reading.TOLERANT,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Tell whether B is better than A: paired bootstrap at every distance, and where they differ most."""
    from wheretaken.cli import scoring  # noqa: PLC0415 - as above

    raise typer.Exit(scoring.compare(a, b, reading=reading, seed=seed, as_json=as_json))


@app.command("vote")
def vote(
    files: Files,
    weights: Annotated[
        str,
        typer.Option(metavar="none|crossfit|FILE", help="How much each file's answers count."),
    ] = "none",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="OUT.jsonl", help="Keep the answers here.")
    ] = None,
    reading: ReadingOption = Reading.TOLERANT,
    as_json: AsJson = False,
) -> None:
    """Make one answer out of several runs per photo, and score it beside the single runs."""
    from wheretaken.cli import voting  # noqa: PLC0415 - as above

    raise typer.Exit(voting.vote(files, weights=weights, output=output, reading=reading, as_json=as_json))


@app.command("run")
def run(
    data: Annotated[Path, typer.Option(metavar="PATH", help="The data set; see `wheretaken data info`.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Keep results, trajectories and pictures here.")],
    model: ModelName = "reader",
    base_url: BaseUrl = "",
    toolset: ToolsetName = "worldwide",
    n: Runs = 1,
    direct: DirectRuns = 0,
    verifier: VerifierName = "vote",
    early_stop: StopEarly = False,
    concurrency: Annotated[int, typer.Option(metavar="C", min=1, help="Runs at the same time.")] = 4,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the first N photos of the set.")
    ] = None,
    max_turns: MaxTurns = 8,
    seed: FirstSeed = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what is in DIR.")] = False,
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="With --resume: do runs again whose model or service failed."),
    ] = False,
    images: Images = None,
    datum: DatumName = "",
    quiet: Quiet = False,
) -> None:
    """Run a model over a data set; after any interruption `--resume` goes on where it stopped."""
    from wheretaken.cli import running  # noqa: PLC0415 - as above

    options = running.Options(
        data=data, out=out, model=model, base_url=base_url, toolset=toolset, n=n, direct=direct,
        verifier=verifier, early_stop=early_stop, concurrency=concurrency, limit=limit, max_turns=max_turns,
        seed=seed, resume=resume, retry_failed=retry_failed, images=images, datum=datum, quiet=quiet,
    )  # fmt: skip
    raise typer.Exit(running.run(options))


@app.command("report")
def report(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Directories of `eval run`, or files as for `score`."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write; - is stdout.")
    ] = Path("report.html"),
    format_: Annotated[
        ReportFormat, typer.Option("--format", help="One page, or Markdown.")
    ] = ReportFormat.HTML,
    reading: ReadingOption = Reading.TOLERANT,
    data: Data = None,
) -> None:
    """Write one page about one or several runs: intervals, curves, maps, calibration, worst cases."""
    from wheretaken.cli import reporting  # noqa: PLC0415 - as above

    raise typer.Exit(reporting.report(directories, output, format_=format_, reading=reading, data=data))
