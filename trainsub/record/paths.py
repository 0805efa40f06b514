"""Where things lie under ``remote_root``. Python 3.6 syntax, standard library only; pure.

All paths are POSIX paths on the cluster, whatever the client runs on. A ``~`` at the beginning is left to the cluster.
"""

import re
from typing import NamedTuple

from trainsub.record.names import is_run_id

PROTOCOL = 1
"""Number in ``<remote_root>/PROTOCOL``; another one is another layout."""

VOID = "void"
"""What ``owner.<link>`` points to when no job may own the link any more."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def protocol(root: str) -> str:
    """Return the path of the file that holds the layout's number."""
    return _under(root, "PROTOCOL")


def code(root: str, sha256: str) -> str:
    """Return the path of a snapshot.

    Raises:
        ValueError: The hash is none.
    """
    if _SHA256.fullmatch(sha256) is None:
        raise ValueError(f"not a SHA-256: {sha256!r}")
    return _under(root, "code", f"{sha256}.tar.gz")


_Place = NamedTuple("_Place", [("root", str), ("run", str)])


class RunPaths(_Place):
    """The files of one run.

    Args:
        root: ``remote_root``.
        run: Run id.

    Raises:
        ValueError: The run id is none; nothing outside the run's directory can be named.
    """

    __slots__ = ()

    def __new__(cls, root: str, run: str) -> "RunPaths":  # noqa: PYI034  Python 3.6 has no Self
        """Refuse what is no run id."""
        if not is_run_id(run):
            raise ValueError(f"not a run id: {run!r}")
        return super().__new__(cls, root, run)

    @property
    def run_dir(self) -> str:
        """The run's directory; making it is the lock of the submission."""
        return _under(self.root, "runs", self.run)

    @property
    def spec(self) -> str:
        """The resolved spec."""
        return _under(self.run_dir, "spec.toml")

    @property
    def script(self) -> str:
        """The batch script."""
        return _under(self.run_dir, "script.sbatch")

    @property
    def work(self) -> str:
        """The job's working directory: the run's own unpacked snapshot."""
        return _under(self.run_dir, "work")

    @property
    def logs(self) -> str:
        """Directory of what the jobs print."""
        return _under(self.run_dir, "logs")

    @property
    def exits(self) -> str:
        """Directory of the exit records."""
        return _under(self.run_dir, "exit")

    def answer(self, link: int) -> str:
        """Return the path of sbatch's answer."""
        return _under(self.run_dir, f"answer.{link}")

    def owner(self, link: int) -> str:
        """Return the path of the link's fence: a symbolic link to the owning job's id, or to ``VOID``."""
        return _under(self.run_dir, f"owner.{link}")

    def log(self, job_id: int) -> str:
        """Return the path of what a job prints, all its restarts in one file."""
        return _under(self.logs, f"{job_id}.out")

    def exit(self, job_id: int, restart: int) -> str:
        """Return the path of the exit record of one start of a job."""
        return _under(self.exits, f"{job_id}.{restart}")


def _under(folder: str, *names: str) -> str:
    return "/".join((folder.rstrip("/"), *names))
