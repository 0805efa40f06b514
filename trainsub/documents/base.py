"""What all documents are made of. Pure."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, PlainSerializer

SCHEMA = 1
"""The number in ``schema``. It changes only if a key ever had to change its meaning."""


def _rfc3339(time: datetime) -> str:
    """Whole seconds, UTC, with a Z."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


Time = Annotated[datetime, PlainSerializer(_rfc3339, return_type=str)]
Phase = Literal["unsettled", "refused", "pending", "running", "finished", "unknown"]
Source = Literal["squeue", "sacct", "pyslurm", "record", "store"]


class Document(BaseModel):
    """A document or a part of one."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
