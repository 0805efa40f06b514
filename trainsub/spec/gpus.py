"""How many GPUs a request asks for on each node. Pure."""

import re
from collections.abc import Mapping

_COUNT = re.compile(r"[0-9]{1,9}")
_PREFIX = re.compile(r"gres[:/]")


def split_gres(gres: str) -> tuple[list[str], list[str]]:
    """Return the items of a ``gres`` list that ask for GPUs, and the others.

    Args:
        gres: As sbatch takes it: ``gpu:8``, ``gpu:h100:8,nvme:1``.
    """
    items = [item.strip() for item in gres.split(",") if item.strip()]
    gpus = [item for item in items if _PREFIX.sub("", item, count=1).split(":")[0] == "gpu"]
    return gpus, [item for item in items if item not in gpus]


def asks_for_gpus(options: Mapping[str, object]) -> bool:
    """Tell whether options say anything of GPUs, were it that there are to be none."""
    return "gpus_per_node" in options or bool(split_gres(str(options.get("gres", "")))[0])


def gpus_per_node(options: Mapping[str, object]) -> int:
    """Return the number of GPUs on each node; 0 if none are asked for.

    Args:
        options: sbatch's options with underscores.
    """
    if "gpus_per_node" in options:
        return _last_number(str(options["gpus_per_node"]))
    return sum(_last_number(item) for item in split_gres(str(options.get("gres", "")))[0])


def _last_number(item: str) -> int:
    """``h100:8`` and ``gpu:h100:8`` are 8; ``gpu`` and ``gpu:h100`` are one, as in Slurm."""
    last = item.rpartition(":")[2]
    return int(last) if _COUNT.fullmatch(last) else 1
