"""Where the options of an sbatch come from."""

from typing import Any

import pytest

from trainsub.spec import parse_spec
from trainsub.spec.sources import sources

SPEC = 'name = "x"\ncommand = ["./train"]\n[slurm]\nnodes = 2\ntime = 5\n'


@pytest.mark.parametrize(
    ("more", "defaults", "option", "source"),
    [
        ("", {}, "nodes", "slurm.nodes"),
        ("", {}, "ntasks_per_node", None),
        ("", {}, "partition", None),
        ('partition = "gpu"\n', {}, "partition", "slurm.partition"),
        ('partition = "gpu"\n', {"partition": "debug"}, "partition", "slurm.partition"),
        ("", {"partition": "debug"}, "partition", "clusters.hpc.defaults.partition"),
        ("", {"extra": {"switches": "1"}}, "switches", "clusters.hpc.defaults.extra.switches"),
        ('extra = { switches = "1" }\n', {}, "switches", "slurm.extra.switches"),
        ("requeue = false\n", {}, "no_requeue", "slurm.requeue"),
        ("", {"requeue": False}, "no_requeue", "clusters.hpc.defaults.requeue"),
        ("gpus_per_node = 8\n", {}, "ntasks_per_node", None),
        ('gpus_per_node = 8\n[launch]\nkind = "srun"\n', {}, "ntasks_per_node", "slurm.gpus_per_node"),
        ('gres = "gpu:8"\n[launch]\nkind = "srun"\n', {}, "ntasks_per_node", "slurm.gres"),
        ('[launch]\nkind = "srun"\nnproc_per_node = 4\n', {}, "ntasks_per_node", "launch.nproc_per_node"),
        ('ntasks_per_node = 3\n[launch]\nkind = "srun"\n', {}, "ntasks_per_node", "slurm.ntasks_per_node"),
        (
            'ntasks_per_node = 3\ngpus_per_node = 8\n[launch]\nkind = "command"\n',
            {},
            "ntasks_per_node",
            "slurm.ntasks_per_node",
        ),
        (
            '[launch]\nkind = "srun"\n',
            {"gpus_per_node": 8},
            "ntasks_per_node",
            "clusters.hpc.defaults.gpus_per_node",
        ),
    ],
)
def test_the_place_that_set_an_option(more: str, defaults: dict[str, Any], option: str, source: str | None) -> None:
    """The spec's own, the cluster's defaults, or what the launch makes of them."""
    spec = parse_spec(SPEC + more, origin="job.toml")
    assert sources(spec, defaults, "hpc").get(option) == source
