"""``run.json``: what a submission knew of its run. Python 3.6 syntax, standard library only; pure.

The directory of a run has its spec and its script; this is the rest of what the store of the submitting machine keeps,
so that another machine can be told (`trainsub sync`). Runs of earlier versions have no such file. Fields that a later
version adds are ignored, and nothing here is a secret.
"""

import json
from typing import Any, Dict, NamedTuple, Optional

from trainsub.errors import OutputError

FILE = "run.json"
"""Its name in the run's directory."""
_TEXTS = ("key", "created_at", "plan_hash", "trainsub", "host")

About = NamedTuple(
    "About",
    [
        ("key", str),
        ("created_at", str),
        ("plan_hash", str),
        ("code", Optional[Dict[str, Any]]),
        ("trainsub", str),
        ("host", str),
    ],
)
About.__doc__ = """What makes two submissions the same; when the intent was recorded (RFC 3339, the client's clock);
the hash of all that was sent; the snapshot (sha256, size, files, commit, dirty, untracked), None for a run without
code; the version of trainsub; the name of the machine that submitted."""


def format_about(about: About) -> str:
    """Return the file's text."""
    return json.dumps(dict(about._asdict()), indent=1, sort_keys=True) + "\n"


def parse_about(text: str) -> About:
    """Return what the file says.

    Raises:
        OutputError: It is no such file.
    """
    try:
        said = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OutputError(f"{FILE} is not JSON: {error}") from None
    if not isinstance(said, dict) or not all(isinstance(said.get(name), str) for name in _TEXTS):
        raise OutputError(f"{FILE} lacks one of {', '.join(_TEXTS)}, or it is no text")
    code = said.get("code")
    if code is not None and not isinstance(code, dict):
        raise OutputError(f"the code in {FILE} is no table: {str(code)[:100]!r}")
    return About(code=code, **{name: said[name] for name in _TEXTS})
