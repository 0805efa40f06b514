"""Names of runs, and the comment that marks their jobs. Python 3.6 syntax, standard library only; pure."""

import hashlib
import re
from typing import NamedTuple, Optional

_NAME = re.compile(r"[A-Za-z0-9._-]{1,40}")
_RUN = re.compile(r"[A-Za-z0-9._-]{1,40}-[0-9a-f]{8}")
# A site's job_submit plugin may put its own words around ours.
_COMMENT = re.compile(
    r"(?<![A-Za-z0-9._:-])trainsub:([A-Za-z0-9._-]{1,40}-[0-9a-f]{8}):([1-9][0-9]{0,8})(?![A-Za-z0-9._:-])"
)


class Mark(NamedTuple):
    """Which submission a job is: the run, and the number of the link in it, from 1."""

    run: str
    link: int


def run_id(name: str, key: str, number: int = 1) -> str:
    """Return the id of a run: its name, and eight hex digits of what makes two submissions the same.

    Args:
        name: The name in the spec.
        key: What makes two submissions the same.
        number: From 1; a key whose earlier runs were all given up goes on with the next number.

    Raises:
        ValueError: The name has other characters than letters, digits, ``.``, ``_`` and ``-``, or more than 40.
    """
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"not the name of a run: {name!r}")
    same = key if number == 1 else f"{key}\x1f{number}"
    return f"{name}-{hashlib.sha256(same.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def is_run_id(text: str) -> bool:
    """Say whether a text has the form of a run id."""
    return _RUN.fullmatch(text) is not None


def comment(run: str, link: int) -> str:
    """Return the comment of one link's job."""
    return f"trainsub:{run}:{link}"


def parse_comment(text: str) -> Optional[Mark]:
    """Return what the comment of a job marks, or None where it is not, or no longer, ours."""
    match = _COMMENT.search(text)
    return None if match is None else Mark(run=match.group(1), link=int(match.group(2)))
