"""``[chain]``: a training that is longer than its time limit. Pure."""

import re
from typing import Annotated

from pydantic import Field

from trainsub.spec.expect import Count, Expect, NotExpectedError, integer, line
from trainsub.spec.table import Table

_MOST = 1000
"""With Slurm's own ``MaxArraySize`` no index is larger."""
_FOR_A_SHELL = re.compile(r"~(?!/)|.*\$[A-Za-z_{(]")
"""A path that only a shell would find: taken as it is, its file would never be there, and no link would finish."""


def _path(value: object) -> str:
    path = line(value)
    if _FOR_A_SHELL.match(path):
        raise NotExpectedError(hint="No shell reads it: write the path out, as `echo` shows it on the cluster.")
    return path


_PATH = Expect('a path on the cluster: absolute, relative, or beginning with "~/"', _path)


class Chain(Table):
    """Links, one after the other, as the tasks of one job array; each goes on from the checkpoint of the former."""

    links: Annotated[int, integer(2, _MOST)] = Field(
        description="How many links there are at most; each may take `slurm.time`."
    )
    finished: Annotated[str, _PATH] | None = Field(
        None,
        description="A file that says that the training is finished, relative to the working directory. Without this "
        "key, exit code 0 says it; with it, 0 without the file means that the next link goes on, as 85 does.",
    )
    checkpoint: Annotated[str, _PATH] | None = Field(
        None,
        description="A file or folder, relative to the working directory, where something new is progress. Without it, "
        "a link made progress if it exited with 85, or was stopped by its time limit.",
    )
    max_stalled: Count = Field(3, description="So many links in a row without progress end the chain.")
