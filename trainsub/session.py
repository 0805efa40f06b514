"""What a verb works with: settings, store, clock, and one connection per cluster, made when first needed."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from trainsub.config import Cluster, Settings, select_cluster
from trainsub.errors import UnknownClusterError
from trainsub.store import Store, find_runs
from trainsub.tracker.values import Run
from trainsub.transport import Transport


class Clock(Protocol):
    """Time as verbs see it."""

    def now(self) -> datetime:
        """The time, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        """The time, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Session:
    """The settings, the store, the clock and the connections of one user's work.

    Args:
        settings: The configuration.
        only: The cluster that is meant where none is named, and whose runs alone are meant; None for no such choice.
        open_store: Opens the store when first needed; False for a copy in memory, of which nothing is kept.
        connect: Makes a transport for a cluster, without connecting yet.
        archives: Where packed snapshots lie.
        clock: The clock.
        tell: Receives what a person should know and no machine reads.
    """

    def __init__(  # noqa: PLR0913 -- everything that it works with can be given
        self,
        settings: Settings,
        *,
        only: str | None = None,
        open_store: Callable[[bool], Store],
        connect: Callable[[str, Cluster], Transport],
        archives: Path,
        clock: Clock | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self.settings = settings
        self.only = None if only is None else select_cluster(settings, only)[0]
        self.archives = archives
        self.clock: Clock = clock or SystemClock()
        self.tell: Callable[[str], None] = tell or (lambda _: None)
        self._open_store = open_store
        self._store: Store | None = None
        self._connect = connect
        self._transports: dict[str, Transport] = {}
        self._told: set[str] = set()

    @property
    def store(self) -> Store:
        """The store, opened when first needed."""
        if self._store is None:
            self._store = self._open_store(True)
        return self._store

    def stop_recording(self) -> None:
        """Go on with what the store holds, in memory: the file cannot be written to, and what is asked must be done.

        Raises:
            StoreError: It cannot be read either.
        """
        if self._store is not None:
            self._store.close()
        self._store = self._open_store(False)

    def select(self, name: str | None) -> tuple[str, Cluster]:
        """The cluster of that name, or the one that is meant when none is named.

        Raises:
            UnknownClusterError: There is none, or it is not clear which.
        """
        return select_cluster(self.settings, name or self.only)

    def find(self, texts: Sequence[str]) -> list[Run]:
        """The runs that a person means; see store/lookup.py."""
        return find_runs(self.store, texts, cluster=self.only)

    def runs(self) -> list[Run]:
        """All runs, oldest first, with empty scripts and specs: read for lists."""
        return [run for run in self.store.lists.all() if self.only in {None, run.cluster}]

    def cluster(self, name: str) -> Cluster:
        """The configuration of a cluster that runs were submitted to.

        Raises:
            UnknownClusterError: It is no longer configured.
        """
        try:
            return self.settings.config.clusters[name]
        except KeyError:
            raise UnknownClusterError(
                f"cluster {name!r} is not configured any more, and runs in the store are on it",
                hint=f"Add [clusters.{name}] to the configuration; `trainsub config path` shows where.",
            ) from None

    def tell_once(self, line: str) -> None:
        """Tell something that would be found again with each question."""
        if line not in self._told:
            self._told.add(line)
            self.tell(line)

    def transport(self, name: str) -> Transport:
        """The cluster's transport; it connects when first used."""
        if name not in self._transports:
            self._transports[name] = self._connect(name, self.cluster(name))
        return self._transports[name]

    def prepare(self, name: str) -> None:
        """Begin to connect to a cluster; what fails is told by whoever uses the connection."""
        self.transport(name).prepare()

    def drop(self, name: str) -> None:
        """Forget a connection that broke; the next use makes a new one."""
        transport = self._transports.pop(name, None)
        if transport is not None:
            transport.close()

    def close(self) -> None:
        """Close every connection and the store."""
        for name in list(self._transports):
            self.drop(name)
        if self._store is not None:
            self._store.close()
            self._store = None
