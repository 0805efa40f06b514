"""The two names that make up a run's directory on the cluster, checked before they are sent. Pure."""

from trainsub.errors import ConfigError


def check_root(remote_root: str) -> str:
    """Return the remote root, without slashes at its end.

    Raises:
        ConfigError: It is empty, or begins with another user's home.
    """
    root = remote_root.rstrip("/") or remote_root[:1]
    if not root or (root.startswith("~") and root != "~" and not root.startswith("~/")):
        raise ConfigError(
            f"remote_root is {remote_root!r}", hint="Give an absolute path, or one that begins with ~/ (your own home)."
        )
    return root


def check_run(run: str) -> str:
    """Return the run id, if it can be a directory's name.

    Raises:
        ValueError: It cannot.
    """
    if not run or "/" in run or run.startswith("."):
        raise ValueError(f"not a run id: {run!r}")
    return run
