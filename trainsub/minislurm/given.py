"""The options of a submission that count. Pure.

A later source overrides an earlier one: the script's ``#SBATCH`` lines, ``SBATCH_*`` variables, the command line.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from trainsub.minislurm import moments
from trainsub.minislurm import option_values as read
from trainsub.minislurm.errors import BAD_OPTION, RefusedError, invalid, not_known
from trainsub.minislurm.sbatch_options import ALIASES, NOT_KNOWN

Words = Iterable[tuple[str, str | None]]
"""Long options and their values, as they were given."""
Given = Mapping[str, Any]
"""Long options and the values that count."""

_OVERRIDES = {"requeue": "no-requeue", "no-requeue": "requeue"}
_ONE_OF = (
    (
        ("mem", "mem-per-cpu", "mem-per-gpu"),
        "--mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive.",
        "SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE are mutually exclusive.",
    ),
    (
        ("cpus-per-task", "cpus-per-gpu"),
        "--cpus-per-task, --tres-per-task=cpu:#, and --cpus-per-gpu are mutually exclusive",
        "",
    ),
    (
        ("exclusive", "oversubscribe"),
        "--exclusive and --oversubscribe options are mutually exclusive",
        "",
    ),
)

_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "cpus-per-gpu": read.count,
    "cpus-per-task": read.count,
    "distribution": read.distribution,
    "gpus": read.gpus,
    "gpus-per-node": read.gpus,
    "gpus-per-task": read.gpus,
    "gres": read.gres,
    "hint": read.hint,
    "kill-on-invalid-dep": read.yes_no,
    "mail-type": read.mail_type,
    "mem": read.memory,
    "mem-per-cpu": read.memory,
    "mem-per-gpu": read.memory,
    "nodes": read.nodes,
    "ntasks": read.count,
    "ntasks-per-node": read.count,
    "open-mode": read.open_mode,
    "segment": read.segment,
    "signal": read.signal_spec,
    "threads-per-core": read.count,
    "time": read.time_limit,
    "time-min": read.time_limit,
    "tmp": read.memory,
    "wait-all-nodes": read.wait_all_nodes,
}
_OPTIONAL: Mapping[str, Callable[[str, str | None], Any]] = {"exclusive": read.exclusive, "nice": read.nice}


def gather(sources: Sequence[tuple[Words, bool]], now: int) -> dict[str, Any]:
    """Return the options that count, their values read.

    Args:
        sources: In the order in which later ones override earlier ones; and whether it is the environment.
        now: The clock, for times such as ``now+1hour``.

    Raises:
        RefusedError: A value cannot be read, or options exclude each other.
    """
    given: dict[str, Any] = {}
    from_environment: set[str] = set()
    for words, environment in sources:
        for word, text in words:
            name = ALIASES.get(word, word)
            given[name] = _read(name, text, now)
            given.pop(_OVERRIDES.get(name, ""), None)
            (from_environment.add if environment else from_environment.discard)(name)
    for names, refusal, refusal_of_variables in _ONE_OF:
        chosen = [name for name in names if name in given]
        own = [name for name in chosen if name not in from_environment]
        if len(own or chosen) > 1:
            raise RefusedError(f"fatal: {refusal if own else refusal_of_variables or refusal}")
        for name in chosen:
            if own and name not in own:
                del given[name]
    return given


def _read(name: str, text: str | None, now: int) -> Any:  # noqa: ANN401 - each option has a type of its own
    if name in NOT_KNOWN:
        raise not_known(f"--{name}")
    if name in {"uid", "gid"}:
        raise RefusedError(f"error: --{name} only permitted by root user", code=BAD_OPTION)
    if name in _OPTIONAL:
        return _OPTIONAL[name](name, text)
    if text is None:
        return True
    if name in {"begin", "deadline"}:
        return _moment(name, text, now)
    return _READERS[name](name, text) if name in _READERS else text


def _moment(name: str, text: str, now: int) -> int:
    refusal = invalid(name)
    if not text:
        raise refusal
    try:
        return moments.parse(text, now)
    except moments.MomentError as error:
        raise RefusedError(*refusal.lines, code=refusal.code, bare=str(error)) from None
