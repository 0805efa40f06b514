"""Trackable resources: ``cpu=4,mem=8G,gres/gpu=8,gres/gpu:h100=8``. Pure."""

import re

from trainsub.errors import OutputError

_GPU = "gres/gpu"
# Counts are plain; a daemon that shortens them uses powers of 1024.
_COUNT = re.compile(r"([0-9]{1,9})([KMG]?)")
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}


def parse(text: str) -> dict[str, str]:
    """Return what is counted and its amount as text, because units differ by resource; ``N/A`` and nothing are empty.

    Raises:
        OutputError: The text has another form.
    """
    if text.strip() in {"", "N/A", "(null)"}:
        return {}
    resources: dict[str, str] = {}
    for part in text.strip().split(","):
        name, equals, amount = part.partition("=")
        if not (name and equals and amount) or name in resources:
            raise OutputError(f"not a list of trackable resources: {text[:200]!r}")
        resources[name] = amount
    return resources


def gpus(text: str, *, tracked: bool = False) -> int | None:
    """Return the number of GPUs, or None where the text does not tell.

    The plain key counts all of them. Typed keys repeat it, so they are added up only where it is missing.

    Args:
        text: What Slurm printed, such as AllocTRES.
        tracked: The cluster records ``gres/gpu``, so a list of resources without it means 0 GPUs.

    Raises:
        OutputError: The text has another form.
    """
    resources = parse(text)
    if _GPU in resources:
        return _count(resources[_GPU])
    typed = [_count(amount) for name, amount in resources.items() if name.startswith(_GPU + ":")]
    if typed:
        return sum(typed)
    return 0 if tracked and resources else None


def _count(text: str) -> int:
    match = _COUNT.fullmatch(text)
    if match is None:
        raise OutputError(f"not a number of GPUs: {text[:200]!r}")
    return int(match.group(1)) * _UNITS[match.group(2)]
