"""Decides whether a server is the one that the user knows.  Reads the known_hosts files; never writes them.

An unknown or changed key is always refused, whatever StrictHostKeyChecking says: whoever could stand in the cluster's
place would get the code and the secrets.  OpenSSH itself is the one that asks the user and stores keys.
"""

from collections.abc import Sequence
from pathlib import Path

from trainsub.errors import HostKeyError
from trainsub.transport.known_hosts import Entry, Verdict, fingerprint, judge, known_types, names_of, parse, type_label
from trainsub.transport.ssh_config import Target

_ALGORITHMS_OF = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class HostKeys:
    """What is known of one target's host key.

    Args:
        target: The machine.

    Raises:
        HostKeyError: A known_hosts file cannot be read.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._names = names_of(target.host, target.port, target.host_key_alias)
        self._entries: list[Entry] = []
        for name in target.known_hosts_files:
            try:
                text = Path(name).read_text(encoding="utf-8", errors="surrogateescape")
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise HostKeyError(f"cannot read the known host keys in {name}: {error.strerror or error}") from error
            self._entries += parse(text, name)

    def algorithms(self, supported: Sequence[str]) -> tuple[str, ...]:
        """Order the algorithms so that the server shows a key that is known, if it has one; as OpenSSH does."""
        wanted = [name for name in self._target.host_key_algorithms if name in supported] or list(supported)
        known = [
            algorithm
            for key_type in known_types(self._entries, self._names)
            for algorithm in _ALGORITHMS_OF.get(key_type, (key_type,))
        ]
        return tuple(sorted(wanted, key=lambda name: known.index(name) if name in known else len(known)))

    def verify(self, key_type: str, blob: bytes) -> None:
        """Accept a server's key or raise.

        Raises:
            HostKeyError: The key is not known, not the known one, or revoked.
        """
        judgement = judge(self._entries, self._names, blob)
        if judgement.verdict is Verdict.KNOWN:
            return
        shown = f"{type_label(key_type)} {fingerprint(blob)}"
        entry = judgement.entry
        if entry is None:
            raise self._unknown(shown)
        place = f"{entry.origin}:{entry.line}"
        if judgement.verdict is Verdict.REVOKED:
            raise HostKeyError(
                f"the host key of {self._where} is marked as revoked: {shown} ({place})",
                hint="do not connect; ask the cluster's administrators",
            )
        if judgement.verdict is Verdict.AUTHORITY:
            raise HostKeyError(
                f"the host key of {self._where} is known only through a certificate authority ({place}),"
                f" which trainsub cannot check; it showed {shown}",
                hint=f"compare the fingerprint with the administrators', then add the key itself to {entry.origin}",
            )
        raise HostKeyError(
            f"THE HOST KEY OF {self._where} HAS CHANGED: somebody may be standing in its place\n"
            f"  it showed  {shown}\n"
            f"  known is   {type_label(entry.key_type)} {fingerprint(entry.blob)} ({place})",
            hint="ask the cluster's administrators. If they confirm the new fingerprint:"
            f" ssh-keygen -f {entry.origin} -R {_quoted(self._names[0])}, then: {self._accept}",
        )

    @property
    def _where(self) -> str:
        name = self._names[0]
        return (
            self._target.address
            if name in (self._target.host, f"[{self._target.host}]:{self._target.port}")
            else (f"{self._target.address} ({name})")
        )

    @property
    def _accept(self) -> str:
        return self._target.ssh_command.replace("ssh ", "ssh -o StrictHostKeyChecking=ask ", 1) + " true"

    def _unknown(self, shown: str) -> HostKeyError:
        files = ", ".join(self._target.known_hosts_files) or "no known_hosts file is configured"
        return HostKeyError(
            f"the host key of {self._where} is not known: {shown} (looked in: {files})",
            hint="compare the fingerprint with the one that the cluster's administrators publish,"
            f" and let OpenSSH store it: {self._accept}",
        )


def _quoted(name: str) -> str:
    return f"'{name}'" if name.startswith("[") else name
