import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render.world import VALUE, VARIABLE, World, cases, make_world, toml_string

from trainsub.spec.kinds import KINDS

PYXIS = '[container]\nruntime = "pyxis"\nimage = "reg#image:1"\nmounts = ["/data:/d:ro", "/x"]\n'
APPTAINER = '[container]\nruntime = "apptainer"\nimage = "{}"\nmounts = ["/data:/d:ro", "/x"]\n'

TWO_TASKS = r"""#!/bin/bash
# Stands in for srun: starts two tasks, on n1 and n2, and ends with the worst code.
while [[ $1 == --* ]]; do shift; done
for node in 0 1; do
    SLURM_PROCID=$node SLURM_NTASKS=2 SLURM_NODEID=$node SLURM_LOCALID=0 SLURM_NTASKS_PER_NODE=1 SLURMD_NODENAME=n$((node + 1)) \
        "$@" &
    tasks+=("$!")
done
worst=0
for task in "${tasks[@]}"; do wait "$task"; code=$?; [ "$code" -le "$worst" ] || worst=$code; done
exit "$worst"
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A run's directory with a plain name, as trainsub makes them."""
    return make_world(tmp_path, "job-1a2b3c4d")


def toml(kind: str, command: str = '["python", "train.py"]', more: str = "", slurm: str = "", launch: str = "") -> str:
    """A spec of four nodes."""
    ranks = "" if kind == "command" else "nproc_per_node = 2\n"
    return (
        f'name = "job"\ncommand = {command}\n[slurm]\nnodes = 4\ntime = "5"\n{slurm}'
        f'[launch]\nkind = "{kind}"\n{ranks}{launch}{more}'
    )


def first(world: World) -> dict[str, list[str]]:
    """What the tasks noted: for each kind of end, time, code and node of the first."""
    return {path.name: path.read_text().split() for path in (world.run_dir / "first").iterdir()}


# ---- what the launchers are told ----


def test_accelerate_gets_all_counts(world: World, rendered: Callable[..., str]) -> None:
    """Its rank among the machines is taken where it is known, on the node; DeepSpeed's SSH launcher is never used."""
    command = '["accelerate", "launch", "--config_file", "a b.yaml", "train.py", "-x"]'
    world.run(rendered(toml("accelerate", command)))
    python, option, agent, *words = world.dumped("argv")
    assert (python, option) == ("python3", "-c")
    assert 'sys.argv.insert(1, "--machine_rank=" + os.environ["SLURM_NODEID"])' in agent
    conf = '"--rdzv_conf=is_host=" + str(os.environ["SLURM_NODEID"] == "0") + ",read_timeout=600"'
    assert f"sys.argv.insert(1, {conf})" in agent
    assert words == [
        "accelerate.commands.launch",
        "--num_machines=4",
        "--num_processes=8",
        "--max_restarts=0",
        "--rdzv_backend=c10d",
        "--main_process_ip=n1",
        f"--main_process_port={world.port()}",
        "--deepspeed_multinode_launcher=standard",
        "--config_file",
        "a b.yaml",
        "train.py",
        "-x",
    ]


def test_accelerate_has_a_port_of_its_own_on_one_node(world: World, rendered: Callable[..., str]) -> None:
    """It gives c10d no address there, whose port is then the same for each job on the node."""
    script = rendered(toml("accelerate").replace("nodes = 4", "nodes = 1"))
    world.run(script, SLURM_JOB_NUM_NODES="1")
    assert "--rdzv_backend=static" in world.dumped("argv")
    assert f"--main_process_port={world.port()}" in world.dumped("argv")


@pytest.mark.parametrize("kind", ["torchrun", "deepspeed", "megatron"])
def test_a_first_node_that_is_late_is_waited_for(world: World, rendered: Callable[..., str], kind: str) -> None:
    """As long as c10d waits for any other node; it would give up on the first one's store after a minute."""
    world.run(rendered(toml(kind)))
    assert "--rdzv-conf=read_timeout=600" in world.dumped("argv")
    assert "--rdzv-conf" not in rendered(toml(kind, launch='rendezvous = "static"\n'))  # waits for 600 s by itself


def test_traces_of_a_hang_lie_beside_the_run(world: World, rendered: Callable[..., str]) -> None:
    """Where there are GPUs; the spec may say otherwise."""
    gpus = "gpus_per_node = 2\n"
    world.run(rendered(toml("torchrun", slurm=gpus)))
    assert world.environment()["TORCH_NCCL_DUMP_ON_TIMEOUT"] == "1"
    assert world.environment()["TORCH_FR_DUMP_TEMP_FILE"] == f"{world.run_dir}/first/42.0.trace."
    world.run(rendered(toml("torchrun", slurm=gpus, more="[env]\nTORCH_FR_DUMP_TEMP_FILE = '/x/y'\n")))
    assert world.environment()["TORCH_FR_DUMP_TEMP_FILE"] == "/x/y"
    for script in (rendered(toml("torchrun")), rendered(toml("command", slurm=gpus))):
        assert "TORCH_" not in script


def test_static_ranks_are_in_slurms_order(world: World, rendered: Callable[..., str]) -> None:
    """The agent asks Slurm for its place."""
    world.run(rendered(toml("torchrun", launch='rendezvous = "static"\n')))
    _, _, agent, *words = world.dumped("argv")
    assert 'sys.argv.insert(1, "--node-rank=" + os.environ["SLURM_NODEID"])' in agent
    assert "--rdzv-backend=static" in words
    assert f"--rdzv-endpoint=n1:{world.port()}" in words


def test_deepspeed_runs_under_torchrun(world: World, rendered: Callable[..., str]) -> None:
    """Its own launcher is not used."""
    world.run(rendered(toml("deepspeed", '["deepspeed", "train.py", "--deepspeed"]')))
    words = world.dumped("argv")
    assert (words[0], words[3], words[-2:]) == ("python3", "torch.distributed.run", ["train.py", "--deepspeed"])


@pytest.mark.parametrize("tasks", [1, 2])
def test_megatron_takes_either_launcher(world: World, rendered: Callable[..., str], tasks: int) -> None:
    """As ntasks_per_node says; the environment is the same."""
    world.run(rendered(toml("megatron", '["task", "a"]', slurm=f"ntasks_per_node = {tasks}\n")))
    assert world.dumped("options")[:3] == ["--nodes=4", f"--ntasks={4 * tasks}", f"--ntasks-per-node={tasks}"]
    assert ("torch.distributed.run" in world.dumped("argv")) == (tasks == 1)
    assert ("RANK" in world.environment()) == (tasks == 2)
    assert world.environment()["CUDA_DEVICE_MAX_CONNECTIONS"] == "1"


def test_the_users_own_connections_win(world: World, rendered: Callable[..., str]) -> None:
    """On newer GPUs, one is not the best."""
    world.run(rendered(toml("megatron", more="[env]\nCUDA_DEVICE_MAX_CONNECTIONS = 32\n")))
    assert world.environment()["CUDA_DEVICE_MAX_CONNECTIONS"] == "32"


def test_a_command_is_nothing_but_a_command(world: World, rendered: Callable[..., str]) -> None:
    """As many on a node as was asked for; nothing of PyTorch is in its environment."""
    _, output = world.run(rendered(toml("command", '["task", "a b"]', slurm="ntasks_per_node = 3\n")))
    assert world.dumped("argv") == ["a b"]
    assert world.dumped("options")[:4] == ["--nodes=4", "--ntasks=12", "--ntasks-per-node=3", "--cpus-per-task=5"]
    assert not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS"} & world.environment().keys()
    assert "master" not in output


@pytest.mark.parametrize(
    ("slurm", "cpus", "threads"),
    [
        ("", ["--cpus-per-task=16"], "8"),
        ("cpus_per_task = 6\n", ["--cpus-per-task=6"], "3"),
        ("cpus_per_gpu = 6\ngpus_per_node = 2\n", ["--cpus-per-gpu=6"], "6"),
        ('hint = "nomultithread"\n', [], None),
    ],
)
def test_srun_is_told_the_cpus(
    world: World, rendered: Callable[..., str], slurm: str, cpus: list[str], threads: str | None
) -> None:
    """Where nobody said it, the share of the smallest node; where Slurm counts other ones, nothing."""
    world.run(rendered(toml("torchrun", slurm=slurm)))
    assert [option for option in world.dumped("options") if "cpus" in option] == cpus
    assert world.environment().get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize(("launch", "told"), [("", []), ("wait = 0\n", ["--wait=0"]), ("wait = 90\n", ["--wait=90"])])
def test_srun_waits_only_as_it_is_told(
    world: World, rendered: Callable[..., str], launch: str, told: list[str]
) -> None:
    """Its wait counts from the first task that ends, also well, and would kill ranks that are still saving."""
    world.run(rendered(toml("torchrun", launch=launch)))
    assert [option for option in world.dumped("options") if "wait" in option] == told


def test_ranks_see_all_gpus(world: World, rendered: Callable[..., str]) -> None:
    """Slurm binds none to a rank unless it is told to, and `--gpu-bind=none` takes them all away on 22.05."""
    world.run(rendered(toml("srun", '["task"]', slurm="gpus_per_node = 2\n")))
    assert not [option for option in world.dumped("options") if "gpu" in option]


# ---- containers ----


def containers(world: World) -> dict[str, str]:
    """The tables, with an image that is there."""
    (world.root / "image.sif").touch()
    return {"none": "", "pyxis": PYXIS, "apptainer": APPTAINER.format(world.root / "image.sif")}


def test_pyxis_is_told_on_srun(world: World, rendered: Callable[..., str]) -> None:
    """Its flags are srun's, and the variables of the job win over the image's."""
    world.run(
        rendered(toml("srun", '["task"]', f'{PYXIS}options = ["--no-container-remap-root"]\n[env]\nX_A = "b c"\n'))
    )
    run, work = world.run_dir, world.root / "work"
    names = ["MASTER_ADDR", "MASTER_PORT", "OMP_NUM_THREADS", "PYTHONFAULTHANDLER", "PYTHONUNBUFFERED"]
    names += ["TRAINSUB_LINK", "TRAINSUB_RUN", "TRAINSUB_RUN_DIR", "X_A"]
    assert [option for option in world.dumped("options") if "container" in option] == [
        "--container-image=reg#image:1",
        f"--container-mounts={run}:{run},{work}:{work},/data:/d:ro,/x:/x",
        f"--container-workdir={work}",
        f"--container-env={','.join(names)}",
        "--no-container-mount-home",
        "--no-container-remap-root",
    ]


def test_apptainer_stands_before_the_program(world: World, rendered: Callable[..., str]) -> None:
    """The wrapper stays outside, where it has srun's signals; the ranks' variables reach the inside."""
    table = containers(world)["apptainer"]
    code, output = world.run(
        rendered(toml("srun", '["task", "a b"]', table + '[env]\nX_A = "b c"\n', "gpus_per_node = 2\n"))
    )
    run, work = world.run_dir, world.root / "work"
    assert (code, world.dumped("argv")) == (0, ["a b"]), output
    assert world.dumped("apptainer") == [
        *("--no-eval", "--nv", "--no-home"),
        *("--bind", f"{run}:{run},{work}:{work},/data:/d:ro,/x:/x", "--pwd", str(work)),
        str(world.root / "image.sif"),
    ]
    assert {name: world.environment()[name] for name in ("X_A", "RANK", "MASTER_ADDR")} == {
        "X_A": "b c",
        "RANK": "5",
        "MASTER_ADDR": "n1",
    }


def test_home_and_other_gpus(world: World, rendered: Callable[..., str]) -> None:
    """The home directory is there where it is asked for, and AMD's GPUs instead of NVIDIA's."""
    (world.root / "image.sif").touch()
    table = '[container]\nruntime = "apptainer"\nimage = "~/image.sif"\nmount_home = true\noptions = ["--rocm"]\n'
    assert world.run(rendered(toml("srun", '["task"]', table, "gpus_per_node = 2\n")))[0] == 0
    assert world.dumped("apptainer")[-2:] == ["--rocm", f"{world.root}/image.sif"]
    assert not {"--nv", "--no-home"} & set(world.dumped("apptainer"))


@pytest.mark.parametrize(
    ("runtime", "break_", "message"),
    [
        ("pyxis", "SRUN_HELP=no", "srun has no option --container-image here: pyxis is not installed"),
        ("apptainer", "image", "cannot read the image "),
        ("apptainer", "program", "there is no apptainer on the PATH; setup.modules may load it"),
        ("pyxis", "path", "no container can be given "),
    ],
)
def test_what_a_container_lacks_is_told_at_once(
    tmp_path: Path, rendered: Callable[..., str], runtime: str, break_: str, message: str
) -> None:
    """With the code for wrong configuration, before anything is started."""
    world = make_world(tmp_path, "job-1a2b3c4d" if break_ != "path" else "job with blanks")
    script = rendered(toml("srun", '["task"]', containers(world)[runtime]))
    if break_ == "image":
        (world.root / "image.sif").unlink()
    if break_ == "program":
        (world.root / "bin/apptainer").unlink()
    code, output = world.run(script, SRUN_HELP="nothing" if break_ == "SRUN_HELP=no" else "")
    assert (code, message in output) == (64, True), output
    assert not (world.root / "dump/argv").exists()


@settings(max_examples=cases(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arguments=st.lists(VALUE, max_size=5),
    env=st.dictionaries(VARIABLE, VALUE, max_size=3),
    kind=st.sampled_from(KINDS),
    container=st.sampled_from(["none", "pyxis", "apptainer"]),
)
def test_values_arrive_exactly_under_every_kind(
    rendered: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
    arguments: list[str],
    env: dict[str, str],
    kind: str,
    container: str,
) -> None:
    """In and out of containers, and nothing in them is executed."""
    world = make_world(tmp_path_factory.mktemp("any"), "job-1a2b3c4d")
    plain = kind in {"srun", "command"}
    words = ["task", *arguments] if plain else ["python", "train.py", *arguments]
    variables = "".join(f"{name} = {toml_string(value)}\n" for name, value in env.items())
    more = f"{containers(world)[container]}[env]\n{variables}"
    code, output = world.run(rendered(toml(kind, f"[{', '.join(map(toml_string, words))}]", more)))
    assert code == 0, output
    argv = world.dumped("argv")
    assert (argv if plain else argv[argv.index("train.py") + 1 :]) == arguments
    assert {name: world.environment()[name] for name in env} == env
    assert list((world.root / "work").iterdir()) == []


# ---- who failed first ----


@pytest.fixture
def two(world: World, rendered: Callable[..., str]) -> Callable[[str], tuple[int, str]]:
    """Run a job of two tasks."""
    (world.root / "bin/srun").write_text(TWO_TASKS)
    script = rendered(toml("srun", '["task"]'))
    return lambda task: world.run(script, TASK=task)


def test_the_first_failure_is_the_jobs(world: World, two: Callable[[str], tuple[int, str]]) -> None:
    """Not the highest code, which is what srun tells of."""
    code, output = two(
        'if [ "$RANK" = 1 ]; then exit 93; fi; until [ -e "$TRAINSUB_RUN_DIR"/first/*.failed ]; do sleep 0.05; done; exit 99'
    )
    assert (code, "trainsub: the first failure: exit code 93 on n2" in output) == (93, True)
    assert world.record()["code"] == "93"
    at, *rest = first(world)["42.0.failed"]
    assert abs(int(at) - time.time()) < 60
    assert rest == ["93", "n2"]


@pytest.mark.parametrize(
    ("how", "noted", "code"), [("kill -SEGV $$", "139", 1), ("exit 200", "200", 1), ("exit 2", "2", 2)]
)
def test_codes_of_signals_stay_out_of_the_jobs(
    world: World, two: Callable[[str], tuple[int, str]], how: str, noted: str, code: int
) -> None:
    """Sacct would show them as something else; the note has the true one."""
    assert two(how)[0] == code
    assert first(world)["42.0.failed"][1] == noted


def test_saved_is_no_failure_for_srun(world: World, two: Callable[[str], tuple[int, str]]) -> None:
    """The other rank is still saving when the first has ended; the job ends with 85 all the same."""
    code, output = two('if [ "$RANK" = 0 ]; then exit 85; fi; sleep 0.5; touch $DUMP/saved; exit 0')
    assert (code, (world.root / "dump/saved").exists()) == (85, True), output
    assert first(world)["42.0.saved"][1:] == ["85", "n1"]


def test_a_failure_counts_more_than_saved(two: Callable[[str], tuple[int, str]]) -> None:
    """One of the ranks has not saved."""
    assert two('[ "$RANK" = 0 ] && exit 85; sleep 0.3; exit 7')[0] == 7


def test_a_task_that_was_stopped_did_not_fail(world: World, rendered: Callable[..., str]) -> None:
    """It ends well for srun, so that others may save; the job has not ended well."""
    code, _ = world.run(rendered(toml("srun", '["task"]')), TASK="kill -TERM $(ps -o ppid= -p $PPID); sleep 5; exit 0")
    assert (code, world.record()["code"]) == (1, "1")
    assert first(world)["42.0.stopped"][1] == "143"


def wrapped(world: World, rendered: Callable[..., str]) -> tuple[list[str], dict[str, str]]:
    """What stands round a rank, as a command, and the environment that it needs."""
    world.run(rendered(toml("srun", '["task"]')))
    wrapper = (world.root / "script").read_text().partition("\ntask='")[2].partition("\n'\n")[0]
    ranks = {"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_NODEID": "0", "SLURM_LOCALID": "0"}
    env = {**world.env, **ranks, "SLURM_NTASKS_PER_NODE": "1", "TRAINSUB_RUN_DIR": str(world.run_dir)}
    return ["bash", "--posix", "--norc", "-c", wrapper], env


@pytest.mark.parametrize("name", ["HUP", "INT", "QUIT", "USR1", "USR2", "TERM"])
def test_signals_reach_the_program_from_its_parent_alone(world: World, rendered: Callable[..., str], name: str) -> None:
    """Slurm may send them to the wrapper only; the program, a Python here, is not deaf to INT as background jobs are."""
    wrapper, env = wrapped(world, rendered)
    program = f"trap 'echo got {name}; exit 5' {name}; echo ready; while :; do sleep 0.05; done"
    process = subprocess.Popen(
        [*wrapper, "trainsub", world.root / "note", "sh", "-c", program],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.communicate(timeout=20)[0] == f"got {name}\n"
    assert process.returncode == (0 if name == "TERM" else 5)


@pytest.mark.parametrize(("code", "notes"), [(85, {".saved": "85"}), (0, {}), (3, {".failed": "3"})])
def test_a_code_is_known_whatever_signal_comes_with_the_end(
    world: World, rendered: Callable[..., str], code: int, notes: dict[str, str]
) -> None:
    """Slurm signals a task's whole process group: a program that ends at once does so while its wrapper hears it, too."""
    wrapper, env = wrapped(world, rendered)
    handler = f"import os, signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: os._exit({code}))\n"
    program = handler + "print(flush=True)\ntime.sleep(20)"
    for number in range(12):
        note = world.root / f"note{number}"
        process = subprocess.Popen(
            [*wrapper, "trainsub", note, sys.executable, "-c", program],
            env=env,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.05)  # the wrapper waits by then
        os.killpg(process.pid, signal.SIGUSR1)
        process.communicate(timeout=20)
        noted = {path.suffix: path.read_text().split()[1] for path in world.root.glob(f"note{number}.*")}
        assert noted == notes, number
        assert process.returncode == (3 if code == 3 else 0)


def test_ranks_read_no_start_up_files(world: World, rendered: Callable[..., str]) -> None:
    """Neither BASH_ENV, which Lmod sets, nor POSIXLY_CORRECT, which bash would set, changes anything for them."""
    (world.root / "env.sh").write_text('[ -z "$BASH_EXECUTION_STRING" ] || touch "$DUMP/sourced"\n')
    script = rendered(toml("srun", '["task"]')).replace("\nset -u", f"\nexport BASH_ENV={world.root}/env.sh\nset -u", 1)
    (world.root / "bin/srun").write_text((world.root / "bin/srun").read_text().replace("#!/bin/bash", "#!/bin/bash -p"))
    (world.root / "bin/task").write_text("#!/bin/sh\nenv -0 >$DUMP/env\n")
    assert world.run(script)[0] == 0
    assert not list((world.root / "dump").glob("sourced*"))
    assert "POSIXLY_CORRECT" not in world.environment()


# ---- the rendezvous port ----


@pytest.mark.parametrize(
    ("range_", "low", "count"),
    [
        ("32768 60999", 61000, 4536),
        ("32768\t50000", 50001, 15535),
        ("20000 65535", 10000, 10000),
        ("1024 65535", 61000, 4536),
        (None, 61000, 4536),
    ],
)
def test_the_port_is_outside_of_the_ephemeral_range(
    world: World, rendered: Callable[..., str], range_: str | None, low: int, count: int
) -> None:
    """Whatever the node's range is; where it is everything, or not known, the usual place."""
    path = world.root / "range"
    if range_ is not None:
        path.write_text(range_ + "\n")
    script = rendered(toml("srun", '["task"]')).replace("/proc/sys/net/ipv4/ip_local_port_range", str(path))
    code, output = world.run(script)
    assert (code, world.environment()["MASTER_PORT"]) == (0, str(world.port(low, count))), output
    assert "range" not in output


def test_a_port_without_proc_is_tried(world: World, rendered: Callable[..., str]) -> None:
    """On a system that has no table of its sockets, a listener is found by a connection."""
    script = rendered(toml("srun", '["task"]')).replace("-r /proc/net/tcp", "-r /no/table")
    assert world.run(script)[0] == 0
    assert world.environment()["MASTER_PORT"] == str(world.port())


# ---- the fabric ----


def fabric_script(rendered: Callable[..., str], fabric: object, kind: str = "srun", env: str = "") -> str:
    """A script whose check looks twice a second."""
    script = rendered(toml(kind, '["task"]', f"[env]\n{env}"), fabric=fabric)
    return script.replace("sleep 10", "sleep 0.5")


NOTE = 'echo "n1:1:2 [0] NCCL INFO Using network {}" >"$NCCL_DEBUG_FILE"; sleep 2'


@pytest.mark.parametrize(("check", "code"), [("warn", 0), ("stop", 76)])
def test_sockets_instead_of_the_fabric(world: World, rendered: Callable[..., str], check: str, code: int) -> None:
    """It is said loudly while the job runs, or the job is stopped."""
    script = fabric_script(rendered, {"kind": "infiniband", "check": check})
    got, output = world.run(script, LOCALID="0", TASK=NOTE.format("Socket"))
    assert (got, output.count("trainsub: NCCL uses sockets instead of infiniband")) == (code, 1), output
    assert not list((world.run_dir / "first").glob("*.nccl.*"))


def test_the_fabric_itself_is_not_mentioned(world: World, rendered: Callable[..., str]) -> None:
    """And what NCCL warned of reaches the log if the job fails."""
    task = 'echo "n1:1:2 NCCL WARN went wrong" >"$NCCL_DEBUG_FILE"; exit 3'
    code, output = world.run(fabric_script(rendered, "roce"), LOCALID="0", TASK=task)
    assert (code, "NCCL WARN went wrong" in output, "sockets" in output) == (3, True, False)
    _, output = world.run(fabric_script(rendered, "roce"), LOCALID="0", TASK=NOTE.format("IB"))
    assert "sockets" not in output


def test_the_check_goes_into_a_container(world: World, rendered: Callable[..., str]) -> None:
    """Apptainer takes the job's own NCCL_DEBUG inside, so the check's has to go in by the same way."""
    more = f'{containers(world)["apptainer"]}[env]\nNCCL_DEBUG = "WARN"\n'
    script = rendered(toml("srun", '["task"]', more), fabric="roce").replace("sleep 10", "sleep 0.5")
    code, output = world.run(script, LOCALID="0", TASK=NOTE.format("Socket"))
    assert (code, "NCCL uses sockets instead of roce" in output) == (0, True), output
    assert world.environment()["NCCL_DEBUG"] == "INFO"
    world.run(script, LOCALID="1")
    assert world.environment()["NCCL_DEBUG"] == "WARN"


def test_an_agent_is_no_rank_of_the_check(world: World, rendered: Callable[..., str]) -> None:
    """Not even where enroot's hook for PyTorch gives it a rank's variables: all its ranks would write one file."""
    script = rendered(toml("torchrun"), fabric="roce")
    assert world.run(script, LOCALID="0", RANK="5")[0] == 0
    assert "NCCL_DEBUG_FILE" not in world.environment()
    assert "TRAINSUB_NCCL_LOG" in world.environment()


@pytest.mark.parametrize(
    ("fabric", "kind", "env"),
    [
        (None, "srun", ""),
        ("tcp", "srun", ""),
        ({"kind": "efa", "check": "off"}, "srun", ""),
        ("efa", "command", ""),
        ("efa", "srun", 'NCCL_DEBUG = "info"\n'),
        ("efa", "srun", 'NCCL_DEBUG_FILE = "/x"\n'),
    ],
)
def test_nothing_is_checked_where_there_is_nothing_to_see(
    world: World, rendered: Callable[..., str], fabric: object, kind: str, env: str
) -> None:
    """Not a line of it is in the script, and NCCL's debugging is the user's own."""
    script = fabric_script(rendered, fabric, kind, env)
    assert "watcher" not in script
    assert world.run(script, LOCALID="0")[0] == 0
    assert "NCCL_DEBUG_SUBSYS" not in world.environment()


@pytest.mark.parametrize(
    ("fabric", "expected"),
    [
        ("infiniband", {}),
        ("tcp", {"NCCL_IB_DISABLE": "1"}),
        ("efa", {"FI_EFA_USE_HUGE_PAGE": "0", "NCCL_SOCKET_IFNAME": "^docker,lo,veth"}),
        ("slingshot", {"NCCL_NET": "AWS Libfabric", "NCCL_SOCKET_IFNAME": "hsn"}),
        (
            {"kind": "roce", "interface": "bond0", "hca": "=mlx5_0", "gid_index": 3, "traffic_class": 106},
            {"NCCL_SOCKET_IFNAME": "bond0", "NCCL_IB_HCA": "=mlx5_0", "NCCL_IB_GID_INDEX": "3", "NCCL_IB_TC": "106"},
        ),
        ({"kind": "infiniband", "env": {"NCCL_IB_TIMEOUT": 22, "X_OWN": "fabric"}}, {"NCCL_IB_TIMEOUT": "22"}),
    ],
)
def test_the_fabrics_settings(
    world: World, rendered: Callable[..., str], fabric: object, expected: dict[str, str]
) -> None:
    """What the cluster's configuration names and nothing else; the job's own variables win."""
    assert world.run(fabric_script(rendered, fabric, "command", 'X_OWN = "job"\n'))[0] == 0
    found = world.environment()
    assert {name: value for name, value in found.items() if name.startswith(("NCCL_", "FI_"))} == expected
    assert found["X_OWN"] == "job"
