"""scontrol: is the controller there, and how is the cluster configured? Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trainsub.errors import OutputError
from trainsub.slurm import rows

_PING = re.compile(r"Slurmctld\(([^)]*)\) at (.*) is (UP|DOWN)")
_SETTING = re.compile(r"(\S[^=]*?)\s*=(?:\s(.*))?")
_VERSION = re.compile(r"\b([0-9]{2})\.([0-9]{2})(?:\.([0-9]+))?")


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
