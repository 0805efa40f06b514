"""``python -m benchmarks [--timeline] [names]``: measure, and print one table."""

import argparse
from collections.abc import Iterator, Sequence

from benchmarks import following, listing, muxed, startup, submitting
from benchmarks.table import Row, markdown
from benchmarks.world import world

NETWORK = ("submit", "muxed", "logs", "status")
NAMES = ("startup", *NETWORK)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all by default")
    parser.add_argument("--timeline", action="store_true", help="show what crossed the network, and when")
    arguments = parser.parse_args()
    names = arguments.names or NAMES
    if unknown := set(names) - set(NAMES):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    print(markdown(_rows(names, timeline=arguments.timeline)))


def _rows(names: Sequence[str], *, timeline: bool) -> list[Row]:
    rows: list[Row] = []
    if "startup" in names:
        rows += startup.measure()
    if any(name in NETWORK for name in names):
        rows += _network(names, timeline=timeline)
    return rows


def _network(names: Sequence[str], *, timeline: bool) -> Iterator[Row]:
    with world() as built:
        if "submit" in names:
            yield from submitting.measure(built, timeline=timeline)
        if "muxed" in names:
            yield from muxed.measure(built)
        if "logs" in names:
            yield from following.measure(built)
        if "status" in names:
            yield from listing.measure(built)


if __name__ == "__main__":
    main()
