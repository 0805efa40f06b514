"""How Slurm says that it is asked too often. Pure.

It does with ``rl_enable`` of SlurmctldParameters (23.02 and newer), and where its queue of RPCs is full. The texts
are those in the libraries of 24.11 and 26.05. Its commands wait and ask again by themselves, and tell that on stderr:
then the answer is good, and was one too many.
"""

import re

_TOO_OFTEN = re.compile(r"rate limit(ed| exceeded)|temporarily unable to accept|COMMUNICATIONS_BACKOFF", re.IGNORECASE)


def says_too_often(text: str) -> bool:
    """Whether one of Slurm's commands was told to slow down, in what it printed on stderr."""
    return _TOO_OFTEN.search(text) is not None
