"""sinfo: partitions and nodes."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from trainsub.minislurm import nodes, selection, table
from trainsub.minislurm.conf import Conf, Partition, load
from trainsub.minislurm.front import WrongError, answer
from trainsub.minislurm.nodes import NodeNow
from trainsub.minislurm.options import Option, Parsed
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.sinfo_fields import LETTERS, WORDS, Field, Group, marked
from trainsub.minislurm.version import VERSION
from trainsub.slurm.hostlist import expand

_OPTIONS = (
    Option("all", "a", "no"),
    Option("dead", "d", "no"),
    Option("exact", "e", "no"),
    Option("federation", argument="no"),
    Option("format", "o"),
    Option("Format", "O"),
    Option("help", argument="no"),
    Option("hide", argument="no"),
    Option("list-reasons", "R", "no"),
    Option("local", argument="no"),
    Option("long", "l", "no"),
    Option("noconvert", argument="no"),
    Option("Node", "N", "no"),
    Option("nodes", "n"),
    Option("noheader", "h", "no"),
    Option("partition", "p"),
    Option("reservation", "T", "no"),
    Option("responding", "r", "no"),
    Option("sort", "S"),
    Option("states", "t"),
    Option("summarize", "s", "no"),
    Option("usage", argument="no"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
)
_USAGE = """\
Usage: sinfo [-n nodes] [-o format] [-O Format] [-p partitions] [-S fields] [-t states] [-adehlNrRsT]
"""
_STATES = (
    "unknown,down,idle,allocated,?,mixed,future,drain,drained,draining,no_respond,reserved,planned,blocked,cloud,"
    "completing,powering_down,powered_down,power_down,powering_up,fail,maint,reboot,reboot^"
)
_LEAST = 9
_BUSIEST_FIRST = ("MIXED", "ALLOCATED", "IDLE")


def main(home: Path, words: Sequence[str]) -> int:
    """Print what partitions and nodes there are.

    Returns:
        The exit code.
    """
    return answer("sinfo", words, _OPTIONS, lambda parsed: _run(home, parsed))


def _run(home: Path, parsed: Parsed) -> int:
    if parsed.has("version") or parsed.has("help") or parsed.has("usage"):
        sys.stdout.write(f"{VERSION}\n" if parsed.has("version") else _USAGE)
        return 0
    if parsed.has("reservation"):
        sys.stdout.write("No reservations in the system\n")
        return 0
    conf = load(home)
    with Queue(home) as queue:
        found = nodes.look(conf, queue.open_jobs())
    found = _wanted(parsed, found)
    names = parsed.last("partition") or os.environ.get("SINFO_PARTITION")
    partitions = [one for one in conf.partitions if names is None or one.name in selection.parts(names)]
    columns, fields = _columns(parsed, partitions, conf)
    groups = _groups(conf, partitions, found, [fields(one.name) for one in columns if one.name], parsed)
    if not parsed.has("noheader"):
        dated = parsed.has("long") and not parsed.has("format") and not parsed.has("Format")
        sys.stdout.write(f"{time.ctime()}\n" * dated + table.line(columns, lambda name: fields(name).header))
    if not parsed.has("list-reasons"):
        for group in _ordered(groups, parsed):
            sys.stdout.write(table.line(columns, lambda name, group=group: fields(name).tell(group)))  # type: ignore[misc]
    return 0


def _wanted(parsed: Parsed, found: Sequence[NodeNow]) -> list[NodeNow]:
    states, names = parsed.last("states"), parsed.last("nodes")
    kept = [] if parsed.has("dead") else list(found)
    if states is not None and states.lower() != "all":
        words = {_state(one) for one in selection.parts(states)}
        kept = [one for one in kept if one.state.lower() in words]
    if names is not None:
        try:
            wanted = set(expand(names))
        except ValueError as error:
            raise WrongError(f"sinfo: error: {error}") from None
        kept = [one for one in kept if one.node.name in wanted]
    return kept


def _state(text: str) -> str:
    word = text.lower()
    long = next((one.lower() for one, short in nodes.SHORT.items() if word == short), word)
    if long not in _STATES.split(","):
        raise WrongError(f'sinfo: error: Bad state string: "{text}"\nsinfo: error: valid states: {_STATES}')
    return long


def _columns(
    parsed: Parsed, partitions: Iterable[Partition], conf: Conf
) -> tuple[list[table.Column], Callable[[str], Field]]:
    letters, words = parsed.last("format"), parsed.last("Format")
    if letters is None and words is None:
        letters = None if parsed.has("summarize") or parsed.has("Node") else os.environ.get("SINFO_FORMAT")
    if words is not None:
        columns, unknown = table.words(words, WORDS)
        sys.stderr.writelines(f"sinfo: error: Invalid job format specification: {one}\n" for one in unknown)
        return columns, WORDS.__getitem__
    columns, unknown = table.letters(_usual(parsed, partitions, conf) if letters is None else letters, LETTERS)
    sys.stderr.writelines(f"Invalid node format specification: {one}\n" for one in unknown)
    return columns, LETTERS.__getitem__


def _usual(parsed: Parsed, partitions: Iterable[Partition], conf: Conf) -> str:
    """Return the format of a table that fits the names."""
    part = max([_LEAST, *(len(marked(one)) for one in partitions)])
    node = max([_LEAST, *(len(one.name) for one in conf.nodes)])
    if parsed.has("list-reasons"):
        return "%20E %9u %19H %N"
    if parsed.has("Node"):
        rest = "%.11T %4c %.8z %.6m %.8d %.6w %.8f %20E" if parsed.has("long") else "%6t"
        return f"%{node}N %.6D %.{part}P {rest}"
    if parsed.has("summarize"):
        return f"%{part}P %.5a %.10l %.16F %N"
    if parsed.has("long"):
        return f"%{part}P %.5a %.10l %.10s %.4r %.8h %.10g %.6D %.11T %.11i %N"
    return f"%{part}P %.5a %.10l %.6D %.6t %N"


def _groups(
    conf: Conf, partitions: Sequence[Partition], found: Sequence[NodeNow], fields: Sequence[Field], parsed: Parsed
) -> list[Group]:
    """Return the rows: nodes that look the same share one, and partitions do if none is told of."""
    if parsed.has("Node"):
        return [Group(conf, part, (one,)) for one in found for part in partitions]
    told = any(field.of_partition for field in fields)
    groups: list[Group] = []
    for part in partitions if told else partitions[:1]:
        alike: dict[tuple[str, ...], list[NodeNow]] = {}
        for one in found:
            look = tuple(field.tell(Group(conf, part, (one,))) for field in fields if field.splits)
            alike.setdefault(look, []).append(one)
        rows = [Group(conf, part, tuple(members)) for members in alike.values()]
        groups += rows or [Group(conf, part, ())] * told
    return groups


def _ordered(groups: Sequence[Group], parsed: Parsed) -> list[Group]:
    """Return the rows in order; by default partitions stay as they are configured, and busy nodes come first."""
    rows = list(groups)
    given = parsed.last("sort")
    if given is None:
        order = [one.partition.name for one in groups]
        return (
            rows if parsed.has("Node") else sorted(rows, key=lambda one: (order.index(one.partition.name), _rank(one)))
        )
    for part in reversed(given.split(",")):
        back, letter = part.strip().startswith("-"), part.strip().lstrip("+-#")[:1]
        if letter in {"t", "T"}:
            rows.sort(key=_rank, reverse=not back)
        elif letter in LETTERS:
            rows.sort(key=LETTERS[letter].tell, reverse=back)
        else:
            raise WrongError(f"sinfo: error: Invalid sort specification: {letter}")
    return rows


def _rank(group: Group) -> int:
    return _BUSIEST_FIRST.index(group.members[0].state) if group.members else 0
