"""The most that a plan can cost."""

from decimal import Decimal

import pytest
from verbs.desk import Desk, plan

PRICE = '[clusters.alpha.price]\ncurrency = "EUR"\ngpu_hour = "2"\n[clusters.alpha.price.partitions]\nh100 = "20"\nold = "1"\n'


@pytest.mark.parametrize(
    ("sets", "gpu_hours", "cost"),
    [
        ({"slurm__partition": "gpu"}, 8, 16),
        ({"slurm__partition": "old"}, 8, 8),
        ({"slurm__partition": "old,gpu"}, 8, 16),
        ({"slurm__partition": "gpu", "slurm__nodes": 3, "slurm__time": "30"}, 12, 24),
        ({}, 8, 160),  # the site chooses the partition: the dearest
        ({"slurm__gpus_per_node": 1, "slurm__partition": "gpu"}, 1, 2),
        ({"slurm__gpus_per_node": 1, "slurm__partition": "gpu", "slurm__exclusive": "true"}, 8, 16),
        ({"slurm__gpus_per_node": 0, "slurm__partition": "gpu", "slurm__exclusive": "true"}, 8, 16),
        ({"slurm__gpus_per_node": 0}, 0, 0),
        ({"slurm__time": "UNLIMITED"}, None, None),
        ({"slurm__partition": "gpu", "slurm__array": "0-9:3%2"}, 32, 64),  # each of the four tasks runs in the end
    ],
)
def test_the_ceiling_is_the_most_that_can_be_charged(
    desk: Desk, sets: dict[str, object], gpu_hours: int | None, cost: int | None
) -> None:
    """Nodes × GPUs held × time limit × the dearest price that may apply."""
    desk.configure(f"gpus_per_node = 8\n{PRICE}")
    made = plan(desk.client(), None, None, **sets)
    assert made.ceiling_gpu_seconds == (None if gpu_hours is None else gpu_hours * 3600)
    assert made.ceiling == (None if cost is None else Decimal(cost))


def test_whole_nodes_of_an_unknown_size_have_no_ceiling(desk: Desk) -> None:
    """Without GPUs asked for, and without a configured number, nobody knows what a node holds."""
    desk.configure(PRICE)
    made = plan(desk.client(), slurm__gpus_per_node=0, slurm__exclusive="true")
    assert (made.ceiling_gpu_seconds, made.ceiling) == (None, None)


def test_without_a_price_there_are_gpu_hours_only(desk: Desk) -> None:
    """The amount is unknown, not nothing."""
    made = plan(desk.client())
    assert (made.ceiling_gpu_seconds, made.ceiling, made.currency) == (8 * 3600, None, None)
