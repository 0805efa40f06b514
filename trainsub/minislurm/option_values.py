"""Values of options as sbatch reads them: text in, a plain value out, or sbatch's own refusal. Pure."""

import re
import signal
import string
from dataclasses import dataclass

from trainsub.minislurm.errors import BAD_OPTION, RefusedError, invalid, not_known
from trainsub.minislurm.values import Signal

_MIB = {"K": 1, "M": 1024, "G": 1024**2, "T": 1024**3}
_TIME = re.compile(r"(?:(\d{1,9})-)?(\d{0,9})(?::(\d{1,9}))?(?::(\d{1,9}))?")
_MEMORY = re.compile(r"(\d{1,15})(?:([KMGT])B?)?", re.IGNORECASE)
_NODES = re.compile(r"(\d{1,9}[km]?)(?:-(\d{1,9}[km]?))?", re.IGNORECASE)
_SIGNAL = re.compile(r"(?:([BR]{1,2}):)?([A-Z0-9]+)(?:@(\d{0,9}))?", re.IGNORECASE)
_GPUS = re.compile(r"(?:(?P<type>[A-Za-z_][\w.+-]*)(?:[:=](?P<typed>\d{1,9}k?))?|(?P<plain>\d{1,9}k?))", re.IGNORECASE)
_INTEGER = re.compile(r"\d{1,9}")
_LAYOUT = re.compile(r"(?:block|cyclic|\*)(?::(?:block|cyclic|fcyclic|\*)){0,2}|arbitrary|plane=\d{1,9}", re.IGNORECASE)
_MAIL = re.compile(
    "none|begin|end|fail|requeue|all|stage_out|time_limit(?:_90|_80|_50)?|array_tasks|invalid_depend", re.IGNORECASE
)
_MOST_SECONDS = 65535
_NICE = 2147483645
_SIGNALS = {
    name: getattr(signal, f"SIG{name}")
    for name in (
        "HUP",
        "INT",
        "QUIT",
        "ABRT",
        "KILL",
        "ALRM",
        "TERM",
        "USR1",
        "USR2",
        "URG",
        "CONT",
        "STOP",
        "TSTP",
        "TTIN",
        "TTOU",
        "XCPU",
    )
}


def time_limit(name: str, text: str) -> int | None:
    """Return seconds, None where unlimited; Slurm counts whole minutes and rounds up.

    Raises:
        RefusedError: It is no time.
    """
    if text.lower() in {"-1", "infinite", "unlimited"}:
        return None
    if re.fullmatch(r"-\d+", text):
        # A time that has passed: no partition allows it.
        return 0
    match = _TIME.fullmatch(text)
    if match is None or not text.strip("-"):
        raise invalid(name)
    days, first, second, third = match.groups()
    if days is None and not first:
        raise invalid(name)
    one, two, three = int(first or 0), int(second or 0), int(third or 0)
    if days is not None:
        seconds = int(days) * 86400 + one * 3600 + two * 60 + three
    elif third is not None:
        seconds = one * 3600 + two * 60 + three
    else:
        seconds = one * 60 + two
    return -(-seconds // 60) * 60


def memory(name: str, text: str) -> int:
    """Return MiB, rounded up.

    Raises:
        RefusedError: It is no size.
    """
    match = _MEMORY.fullmatch(text)
    if match is None:
        raise invalid(name)
    return -(-int(match.group(1)) * _MIB[(match.group(2) or "M").upper()] // 1024)


def count(name: str, text: str) -> int:
    """Return a number from 1.

    Raises:
        RefusedError: It is none.
    """
    if _INTEGER.fullmatch(text) is None or int(text) == 0:
        raise RefusedError(f'error: Invalid numeric value "{text}" for --{name}.')
    return int(text)


def nodes(_: str, text: str) -> tuple[int, int]:
    """Return the least and the most nodes; of ``2-4`` minislurm gives the least only.

    Raises:
        RefusedError: It is no count.
    """
    match = _NODES.fullmatch(text)
    if match is None:
        if re.fullmatch(r"[\d,:-]*\d[\d,:-]*", text):
            raise not_known("such a --nodes")
        raise RefusedError(f'error: "{text}" is not a valid node count', code=BAD_OPTION)
    least, most = (_scaled(one) for one in (match.group(1), match.group(2) or match.group(1)))
    if most < least:
        raise RefusedError(f"error: Maximum node count {most} is less than minimum node count {least}", code=BAD_OPTION)
    return least, most


def _scaled(text: str) -> int:
    factor = {"k": 1024, "m": 1024**2}.get(text[-1].lower(), 1)
    return int(text.rstrip(string.ascii_letters)) * factor


@dataclass(frozen=True, slots=True)
class Gpus:
    """GPUs asked for.

    Attributes:
        kind: Their type; empty if any will do.
        number: How many; -1 for what no node can have.
        text: As given.
    """

    kind: str
    number: int
    text: str


def gpus(_: str, text: str) -> Gpus:
    """Return the GPUs that an option asks for."""
    match = _GPUS.fullmatch(text)
    if match is None:
        return Gpus("", 0 if not text else -1, text)
    return Gpus(match["type"] or "", _scaled(match["plain"] or match["typed"] or "1"), text)


def gres(name: str, text: str) -> Gpus | None:
    """Return the GPUs among generic resources; None for no resources.

    Raises:
        RefusedError: The cluster has no such resource.
    """
    if text in {"", "none"}:
        return None
    found: dict[str, int] = {}
    for item in text.split(","):
        match = re.fullmatch(r"(?:gres/)?gpu(?:[:=](.*))?", item)
        if match is None:
            raise RefusedError("error: Invalid generic resource (gres) specification")
        one = gpus(name, match.group(1) or "1")
        if one.number < 0:
            return Gpus("", -1, text)
        # Of several, the largest counts.
        found[one.kind] = max(found.get(one.kind, 0), one.number)
    if len(found) > 1:
        if "" in found:
            raise RefusedError("error: Invalid GRES specification (with and without type identification)")
        raise not_known("--gres with several types of GPUs")
    ((kind, number),) = found.items()
    return Gpus(kind, number, text)


def signal_spec(name: str, text: str) -> Signal | None:
    """Return what ``--signal`` asks for.

    Raises:
        RefusedError: It is none, or asks for what needs a reservation.
    """
    match = _SIGNAL.fullmatch(text)
    if match is None:
        raise invalid(name)
    flags, word, seconds = (match.group(1) or "").upper(), match.group(2), int(match.group(3) or 60)
    number = int(word) if word.isdecimal() else _SIGNALS.get(word.upper().removeprefix("SIG"), 0)
    if not 0 < number <= _MOST_SECONDS or seconds > _MOST_SECONDS or "B" * 2 in flags or "RR" in flags:
        raise invalid(name)
    return Signal(number, seconds, batch_only="B" in flags)


def open_mode(name: str, text: str) -> str:
    """Return ``a`` or ``t``.

    Raises:
        RefusedError: It is neither.
    """
    if text.lower() in {"a", "append"}:
        return "a"
    if text.lower() in {"t", "truncate"}:
        return "t"
    raise invalid(name)


def yes_no(name: str, text: str) -> bool:
    """Return what ``yes`` or ``no`` means.

    Raises:
        RefusedError: It is neither.
    """
    if text.lower() not in {"yes", "no"}:
        raise invalid(name)
    return text.lower() == "yes"


def nice(_: str, text: str | None) -> int:
    """Return by how much the priority is lowered.

    Raises:
        RefusedError: It is out of range.
    """
    # What is no number counts as far as it is one.
    match = re.match(r"[+-]?\d{1,18}", text or "")
    number = 100 if text is None else int(match.group()) if match else 0
    if abs(number) > _NICE:
        raise RefusedError(f"error: Invalid --nice value, out of range (+/- {_NICE})", code=BAD_OPTION)
    return number


def distribution(name: str, text: str) -> str:
    """Return it as given.

    Raises:
        RefusedError: It is none.
    """
    layout, _, pack = text.partition(",")
    if layout.lower() in {"plane", "plane="}:
        raise RefusedError("error: Invalid plane size or size not specified", *invalid(name).lines, code=BAD_OPTION)
    if _LAYOUT.fullmatch(layout) is None or pack.lower() not in {"", "pack", "nopack"}:
        raise invalid(name)
    return text


def exclusive(name: str, text: str | None) -> bool:
    """Whether the job shares its nodes with no other.

    Raises:
        RefusedError: The word is unknown.
    """
    if text is None:
        return True
    if text.lower() not in {"user", "mcs", "topo"}:
        raise invalid(name)
    # There is but one user here, and its own jobs do share nodes.
    return False


def mail_type(name: str, text: str) -> str:
    """Return it as given; nobody is written to.

    Raises:
        RefusedError: A word is unknown.
    """
    if any(_MAIL.fullmatch(word) is None for word in text.split(",")):
        raise invalid(name)
    return text


def hint(name: str, text: str) -> str:
    """Return it as given; nothing is bound here.

    Raises:
        RefusedError: It is unknown.
    """
    if text not in {"compute_bound", "memory_bound", "multithread", "nomultithread"}:
        raise RefusedError(f'error: unrecognized --{name} argument "{text}", see --{name}=help')
    return text


def segment(name: str, text: str) -> int:
    """Return a number from 1; all nodes are one block.

    Raises:
        RefusedError: It is none.
    """
    if _INTEGER.fullmatch(text) is None or int(text) == 0:
        raise invalid(name)
    return int(text)


def wait_all_nodes(name: str, text: str) -> int:
    """Return 0 or 1; all nodes are always up.

    Raises:
        RefusedError: It is neither.
    """
    if _INTEGER.fullmatch(text) is None:
        raise RefusedError(f'error: Invalid numeric value "{text}" for --{name}.')
    if int(text) > 1:
        raise invalid(name)
    return int(text)
