"""Records what real Slurm answers: python -m contract.record [--version V]… [--times N] [ROW]…, with PYTHONPATH=tests.

Facts that differ between two runs on the same cluster are no facts: they are shown, and nothing is written for the row.
"""

import argparse
import difflib
import sys
from collections.abc import Sequence

from contract.facts import EXPECTED, NORM, VERSIONS, Row, load
from contract.places import run_all, slurm

WORKERS = 6


def main() -> int:
    """Record the rows that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", action="append", choices=VERSIONS, help="default: all, the norm first")
    parser.add_argument("--times", type=int, default=2, help="how often each row runs; all must agree (default: 2)")
    parser.add_argument("row", nargs="*")
    arguments = parser.parse_args()
    rows = load()
    if unknown := set(arguments.row) - {row.name for row in rows}:
        parser.error(f"no such row: {', '.join(sorted(unknown))}")
    chosen = [row for row in rows if not arguments.row or row.name in arguments.row]
    versions = arguments.version or VERSIONS
    good = True
    for version in sorted(versions, key=lambda one: one != NORM):
        with slurm(version) as run:
            answers = [run_all(chosen, run, WORKERS) for _ in range(arguments.times)]
        for row in chosen:
            good &= _keep(row, version, [answer[row.name] for answer in answers])
    return 0 if good else 1


def _keep(row: Row, version: str, answers: Sequence[str | Exception]) -> bool:
    """Write what was answered, if every answer was the same."""
    first, *others = answers
    for answer in answers:
        if isinstance(answer, Exception):
            sys.stderr.write(f"{row.name} on {version}: {answer}\n")
            return False
    for other in others:
        if other != first:
            lines = difflib.unified_diff(str(first).splitlines(), str(other).splitlines(), lineterm="", n=0)
            sys.stderr.write(f"{row.name} on {version} is not steady:\n" + "\n".join(lines) + "\n")
            return False
    write(row, version, str(first))
    return True


def write(row: Row, version: str, facts: str) -> None:
    """Keep the facts; those of another version than the norm only where they differ from it."""
    own = EXPECTED / (f"{row.name}.txt" if version == NORM else f"{row.name}.{version}.txt")
    if version != NORM and facts == row.expected(NORM):
        own.unlink(missing_ok=True)
        return
    EXPECTED.mkdir(exist_ok=True)
    own.write_text(facts, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
