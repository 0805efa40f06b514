"""Runs a row and makes its facts the same text wherever they mean the same.

A row is a shell script that asks a cluster; see prelude.sh for what it may call. What differs between clusters without
meaning anything becomes a word: job ids ``$JOB1``, ``$JOB2``…, the scratch directory ``$DIR``, the user ``$USER``,
times ``$TIME``; nodes are called n1 to n4.
"""

import base64
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trainsub.slurm import hostlist, sacct, sinfo, squeue, tres
from trainsub.slurm.environment import SET

HERE = Path(__file__).parent
ROWS = HERE / "rows"
EXPECTED = HERE / "expected"
NORM = "24.11"
VERSIONS = ("22.05", NORM, "26.05")
MINISLURM = "minislurm"
PLACES = (MINISLURM, *VERSIONS)

FIRST_ID = 700_001
"""Clusters count their jobs from here, so that an id is not taken for another number."""

Run = Callable[[str], str]
"""Runs a script under bash on a cluster's login node, as an ordinary user; returns what it printed."""

_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\b(?:\.\d+(?=\]))?")
_EPOCH = re.compile(r"(?<![\d.])1[789]\d{8}(?![\d.])")
_ID = re.compile(r"(?<!\d)7\d{5}(?!\d)")


# Who speaks there is whichever node was chosen.
_NODE = re.compile(r"(?<=slurmstepd-)n\d\b|(?<= ON )n\d\b")


class RowError(Exception):
    """A row did not come to its end."""


@dataclass(frozen=True)
class Row:
    """One scenario.

    Attributes:
        name: The name of its file.
        title: What must hold.
        alone: It fills the cluster, and so runs by itself.
        slow: It waits for a time limit; Slurm's shortest is a minute.
        text: The script.
    """

    name: str
    title: str
    alone: bool
    slow: bool
    text: str

    def expected(self, place: str) -> str:
        """Return the facts that were recorded for a place; minislurm follows the norm.

        Raises:
            FileNotFoundError: None were.
        """
        own = EXPECTED / f"{self.name}.{place}.txt"
        return (own if own.exists() else EXPECTED / f"{self.name}.txt").read_text(encoding="utf-8")

    def facts(self, run: Run) -> str:
        """Run it, and return its facts.

        Raises:
            RowError: It did not come to its end.
        """
        return read(run(f"{_queries()}\n{_PRELUDE}\n{self.text}\nfinish\n"), self.name)


_PRELUDE = (HERE / "prelude.sh").read_text(encoding="utf-8")


def load() -> list[Row]:
    """Return all rows, in order of their names."""
    return [_load(path) for path in sorted(ROWS.glob("*.sh"))]


def _load(path: Path) -> Row:
    text = path.read_text(encoding="utf-8")
    first, second, *_ = text.splitlines()
    if not first.startswith("# "):
        raise ValueError(f"{path}: the first line should be a comment that says what must hold")
    return Row(path.stem, first[2:], second == "# alone", second == "# slow", text)


def _queries() -> str:
    """Return trainsub's own queries as functions of the shell."""
    since = datetime(2020, 1, 1, tzinfo=UTC)
    asked = {"squeue": squeue.argv(), "sacct": sacct.argv([1], since)[:-1], "sinfo": sinfo.argv()}
    words = shlex.join(["env", "TZ=UTC0", *(f"{name}={value}" for name, value in SET)])
    return "\n".join(f'trainsub_{name}() {{ {words} {shlex.join(argv)} "$@"; }}' for name, argv in asked.items())


@dataclass
class _Words:
    """What a row said about the names on its cluster."""

    ids: list[str] = field(default_factory=list)
    prefix: str = ""
    user: Sequence[str] = ()
    home: str = ""
    directory: str = ""

    def plain(self, text: str) -> str:
        """Replace the names that mean nothing."""
        text = text.replace(self.directory, "$DIR").replace(self.home, "$HOME")
        name, uid, group, gid = self.user
        text = re.sub(rf"\b(by|uid) {uid}\b", r"\1 $UID", text)
        text = re.sub(rf"\b{name}\({uid}\)", "$USER($UID)", text)
        text = re.sub(rf"\b{group}\({gid}\)", "$GROUP($GID)", text)
        text = re.sub(rf"(?<![A-Za-z0-9_/]){re.escape(name)}(?![A-Za-z0-9_])", "$USER", text)
        text = re.sub(rf"(?<![\w.]){re.escape(self.prefix)}(?=[\d\[])", "n", text)
        text = _NODE.sub("NODE", text)
        for number, one in enumerate(self.ids, 1):
            text = re.sub(rf"(?<!\d){one}(?!\d)", f"$JOB{number}", text)
        return _ID.sub("$JOB?", _EPOCH.sub("$EPOCH", _TIME.sub("$TIME", text)))


def read(printed: str, name: str) -> str:
    """Return the facts in what a row printed.

    Raises:
        RowError: It did not come to its end.
    """
    words = _Words()
    told: list[tuple[str, str]] = []
    whole = False
    for line in printed.splitlines():
        kind, _, rest = line.partition(" ")
        match kind:
            case "fact" | "@raw":
                told.append((kind, rest))
            case "@id":
                words.ids += [] if rest in words.ids else [rest]
            case "@prefix":
                words.prefix = rest
            case "@user":
                words.user = rest.split()
            case "@home":
                words.home = rest
            case "@dir":
                words.directory = rest
            case "@end":
                whole = True
            case _:
                pass
    if not whole:
        raise RowError(f"the row {name} did not come to its end:\n{printed}")
    lines = [line for kind, rest in told for line in ([rest] if kind == "fact" else _parsed(rest, words))]
    return "".join(words.plain(line) + "\n" for line in lines)


def _parsed(raw: str, words: _Words) -> list[str]:
    """Return what trainsub reads in an answer, of this row's jobs, one line for each."""
    command, rest = raw.split(" ", 1)
    # A name may hold blanks; base64 does not, but it may be empty.
    name, _, encoded = rest.rpartition(" ")
    text = base64.b64decode(encoded).decode()
    if command == "sinfo":
        return [f"{name}: {_shown(one)}" for one in sinfo.parse(text) if one.name in {"gpu", "debug"}]
    parsed: list[Any] = squeue.parse(text) if command == "squeue" else sacct.parse(text)
    ours = [row for row in parsed if {str(row.job_id), str(row.array_job_id)} & set(words.ids)]
    ours.sort(key=lambda row: (row.array_job_id or row.job_id, row.array_task or 0))
    return [f"{name}: {_shown(row)}" for row in ours]


def _shown(row: Any) -> str:
    """Return the fields of a parsed row; of times only whether there is one."""
    # Which indices a record of sacct stands for is in the answers of tests/data/slurm, which are whole.
    left_out = {"account", "elapsed", "array_pending"} if isinstance(row, sacct.AccountRow) else {"account", "elapsed"}
    shown = (one.name for one in fields(row) if one.name not in left_out)
    told = " ".join(f"{name}={_value(name, getattr(row, name))}" for name in shown)
    return told if not isinstance(row, sacct.AccountRow) or _elapsed_is_right(row) else f"{told} elapsed={row.elapsed}"


def _elapsed_is_right(row: sacct.AccountRow) -> bool:
    if row.start is None or row.end is None:
        return row.start is not None or row.elapsed == 0
    return row.elapsed == (row.end - row.start).total_seconds()


def _value(name: str, value: Any) -> str:
    match name:
        case "tres" | "alloc_tres":
            held = tres.parse(value)
            return f"cpu:{held.get('cpu')},node:{held.get('node')},gpu:{tres.gpus(value)}" if held else "''"
        case "nodelist":
            return str(len(hostlist.expand(value)))
        case "exit_code":
            return f"{value.code}:{value.signal}"
        case _:
            pass
    if isinstance(value, datetime):
        return "time"
    return str(value) if value != "" else "''"
