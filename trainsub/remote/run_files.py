"""What can be asked of the files of several runs at once. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from trainsub.remote.frames import Frame
from trainsub.remote.program import quote, word_list
from trainsub.remote.requests import Request, T_co, unexpected
from trainsub.remote.roots import check_run


@dataclass(frozen=True, slots=True)
class ExitFile:
    """One exit record as it lies there.

    Attributes:
        run: Run id.
        name: The file's name, ``<job_id>.<restart>``.
        text: Its first line, with the newline.
    """

    run: str
    name: str
    text: str


class _OfRuns(Request[T_co]):
    """Asks something about the files of runs.

    Args:
        root: The remote root as configured; checked by ``check_root``.
        runs: Run ids.
    """

    __slots__ = ("_root", "_runs")
    timeout = 60.0

    def __init__(self, root: str, runs: Sequence[str]) -> None:
        self._root = root
        self._runs = [check_run(run) for run in runs]

    def _words(self) -> str:
        return f"{quote(self._root)} {word_list(self._runs)}"


class ReadExits(_OfRuns[list[ExitFile]]):
    """The exit records of runs, all of them in one answer."""

    __slots__ = ()

    def code(self) -> str:
        """See Request."""
        return f"ts_exits {self._words()}"

    def answer(self, frames: Sequence[Frame]) -> list[ExitFile]:
        """See Request."""
        if frames[0].tag != "exits":
            raise unexpected(frames[0])
        found = []
        for line in frames[0].body.decode("utf-8", "replace").split("\n"):
            place, _, text = line.partition(" ")
            run, _, name = place.partition("/")
            if name:
                found.append(ExitFile(run, name, f"{text}\n"))
        return found


class ForgetSecrets(_OfRuns[list[str]]):
    """Remove the secrets of runs that have ended; the answer is the runs whose secrets are still there."""

    __slots__ = ()

    def code(self) -> str:
        """See Request."""
        return f"ts_forget {self._words()}"

    def words(self) -> Sequence[str]:
        """See Request."""
        return ("rm", "-f", *(f"{self._root}/runs/{run}/secrets.env" for run in self._runs))

    def answer(self, frames: Sequence[Frame]) -> list[str]:
        """See Request."""
        if frames[0].tag != "kept":
            raise unexpected(frames[0])
        return frames[0].body.decode("utf-8", "replace").split()
