"""trainsub: submit distributed PyTorch training to Slurm over SSH, exactly once, and know what it cost.

The library's door is ``trainsub.Client``. Names are loaded when they are first used, so that the import is quick.
"""

TYPE_CHECKING = False
"""typing's own, without loading it: the command comes through here before it can answer a Ctrl-C."""

if TYPE_CHECKING:
    from trainsub.client import Client
    from trainsub.config import Cluster, Settings
    from trainsub.errors import TrainsubError
    from trainsub.plan import Plan
    from trainsub.sandbox import SandboxSpec
    from trainsub.spec import JobSpec, parse_spec
    from trainsub.store import Store
    from trainsub.tracker.values import Allocation, Job, Run

__version__ = "0.1.0"

__all__ = [
    "Allocation",
    "Client",
    "Cluster",
    "Job",
    "JobSpec",
    "Plan",
    "Run",
    "SandboxSpec",
    "Settings",
    "Store",
    "TrainsubError",
    "parse_spec",
]

_HOME = {
    "Allocation": "trainsub.tracker.values",
    "Client": "trainsub.client",
    "Cluster": "trainsub.config",
    "Job": "trainsub.tracker.values",
    "JobSpec": "trainsub.spec",
    "Plan": "trainsub.plan",
    "Run": "trainsub.tracker.values",
    "SandboxSpec": "trainsub.sandbox",
    "Settings": "trainsub.config",
    "Store": "trainsub.store",
    "TrainsubError": "trainsub.errors",
    "parse_spec": "trainsub.spec",
}


def __getattr__(name: str) -> object:
    """Load a public name at its first use (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'trainsub' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 -- only at first use

    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    """All public names, loaded or not."""
    return sorted([*globals(), *_HOME])
