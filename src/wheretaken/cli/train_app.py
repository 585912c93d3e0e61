"""The commands of `wheretaken train`: make a training, run it with TRL or verl, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from wheretaken.cli.choices import Engine  # noqa: TC001 - typer reads annotations
from wheretaken.cli.options import Columns, DatumName, Images

app = typer.Typer(
    help="Train a model with the tools: export data, run TRL or verl, look at the curves.",
    no_args_is_help=True,
)

Config = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="A config.yaml of `train export`, or its directory.")
]


@app.command("export")
def export(
    data: Annotated[str, typer.Option(metavar="PATH", help="The data set; see `wheretaken data info`.")],
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write; a new directory.")
    ],
    engine: Annotated[Engine, typer.Option(help="Who trains: TRL on one machine, or verl on a cluster.")],
    toolset: Annotated[
        str, typer.Option(metavar="NAME", help="worldwide, amap, google, or direct: no tools.")
    ] = "worldwide",
    preset: Annotated[
        str,
        typer.Option(metavar="NAME", help="toy, single (usual for TRL), paper (usual for verl), released."),
    ] = "",
    model: Annotated[
        str, typer.Option(metavar="PATH", help="The weights: a directory or a hub name; else the preset's.")
    ] = "",
    tools_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE.yaml", help="Describe the tools as this verl tool-config does."),
    ] = None,
    server: Annotated[
        str,
        typer.Option(
            metavar="URL", help="A running `wheretaken serve`; else the tools run with the rollouts."
        ),
    ] = "",
    val: Annotated[
        str, typer.Option(metavar="PATH", help="Another data set to validate with, else a part of it.")
    ] = "",
    val_share: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=0.9, help="The part, by place; 0 for none.")
    ] = 0.05,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Train on no photo of this set, such as a test set; repeatable."),
    ] = None,
    pass_rates: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="Runs of a model over the set: choose by difficulty; repeatable."),
    ] = None,
    within: Annotated[
        str, typer.Option(metavar="DISTANCE", help="Near enough to be right, for --pass-rates: 500m, 10km.")
    ] = "10km",
    min_rate: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Least share of right runs.")
    ] = 0.05,
    max_rate: Annotated[
        float, typer.Option(metavar="SHARE", min=0, max=1, help="Largest share of right runs.")
    ] = 0.95,
    limit: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Train on the first N photos at most.")
    ] = None,
    images: Images = None,
    columns: Columns = None,
    datum: DatumName = "",
) -> None:
    """Make a directory for training out of a data set: rows, pictures, tools, prompt and settings."""
    from wheretaken.cli import datasets, training  # noqa: PLC0415 - see the package's docstring

    options = training.ExportOptions(
        data=data, engine=engine.value, toolset=toolset, preset=preset, model=model,
        tools_config=tools_config, server=server, val=val, val_share=val_share,
        against=against or [], pass_rates=pass_rates or [],
        within=within, least=min_rate, most=max_rate, limit=limit,
        reading=datasets.SetOptions(images=images, columns=columns or [], datum=datum),
    )  # fmt: skip
    raise typer.Exit(training.write(options, out))


@app.command("island")
def island(
    out: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write; a new directory.")
    ],
    steps: Annotated[int, typer.Option(metavar="N", min=1, help="Steps of the training.")] = 50,
    photos: Annotated[int, typer.Option(metavar="N", min=8, help="Photos to train on.")] = 256,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Of photos and training.")] = 0,
) -> None:
    """Make a training that a laptop can do: a small world, a tiny model, runs of experts, and settings."""
    from wheretaken.cli import training  # noqa: PLC0415 - as above

    raise typer.Exit(training.island(out, steps=steps, photos=photos, seed=seed))


@app.command("trl")
def trl(
    config: Config,
    eval_only: Annotated[
        bool, typer.Option("--eval-only", help="Measure on the validation set; train nothing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, and load no model.")] = False,
) -> None:
    """Train on one machine with TRL (GRPO); what was stopped goes on after its last checkpoint."""
    from wheretaken.cli import training_trl  # noqa: PLC0415 - as above

    raise typer.Exit(training_trl.run(config, eval_only=eval_only, dry_run=dry_run))


@app.command("inspect")
def inspect(
    directories: Annotated[
        list[Path],
        typer.Argument(metavar="DIR...", help="Trainings: their output, or the directory of their settings."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write; else DIR/inspect."),
    ] = None,
) -> None:
    """Draw a training's curves as a page and a picture: rewards, tools, lengths, pass@k, KL and more."""
    from wheretaken.cli import training  # noqa: PLC0415 - as above

    raise typer.Exit(training.look(directories, out))


@app.command("verl")
def verl(
    config: Config,
    nodes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Nodes; else those of the settings.")
    ] = None,
    gpus_per_node: Annotated[
        int | None, typer.Option(metavar="G", min=1, help="GPUs of each; else those of the settings.")
    ] = None,
    address: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="A Ray cluster: `auto` or HOST:PORT to join it, http://HOST:8265 to submit a job to it.",
        ),
    ] = "",
    server: Annotated[
        str, typer.Option(metavar="URL", help="A running `wheretaken serve`; else that of the settings.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, and print what verl would be told.")
    ] = False,
    eval_only: Annotated[
        bool, typer.Option("--eval-only", help="Only validate: the last checkpoint, or the first weights.")
    ] = False,
) -> None:
    """Train with verl, on this machine or on a Ray cluster."""
    from wheretaken.cli import training_verl  # noqa: PLC0415 - as above

    options = training_verl.Options(
        nodes=nodes,
        gpus_per_node=gpus_per_node,
        address=address,
        server=server,
        dry_run=dry_run,
        eval_only=eval_only,
    )
    raise typer.Exit(training_verl.train(config, options))


Weights = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="Where the weights go; a new directory.")
]
Step = Annotated[
    int | None, typer.Option(metavar="N", min=0, help="Of the checkpoint; the last one by default.")
]


@app.command("merge")
@app.command("export-hf")
def merge(config: Config, out: Weights, step: Step = None) -> None:
    """Make a checkpoint into weights that vLLM and transformers load, and say how to use them."""
    from wheretaken.cli import training  # noqa: PLC0415 - as above

    raise typer.Exit(training.merge(config, out, step))
