"""The exception tree. A leaf: standard library only, Python 3.6 syntax (the supervisor packs it).

Every error says what happened and where (``message``) and what to do next (``hint``).  Its class says how the
command line ends (``exit_code``, see docs/reference/exit-codes.md) and what a machine reads (``kind``).

    TrainsubError                 1  internal
    ├── UsageError                2  usage
    ├── RejectedError             3  rejected          our own "no", before anything was submitted
    │   ├── SpecError                spec
    │   ├── ConfigError              config
    │   ├── TemplateError            template
    │   └── SnapshotError            snapshot
    ├── TransportError            4  transport         the cluster could not be talked to
    │   ├── UnreachableError         unreachable
    │   ├── AuthError                auth
    │   ├── HostKeyError             host_key
    │   ├── ConnectionLostError      connection_lost
    │   ├── SlurmSilentError         slurm_silent      the login node answers, Slurm does not
    │   └── RemoteTimeoutError       timeout
    ├── SandboxError              4  sandbox           Docker is missing, stopped or refused
    ├── ClusterError              5  cluster           the cluster said no
    │   ├── RefusedError             refused           sbatch, scancel or scontrol refused
    │   ├── RemoteFileError          remote_file       its file system refused
    │   └── OutputError              output            it said something that trainsub cannot read
    ├── LookupFailedError         6  not_found
    │   ├── UnknownClusterError      unknown_cluster
    │   ├── UnknownRunError          unknown_run
    │   └── AmbiguousRunError        ambiguous_run
    ├── UnsettledError            7  unsettled         the outcome of a submission is not known yet
    ├── StoreError                8  store
    ├── CeilingError              9  ceiling
    └── DeadlineError           124  deadline          --timeout passed
"""

from typing import Optional


class TrainsubError(Exception):
    """Root of every error that trainsub raises on purpose.

    Args:
        message: What happened, and where.
        hint: What to do next, when there is something to do.
    """

    exit_code = 1
    kind = "internal"

    def __init__(self, message: str, *, hint: Optional[str] = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(TrainsubError):
    """The command line makes no sense."""

    exit_code = 2
    kind = "usage"


class RejectedError(TrainsubError):
    """trainsub itself says no; nothing was submitted."""

    exit_code = 3
    kind = "rejected"


class SpecError(RejectedError):
    """The job spec is wrong."""

    kind = "spec"


class ConfigError(RejectedError):
    """The configuration is wrong."""

    kind = "config"


class TemplateError(RejectedError):
    """A template is wrong, or there is none of that name."""

    kind = "template"


class SnapshotError(RejectedError):
    """The code cannot travel as it is."""

    kind = "snapshot"


class TransportError(TrainsubError):
    """The cluster could not be talked to."""

    exit_code = 4
    kind = "transport"


class UnreachableError(TransportError):
    """No connection: unknown host, refused, no route, or no answer in time."""

    kind = "unreachable"


class AuthError(TransportError):
    """The login node does not accept who we are."""

    kind = "auth"


class HostKeyError(TransportError):
    """The host key is unknown, or not the one that was known."""

    kind = "host_key"


class ConnectionLostError(TransportError):
    """The connection broke after it had been made."""

    kind = "connection_lost"


class SlurmSilentError(TransportError):
    """The login node answers, but Slurm's controller does not."""

    kind = "slurm_silent"


class RemoteTimeoutError(TransportError):
    """The other side did not answer in time."""

    kind = "timeout"


class SandboxError(TrainsubError):
    """Docker is missing, stopped, or refused."""

    exit_code = 4
    kind = "sandbox"


class ClusterError(TrainsubError):
    """The cluster said no."""

    exit_code = 5
    kind = "cluster"


class RefusedError(ClusterError):
    """A Slurm command refused what was asked."""

    kind = "refused"


class RemoteFileError(ClusterError):
    """The cluster's file system refused: full, read-only, no permission."""

    kind = "remote_file"


class OutputError(ClusterError):
    """The cluster said something that trainsub cannot read; nothing is guessed from it."""

    kind = "output"


class LookupFailedError(TrainsubError):
    """There is no such run, job or cluster, or more than one."""

    exit_code = 6
    kind = "not_found"


class UnknownClusterError(LookupFailedError):
    """No cluster of that name is configured."""

    kind = "unknown_cluster"


class UnknownRunError(LookupFailedError):
    """No run or job of that name is known."""

    kind = "unknown_run"


class AmbiguousRunError(LookupFailedError):
    """Several runs match."""

    kind = "ambiguous_run"


class UnsettledError(TrainsubError):
    """It is not known yet whether a job was accepted."""

    exit_code = 7
    kind = "unsettled"


class StoreError(TrainsubError):
    """The local store failed."""

    exit_code = 8
    kind = "store"


class CeilingError(TrainsubError):
    """A ceiling or a budget would be exceeded."""

    exit_code = 9
    kind = "ceiling"


class DeadlineError(TrainsubError):
    """The time that the user gave has passed."""

    exit_code = 124
    kind = "deadline"
