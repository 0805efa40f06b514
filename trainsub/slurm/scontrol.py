"""scontrol: is the controller there, how is the cluster configured, and orders to jobs that go on. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from trainsub.errors import OutputError
from trainsub.slurm import rows

_PING = re.compile(r"Slurmctld\(([^)]*)\) at (.*) is (UP|DOWN)")
_SETTING = re.compile(r"(\S[^=]*?)\s*=(?:\s(.*))?")
_VERSION = re.compile(r"\b([0-9]{2})\.([0-9]{2})(?:\.([0-9]+))?")

Order = Literal["hold", "release", "requeue"]

_MEANINGS = (
    ("operation is presently disabled", "it was submitted with `requeue = false`, or the site forbids requeues"),
    ("Job is pending execution", "it is in the queue already, and waits"),
    ("Invalid job id", "Slurm has forgotten it"),
)
_NO_ERROR = "No error"
# It says the same thing twice: "Job has already finished for job 5", then "slurm_suspend error: Job has …".
_ORDER_ECHO = re.compile(r"\s*slurm_suspend error:")
_ORDER_JOB = re.compile(r" for job [0-9_\[\]%,-]+$")
_ORDER_TASKS = re.compile(r"[0-9]+_(\S+): (.*)")


@dataclass(frozen=True, slots=True)
class Controller:
    """One slurmctld as ``scontrol ping`` sees it."""

    role: str
    host: str
    up: bool


def ping_argv(*, slurm_bin: str = "") -> list[str]:
    """Return the command that asks whether the controllers answer; its exit code is 1 when none does."""
    return [rows.program("scontrol", slurm_bin), "ping"]


def config_argv(*, slurm_bin: str = "") -> list[str]:
    """Return the command that asks for the configuration."""
    return [rows.program("scontrol", slurm_bin), "show", "config"]


def parse_ping(text: str) -> list[Controller]:
    """Return the controllers, the primary first.

    Raises:
        OutputError: No line speaks of a controller.
    """
    found = [match.groups() for match in map(_PING.fullmatch, map(str.strip, text.splitlines())) if match]
    if not found:
        raise OutputError(f"scontrol ping named no controller: {text[:200]!r}")
    return [Controller(role=role, host=host, up=up == "UP") for role, host, up in found]


def parse_config(text: str) -> dict[str, str]:
    """Return the settings; those of plugins are among them, and ``(null)`` is empty.

    Raises:
        OutputError: There is no setting, or no SLURM_VERSION among them.
    """
    settings: dict[str, str] = {}
    for line in text.splitlines():
        match = _SETTING.fullmatch(line.strip())
        if match is not None:
            settings.setdefault(match.group(1), rows.blank((match.group(2) or "").strip()))
    if "SLURM_VERSION" not in settings:
        raise OutputError(f"scontrol show config printed something else: {text[:200]!r}")
    return settings


def version(text: str) -> tuple[int, int, int]:
    """Return the release that SLURM_VERSION or ``sbatch --version`` names: ``slurm-wlm 24.11.5`` is (24, 11, 5).

    Raises:
        OutputError: It names none.
    """
    match = _VERSION.search(text)
    if match is None:
        raise OutputError(f"not a Slurm version: {text[:200]!r}")
    return int(match.group(1)), int(match.group(2)), int(match.group(3) or 0)


def tracks_gpus(config: Mapping[str, str]) -> bool:
    """Say whether the cluster records GPUs, so that a record without them means that none were held."""
    tracked = config.get("AccountingStorageTRES", "").lower().split(",")
    return any(name == "gres/gpu" or name.startswith("gres/gpu:") for name in map(str.strip, tracked))


def has_accounting(config: Mapping[str, str]) -> bool:
    """Say whether there is an accounting database, so whether sacct can answer."""
    return config.get("AccountingStorageType", "").removeprefix("accounting_storage/") not in {"", "none"}


@dataclass(frozen=True, slots=True)
class Ordered:
    """What became of an order to one job.

    Attributes:
        taken: Slurm carries it out, at least for some tasks of an array.
        complaint: What it does not carry out and why, in its words; empty if there is nothing.
    """

    taken: bool
    complaint: str


def order_argv(order: Order, job_id: int, *, slurm_bin: str = "") -> list[str]:
    """Return the command that holds, releases or requeues a job; of an array, all its tasks.

    One job at a time: then it is clear which one a complaint is about.
    """
    return [rows.program("scontrol", slurm_bin), order, str(job_id)]


def meaning(complaint: str, *, by_administrator: bool = False) -> str:
    """Return what a complaint about an order means for the user; empty where it says enough.

    Args:
        complaint: Slurm's words.
        by_administrator: An administrator holds the job.
    """
    if by_administrator and "denied" in complaint:
        return "an administrator holds it, and only an administrator can release it"
    return next((words for said, words in _MEANINGS if said in complaint), "")


def parse_order(rc: int, text: str) -> Ordered:
    """Return what became of an order.

    Where only some tasks of an array take it, each group has a line: ``7_0-1: No error``, ``7_2-3: Job is pending …``.

    Args:
        rc: The command's exit code.
        text: What it printed.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not _ORDER_ECHO.match(line)]
    tasks = [match.groups() for match in map(_ORDER_TASKS.fullmatch, lines) if match]
    taken = rc == 0 or any(said == _NO_ERROR for _, said in tasks)
    told = [f"tasks {indices.strip('[]')}: {said}" for indices, said in tasks if said != _NO_ERROR]
    told += [_ORDER_JOB.sub("", line) for line in lines if not _ORDER_TASKS.fullmatch(line)]
    if not taken and not told:
        told = [f"exit status {rc}"]
    return Ordered(taken, "; ".join(told))
