"""The reference page of the spec, written from its model, so that it cannot be out of date. Pure."""

from collections.abc import Iterator
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from trainsub.spec import toml
from trainsub.spec.model import JobSpec
from trainsub.spec.problems import expectations, tables
from trainsub.spec.refused import REFUSED
from trainsub.spec.table import Table

_INTRODUCTION = """\
# The job spec

A TOML file. Only `name`, `command`, `slurm.nodes` and `slurm.time` are required; with a
[script of your own](../how-to/from-a-handwritten-sbatch.md) only `name` and `template` are, where the script's
`#SBATCH` lines say nodes and time. A key that is not listed here is an error. Relative paths are relative to the folder
of the spec.

`--set slurm.nodes=8` changes a value for one submission: what follows `=` is a TOML value, otherwise text.

Precedence: options in the spec win over the `defaults` of the cluster, one by one. A request for GPUs in the spec
replaces the default's one, whichever of `gpus_per_node` and `gres` either of them uses; so do `mem`, `mem_per_cpu` and
`mem_per_gpu`, and `cpus_per_task` and `cpus_per_gpu`.
"""


def spec_reference() -> str:
    """Return the Markdown page that lists every key of a spec."""
    parts = [_INTRODUCTION, "\n## Above all tables\n\n", *table_rows(JobSpec)]
    for name, field in JobSpec.model_fields.items():
        for table in tables(field):
            parts += [f"\n## `[{name}]`\n\n{table.__doc__}\n\n", *table_rows(table)]
    parts += ["\n## Options of sbatch that a spec may not give\n\n| option | reason |\n|---|---|\n"]
    parts += [f"| `{name}` | {cell(reason)} |\n" for name, reason in REFUSED.items()]
    return "".join(parts)


def table_rows(table: type[Table]) -> Iterator[str]:
    """Yield the lines of a Markdown table with the keys of one TOML table; tables below it have their own.

    Args:
        table: The model.
    """
    yield "| key | value | default | meaning |\n|---|---|---|---|\n"
    for name, field in table.model_fields.items():
        if not tables(field):
            yield f"| `{name}` | {cell(_kind(field))} | {_default(field)} | {cell(field.description or '')} |\n"


def cell(text: str) -> str:
    """Return text that can stand in a cell of a Markdown table."""
    return text.replace("|", "\\|")


def _kind(field: FieldInfo) -> str:
    words = [one.words for one in expectations(field)]
    return words[0] if len(words) == 1 else f"a table: {' = '.join(words)}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.default
    if value is None or value is PydanticUndefined:  # None, or an empty table
        return ""
    return f"`{toml.value_text(value)}`"
