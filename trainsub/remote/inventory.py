"""Look at all the runs that lie on a cluster: what their directories say, read many at a time and never touched."""

import io
import re
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trainsub.errors import OutputError, RemoteFileError
from trainsub.remote.ask import Ask
from trainsub.remote.frames import Frame
from trainsub.remote.program import Values, quote, word_list
from trainsub.remote.requests import Request, unexpected
from trainsub.remote.roots import check_root
from trainsub.transport.base import Transport

BATCH = 100
"""Directories asked for at a time: a signal of progress now and then, and never all in memory at once."""
LARGEST = 16 * 1024 * 1024
"""Bytes of a file that is read: a spec of ten thousand points is some megabytes, and Slurm takes scripts of four."""
_BLOCK = 512
"""Bytes in which find counts."""
MANY_SECONDS = 120.0
"""Patience with a file system that holds thousands of runs."""
_LINKED = re.compile(r"(owner|answer|submit)\.([1-9][0-9]{0,8})")
_READABLE = 0o500


@dataclass(frozen=True, slots=True)
class Listing:
    """The names below a remote root.

    Attributes:
        now: The cluster's clock, in epoch seconds.
        names: What lies in ``runs/``, whatever it is.
        coming: Runs whose submit is still sending or unpacking its files.
    """

    now: int
    names: tuple[str, ...]
    coming: tuple[str, ...]


@dataclass(slots=True)
class Found:
    """What the directory of one run says.

    Attributes:
        run: Its name.
        now: The cluster's clock when it was read, in epoch seconds.
        changed: When something was made or removed in it last, by that clock; None if it is no directory, or gone.
        readable: Whether its owner may look into it.
        owners: What the fence of each link holds.
        answers: sbatch's recorded answer, by link.
        marks: What the submit wrote before it called sbatch, by link.
        files: ``run.json``; ``spec.toml`` and ``script.sbatch`` where they were asked for; as far as they are there.
        large: Names of those that are there, and larger than ``LARGEST``.
    """

    run: str
    now: int
    changed: int | None = None
    readable: bool = True
    owners: dict[int, str] = field(default_factory=dict)
    answers: dict[int, bytes] = field(default_factory=dict)
    marks: dict[int, bytes] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    large: list[str] = field(default_factory=list)

    def add(self, name: str, member: tarfile.TarInfo, data: bytes) -> None:
        """Take in one file of the directory."""
        linked = _LINKED.fullmatch(name)
        if linked is None:
            self.files[name] = data
        elif linked[1] == "owner":
            self.owners[int(linked[2])] = member.linkname
        else:
            (self.answers if linked[1] == "answer" else self.marks)[int(linked[2])] = data


class ListRuns(Request["Listing | None"]):
    """The names of all runs; None if there is no remote root."""

    __slots__ = ()
    timeout = MANY_SECONDS

    def code(self) -> str:
        """See Request."""
        return "ts_runs"

    def words(self) -> Sequence[str]:
        """See Request."""
        return ("ls", "runs")

    def answer(self, frames: Sequence[Frame]) -> "Listing | None":
        """See Request."""
        match frames[0]:
            case Frame("none"):
                return None
            case Frame("runs", (now,), body) if now.isdecimal():
                there, _, coming = (b"\0" + body).partition(b"\0\0")
                return Listing(int(now), _names(there), _names(coming))
            case Frame("fail", ("protocol", *found)):
                raise RemoteFileError(
                    f"the remote root belongs to another version of trainsub (PROTOCOL says {' '.join(found)!r})",
                    hint="Use the version of trainsub that made it.",
                )
            case Frame("fail", _, words):
                raise RemoteFileError(f"the runs cannot be listed: {words.decode('utf-8', 'replace').strip()}")
            case _:
                raise unexpected(frames[0])


class TakeRuns(Request[list[Found]]):
    """What the directories of some runs say.

    Args:
        names: Run ids.
        texts: Their spec and script too.
    """

    __slots__ = ("_names", "_texts")
    frames = 2
    timeout = MANY_SECONDS

    def __init__(self, names: Sequence[str], *, texts: bool) -> None:
        self._names = names
        self._texts = texts

    def code(self) -> str:
        """See Request."""
        texts = quote("1" if self._texts else "")
        return f"ts_take {texts} {LARGEST // _BLOCK:d} {word_list([f'./{name}' for name in self._names])}"

    def answer(self, frames: Sequence[Frame]) -> list[Found]:
        """See Request: in the order of the names."""
        match frames:
            case (Frame("taken", (now,), body), Frame("large", _, large)) if now.isdecimal():
                found = {name: Found(name, int(now)) for name in self._names}
                _unpack(body, found)
                for path in _names(large):
                    run, _, name = path.removeprefix("./").partition("/")
                    if run in found:
                        found[run].large.append(name)
                return list(found.values())
            case (Frame("taken"), end):
                raise unexpected(end)
            case _:
                raise unexpected(frames[0])


class InventoryAsk(Ask):
    """A conversation about all that lies under a remote root; it changes nothing there.

    Args:
        transport: How to get there.
        remote_root: As configured.
        slurm_bin: Where Slurm's commands are, if not on the PATH there.
    """

    program = "inventory"

    def __init__(self, transport: Transport, remote_root: str, *, slurm_bin: str) -> None:
        super().__init__(transport, slurm_bin=slurm_bin, what="sync")
        self._root = check_root(remote_root)

    def values(self) -> Values:
        """Return the values of the program."""
        return {**super().values(), "TS_ROOT": self._root}

    def take(self, names: Sequence[str], *, texts: bool) -> Iterator[list[Found]]:
        """Read the directories of runs, some at a time; see TakeRuns."""
        for start in range(0, len(names), BATCH):
            yield self.batch(TakeRuns(names[start : start + BATCH], texts=texts))[0]


def _names(data: bytes) -> tuple[str, ...]:
    """Names that each end with NUL; what is no UTF-8 is spelled out, for it can be no run."""
    return tuple(name.decode("utf-8", "backslashreplace") for name in data.split(b"\0") if name)


def _unpack(body: bytes, found: Mapping[str, Found]) -> None:
    """Sort the files of an archive under the runs.

    Raises:
        OutputError: It is none, or was cut off.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
            for member in archive:
                run, _, name = member.name.removeprefix("./").partition("/")
                one = found.get(run)
                if one is None:
                    continue
                if not name:
                    one.changed, one.readable = int(member.mtime), member.mode & _READABLE == _READABLE
                    continue
                file = archive.extractfile(member) if member.isreg() else None
                one.add(name, member, file.read() if file else b"")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise OutputError(f"what lies in the runs' directories did not arrive whole: {error}") from error
