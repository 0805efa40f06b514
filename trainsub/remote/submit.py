"""Hand a run to sbatch: one connection, one exec, at most one job.

The client sends the head, the files and, if it believes that the cluster lacks it, the code archive in one flight.  The
program (submit.sh) then

1. receives everything into a directory of its own, ``<root>/.new.<nonce>``; asks for the archive if it is lacking
   (frame ``need``), verifies it and unpacks the run's own copy.  A cut up to here leaves nothing behind.
2. takes the lock: ``mkdir runs/<run>``.  Whoever comes second waits a little for the first one's answer, and tells it.
   From here on nothing more is needed from the client, so the window in which the lock is held is short, and a
   client that has vanished without a word (nothing comes, and nothing says that nothing will) does not hold it.
3. says that it is about to call sbatch (frame ``busy sbatch``), and gives up if nobody is there to hear it.
4. calls sbatch, writes the answer by temporary file and rename, claims the fence for the job, and only then tells the
   answer.  SIGHUP, SIGPIPE, SIGTERM and SIGINT do not stop it between 3 and here.
5. After a refusal it waits, some minutes at most, for the client's verdict; ``discard`` removes the run's directory and
   so releases the lock.

What the client may conclude when something breaks:

=====================================================  ==========================================================
what it saw                                            conclusion
=====================================================  ==========================================================
the channel could not be opened                        nothing was sent: the error is raised as it is
an ``error`` frame                                     nothing was submitted, nothing was left: raised
the program ended in good order before step 3          nothing was submitted (it would have said so): raised
anything else: lost connection, silence, a program     unknown; settle.py finds out
that stopped reading, other ends
=====================================================  ==========================================================
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from trainsub.errors import (
    ClusterError,
    OutputError,
    RemoteFileError,
    RemoteTimeoutError,
    SnapshotError,
    TransportError,
)
from trainsub.remote.frames import Frame
from trainsub.remote.outcome import Verdict, judge, read_begun
from trainsub.remote.requests import unexpected
from trainsub.remote.submission import SubmitReply, SubmitRequest, sbatch_words, values
from trainsub.remote.talk import EndedError, Talk, start
from trainsub.tracker.values import REFUSED, UNKNOWN, VOID
from trainsub.transport.base import Transport

_PIECE = 256 * 1024
_GRACE = 25.0
"""Seconds beyond sbatch's own limit: timeout's ``-k 10``, writing the answer, the way back."""
_TOLD = 10.0
"""Seconds of silence after which the user is told what is being waited for."""

Progress = Callable[[int, int], None]
Tell = Callable[[str], None]


@dataclass(slots=True)
class _Course:
    """How far the dialogue came."""

    timeout: float
    tell: Tell
    doing: str = "receiving"
    told: str = ""
    calling: bool = False
    existing: bool = False
    kept: bool = False
    uploaded: bool = False
    archive_sent: bool = False
    notes: list[str] = field(default_factory=list)
    begun: datetime | None = None


def submit(
    transport: Transport, request: SubmitRequest, progress: Progress | None = None, tell: Tell | None = None
) -> SubmitReply:
    """Submit a run, or learn the answer of whoever submitted it before.

    Args:
        transport: How to get there.
        request: What is to be submitted.
        progress: Called with the bytes of the archive sent so far, and its size.
        tell: Receives what is being waited for, when that takes long.

    Returns:
        The outcome.  After the head was sent a broken connection is no exception but an unclear outcome.

    Raises:
        TransportError: No channel could be opened; nothing was sent.
        RemoteFileError: The cluster's file system refused; nothing was submitted.
        OutputError: The program could not run there; nothing was submitted.
        SnapshotError: The archive changed while it was sent; nothing was submitted.
        ConfigError: The remote root cannot be used as it is written.
        ValueError: A value cannot be sent.
    """
    sent = values(request)
    first = b"".join(request.files.values())
    with start(transport, "submit", sent, patience=request.patience, first=first, what="submit") as talk:
        talk.note(sbatch_words(request))
        course = _Course(request.patience, tell or (lambda _: None))
        try:
            if request.send_archive_first:
                _send_archive(talk, request, course, progress)
            said = _converse(talk, request, course, progress)
        except (TransportError, OutputError) as error:
            if isinstance(error, EndedError) and not course.calling:
                raise
            said = Verdict(UNKNOWN, detail=error.message)
        verdict = (said.outcome, said.job_id, said.cluster, said.detail, said.text)
        about = (course.existing, course.calling and not course.existing, course.kept, course.uploaded)
        return SubmitReply(*verdict, *about, talk.sent, talk.received, tuple(course.notes), begun=course.begun)


def _converse(talk: Talk, request: SubmitRequest, course: _Course, progress: Progress | None) -> Verdict:
    """Follow the program to its answer."""
    while True:
        frame = _next_frame(talk, course)
        match frame.tag:
            case "need" if not course.archive_sent:
                _send_archive(talk, request, course, progress)
            case "stored":
                course.uploaded = True
            case "busy" if frame.words == ("sbatch",):
                course.calling = True
                course.doing = "sbatch"
                course.timeout = request.sbatch_timeout + _GRACE
            case "busy":
                course.doing = " ".join(frame.words)
            case "pending":
                course.existing = True
                return Verdict(UNKNOWN, detail=f"another submit of {request.run} is under way, or was cut off")
            case "answer":
                return _conclude(talk, frame, course)
            case "error":
                raise _refusal(frame, talk, request)
            case _:
                raise OutputError(f"{talk.where}: the remote program said {frame.tag!r}, which means nothing here")


def _next_frame(talk: Talk, course: _Course) -> Frame:
    """Wait for the program's next word, and say so if it takes long.

    Raises:
        TransportError: The connection broke, or was silent for too long.
        OutputError: The program ended, or said what means nothing.
    """
    if course.timeout <= _TOLD or course.told == course.doing or talk.hung_up:
        return talk.read_frame(course.timeout)
    try:
        return talk.read_frame(_TOLD)
    except RemoteTimeoutError:
        course.told = course.doing
        course.tell(
            f"{talk.where} has said nothing for {_TOLD:.0f} s (its last word was: {course.doing});"
            f" waiting for it, {course.timeout:.0f} s at most"
        )
    return talk.read_frame(course.timeout - _TOLD)


def _conclude(talk: Talk, frame: Frame, course: _Course) -> Verdict:
    """Read the answer; a refused run leaves nothing behind."""
    match frame.words:
        case (existing, recorded, owner, begun):
            course.existing = existing == "1"
            course.begun = read_begun(begun)
        case _:
            raise unexpected(frame)
    verdict = judge(owner, frame.body)
    if recorded == "0":
        course.notes.append("sbatch answered, but its answer could not be written into the run's directory")
    if verdict.outcome == VOID and verdict.job_id is not None and not course.existing:
        course.notes.append(f"the run was voided while sbatch was working; job {verdict.job_id} is being cancelled")
        talk.note(("scancel", str(verdict.job_id)))
    course.kept = verdict.outcome == REFUSED and not _discard(talk)
    return verdict


def _discard(talk: Talk) -> bool:
    """Let the program remove a refused run's directory, and say whether it has."""
    talk.send(b"discard\n")
    try:
        while (tag := talk.read_frame(_GRACE).tag) not in {"gone", "bye"}:
            pass
    except (TransportError, OutputError):
        return False
    return tag == "gone"


def _send_archive(talk: Talk, request: SubmitRequest, course: _Course, progress: Progress | None) -> None:
    """Send exactly as many bytes as were announced.

    Raises:
        SnapshotError: The file is not what was announced.  The program gets less, and gives up.
    """
    course.archive_sent = True
    if request.archive is None:
        return
    sent = 0
    try:
        with request.archive.open("rb") as file:
            while sent < request.size and not talk.hung_up:
                piece = file.read(min(_PIECE, request.size - sent))
                if not piece:
                    raise SnapshotError(f"{request.archive} is shorter than it was: {sent} of {request.size} bytes")
                talk.send(piece)
                sent += len(piece)
                if progress is not None:
                    progress(sent, request.size)
    except OSError as error:
        raise SnapshotError(f"{request.archive} cannot be read: {error}") from error


def _refusal(frame: Frame, talk: Talk, request: SubmitRequest) -> ClusterError:
    """Return the error that an ``error`` frame stands for."""
    if not frame.words:
        return unexpected(frame)
    kind, step = frame.words[0], " ".join(frame.words[1:])
    words = frame.body.decode("utf-8", "replace").strip()
    root = request.remote_root
    if kind == "protocol":
        return RemoteFileError(
            f"{talk.where}: {root} belongs to another version of trainsub (its PROTOCOL file says {step!r})",
            hint="Use the version of trainsub that made it, or set another remote_root.",
        )
    if kind in {"content", "short"}:
        return RemoteFileError(f"{talk.where}: {words}", hint="Nothing was submitted; try again.")
    return RemoteFileError(
        f"{talk.where}: the run cannot be written below {root} ({step}): {words}",
        hint="Nothing was submitted. Free some space there, or set remote_root to a directory that you can write to.",
    )
