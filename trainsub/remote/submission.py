"""What a submit sends and what came of it: the request, its values for submit.sh, and the reply. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from trainsub.remote.outcome import Verdict
from trainsub.remote.program import Values, quote, word_list
from trainsub.remote.roots import check_root, check_run

WAIT_FOR_OTHER = 8
"""Seconds that the program waits for the answer of another submit of the same run."""
BEAT = 10
"""Seconds between two signs of life of a program that verifies or unpacks an archive."""
SILENCE = 120
"""Seconds that the program waits for 256 KiB of its input, or for a verdict, before it takes the client for dead."""
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_VARIABLE = re.compile(r"(?!TS_|PATH$)[A-Za-z_][A-Za-z0-9_]*")  # none of the program's own
_PREPARED = frozenset({"work", "logs", "exit"})


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """What is to be submitted.

    Attributes:
        remote_root: As configured; a leading ``~/`` is the home directory on the cluster.
        run: Run id; the name of the job and of its directory.
        link: The job's number in its run.  The lock is the run's directory, so this is for the first link.
        files: What goes into the run's directory: ``script.sbatch``, ``spec.toml``.
        archive: The code snapshot; None leaves the working directory empty.
        sha256: Its hash, which is its name there.
        size: Its size in bytes.
        slurm_bin: Where Slurm's commands are, if not on the PATH there.
        sbatch_timeout: Seconds that sbatch is given.
        patience: Seconds of silence borne, and without any progress of what is sent; a program that verifies or unpacks
            an archive is not silent.  Before an
            answer of sbatch it is its time limit and a little more.
        send_archive_first: Send the archive without being asked, which spares a round trip if it is lacking.
        secrets: Variables and their values. They travel as values of the program, never as a file of their own, and
            are written down under the lock only: what is cut before leaves nothing of them on the cluster.
    """

    remote_root: str
    run: str
    link: int
    files: Mapping[str, bytes]
    archive: Path | None = None
    sha256: str = ""
    size: int = 0
    slurm_bin: str = ""
    sbatch_timeout: int = 60
    patience: float = 180.0
    send_archive_first: bool = False
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class SubmitReply(Verdict):
    """What became of it; see Verdict.

    Attributes:
        existing: The answer is that of an earlier submit of the same run; this one called no sbatch.
        called: This submit was seen to call sbatch, so that a refusal is the answer to it.
        kept: The directory of a refused run, and with it the run's secrets, may still be there.
        uploaded: The archive was lacking on the cluster and has been stored.
        sent: Bytes sent.
        received: Bytes received.
        notes: What else the user should know, in words.
        begun: When the (first) submit called sbatch, by the cluster's clock, in UTC; None if that is not known.
    """

    existing: bool = False
    called: bool = False
    kept: bool = False
    uploaded: bool = False
    sent: int = 0
    received: int = 0
    notes: tuple[str, ...] = ()
    begun: datetime | None = None


def sbatch_words(request: SubmitRequest) -> list[str]:
    """Return the command that submit.sh runs, for the audit log; the root is as configured."""
    run_dir = f"{check_root(request.remote_root)}/runs/{request.run}"
    logs = f"{run_dir}/logs".replace("%", "%%")
    named = ["--parsable", f"--job-name={request.run}", f"--comment=trainsub:{request.run}:{request.link}"]
    placed = [f"--chdir={run_dir}/work", f"--output={logs}/%j.out", "--open-mode=append"]
    return ["sbatch", *named, *placed, f"{run_dir}/script.sbatch", run_dir, str(request.link)]


def values(request: SubmitRequest) -> Values:
    """Return the values of submit.sh.

    Raises:
        ValueError: A file's name is none of ours, or a secret's name none of a variable.
    """
    files: list[str] = []
    for name in request.secrets:
        if _VARIABLE.fullmatch(name) is None:
            raise ValueError(f"not a name for a variable: {name!r}")
    for name, data in request.files.items():
        if _FILE_NAME.fullmatch(name) is None or name in _PREPARED:
            raise ValueError(f"not a name for a file of a run: {name!r}")
        files += [name, str(len(data))]
    return {
        "TS_SLURM_BIN": request.slurm_bin,
        "TS_ROOT": check_root(request.remote_root),
        "TS_RUN": check_run(request.run),
        "TS_LINK": request.link,
        "TS_FILES": word_list(files),
        "TS_SHA": request.sha256 if request.archive else "",
        "TS_SIZE": request.size if request.archive else 0,
        "TS_FIRST": request.archive is not None and request.send_archive_first,
        "TS_TIMEOUT": request.sbatch_timeout,
        "TS_WAIT": WAIT_FOR_OTHER,
        "TS_BEAT": BEAT,
        "TS_SILENCE": SILENCE,
        "TS_HIDDEN": " ".join(request.secrets),
        "TS_SECRETS": "".join(f"export {name}={quote(value)}\n" for name, value in request.secrets.items()),
    }
