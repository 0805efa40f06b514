"""The system's own ``ssh``: where it is, what it is told for a cluster, and what it answers to ``ssh -G``."""

import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from trainsub.errors import ConfigError, UnreachableError
from trainsub.transport import whoami
from trainsub.transport.base import ClusterSettings

_TIMEOUT = 60.0  # `Match exec` may run programs


def find_ssh() -> str | None:
    """Return the path of ``ssh``, or None where it is not installed, or refuses to work: for a user without a name."""
    return shutil.which("ssh") if whoami.entry() is not None else None


def file_options(cluster: ClusterSettings) -> list[str]:
    """Return the options that name the OpenSSH configuration; a jump host needs them, too."""
    if cluster.ssh_config is None:
        return []
    return ["-F", str(Path(cluster.ssh_config).expanduser().absolute())]


def own_options(cluster: ClusterSettings) -> list[str]:
    """Return the options that stand for the cluster's own settings, which win over the OpenSSH configuration."""
    return [
        *(("-p", str(cluster.port)) if cluster.port is not None else ()),
        *(("-l", cluster.user) if cluster.user is not None else ()),
    ]


def identity(cluster: ClusterSettings) -> Path | None:
    """Return the private key that the cluster's settings name.

    Raises:
        ConfigError: It does not exist.
    """
    if cluster.identity_file is None:
        return None
    path = Path(cluster.identity_file).expanduser().absolute()
    if not path.exists():
        raise ConfigError(f"the identity file {path} does not exist")
    return path


def check_host(host: str) -> None:
    """See that a host is one.

    Raises:
        ConfigError: OpenSSH would take it for something else.
    """
    if host.startswith("-") or "\0" in host or not host.strip():
        raise ConfigError(f"{host!r} cannot be a host: OpenSSH would take it for an option or nothing")


def ask_settings(program: str, host: str, args: Sequence[str]) -> str:
    """Return what ``ssh -G`` says of a host: every setting as it is in force.

    Args:
        program: The path of ``ssh``.
        host: A host or an alias, checked.
        args: Options before it.

    Raises:
        ConfigError: ssh does not understand its configuration.
        UnreachableError: It gave no answer.
    """
    try:
        answer = subprocess.run(  # noqa: S603 - a list of words, and the host cannot be an option
            [program, "-G", *args, "--", host],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise UnreachableError(
            f"`ssh -G {host}` gave no answer in {_TIMEOUT:g} s",
            hint="a `Match exec` of the OpenSSH configuration may hang",
        ) from None
    if answer.returncode != 0:
        complaint = answer.stderr.decode(errors="replace").strip()
        typed = shlex.join(("ssh", *args, "-G", "--", host))
        raise ConfigError(f"ssh refuses its configuration for {host}: {complaint}", hint=f"try: {typed}")
    return answer.stdout.decode(errors="surrogateescape")
