"""The part of the library's face that is about clusters: look at them, log in to them, have one in Docker."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from trainsub.places import Places
from trainsub.session import Session
from trainsub.transport import Ask

if TYPE_CHECKING:
    from trainsub.check.cluster import Finding
    from trainsub.sandbox import SandboxInfo, SandboxSpec
    from trainsub.verbs.login import Login
    from trainsub.verbs.sync import Synced


class ClusterCalls:
    """What a ``Client`` does with clusters."""

    places: Places
    _session: Session
    _ask: Ask | None

    def select(self, cluster: str | None = None) -> str:
        """The name of the cluster that is meant; raises UnknownClusterError if there is none or several could be."""
        return self._session.select(cluster)[0]

    def check_cluster(self, cluster: str | None = None) -> "list[Finding]":
        """Look at a cluster: is it reachable, is Slurm there, can a run lie there.

        Raises:
            TransportError: It cannot be talked to.
        """
        from trainsub.verbs.check_cluster import check_cluster  # noqa: PLC0415 -- point of use

        name, _ = self._session.select(cluster)
        return check_cluster(self._session, name)

    def log_in(self, cluster: str | None = None) -> "Login":
        """Log in to a cluster; with the transport `openssh`, later commands use that connection.

        Raises:
            TransportError: The login failed, or it takes a person and there is no one to ask.
        """
        from trainsub.verbs.login import log_in  # noqa: PLC0415 -- point of use

        return log_in(self._session, self.select(cluster), terminal=self._ask is not None)

    def log_out(self, cluster: str | None = None) -> bool:
        """End the connection to a cluster that is kept; False if there is none."""
        from trainsub.verbs.login import log_out  # noqa: PLC0415 -- point of use

        return log_out(self._session, self.select(cluster))

    def sync(self, cluster: str | None = None, *, progress: Callable[[int, int], None] | None = None) -> "Synced":
        """Record all runs that lie on a cluster, wherever they were submitted; nothing there is changed.

        Args:
            cluster: A configured cluster; the default one if None.
            progress: Called with the number of runs read so far, and of all.

        Raises:
            TransportError: It cannot be talked to.
        """
        from trainsub.verbs.sync import sync  # noqa: PLC0415 -- point of use

        return sync(self._session, self.select(cluster), progress=progress)

    def sandbox_up(self, spec: "SandboxSpec") -> "SandboxInfo":
        """Start a small real Slurm cluster in Docker containers, and add it to the configuration as ``sandbox``.

        Raises:
            SandboxError: Docker is missing, stopped, or refused.
        """
        from trainsub import sandbox  # noqa: PLC0415 -- point of use

        return sandbox.up(spec, self.places.sandbox, self._session.tell)

    def sandbox_down(self) -> bool:
        """Stop and remove the sandbox; False if there was none."""
        from trainsub import sandbox  # noqa: PLC0415 -- point of use

        return sandbox.down(self.places.sandbox, self._session.tell)

    def sandbox_status(self) -> "SandboxInfo | None":
        """The sandbox that runs, if one does."""
        from trainsub import sandbox  # noqa: PLC0415 -- point of use

        return sandbox.status(self.places.sandbox)
