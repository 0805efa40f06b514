"""What tells one sandbox from another, as a person would say it. Pure."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from trainsub.sandbox.layout import SandboxSpec

_WORDS: dict[str, Callable[[Any], str]] = {
    "name": lambda name: f"the name {name}",
    "slurm": lambda version: f"Slurm {version}",
    "nodes": lambda number: count(number, "node"),
    "gpus_per_node": lambda number: f"{count(number, 'GPU')} per node",
    "ssh_port": lambda port: f"port {port}",
    "accounting": lambda on: "accounting" if on else "no accounting",
    "lua": lambda on: "rewritten comments" if on else "comments left alone",
    "mounts": lambda mounts: " ".join(f"--mount {source}:{target}" for source, target in mounts) or "no mounts",
    "cpus_per_node": lambda number: f"{count(number, 'CPU')} per node",
}


def count(number: int, what: str) -> str:
    """Return "1 node", or "2 nodes"."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def differences(present: SandboxSpec, wanted: SandboxSpec) -> str:
    """Return how a sandbox differs from the wanted one; empty if it does not.

    Args:
        present: The one that is there. Where no port is wanted, its port is as good as any.
        wanted: The one that was asked for.
    """
    return "; ".join(
        f"{_WORDS[field.name](is_)} and not {_WORDS[field.name](should)}"
        for field in fields(SandboxSpec)
        if (is_ := getattr(present, field.name)) != (should := getattr(wanted, field.name))
        and not (field.name == "ssh_port" and should is None)
    )
