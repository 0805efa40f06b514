"""What ``scontrol show job`` repeats of options that have no other effect, or another form here. Pure."""

from collections.abc import Iterator

from trainsub.minislurm.given import Given

_MIB_PER_GIB = 1024


def told(given: Given) -> Iterator[tuple[str, str]]:
    """Return fields and their texts; an empty text leaves a field out.

    Args:
        given: The options that count.
    """
    if given.get("time-min"):
        from trainsub.slurm.units import format_time  # noqa: PLC0415 - few submissions need it

        yield "TimeMin", format_time(given["time-min"])
    if "contiguous" in given:
        yield "Contiguous", "1"
    if "mail-type" in given:
        yield "MailType", given["mail-type"].upper()
    if given.get("network"):
        yield "Network", given["network"]
    if "mem-per-cpu" in given:
        yield "MinMemoryCPU", _memory(given["mem-per-cpu"])
    if "mem-per-gpu" in given:
        yield "MemPerTres", f"gres/gpu:{given['mem-per-gpu']}"
    if "cpus-per-gpu" in given:
        yield "CpusPerTres", f"gres/gpu:{given['cpus-per-gpu']}"
    yield from _gpus(given)


def _gpus(given: Given) -> Iterator[tuple[str, str]]:
    if "gpus-per-node" not in given and given.get("gres") is None and ("gpus" in given or "gpus-per-task" in given):
        yield "TresPerNode", ""
    if "gpus" in given:
        yield "TresPerJob", f"gres/gpu:{given['gpus'].text}"
    if "gpus-per-task" in given:
        cpus = f"cpu={given['cpus-per-task']}," if "cpus-per-task" in given else ""
        yield "TresPerTask", f"{cpus}gres/gpu={given['gpus-per-task'].text}"


def _memory(mib: int) -> str:
    return f"{mib // _MIB_PER_GIB}G" if mib and mib % _MIB_PER_GIB == 0 else f"{mib}M"
