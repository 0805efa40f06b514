"""Options and arguments that several verbs share."""

from typing import Annotated

import typer

RUN_HELP = "A run id, a unique prefix of one, a Slurm job id, or CLUSTER:JOB_ID."

Json = Annotated[bool, typer.Option("--json", help="Tell machines: one JSON document on stdout.")]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a value of the spec, for instance slurm.nodes=8."),
]
Runs = Annotated[list[str] | None, typer.Argument(metavar="[RUN]...", help=RUN_HELP, show_default=False)]
SomeRuns = Annotated[list[str], typer.Argument(metavar="RUN...", help=RUN_HELP)]
OneRun = Annotated[str, typer.Argument(metavar="RUN", help=RUN_HELP)]
Spec = Annotated[str, typer.Argument(metavar="SPEC", help="A spec: a TOML file.")]
