"""The library's face: everything that the command line does, as methods of one object.

import trainsub

with trainsub.Client() as client:
    plan = client.plan("job.toml")          # asks no network
    run = client.submit(plan)
    (run,) = client.wait([run.run])
    print(run.jobs[-1].state, client.usage([run.run]).total.gpu_seconds)
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from trainsub.client_clusters import ClusterCalls
from trainsub.client_plans import PlanCalls
from trainsub.config import EMBEDDED, Cluster, Settings
from trainsub.places import Places
from trainsub.session import Clock, Session
from trainsub.store import Event, Store
from trainsub.tracker.values import Run
from trainsub.transport import Ask, Audit, Transport, open_transport

if TYPE_CHECKING:
    from trainsub.plan import Plan
    from trainsub.slurm.scontrol import Order
    from trainsub.verbs.cancel import Cancelled
    from trainsub.verbs.control import Controlled
    from trainsub.verbs.status import Status
    from trainsub.verbs.usage import UsageReport


class Client(PlanCalls, ClusterCalls):
    """Submit runs, follow them, and know what they cost.

    Everything that it works with can be given, which is how tests use it; what is not given is found where the
    command line finds it.

    Args:
        settings: The configuration; read from the usual files if None.
        cluster: The cluster to use where none is named; then only runs on it are meant. None for no such choice.
        places: Where files lie on this machine.
        connect: Makes a transport for a cluster's name and configuration; the configured one if None.
        store: The store; the usual file if None. A store that was given is closed with the client.
        clock: The clock.
        tell: Receives what a person should know and no machine reads, a line at a time.
        ask: Asks the person at the terminal for a secret, such as a key's passphrase; None where there is no one.
            It is called as ``ask(prompt, echo=False)``; echo says that the answer may be seen.

    Raises:
        ConfigError: The configuration is wrong.
        UnknownClusterError: There is no such cluster.
    """

    def __init__(  # noqa: PLR0913 -- everything that it works with can be given
        self,
        settings: Settings | None = None,
        *,
        cluster: str | None = None,
        places: Places | None = None,
        connect: Callable[[str, Cluster], Transport] | None = None,
        store: Store | None = None,
        clock: Clock | None = None,
        tell: Callable[[str], None] | None = None,
        ask: Ask | None = None,
    ) -> None:
        self.places = places or Places()
        self.settings = settings if settings is not None else self.places.settings()
        self._ask = ask
        self._session = Session(
            self.settings,
            only=cluster,
            open_store=lambda kept: store if store is not None and kept else self._open_store(store, kept=kept),
            connect=connect or self._connect,
            archives=self.places.archives,
            clock=clock,
            tell=tell,
        )

    def _open_store(self, given: Store | None, *, kept: bool) -> Store:
        if given is not None:
            return Store(given.path, kept=kept)
        if self.places.passing and kept:
            self._session.tell(
                f"there is no home directory that can be written to: what is known of runs lies in {self.places.state} "
                "and may not last. TRAINSUB_STATE_DIR names another folder; `trainsub sync` finds the runs again"
            )
        return Store(self.places.store, kept=kept)

    def _connect(self, name: str, cluster: Cluster) -> Transport:
        """The way to a cluster; the embedded one is made when it is first taken."""
        make = self._make_embedded if name == EMBEDDED else None
        return open_transport(name, cluster, audit=Audit(self.places.audit), ask=self._ask, before=make)

    def _make_embedded(self) -> None:
        from trainsub.embedded import make_ready  # noqa: PLC0415 -- point of use

        make_ready(self.places.minislurm, self.settings.config.minislurm, self._session.tell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and store."""
        self._session.close()

    # -- runs -----------------------------------------------------------------------------------------------------

    def prepare(self, cluster: str | None = None) -> None:
        """Begin to connect in the background, because a submission will follow; nothing is sent.

        What goes wrong is raised by the first call that needs the connection.

        Raises:
            UnknownClusterError: There is no such cluster.
        """
        self._session.prepare(self.select(cluster))

    def submit(self, plan: "Plan", *, progress: Callable[[int, int], None] | None = None) -> Run:
        """Submit a plan exactly once, or find the run that it already is.

        Args:
            plan: What is to be submitted.
            progress: Called with the bytes of the code sent so far, and their total.

        Raises:
            RefusedError: The cluster said no; there is no job.
            UnsettledError: It is not known whether there is a job; any later call finds out.
            TransportError: The cluster could not be reached; nothing was sent.
        """
        from trainsub.verbs.submit import submit  # noqa: PLC0415 -- point of use

        return submit(self._session, plan, progress=progress)

    def submit_all(
        self,
        plans: "Sequence[Plan]",
        *,
        progress: Callable[[int, int], None] | None = None,
        accepted: Callable[[Run], None] | None = None,
    ) -> list[Run]:
        """Submit all plans of a spec, each exactly once; called again after an error, it goes on where that happened.

        Args:
            plans: What ``plans`` returned.
            progress: Called with the bytes of the code sent so far, and their total.
            accepted: Called with each run as soon as it has its job.

        Raises:
            SpecError: The key has a run of other points.
            UsageError: The key has a run on another cluster, and the sweep has several parts.
            RefusedError, UnsettledError, TransportError: As ``submit``; the hint says what is submitted by then.
        """
        from trainsub.parts import submit_parts  # noqa: PLC0415 -- point of use

        return submit_parts(plans, lambda plan: self.submit(plan, progress=progress), accepted=accepted)

    def status(self, runs: Sequence[str] = (), *, cached: bool = False) -> "Status":
        """Runs as they are known, asked anew where that is older than 15 seconds.

        Args:
            runs: Run ids, unique prefixes, job ids or ``cluster:job_id``; none means all.
            cached: Ask no cluster.
        """
        from trainsub.verbs.status import status  # noqa: PLC0415 -- point of use

        return status(self._session, runs, cached=cached)

    def history(self, run: str) -> list[Event]:
        """What happened to a run, oldest first."""
        (found,) = self._session.find([run])
        return self._session.store.events(found.run)

    def wait(self, runs: Sequence[str], *, timeout: float | None = None) -> list[Run]:
        """Wait until every run has ended.

        Args:
            runs: As for ``status``.
            timeout: Seconds to wait at the most.

        Raises:
            DeadlineError: The time has passed; the runs go on.
        """
        from trainsub.verbs.wait import wait  # noqa: PLC0415 -- point of use

        return wait(self._session, runs, timeout=timeout)

    def logs(self, run: str, *, follow: bool = False) -> Iterator[bytes]:
        """The log of a run.

        Args:
            run: As for ``status``.
            follow: Go on until the run has ended.
        """
        from trainsub.verbs.logs import logs  # noqa: PLC0415 -- point of use

        return logs(self._session, run, follow=follow)

    def cancel(self, runs: Sequence[str]) -> "list[Cancelled]":
        """Cancel runs; those that have ended are left as they are.

        Raises:
            RefusedError: Slurm refused one.
        """
        from trainsub.verbs.cancel import cancel  # noqa: PLC0415 -- point of use

        return cancel(self._session, runs)

    def hold(self, runs: Sequence[str]) -> "list[Controlled]":
        """Keep runs that wait from starting; one that runs goes on.

        Raises:
            RefusedError: Slurm refused one, or it has ended.
        """
        return self._control("hold", runs)

    def release(self, runs: Sequence[str]) -> "list[Controlled]":
        """Let runs start that are held.

        Raises:
            RefusedError: Slurm refused one, for instance because an administrator holds it, or it has ended.
        """
        return self._control("release", runs)

    def requeue(self, runs: Sequence[str]) -> "list[Controlled]":
        """Stop runs and put them back into the queue; what they did since their last checkpoint is lost.

        Raises:
            RefusedError: Slurm refused one, for instance because it waits already.
        """
        return self._control("requeue", runs)

    def retry(self, run: str, *, progress: Callable[[int, int], None] | None = None) -> Run | None:
        """Train those tasks of an array again that failed, as a run of their own; exactly once, however often asked.

        Args:
            run: As for ``status``.
            progress: Called with the bytes of the code sent so far, and their total.

        Returns:
            The new run; None where nothing has failed.

        Raises:
            UsageError: The run is no array, or not all of its tasks have ended.
            RefusedError: The cluster said no; there is no job.
            UnsettledError: It is not known whether there is a job; any later call finds out.
            TransportError: The cluster could not be reached; nothing was sent.
        """
        from trainsub.verbs.retry import plan_retry  # noqa: PLC0415 -- point of use

        plan = plan_retry(self._session, run)
        return None if plan is None else self.submit(plan, progress=progress)

    def _control(self, order: "Order", runs: Sequence[str]) -> "list[Controlled]":
        from trainsub.verbs.control import control  # noqa: PLC0415 -- point of use

        return control(self._session, order, runs)

    def usage(self, runs: Sequence[str] = (), *, since: datetime | None = None, cached: bool = False) -> "UsageReport":
        """GPU-seconds from Slurm's records, and their cost.

        Args:
            runs: As for ``status``; none means all.
            since: Only runs submitted since.
            cached: Ask no cluster.
        """
        from trainsub.verbs.usage import usage  # noqa: PLC0415 -- point of use

        return usage(self._session, runs, since=since, cached=cached)
