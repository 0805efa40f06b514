"""What a command says when it refuses, and with which exit code."""


class RefusedError(Exception):
    """A command refuses; its words follow the command's name on standard error.

    Args:
        lines: Each as the command says it, such as ``error: Invalid --time specification``.
        code: The exit code.
        bare: A line that comes first and without the command's name.
    """

    def __init__(self, *lines: str, code: int = 1, bare: str = "") -> None:
        super().__init__("; ".join(lines))
        self.lines = lines
        self.code = code
        self.bare = bare

    def text(self, command: str) -> str:
        """Return what the command prints."""
        return (self.bare and f"{self.bare}\n") + "".join(f"{command}: {line}\n" for line in self.lines)


BAD_OPTION = 255


def invalid(option: str) -> RefusedError:
    """Return the refusal of an option's value."""
    return RefusedError(f"error: Invalid --{option} specification", code=BAD_OPTION)


def not_known(what: str) -> RefusedError:
    """Return the refusal of what Slurm knows and minislurm does not."""
    return RefusedError(
        f"error: minislurm does not know {what}: it stands in for Slurm on one machine", code=BAD_OPTION
    )


def failed(text: str, *before: str) -> RefusedError:
    """Return the refusal of a whole job, as if by slurmctld."""
    return RefusedError(*(f"error: {one}" for one in before), f"error: Batch job submission failed: {text}")
