import dataclasses
import shlex
from signal import SIGUSR1

import pytest

from trainsub.minislurm import admission, options
from trainsub.minislurm.conf import DAY, Conf, Node, Partition
from trainsub.minislurm.errors import RefusedError
from trainsub.minislurm.given import gather
from trainsub.minislurm.named_nodes import named_nodes
from trainsub.minislurm.request import Surroundings, build
from trainsub.minislurm.sbatch_options import NOT_KNOWN, TABLE, VARIABLES
from trainsub.minislurm.values import Request, Signal

NOW = 1_000_000
CONF = Conf(
    nodes=tuple(Node(f"n{number}", cpus=128, memory=1024000, gpus=tuple(range(8))) for number in range(1, 5)),
    partitions=(
        Partition("gpu", default=True, max_time=7 * DAY, default_time=3600),
        Partition("debug", max_time=600, default_time=300, max_nodes=2),
    ),
    gpu_type="h100",
)
AROUND = Surroundings(now=NOW, cwd="/here", umask=0o022, name="job", command="/here/job")


def settle(line: str = "", *, script: str = "", variables: dict[str, str] | None = None) -> Request:
    """Take a submission as sbatch does, up to the queue."""
    sources = (
        (options.parse(shlex.split(script), TABLE).given, False),
        ([(VARIABLES[name], value) for name, value in (variables or {}).items()], True),
        (options.parse(shlex.split(line), TABLE).given, False),
    )
    given = gather(sources, NOW)
    given |= named_nodes(given)
    request, _ = build(given, CONF, AROUND)
    admission.check_begin(given)
    limit = admission.limited(request, given, CONF, NOW)
    admission.check(request, given, CONF)
    return dataclasses.replace(request, time_limit=limit)


def differs(line: str) -> dict[str, object]:
    """Return what a command line changes in a request."""
    plain, asked = settle(), settle(line)
    # These two have tests of their own.
    names = (one.name for one in dataclasses.fields(Request) if one.name not in {"most_nodes", "told"})
    return {name: getattr(asked, name) for name in names if getattr(asked, name) != getattr(plain, name)}


def test_nothing_asked_for() -> None:
    """What Slurm gives to everybody."""
    assert settle() == Request("job", "gpu", time_limit=3600, chdir="/here", command="/here/job", most_nodes=1)


# Recorded from Slurm 24.11: what scontrol showed.
@pytest.mark.parametrize(
    ("line", "changes"),
    [
        ("--time=1-", {"time_limit": DAY}),
        ("--time=0:30", {"time_limit": 60}),
        ("--time=1:0:1", {"time_limit": 3660}),
        ("--time=90", {"time_limit": 5400}),
        ("--time=90:30", {"time_limit": 5460}),
        ("-t 1-2", {"time_limit": 26 * 3600}),
        ("-t1-2:3", {"time_limit": 26 * 3600 + 180}),
        ("--time=1-2:3:4", {"time_limit": 26 * 3600 + 240}),
        ("--partition=debug", {"partition": "debug", "time_limit": 300}),
        ("--nodes=2", {"nodes": 2, "ntasks": 2}),
        ("--nodes=1-2", {}),
        ("-N2 -n5", {"nodes": 2, "ntasks": 5, "ntasks_given": True}),
        ("--ntasks=5", {"ntasks": 5, "ntasks_given": True}),
        ("--ntasks=200", {"nodes": 2, "ntasks": 200, "ntasks_given": True}),
        (
            "--ntasks=4 --ntasks-per-node=2",
            {"nodes": 2, "ntasks": 4, "ntasks_given": True, "ntasks_per_node": 2},
        ),
        ("--ntasks-per-node=2", {"ntasks": 2, "ntasks_given": True, "ntasks_per_node": 2}),
        ("--tasks-per-node=2 -N 2", {"nodes": 2, "ntasks": 4, "ntasks_given": True, "ntasks_per_node": 2}),
        ("-N2 -c3", {"nodes": 2, "ntasks": 2, "cpus_per_task": 3}),
        ("--ntasks=2 --nodes=4", {"nodes": 2, "ntasks": 2, "ntasks_given": True}),
        ("--mem=1", {"memory": 1}),
        ("--mem=1K", {"memory": 1}),
        ("--mem=1500K", {"memory": 2}),
        ("--mem=10GB", {"memory": 10240}),
        ("--mem=0", {"memory": 0}),
        ("--mem-per-cpu=100 -c3", {"memory": 300, "cpus_per_task": 3, "memory_unit": "cpu"}),
        (
            "--mem-per-gpu=1G --gpus-per-node=2",
            {"memory": 2048, "gpus_per_node": 2, "gpu_option": "gres/gpu:2", "memory_unit": "gpu"},
        ),
        (
            "--cpus-per-gpu=4 --gpus-per-node=2",
            {"cpus_per_gpu": 4, "gpus_per_node": 2, "gpu_option": "gres/gpu:2"},
        ),
        ("--gpus-per-node=h100:2", {"gpus_per_node": 2, "gpu_option": "gres/gpu:h100:2"}),
        ("--gpus-per-node=h100", {"gpus_per_node": 1, "gpu_option": "gres/gpu:h100"}),
        ("--gpus-per-node=", {}),
        ("--gpus-per-node=0", {"gpu_option": "gres/gpu:0"}),
        ("--gres=gpu", {"gpus_per_node": 1, "gpu_option": "gres/gpu"}),
        ("--gres=gpu:0", {"gpu_option": "gres/gpu:0"}),
        ("--gres=gpu:2", {"gpus_per_node": 2, "gpu_option": "gres/gpu:2"}),
        ("--gres=gres/gpu:2", {"gpus_per_node": 2, "gpu_option": "gres/gpu:2"}),
        ("--gres=gpu:h100=2", {"gpus_per_node": 2, "gpu_option": "gres/gpu:h100=2"}),
        ("--gres=none", {}),
        ("--gres=gpu:1,gpu:2", {"gpus_per_node": 2, "gpu_option": "gres/gpu:1,gres/gpu:2"}),
        ("--gpus-per-node=2 --gres=gpu:3", {"gpus_per_node": 3, "gpu_option": "gres/gpu:2,gres/gpu:3"}),
        ("--gpus=4", {"gpus_per_node": 4, "gpu_option": "gres/gpu:4"}),
        ("-G4 -N2", {"nodes": 2, "ntasks": 2, "gpus_per_node": 2, "gpu_option": "gres/gpu:4"}),
        ("--gpus=4 --gpus-per-node=2", {"nodes": 2, "ntasks": 2, "gpus_per_node": 2, "gpu_option": "gres/gpu:2"}),
        (
            "--gpus-per-task=2 --ntasks=2",
            {"ntasks": 2, "ntasks_given": True, "gpus_per_node": 4, "gpu_option": "gres/gpu:2"},
        ),
        ("--exclusive", {"exclusive": True}),
        ("--exclusive=user", {}),
        ("--nodelist=n2,n1", {"nodes": 2, "ntasks": 2, "nodelist": ("n2", "n1")}),
        ("-w n[1-2] -N1", {"nodelist": ("n1", "n2")}),
        ("--exclude=n4,n3", {"exclude": ("n4", "n3")}),
        ("--job-name=", {"name": ""}),
        ("-J 'a b'", {"name": "a b"}),
        ("--chdir=relative", {"chdir": "/here/relative"}),
        ("--chdir=/tmp/../tmp", {"chdir": "/tmp/../tmp"}),
        ("--output=a/%j --error=e -i in", {"output": "a/%j", "error": "e", "input": "in"}),
        ("--nice", {"nice": 100}),
        ("--nice=5", {"nice": 5}),
        ("--nice=x", {}),
        ("--nice=3x", {"nice": 3}),
        ("--begin=now+1hour", {"begin": NOW + 3600}),
        ("--begin=now-1hour", {}),
        ("--deadline=now+2hours", {"deadline": NOW + 7200}),
        ("--no-requeue", {"requeue": False}),
        ("--no-requeue --requeue", {}),
        ("--kill-on-invalid-dep=YES", {"kill_on_invalid_dependency": True}),
        ("--kill-on-invalid-dep=no", {"kill_on_invalid_dependency": False}),
        ("--signal=USR1", {"signal": Signal(SIGUSR1)}),
        ("--signal=B:USR1@10", {"signal": Signal(SIGUSR1, 10, batch_only=True)}),
        ("--signal=BR:sigterm@65535", {"signal": Signal(15, 65535, batch_only=True)}),
        ("--signal=12@", {"signal": Signal(12)}),
        ("--open-mode=append", {"open_mode": "a"}),
        ("--open-mode=T", {}),
        ("--distribution=block:cyclic", {"distribution": "block:cyclic"}),
        ("-m plane=2,Pack", {"distribution": "plane=2,Pack"}),
        ("--comment=c --wckey=w --account=a --qos=q", {"comment": "c", "wckey": "w", "account": "a", "qos": "q"}),
        ("--export=NONE", {"export": "NONE"}),
        ("--export=all", {}),
        ("--mail-type=END,FAIL --mail-user=me --hint=nomultithread --contiguous --wait-all-nodes=1 --segment=1", {}),
        ("--propagate=NONE --time-min=10 --tmp=0 --threads-per-core=1 --constraint= --licenses=", {}),
    ],
)
def test_what_is_asked_for(line: str, changes: dict[str, object]) -> None:
    """All else stays."""
    assert differs(line) == changes


INVALID = [
    *(("time", value) for value in ("never", "1:2:3:4", "''", "1-x", "10m", ":30", "1:", "1::", "+5", "' 5'", "5,")),
    *(("mem", value) for value in ("lots", "''", "4.5G", "-1", "10P", "10Gi")),
    ("mem-per-cpu", "x"),
    ("mem-per-gpu", "x"),
    ("tmp", "x"),
    ("time-min", "x"),
    *(("signal", value) for value in ("USR9@10", "B:USR1@x", "0", "B:", "X:USR1", "''", "RTMIN", "USR1@65536")),
    *(("open-mode", value) for value in ("both", "''")),
    *(("kill-on-invalid-dep", value) for value in ("maybe", "y", "''")),
    *(("distribution", value) for value in ("zigzag", "''", "cyclic:x")),
    ("exclusive", "x"),
    ("mail-type", "zigzag"),
    ("segment", "x"),
    ("wait-all-nodes", "2"),
    ("begin", "''"),
]
NUMERIC = [
    *((name, value) for name in ("ntasks", "ntasks-per-node", "cpus-per-task") for value in ("0", "x", "-1", "1.5")),
    ("cpus-per-gpu", "0"),
    ("threads-per-core", "x"),
    ("wait-all-nodes", "x"),
]


@pytest.mark.parametrize(("name", "value"), INVALID)
def test_a_value_that_is_none(name: str, value: str) -> None:
    """Named, with exit code 255."""
    with pytest.raises(RefusedError) as raised:
        settle(f"--{name}={value}")
    assert (raised.value.lines, raised.value.code) == ((f"error: Invalid --{name} specification",), 255)


@pytest.mark.parametrize(("name", "value"), NUMERIC)
def test_a_number_that_is_none(name: str, value: str) -> None:
    """Named, with exit code 1."""
    with pytest.raises(RefusedError) as raised:
        settle(f"--{name}={value}")
    assert raised.value.lines == (f'error: Invalid numeric value "{value}" for --{name}.',)
    assert raised.value.code == 1


UNAVAILABLE = "Requested node configuration is not available"
TIME = "Requested time limit is invalid (missing or exceeds some limit)"
NODE_COUNT = "Node count specification invalid"
GRES = "error: Invalid generic resource (gres) specification"


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        ("--time=0", [TIME]),
        ("--time=UNLIMITED", [TIME]),
        ("--time=-1", [TIME]),
        ("--time=-5", [TIME]),
        ("--time=30-0", [TIME]),
        ("--partition=debug --time=11", [TIME]),
        ("--deadline=now", [TIME]),
        ("--deadline=now+30minutes", [TIME]),
        ("--deadline=now+1hour --time=61", [TIME]),
        ("--time=60 --time-min=120", ["Invalid time-min specification (exceeds job's time or other limits)"]),
        ("--nodes=0", [NODE_COUNT]),
        ("--nodes=5", [NODE_COUNT]),
        ("--partition=debug --nodes=3", [NODE_COUNT]),
        ("--nodelist=", [NODE_COUNT]),
        ("--cpus-per-task=999", ["More processors requested than permitted"]),
        ("--ntasks=9999", ["More processors requested than permitted"]),
        ("--ntasks=200 --nodes=1", [UNAVAILABLE]),
        ("--ntasks=9 --nodes=2 --ntasks-per-node=4", [UNAVAILABLE]),
        ("--cpus-per-task=129", ["CPU count per node can not be satisfied", UNAVAILABLE]),
        ("--ntasks-per-node=129", ["CPU count per node can not be satisfied", UNAVAILABLE]),
        ("--mem=999999G", ["Memory specification can not be satisfied", UNAVAILABLE]),
        ("--tmp=1G", ["Temporary disk specification can not be satisfied", UNAVAILABLE]),
        ("--threads-per-core=2", ["Socket, core and/or thread specification can not be satisfied", UNAVAILABLE]),
        ("--gpus-per-node=9", [UNAVAILABLE]),
        ("--gpus-per-node=x", [UNAVAILABLE]),
        ("--gpus-per-node=-1", [UNAVAILABLE]),
        ("--gpus-per-node=a100:1", [UNAVAILABLE]),
        ("--gres=gpu:x", [UNAVAILABLE]),
        ("--gres=gpu:a100:2", [UNAVAILABLE]),
        ("--gpus=33", [UNAVAILABLE]),
        ("--nodes=1 --gpus=9", [UNAVAILABLE]),
        ("--gpus-per-task=9 --ntasks=1", [UNAVAILABLE]),
        ("--exclude=n[1-4]", [UNAVAILABLE]),
        ("--nodes=4 --exclude=n1", [UNAVAILABLE]),
        ("--nodelist=nowhere", ["Invalid node name specified"]),
        ("--exclude=nowhere", ["Invalid node name specified"]),
        ("--nodelist=n1 --exclude=n1", ["Invalid node name specified"]),
        ("--partition=nowhere", ["invalid partition specified: nowhere", "Invalid partition name specified"]),
        ("--partition=", ["invalid partition specified: (null)", "Invalid partition name specified"]),
        ("--partition=gpu,debug", ["Requested partition configuration not available now"]),
        ("--nice=-5", ["Invalid --nice value"]),
        ("--reservation=x", ["Requested reservation is invalid"]),
        ("--licenses=x", ["Invalid license specification"]),
        ("--constraint=x", ["Invalid feature specification"]),
        ("--prefer=x", ["Invalid preferred feature specification"]),
        ("--reboot", ["rebooting of nodes is only allowed for admins", "Access/permission denied"]),
    ],
)
def test_what_the_cluster_cannot_give(line: str, texts: list[str]) -> None:
    """In slurmctld's words."""
    with pytest.raises(RefusedError) as raised:
        settle(line)
    *before, last = texts
    lines = [*(f"error: {text}" for text in before), f"error: Batch job submission failed: {last}"]
    assert (list(raised.value.lines), raised.value.code) == (lines, 1)


@pytest.mark.parametrize(
    ("line", "lines", "code"),
    [
        ("--nodes=x", ['error: "x" is not a valid node count'], 255),
        ("--nodes=2-1", ["error: Maximum node count 1 is less than minimum node count 2"], 255),
        ("--nice=2147483646", ["error: Invalid --nice value, out of range (+/- 2147483645)"], 255),
        ("--uid=0", ["error: --uid only permitted by root user"], 255),
        ("--hint=zigzag", ['error: unrecognized --hint argument "zigzag", see --hint=help'], 1),
        ("--gres=unicorn:1", [GRES], 1),
        ("--gres=gpu:2,gpu:h100:1", ["error: Invalid GRES specification (with and without type identification)"], 1),
        ("--gpus=1 --nodes=2", ["error: Failed to validate job spec, --gpus < -N", GRES], 1),
        (
            "--gpus=5 --gpus-per-node=2",
            ["error: Failed to validate job spec, --gpus is not multiple of --gres=gpu/--gpus-per-node", GRES],
            1,
        ),
        (
            "--cpus-per-gpu=4",
            ["error: Requested cpus_per_tres=gres/gpu:4 but did not request any GPU.", GRES],
            1,
        ),
        (
            "--mem-per-gpu=4G",
            ["error: Requested mem_per_tres=gres/gpu:4096 but did not request any GPU.", GRES],
            1,
        ),
        ("--mem=1G --mem-per-cpu=1G", ["fatal: --mem, --mem-per-cpu, and --mem-per-gpu are mutually exclusive."], 1),
        (
            "--exclusive --oversubscribe",
            ["fatal: --exclusive and --oversubscribe options are mutually exclusive"],
            1,
        ),
        (
            "--begin=now+4hours --deadline=now+3hours",
            ["error: Incompatible begin and deadline time specification"],
            1,
        ),
        (
            "--distribution=plane",
            ["error: Invalid plane size or size not specified", "error: Invalid --distribution specification"],
            255,
        ),
        ("--nodelist=n[1-2", ["fatal: Invalid node list specified"], 1),
        (
            "--nodelist=/no/file",
            ["error: slurm_allocate_resources error opening file /no/file, No such file or directory"],
            1,
        ),
    ],
)
def test_what_sbatch_itself_refuses(line: str, lines: list[str], code: int) -> None:
    """In its own words."""
    with pytest.raises(RefusedError) as raised:
        settle(line)
    assert (list(raised.value.lines), raised.value.code) == (lines, code)


def test_later_sources_count() -> None:
    """The script, then the variables, then the command line."""
    script = "--time=11 --job-name=script --comment=script"
    variables = {"SBATCH_TIMELIMIT": "9", "SBATCH_JOB_NAME": "variable"}
    found = settle("--time=7", script=script, variables=variables)
    assert (found.time_limit, found.name, found.comment) == (420, "variable", "script")


def test_memory_of_a_variable_gives_way() -> None:
    """To memory in other units that was asked for in the script or on the command line."""
    assert settle("--mem=5G", variables={"SBATCH_MEM_PER_CPU": "2G"}).memory == 5120
    with pytest.raises(RefusedError, match="SLURM_MEM_PER_CPU, SLURM_MEM_PER_GPU, and SLURM_MEM_PER_NODE are"):
        settle(variables={"SBATCH_MEM_PER_CPU": "2G", "SBATCH_MEM_PER_NODE": "2G"})
    with pytest.raises(RefusedError, match="--mem, --mem-per-cpu"):
        settle("--mem-per-cpu=1G", script="--mem=1G")


def test_a_bad_value_is_told_even_where_a_later_one_counts() -> None:
    """As in Slurm."""
    with pytest.raises(RefusedError, match="Invalid --time"):
        settle("--time=1", variables={"SBATCH_TIMELIMIT": "never"})


@pytest.mark.parametrize("name", sorted(NOT_KNOWN))
def test_what_slurm_knows_and_minislurm_does_not(name: str) -> None:
    """It is an error that says so."""
    flag = next(option for option in TABLE if option.name == name).argument != "required"
    with pytest.raises(RefusedError, match=f"minislurm does not know --{name}") as raised:
        settle(f"--{name}" if flag else f"--{name}=1")
    assert raised.value.code == 255


@pytest.mark.parametrize("line", ["--nodes=1,2", "--gres=gpu:h100:1,gpu:a100:1", "--gpus=3 --nodes=2", "--gpus=20"])
def test_values_that_minislurm_does_not_know(line: str) -> None:
    """Slurm does."""
    with pytest.raises(RefusedError, match="minislurm does not know"):
        settle(line)


def test_every_variable_stands_for_an_option() -> None:
    """And no option is there twice."""
    names = [option.name for option in TABLE]
    letters = [option.short for option in TABLE if option.short]
    assert set(VARIABLES.values()) <= set(names)
    assert set(names) >= NOT_KNOWN
    assert len(names) == len(set(names))
    assert len(letters) == len(set(letters))


# Recorded from Slurm 24.11.
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", {}),
        ("--time-min=5", {"TimeMin": "00:05:00"}),
        ("--contiguous", {"Contiguous": "1"}),
        ("--mail-type=END,FAIL", {"MailType": "END,FAIL"}),
        ("--network='a b'", {"Network": "a b"}),
        ("--mem-per-cpu=2G", {"MinMemoryCPU": "2G"}),
        ("--mem-per-cpu=100", {"MinMemoryCPU": "100M"}),
        ("--gpus-per-node=2 --cpus-per-gpu=4", {"CpusPerTres": "gres/gpu:4"}),
        ("--gpus-per-node=2 --mem-per-gpu=10G", {"MemPerTres": "gres/gpu:10240"}),
        ("--gpus=4", {"TresPerJob": "gres/gpu:4", "TresPerNode": ""}),
        ("--gpus=4 --gpus-per-node=2", {"TresPerJob": "gres/gpu:4"}),
        ("--gpus-per-task=2 --ntasks=2", {"TresPerTask": "gres/gpu=2", "TresPerNode": ""}),
        ("--gpus-per-task=2 --ntasks=2 -c3", {"TresPerTask": "cpu=3,gres/gpu=2", "TresPerNode": ""}),
    ],
)
def test_what_scontrol_repeats(line: str, told: dict[str, str]) -> None:
    """Of options that have no other effect here."""
    assert dict(settle(line).told) == told


@pytest.mark.parametrize(
    ("line", "most"),
    [
        ("", 1),
        ("--nodes=1-3", 3),
        ("-N2 -n5", 2),
        ("-n5", 1),
        ("-n200", 2),
        ("-n4 --ntasks-per-node=2", None),
        ("-N2 --ntasks-per-node=2", 2),
        ("-c3", None),
        ("-N2 -c3", 2),
        ("-w n1,n2", 2),
    ],
)
def test_the_most_nodes(line: str, most: int | None) -> None:
    """Behind the dash of NumNodes, if there is one."""
    assert settle(line).most_nodes == most
