import shlex

import pytest

from trainsub.minislurm import srun_options, srun_step
from trainsub.minislurm.srun_options import Asked, AskedError
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Job, Request, Share

JOB = Job(
    12, 1000, Request("job", "gpu"), 900, state="RUNNING", shares=tuple(Share(f"n{n}", 2, (0, 1)) for n in (1, 2))
)
INHERITED = {"SLURM_NNODES": "2", "SLURM_NTASKS": "4", "SLURM_NTASKS_PER_NODE": "2"}
FEWER = "can't run 1 processes on 2 nodes, setting nnodes to 1"
IGNORED = (
    "can't honor --ntasks-per-node set to 2 which doesn't match the requested tasks 99 with the maximum number of"
    " requested nodes 2. Ignoring --ntasks-per-node."
)


def asked(line: str, variables: dict[str, str] | None = None) -> Asked:
    """Return what a command line asks for."""
    return srun_options.parse(shlex.split(line), variables or {})


@pytest.mark.parametrize(
    ("line", "variables", "ntasks", "nodes", "warnings"),
    [
        ("true", INHERITED, 4, 2, ()),
        ("true", {}, 2, 2, ()),
        ("-n1 true", INHERITED, 1, 1, (FEWER,)),
        ("-N1 true", INHERITED, 2, 1, ()),
        ("-N2 --ntasks-per-node=1 true", INHERITED, 2, 2, ()),
        ("-N1 -n1 true", INHERITED, 1, 1, ()),
        ("-n99 true", INHERITED, 99, 2, (IGNORED,)),
        ("-N9 true", INHERITED, 4, 4, ("can't run 4 processes on 9 nodes, setting nnodes to 4",)),
        ("-N1 --ntasks-per-node=3 true", {}, 3, 1, ()),
    ],
)
def test_the_size_of_a_step(
    line: str, variables: dict[str, str], ntasks: int, nodes: int, warnings: tuple[str, ...]
) -> None:
    """As 24.11 counts, with its words."""
    shape = srun_step.shape(asked(line, variables), JOB)
    assert (shape.ntasks, shape.nodes, shape.warnings) == (ntasks, nodes, warnings)


def place(line: str, *steps: Step, variables: dict[str, str] | None = None) -> srun_step.Layout:
    """Return where a step goes."""
    given = asked(line, variables)
    return srun_step.place(given, srun_step.shape(given, JOB), JOB, steps)


@pytest.mark.parametrize(
    ("line", "shares", "nodes"),
    [
        ("-n4 true", ("n1:2:0,1", "n2:2:0,1"), (0, 0, 1, 1)),
        ("-n4 -m cyclic true", ("n1:2:0,1", "n2:2:0,1"), (0, 1, 0, 1)),
        ("-n3 true", ("n1:2:0,1", "n2:2:0,1"), (0, 0, 1)),
        ("-N1 -n1 true", ("n1:2:0,1",), (0,)),
        ("-N1 -n1 --exact true", ("n1:1:0,1",), (0,)),
        ("-N1 -n1 -c2 true", ("n1:2:0,1",), (0,)),
        ("-N1 -n1 -w n2 true", ("n2:2:0,1",), (0,)),
        ("-N1 -n1 -x n1 true", ("n2:2:0,1",), (0,)),
        ("-N1 -n1 -r 1 true", ("n2:2:0,1",), (0,)),
        ("-N1 -n1 --gres=gpu:1 true", ("n1:2:0",), (0,)),
        ("-N1 -n1 --gres=none true", ("n1:2:",), (0,)),
        ("-N2 -n2 --gpus-per-node=1 true", ("n1:2:0", "n2:2:0"), (0, 1)),
        ("-N1 -n2 --gpus-per-task=1 true", ("n1:2:0,1",), (0, 0)),
        ("-N2 -n9 -O true", ("n1:2:0,1", "n2:2:0,1"), (0, 0, 0, 0, 0, 1, 1, 1, 1)),
    ],
)
def test_where_a_step_goes(line: str, shares: tuple[str, ...], nodes: tuple[int, ...]) -> None:
    """Without --exact it takes all CPUs of its nodes."""
    found = place(line)
    assert tuple(f"{one.node}:{one.cpus}:{','.join(map(str, one.gpus))}" for one in found.shares) == shares
    assert found.nodes == nodes


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("-n5 true", "Unable to create step for job 12: More processors requested than permitted"),
        ("-n1 -c3 true", "Unable to create step for job 12: More processors requested than permitted"),
        ("-N3 -n3 true", "Only allocated 2 nodes asked for 3"),
        ("-n1 -w nowhere true", "Unable to create step for job 12: Requested node configuration is not available"),
        ("-n1 --gres=gpu:3 true", "Unable to create step for job 12: Invalid generic resource"),
    ],
)
def test_what_no_step_of_the_job_can_have(line: str, words: str) -> None:
    """It is told at once, not waited for."""
    with pytest.raises(AskedError, match=words):
        place(line)


def test_a_step_waits_for_the_others_but_not_for_those_that_overlap() -> None:
    """The whole node is held where --exact was not given."""
    holds = Step(12, 0, "0", "sleep", "RUNNING", 950, shares=(Share("n1", 2, (0, 1)),))
    assert place("-N1 -n1 true", holds).shares[0].node == "n2"
    with pytest.raises(srun_step.BusyError):
        place("-N2 -n2 true", holds)
    assert len(place("-N2 -n2 --overlap true", holds).shares) == 2
    overlapping = Step(12, 0, "1", "sleep", "RUNNING", 950, shares=(Share("n1", 2), Share("n2", 2)), overlap=True)
    batch = Step(12, 0, "batch", "batch", "RUNNING", 950, shares=(Share("n1", 2),))
    assert len(place("-N2 -n2 true", overlapping, batch).shares) == 2


@pytest.mark.parametrize(
    ("line", "words", "code"),
    [
        ("--no-such true", r"unrecognized option '--no-such'\nTry \"srun --help\"", 255),
        ("-n x true", 'Invalid numeric value "x" for --ntasks.', 1),
        ("-n 0 true", 'Invalid numeric value "0" for --ntasks.', 1),
        ("-t never true", "Invalid --time specification", 255),
        ("-m zigzag true", "Invalid --distribution specification", 255),
        ("-m arbitrary true", "minislurm does not know --distribution=arbitrary", 255),
        ("-Kx true", "Invalid --kill-on-bad-exit specification", 255),
        ("--open-mode=x true", "Invalid --open-mode specification", 255),
        ("--gpus-per-node=x true", "Invalid --gpus-per-node specification", 255),
    ],
)
def test_what_cannot_be_understood(line: str, words: str, code: int) -> None:
    """As 24.11 says it."""

    def understand() -> None:
        given = asked(line)
        srun_step.place(given, srun_step.shape(given, JOB), JOB, ())
        given.seconds()
        given.number("kill-on-bad-exit", 0)

    with pytest.raises(AskedError, match=words) as caught:
        understand()
    assert caught.value.code == code


def test_the_line_counts_more_than_the_variables() -> None:
    """And -K alone means yes."""
    variables = {"SLURM_KILL_BAD_EXIT": "1", "SLURM_WAIT": "9", "SLURM_CPUS_PER_TASK": "2"}
    assert asked("true", variables).number("kill-on-bad-exit", 0) == 1
    assert asked("-K0 true", variables).number("kill-on-bad-exit", 0) == 0
    assert asked("-K true").number("kill-on-bad-exit", 0) == 1
    assert asked("true", variables).number("wait", 0) == 9
    assert asked("true", variables).count("cpus-per-task") == 2
    assert asked("-t 0:01 true").seconds() == 60
    assert asked("true").seconds() is None


MINE = {"HOME": "/home", "PATH": "/bin", "SLURM_JOB_ID": "12"}


@pytest.mark.parametrize(
    ("line", "variables", "found"),
    [
        ("true", {}, {"HOME": "/home", "PATH": "/bin"}),
        ("true", {"SLURM_EXPORT_ENV": "NONE"}, {}),
        ("--export=NIL true", {}, {}),
        ("--export=ALL true", {"SLURM_EXPORT_ENV": "NONE"}, {"HOME": "/home", "PATH": "/bin"}),
        ("--export=A=B,HOME,GONE true", {}, {"A": "B", "HOME": "/home"}),
        ("--export=ALL,A=B true", {}, {"A": "B", "HOME": "/home", "PATH": "/bin"}),
    ],
)
def test_which_variables_tasks_get(line: str, variables: dict[str, str], found: dict[str, str]) -> None:
    """Slurm's own ones always."""
    own = {"SLURM_JOB_ID": "12", **variables}
    assert srun_options.task_variables(asked(line, {**MINE, **variables})) == {**found, **own}
