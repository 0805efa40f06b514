from typing import Any

import pytest

from trainsub.errors import SpecError
from trainsub.spec import JobSpec, Shape, options, parse_spec, shape
from trainsub.spec.gpus import gpus_per_node
from trainsub.spec.kinds import KINDS


def spec(launch: dict[str, Any] | None = None, **slurm: object) -> JobSpec:
    """A spec of two nodes."""
    return JobSpec.model_validate(
        {"name": "x", "command": ["a"], "slurm": {"nodes": 2, "time": "1:00:00", **slurm}, "launch": launch or {}}
    )


SRUN = {"kind": "srun"}


@pytest.mark.parametrize(
    ("request_", "count"),
    [
        ({}, 0),
        ({"gpus_per_node": 8}, 8),
        ({"gpus_per_node": "h100:8"}, 8),
        ({"gpus_per_node": "8"}, 8),
        ({"gres": "gpu:8"}, 8),
        ({"gres": "gpu:h100:8"}, 8),
        ({"gres": "gpu"}, 1),
        ({"gres": "gpu:h100"}, 1),
        ({"gres": "gpu:a:2,nvme:1,gres/gpu:b:3,gres:gpu:1"}, 6),
        ({"gres": "nvme:1"}, 0),
    ],
)
def test_gpus_per_node(request_: dict[str, Any], count: int) -> None:
    """Each way to ask for GPUs is counted."""
    assert gpus_per_node(request_) == count


def test_options_of_the_least_spec() -> None:
    """Nothing is guessed but what the launch kind sets."""
    assert options(spec(), {}) == {"nodes": 2, "time": "1:00:00", "ntasks_per_node": 1}


def test_the_spec_wins() -> None:
    """A default counts only where the spec says nothing."""
    found = options(spec(partition="debug"), {"partition": "gpu", "account": "research"})
    assert found["partition"] == "debug"
    assert found["account"] == "research"


@pytest.mark.parametrize(
    ("own", "defaults", "expected"),
    [
        ({"gpus_per_node": 4}, {"gres": "gpu:8,nvme:1"}, {"gpus_per_node": 4, "gres": "nvme:1"}),
        ({"gpus_per_node": 4}, {"gres": "gpu:8"}, {"gpus_per_node": 4}),
        ({"gres": "gpu:4"}, {"gpus_per_node": 8}, {"gres": "gpu:4"}),
        ({"gres": "nvme:1"}, {"gpus_per_node": 8}, {"gpus_per_node": 8, "gres": "nvme:1"}),
        ({"gpus_per_node": 0}, {"gpus_per_node": 8}, {}),
        ({"gpus_per_node": 0}, {"gres": "gpu:8"}, {}),
        ({"mem_per_gpu": "1G"}, {"mem": "0"}, {"mem_per_gpu": "1G"}),
        ({"cpus_per_gpu": 4}, {"cpus_per_task": 96}, {"cpus_per_gpu": 4}),
        ({"requeue": False}, {"requeue": True}, {"no_requeue": True}),
        ({"requeue": True}, {"requeue": False}, {"requeue": True}),
        ({}, {"requeue": False}, {"no_requeue": True}),
        ({"exclusive": False, "hold": True}, {"exclusive": True}, {"hold": True}),
        ({"extra": {"bb": "y", "oversubscribe": False}}, {"extra": {"bb": "x", "oversubscribe": True}}, {"bb": "y"}),
        ({"extra": {"bb": ["a", "b"]}}, {"extra": {"core_spec": 1}}, {"bb": ("a", "b"), "core_spec": 1}),
    ],
)
def test_spec_and_defaults(own: dict[str, Any], defaults: dict[str, Any], expected: dict[str, Any]) -> None:
    """One way to ask replaces another, and false takes a default back."""
    found = options(spec(**own), defaults)
    assert {key: value for key, value in found.items() if key not in {"nodes", "time", "ntasks_per_node"}} == expected


@pytest.mark.parametrize(
    ("launch", "slurm", "defaults", "expected"),
    [
        ({}, {}, {}, Shape(2, 0, 1, 1, 2)),
        ({}, {"gpus_per_node": 8}, {}, Shape(2, 8, 1, 8, 16)),
        ({}, {}, {"gpus_per_node": "h100:4"}, Shape(2, 4, 1, 4, 8)),
        ({"nproc_per_node": 3}, {}, {}, Shape(2, 0, 1, 3, 6)),
        ({}, {"ntasks_per_node": 1, "ntasks": 2}, {}, Shape(2, 0, 1, 1, 2)),
        (SRUN, {}, {}, Shape(2, 0, 1, 1, 2)),
        (SRUN, {"gres": "gpu:8"}, {}, Shape(2, 8, 8, 8, 16)),
        (SRUN, {"ntasks_per_node": 6}, {}, Shape(2, 0, 6, 6, 12)),
        (SRUN, {"ntasks_per_node": 8, "ntasks": 16}, {"gpus_per_node": 8}, Shape(2, 8, 8, 8, 16)),
        ({"kind": "srun", "nproc_per_node": 2}, {"gpus_per_node": 8}, {}, Shape(2, 8, 2, 2, 4)),
        ({"kind": "deepspeed"}, {"gpus_per_node": 8}, {}, Shape(2, 8, 1, 8, 16)),
        ({"kind": "accelerate", "nproc_per_node": 3}, {}, {}, Shape(2, 0, 1, 3, 6)),
        ({"kind": "megatron"}, {"gpus_per_node": 8}, {}, Shape(2, 8, 1, 8, 16)),
        ({"kind": "megatron"}, {"ntasks_per_node": 8}, {"gpus_per_node": 8}, Shape(2, 8, 8, 8, 16)),
        ({"kind": "command"}, {"gpus_per_node": 8}, {}, Shape(2, 8, 1, 1, 2)),
        ({"kind": "command"}, {"ntasks_per_node": 3}, {"gpus_per_node": 8}, Shape(2, 8, 3, 3, 6)),
    ],
)
def test_shape(launch: dict[str, Any], slurm: dict[str, Any], defaults: dict[str, Any], expected: Shape) -> None:
    """Ranks follow from the launch kind and the GPUs."""
    made = spec(launch, **slurm)
    chosen = options(made, defaults)
    assert shape(made, chosen) == expected
    assert chosen["ntasks_per_node"] == expected.ntasks_per_node


@pytest.mark.parametrize(
    ("slurm", "message"),
    [
        ({"ntasks_per_node": 4}, "slurm.ntasks_per_node: 4 contradicts launch.kind srun, which needs 8"),
        ({"ntasks": 4}, "slurm.ntasks: 4 contradicts launch.kind srun, which needs 16"),
    ],
)
def test_a_contradiction_with_the_defaults(slurm: dict[str, Any], message: str) -> None:
    """What fits alone may not fit the cluster's GPUs."""
    with pytest.raises(SpecError) as caught:
        options(spec(SRUN, **slurm), {"gpus_per_node": 8})
    assert caught.value.message.startswith(message)


def test_megatron_has_one_agent_or_one_task_per_rank() -> None:
    """Anything between would be neither torchrun's ranks nor Slurm's."""
    with pytest.raises(
        SpecError, match=r"4 contradicts launch\.kind megatron, which needs 1 \(one agent per node, or one"
    ):
        options(spec({"kind": "megatron"}, ntasks_per_node=4), {"gpus_per_node": 8})


def problem(kind: str, *command: str) -> str:
    """What is said of a command, with its hint; empty if nothing is."""
    text = f'name = "x"\ncommand = {list(command)}\nlaunch.kind = "{kind}"\n[slurm]\nnodes = 2\ntime = "1"\n'
    try:
        parse_spec(text, origin="spec.toml")
    except SpecError as error:
        return f"{error.message}\n{error.hint}"
    return ""


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "command"])
@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("torchrun --nproc-per-node=8 train.py", "torchrun"),
        ("/opt/bin/torchrun train.py", "torchrun"),
        ("python /opt/bin/torchrun train.py", "torchrun"),
        ("ft_launcher train.py", "ft_launcher"),
        ("/opt/bin/accelerate launch train.py", "accelerate launch"),
        ("accelerate-launch train.py", "accelerate-launch"),
        ("/opt/bin/deepspeed train.py", "deepspeed"),
        ("python -m torch.distributed.run train.py", "python -m torch.distributed.run"),
        ("/x/python3.12 -u -X dev -m torch.distributed.launch t.py", "python3.12 -m torch.distributed.launch"),
        ("python3 -m accelerate.commands.launch train.py", "python3 -m accelerate.commands.launch"),
        ("python -m deepspeed train.py", "python -m deepspeed"),
    ],
)
def test_a_launcher_is_no_rank(kind: str, command: str, name: str) -> None:
    """Each rank would start a training of its own, and all would end well."""
    said = problem(kind, *command.split())
    assert said.startswith(
        f"spec.toml: command: {name} starts ranks itself, and launch.kind {kind} would start it once for each rank\n"
        'Give the program that a rank runs, such as command = ["python", "train.py"]: the kind starts it. '
    )
    assert 'Or start the ranks yourself, with launch.kind = "command".' in said
    assert not problem("command", *command.split())


@pytest.mark.parametrize(
    ("kind", "command"),
    [
        ("accelerate", "accelerate launch --config_file c.yaml train.py"),
        ("deepspeed", "deepspeed train.py"),
        ("torchrun", "accelerate test"),
        ("torchrun", "accelerate"),
        ("torchrun", "python torchrun.py"),
        ("torchrun", "python -c torchrun"),
        ("torchrun", "python train.py -m torch.distributed.run"),
        ("torchrun", "python -m"),
        ("torchrun", "python -u"),
        ("torchrun", "python -W"),
        ("srun", "python -m torch.distributed.checkpoint.format_utils"),
    ],
)
def test_what_is_no_launcher_here(kind: str, command: str) -> None:
    """A kind takes its own launcher's words apart; others only look like one."""
    assert not problem(kind, *command.split())


@pytest.mark.parametrize(
    ("kind", "command"), [("accelerate", "accelerate launch a.py"), ("deepspeed", "deepspeed a.py")]
)
def test_a_launcher_that_has_a_kind_is_led_there(kind: str, command: str) -> None:
    """There its words may stand."""
    assert f'Or keep it, with launch.kind = "{kind}".' in problem("torchrun", *command.split())
