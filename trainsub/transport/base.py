"""What the rest of trainsub may assume of a way to run programs on a cluster: nothing but this.

No paramiko, no subprocess, no Slurm.  ``ssh.py``, ``openssh.py`` and ``local.py`` fulfil it;
``tests/transport/test_contract.py`` says what it means.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from trainsub.errors import RemoteTimeoutError

CHUNK = 1 << 18
"""The most bytes that one ``read`` returns."""

STDERR_LIMIT = 1 << 16
"""How much of the end of stderr is kept: enough for any message, and no memory leak."""


class Ask(Protocol):
    """Asks the user for something, mostly a secret."""

    def __call__(self, prompt: str, *, echo: bool = False) -> str:
        """Return the answer.

        Args:
            prompt: What to ask; may have several lines.
            echo: Whether what is typed may be seen; a server says so of what is no secret.
        """


class ClusterSettings(Protocol):
    """What a transport needs to know of a cluster; ``config.Cluster`` fulfils it."""

    @property
    def transport(self) -> str:
        """``paramiko``, ``openssh`` or ``local``."""

    @property
    def host(self) -> str | None:
        """An alias of the OpenSSH configuration, or a host."""

    @property
    def user(self) -> str | None:
        """The user there, if it is not what OpenSSH would take."""

    @property
    def port(self) -> int | None:
        """The port there, if it is not what OpenSSH would take."""

    @property
    def identity_file(self) -> Path | str | None:
        """The only key to use, if it is not what OpenSSH would take."""

    @property
    def ssh_config(self) -> Path | str | None:
        """The OpenSSH configuration file to read in place of the user's."""

    @property
    def connect_timeout(self) -> float:
        """Seconds for each step of connecting: address, TCP, handshake, authentication."""


class Channel(Protocol):
    """One program that runs on the cluster: its stdin, stdout, stderr and exit status.

    One thread may write while another reads.  Reading never blocks because of stderr.  Writing blocks while the
    program reads nothing, and a program that cannot write its output reads nothing: who sends much to a program that
    answers much must read in another thread.
    """

    def write(self, data: bytes, timeout: float | None = None) -> None:
        """Send to the program's stdin; what a program that ended its stdin does not read any more is dropped.

        Args:
            data: The bytes.
            timeout: Seconds without any progress that are borne; a slow program or link that takes a little now and
                then is never cut.  None waits for ever.

        Raises:
            RemoteTimeoutError: Nothing more was taken in ``timeout`` seconds.  How much was is not known, so nothing
                may be written any more; reading goes on.
            ConnectionLostError: The connection broke.
        """

    def close_write(self) -> None:
        """End the program's stdin."""

    def read(self, timeout: float | None = None) -> bytes:
        """Return some of stdout as soon as there is some; ``b""`` at its end.

        Raises:
            RemoteTimeoutError: Nothing came in ``timeout`` seconds.
            ConnectionLostError: The connection broke before stdout ended.
        """

    def stderr(self) -> bytes:
        """Return the end of what the program wrote to stderr so far."""

    def exit_status(self, timeout: float | None = None) -> int | None:
        """Wait for the end of the program; unread output is dropped.

        Returns:
            The exit status, 128 + n after signal n, None where the other side did not say.

        Raises:
            RemoteTimeoutError: It goes on after ``timeout`` seconds.
            ConnectionLostError: The connection broke before the program ended.
        """

    def close(self) -> None:
        """Let go of the program; it is not killed, but finds its stdin ended and its output unread."""


def stalled(where: str, timeout: float) -> RemoteTimeoutError:
    """Return the error of a write that makes no progress.

    Args:
        where: Where the program runs.
        timeout: Seconds that were borne.
    """
    return RemoteTimeoutError(
        f"{where}: the program has read nothing of its input for {timeout:g} s",
        hint="the login node may be overloaded, or its file system may hang; try again later",
    )


@runtime_checkable
class Notes(Protocol):
    """What a channel of every transport also does: it tells the audit log what its program is asked to run."""

    def note(self, argv: Sequence[str]) -> None:
        """Note a command for the audit log; one that is the last one over again is noted once.

        Args:
            argv: Command and arguments; never what it reads on stdin.
        """


@dataclass(frozen=True, slots=True)
class Stay:
    """A connection that outlives the command that made it.

    Attributes:
        new: It was made now; False: it was there.
        idle: Seconds without any command after which it ends; None where that is not known.
    """

    new: bool
    idle: int | None


@runtime_checkable
class KeepsLogin(Protocol):
    """What a transport also does whose connection outlives the command."""

    def log_in(self, *, terminal: bool) -> Stay:
        """Connect for long, or find that it is done.

        Args:
            terminal: Whether a person can be asked, at the terminal of this process.

        Raises:
            TransportError: The login failed.
        """

    def log_out(self) -> bool:
        """End the connection; False if there was none."""


class Transport(Protocol):
    """A way to run programs on one cluster.  It connects when it is first needed, and again after a lost connection."""

    @property
    def description(self) -> str:
        """Where it leads, for messages: ``hpc (me@login.example.org:22)``."""

    @property
    def connections(self) -> int:
        """Connections made so far, those through jump hosts not counted apart."""

    @property
    def execs(self) -> int:
        """Programs started so far."""

    @property
    def bytes_sent(self) -> int:
        """Bytes given to the programs so far."""

    @property
    def bytes_received(self) -> int:
        """Bytes got from the programs so far, stderr included."""

    def prepare(self) -> None:
        """Begin to connect in the background; what fails is raised by the next ``open``."""

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        """Start a program.

        Args:
            argv: The program and its arguments; no shell expands anything in them.
            what: A name for the audit log.

        Raises:
            TransportError: No connection, or none that may be trusted or used.
        """

    def close(self) -> None:
        """Close the connection, and with it every channel."""
