"""The secrets of runs that have ended, removed from their cluster by the command that first learns of the end.

A job's script removes them itself where it can: not if it was killed, or never began.
"""

from trainsub.errors import ClusterError, TransportError
from trainsub.remote import Ask, ForgetSecrets, check_root
from trainsub.session import Session
from trainsub.store import Event


def forget_secrets(session: Session, cluster: str) -> None:
    """Remove the secrets of all runs on a cluster that are known to have ended.

    What cannot be removed is told, and tried again by the next command.
    """
    runs = session.store.secrets.ended(cluster)
    if not runs:
        return
    settings = session.cluster(cluster)
    try:
        with Ask(session.transport(cluster), what="secrets") as ask:
            kept = ask.batch(ForgetSecrets(check_root(settings.remote_root), runs))[0]
    except (TransportError, ClusterError) as error:
        session.tell_once(f"secrets of {_named(runs)} may still lie on cluster {cluster}: {error.message}")
        return
    removed = [run for run in runs if run not in kept]
    session.store.secrets.gone(removed)
    for run in removed:
        session.store.note(Event(run, None, session.clock.now(), "secrets removed", "trainsub"))
    if kept:
        session.tell_once(
            f"secrets of {_named(kept)} cannot be removed from cluster {cluster}; each command tries again"
        )


def _named(runs: list[str]) -> str:
    return f"run {runs[0]}" if len(runs) == 1 else f"{len(runs)} runs"
