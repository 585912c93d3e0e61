"""The commands of `wheretaken data`: look at data sets, prepare and download them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wheretaken.cli.choices import Purpose, Source
from wheretaken.cli.options import AsJson, Columns, DatumName, Images

app = typer.Typer(
    help="Data sets: look at them, prepare them for training, download them.", no_args_is_help=True
)

SetPath = Annotated[
    str,
    typer.Argument(metavar="PATH", help="A table, a folder of photos, or a Hugging Face id: hf:OWNER/NAME."),
]


@app.command("info")
def info(
    path: SetPath,
    images: Images = None,
    columns: Columns = None,
    datum: DatumName = "",
    against: Annotated[
        str, typer.Option(metavar="PATH", help="Another set, such as the test set, to look for leaks in.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Tell what is in a data set: format, photos, countries, missing and broken photos, duplicates, leaks."""
    from wheretaken.cli import datasets  # noqa: PLC0415 - see the package's docstring

    options = datasets.SetOptions(images=images, columns=columns or [], datum=datum)
    raise typer.Exit(datasets.info(path, options, against=against, as_json=as_json))


@app.command("prepare")
def prepare(
    path: SetPath,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="OUT.parquet", help="Where to write.")],
    purpose: Annotated[Purpose, typer.Option("--for", help="Who will read it.")] = Purpose.TABLE,
    images: Images = None,
    columns: Columns = None,
    datum: DatumName = "",
    against: Annotated[str, typer.Option(metavar="PATH", help="Leave out what is also in this set.")] = "",
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="Only the first N photos.")] = None,
) -> None:
    """Write a data set as one Parquet file with its pictures, checked and stripped of metadata."""
    from wheretaken.cli import datasets  # noqa: PLC0415 - as above

    options = datasets.SetOptions(images=images, columns=columns or [], datum=datum)
    raise typer.Exit(datasets.prepare(path, output, options, purpose=purpose, against=against, limit=limit))


@app.command("download")
def download(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="mapbench-v1, mapbench-v2, imageo or im2gps3k.")
    ],
    source: Annotated[Source | None, typer.Option("--from", help="Where from.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to put it; data/NAME if not given."),
    ] = None,
) -> None:
    """Download a published data set; an interrupted download is resumed, and every file is checked."""
    from wheretaken.cli import downloading  # noqa: PLC0415 - as above

    raise typer.Exit(downloading.download(name, source, output or Path("data", name)))
