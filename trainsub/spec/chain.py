"""``[chain]``: a training that is longer than its time limit. Pure."""

from typing import Annotated

from pydantic import Field

from trainsub.spec.expect import Count, Expect, integer, line
from trainsub.spec.table import Table

_MOST = 1000
"""With Slurm's own ``MaxArraySize`` no index is larger."""


class Chain(Table):
    """Links, one after the other, as the tasks of one job array; each goes on from the checkpoint of the former."""

    links: Annotated[int, integer(2, _MOST)] = Field(
        description="How many links there are at most; each may take `slurm.time`."
    )
    finished: Annotated[str, Expect("a path", line)] | None = Field(
        None,
        description="A file that says that the training is finished, relative to the working directory. Without this "
        "key, exit code 0 says it; with it, 0 without the file means that the next link goes on, as 85 does.",
    )
    checkpoint: Annotated[str, Expect("a path", line)] | None = Field(
        None,
        description="A file or folder, relative to the working directory, where something new is progress. Without it, "
        "a link made progress if it exited with 85, or was stopped by its time limit.",
    )
    max_stalled: Count = Field(3, description="So many links in a row without progress end the chain.")
