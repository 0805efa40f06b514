"""A sweep of more points than one job array may have, in parts that each are a sweep of their own. Pure."""

from collections.abc import Iterator

from trainsub.spec.model import JobSpec
from trainsub.spec.sweep import Point, Sweep


def split(spec: JobSpec, size: int) -> tuple[JobSpec, ...]:
    """Return the specs of the arrays that a spec needs: itself, or one for each part of its sweep.

    The points keep their order; each part holds as many as fit, and counts its own from 0.

    Args:
        spec: The spec.
        size: What each index of an array is smaller than, as Slurm's ``MaxArraySize``.
    """
    sweep = spec.sweep
    if sweep is None or max(sweep.chosen) < size:
        return (spec,)
    return tuple(spec.model_copy(update={"sweep": part}) for part in _parts(sweep, size))


def _parts(sweep: Sweep, size: int) -> Iterator[Sweep]:
    everything = sweep.all_points
    points = [everything[index] for index in sweep.chosen]
    for first in range(0, len(points), size):
        part = tuple(points[first : first + size])
        changes = {"matrix": None, "points": part, "indices": None, "env": _known(sweep.env, part)}
        yield sweep.model_copy(update=changes)


def _known(env: tuple[str, ...], points: tuple[Point, ...]) -> tuple[str, ...]:
    """The variables that some of these points have: points need not have the same parameters."""
    return tuple(name for name in env if any(name in point for point in points))
