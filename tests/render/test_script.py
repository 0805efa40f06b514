import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from render.world import VALUE, VARIABLE, World, cases, make_world, toml_string

from trainsub.config import Cluster
from trainsub.render import render
from trainsub.spec import parse_spec

TOML = """
name = "job"
command = ["task", "a b"]
[slurm]
nodes = 4
time = "5"
[launch]
kind = "srun"
nproc_per_node = 4
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh run's directory."""
    return make_world(tmp_path)


@pytest.fixture
def script(rendered: Callable[..., str]) -> str:
    """A plain srun job."""
    return rendered(TOML)


# ---- what reaches the training ----


@settings(max_examples=cases(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arguments=st.lists(VALUE, max_size=5),
    env=st.dictionaries(VARIABLE, VALUE, max_size=4),
    kind=st.sampled_from(["srun", "torchrun"]),
)
def test_values_arrive_exactly(
    rendered: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
    arguments: list[str],
    env: dict[str, str],
    kind: str,
) -> None:
    """Arguments and variables are what the spec says, and nothing in them is executed."""
    world = make_world(tmp_path_factory.mktemp("any"))
    command = ["task", *arguments] if kind == "srun" else ["python", "train.py", *arguments]
    toml = f"""
name = "job"
command = [{", ".join(map(toml_string, command))}]
slurm = {{ nodes = 4, time = "5" }}
launch = {{ kind = "{kind}", nproc_per_node = 2 }}
[env]
{chr(10).join(f"{key} = {toml_string(value)}" for key, value in env.items())}
"""
    code, output = world.run(rendered(toml))
    assert code == 0, output
    argv = world.dumped("argv")
    if kind == "srun":
        assert argv == arguments
    else:
        assert argv[argv.index("train.py") + 1 :] == arguments
    assert {key: world.environment()[key] for key in env} == env
    assert list((world.root / "work").iterdir()) == []


def test_srun_is_told_all_counts(world: World, rendered: Callable[..., str]) -> None:
    """Nothing is left to what the job inherited."""
    toml = TOML.replace("[launch]", "cpus_per_task = 6\n[launch]")
    world.run(rendered(toml), SLURM_NTASKS="99")
    assert world.dumped("options") == [
        "--nodes=4",
        "--ntasks=16",
        "--ntasks-per-node=4",
        "--cpus-per-task=6",
        "--kill-on-bad-exit=1",
        "--distribution=block:block",
    ]
    assert world.environment()["OMP_NUM_THREADS"] == "6"


def test_the_users_distribution_is_left_alone(world: World, rendered: Callable[..., str]) -> None:
    """It reaches srun through the environment."""
    world.run(rendered(TOML.replace("[launch]", 'distribution = "cyclic"\n[launch]')))
    assert not any(option.startswith("--distribution") for option in world.dumped("options"))


def test_each_task_knows_its_rank(world: World, script: str) -> None:
    """From Slurm's variables, in the task and not in the script."""
    world.run(script)
    environment = world.environment()
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")
    assert [environment[name] for name in names] == ["5", "16", "1", "4", "1", "n1", str(world.port())]


def test_slurms_commands_may_be_elsewhere(world: World) -> None:
    """Where they are not on the PATH, the cluster's configuration says where they are."""
    elsewhere = world.root / "slurm bin"
    (world.root / "bin").rename(elsewhere)
    (world.root / "bin").mkdir()
    (elsewhere / "task").rename(world.root / "bin/task")
    cluster = Cluster.model_validate({"transport": "local", "slurm_bin": str(elsewhere)})
    assert world.run(render(parse_spec(TOML, origin="job.toml"), cluster))[0] == 0
    assert world.environment()["PATH"].startswith(f"{elsewhere}:{world.root}/bin:")


def test_the_job_knows_its_run(world: World, script: str) -> None:
    """Run, link and directory are exported, and one line of the log tells them."""
    code, output = world.run(script, SLURM_EXPORT_ENV="NONE", SBATCH_PARTITION="x", SBATCH_EXPORT="NONE")
    environment = world.environment()
    assert code == 0
    assert environment["TRAINSUB_RUN"] == "job-1a2b it's"
    assert (environment["TRAINSUB_LINK"], environment["TRAINSUB_RUN_DIR"]) == ("1", str(world.run_dir))
    assert environment["SLURM_EXPORT_ENV"] == "ALL"
    assert not [name for name in environment if name.startswith("SBATCH_")]
    assert output.startswith(
        "trainsub: run job-1a2b it's, link 1: job 42, restart 0, 4 nodes (n[1-4]) with 0 GPUs each, "
    )
    assert output.count("\n") == 1


def test_tasks_have_a_path_where_the_job_was_given_none(world: World, script: str) -> None:
    """After sbatch --export=NIL, bash knows a PATH of its own and keeps it to itself."""
    path = world.env.pop("PATH")
    world.run(script.replace("\nset -u", f"\nPATH={path}\nset -u", 1))
    assert world.environment()["PATH"] == path


def test_torchrun_gets_the_whole_rendezvous(world: World, rendered: Callable[..., str]) -> None:
    """As its manual wants it, with an id that a requeue changes."""
    toml = TOML.replace('["task", "a b"]', '["python3", "-u", "train.py"]').replace('"srun"', '"torchrun"')
    world.run(rendered(toml.replace("[launch]", "cpus_per_task = 8\n[launch]")), SLURM_RESTART_COUNT="3")
    python, option, agent, module, *words = world.dumped("argv")
    assert (python, option, module) == ("python3", "-c", "torch.distributed.run")
    assert 'runpy.run_module(module, run_name="__main__", alter_sys=True)' in agent
    assert words == [
        "--nnodes=4",
        "--nproc-per-node=4",
        "--max-restarts=0",
        "--rdzv-backend=c10d",
        f"--rdzv-endpoint=n1:{world.port()}",
        "--rdzv-id=42.3",
        "--rdzv-conf=read_timeout=600",
        "train.py",
    ]
    assert world.environment()["OMP_NUM_THREADS"] == "2"
    assert world.dumped("options")[:3] == ["--nodes=4", "--ntasks=4", "--ntasks-per-node=1"]


TORCHRUN = """
import os, signal, subprocess, sys, time
def handler(number, _):
    raise RuntimeError(f"signal {number}: kills the ranks after 30 s")
signal.signal(signal.SIGTERM, handler)    # as torchrun does, before it starts its ranks
start = subprocess.Popen
start(["true"]).wait()    # some program of its own
program = "trap 'sleep 0.3; exit 85' USR1 USR2 TERM; echo ready; while :; do sleep 0.05; done"
ranks = [start(["sh", "-c", program], env={**os.environ, "LOCAL_RANK": str(rank)}, stdout=-1) for rank in range(2)]
for rank in ranks: rank.stdout.readline()
print("ready", flush=True)
while None in [rank.poll() for rank in ranks]: time.sleep(0.05)
if any(rank.poll() for rank in ranks) or sys.argv[1:] != ["--nnodes=1"]: sys.exit(1)
"""


@pytest.mark.parametrize("name", ["USR1", "USR2", "TERM"])
def test_the_agent_passes_signals_on_and_lives(
    name: str, world: World, rendered: Callable[..., str], tmp_path: Path
) -> None:
    """It ends as its ranks do, which may save first; a module in torchrun's place starts them as torchrun does."""
    world.run(rendered(TOML.replace('["task", "a b"]', '["python3", "train.py"]').replace('"srun"', '"torchrun"')))
    agent = world.dumped("argv")[2]
    package = tmp_path / "modules" / "torch" / "distributed"
    package.mkdir(parents=True)
    (package / "run.py").write_text(TORCHRUN)
    process = subprocess.Popen(
        [sys.executable, "-c", agent, "torch.distributed.run", "--nnodes=1"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "modules")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(getattr(signal, f"SIG{name}"))
    assert process.wait(10) == 85
    process.stdout.close()


def test_an_agent_without_ranks_is_ended_by_term(world: World, rendered: Callable[..., str], tmp_path: Path) -> None:
    """What it starts for itself is no rank, so nothing would be left to end it."""
    world.run(rendered(TOML.replace('["task", "a b"]', '["python3", "train.py"]').replace('"srun"', '"torchrun"')))
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "waits.py").write_text(
        "import subprocess, time\nsubprocess.run(['true'])\nprint(flush=True)\ntime.sleep(20)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", world.dumped("argv")[2], "waits"],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "modules")},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM
    process.stdout.close()


def test_a_taken_port_is_passed_over(world: World, script: str) -> None:
    """The next one is tried."""
    port = world.port()
    with socket.create_server(("127.0.0.1", port)):
        world.run(script)
    assert world.environment()["MASTER_PORT"] == str(port + 1 if port < 65535 else 61000)


def test_the_port_stays_in_its_range(world: World, script: str) -> None:
    """After the last comes the first."""
    with socket.create_server(("127.0.0.1", 65535)):
        world.run(script, SLURM_JOB_ID=str(42 + 65535 - world.port()))
    assert world.environment()["MASTER_PORT"] == "61000"


def test_the_jobs_of_two_clusters_on_one_machine_begin_at_different_ports(tmp_path: Path, script: str) -> None:
    """Each embedded cluster counts its jobs from 1."""
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        world = make_world(tmp_path / name)
        world.run(script)
        assert world.environment()["MASTER_PORT"] == str(world.port())  # which follows from where its commands are


# ---- the fence ----


def test_a_second_copy_does_nothing(world: World, script: str) -> None:
    """Another job id ends well within seconds, without a step and without a record."""
    assert world.run(script)[0] == 0
    code, output = world.run(script, SLURM_JOB_ID="43")
    assert (code, output) == (0, "trainsub: link 1 belongs to 42, not to job 43: nothing to do\n")
    assert not (world.root / "dump/started.43").exists()
    assert [path.name for path in (world.run_dir / "exit").iterdir()] == ["42.0"]
    assert str((world.run_dir / "owner.1").readlink()) == "42"


def test_a_requeued_job_goes_on(world: World, script: str) -> None:
    """The same job finds its own id, and records its second end apart."""
    world.run(script)
    (world.root / "dump/started.42").unlink()
    assert world.run(script, SLURM_RESTART_COUNT="1")[0] == 0
    assert (world.root / "dump/started.42").exists()
    assert world.record("42.1")["code"] == "0"


def test_a_voided_link_does_nothing(world: World, script: str) -> None:
    """The settler was first."""
    (world.run_dir / "owner.1").symlink_to("void")
    code, output = world.run(script)
    assert (code, output) == (0, "trainsub: link 1 belongs to void, not to job 42: nothing to do\n")
    assert not (world.root / "dump/started.42").exists()


def test_the_owners_name_is_never_followed(world: World, script: str) -> None:
    """A directory of the owner's name does not take a second link."""
    (world.run_dir / "42").mkdir()
    world.run(script)
    world.run(script, SLURM_JOB_ID="43")
    assert list((world.run_dir / "42").iterdir()) == []


def test_the_tasks_of_an_array_own_their_link_together(world: World, script: str) -> None:
    """Each task trains, and its record says of what array it is; a second array does not."""
    for raw, index in (("43", "0"), ("44", "5"), ("42", "7")):
        code, _ = world.run(script, SLURM_JOB_ID=raw, SLURM_ARRAY_JOB_ID="42", SLURM_ARRAY_TASK_ID=index)
        assert code == 0
        assert world.record(f"{raw}.0")["task"] == f"42_{index}"
        assert (world.root / f"dump/started.{raw}").exists()
    assert (world.run_dir / "owner.1").readlink() == Path("42")
    _, output = world.run(script, SLURM_JOB_ID="51", SLURM_ARRAY_JOB_ID="50", SLURM_ARRAY_TASK_ID="0")
    assert output == "trainsub: link 1 belongs to 42, not to job 50: nothing to do\n"


def test_a_directory_that_cannot_be_written_is_no_second_copy(world: World, script: str) -> None:
    """Saying "done" would be a lie: it is an infrastructure fault."""
    (world.run_dir / "exit").rmdir()
    world.run_dir.rmdir()
    code, output = world.run(script)
    assert (code, output) == (75, f"trainsub: cannot make {world.run_dir}/owner.1 (on n1)\n")


def test_the_script_wants_its_arguments(world: World, script: str) -> None:
    """Started by hand, it says what is missing."""
    done = subprocess.run(["bash", "-c", script], env=world.env, capture_output=True, text=True, check=False)
    assert (done.returncode, "the directory of the run" in done.stderr) == (127, True)


# ---- how it ends ----


@pytest.mark.parametrize("code", [0, 1, 85, 127])
def test_the_record_has_the_code(world: World, script: str, code: int) -> None:
    """The job ends as srun does, and the record says so."""
    before = int(time.time())
    assert world.run(script, TASK=f"exit {code}")[0] == code
    record = world.record()
    assert (record["code"], record["node"]) == (str(code), "n1")
    assert before <= int(record["start"]) <= int(record["end"]) <= time.time()
    assert [path.name for path in (world.run_dir / "exit").iterdir()] == ["42.0"]


def test_a_failed_rank_is_no_stopped_job(world: World, script: str) -> None:
    """Srun returns 143 for the ranks that it ended itself; nobody has stopped the job."""
    assert world.run(script, TASK="kill -TERM $$")[0] == 1
    assert world.record()["code"] == "1"


def test_too_few_nodes_end_the_job(world: World, script: str) -> None:
    """The roll call costs seconds."""
    code, output = world.run(script, SLURM_JOB_NUM_NODES="3")
    assert (code, output) == (76, "trainsub: 3 nodes were given where 4 were asked for (on n1)\n")
    assert world.record()["code"] == "76"


def test_no_first_node_ends_the_job(world: World, script: str) -> None:
    """Without it there is no rendezvous."""
    (world.root / "bin/scontrol").write_text("#!/bin/sh\nexit 1\n")
    code, output = world.run(script)
    assert (code, "scontrol names no first node of n[1-4]" in output) == (75, True)


@pytest.fixture
def running(world: World, script: str) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Start a job whose task does something, and wait for it to have begun."""
    jobs = []

    def start(task: str) -> subprocess.Popen[str]:
        jobs.append(job := world.start(script, TASK=f"{task}; touch $DUMP/ready; while :; do sleep 0.05; done"))
        world.wait_for("ready")
        return job

    yield start
    for job in jobs:
        job.kill()
        job.communicate()


def test_term_lets_the_tasks_save(world: World, running: Callable[[str], subprocess.Popen[str]]) -> None:
    """Slurm sends TERM to the tasks itself; the script waits for them, and 143 is recorded before and after."""
    job = running("until [ -e $DUMP/saved ]; do touch $DUMP/ready; sleep 0.05; done; exit 0")
    job.send_signal(signal.SIGTERM)
    for _ in range(200):
        if (world.run_dir / "exit/42.0").exists():
            break
        time.sleep(0.02)
    assert world.record()["code"] == "143"
    assert job.poll() is None
    (world.root / "dump/saved").touch()
    assert job.wait(10) == 143
    assert world.record()["code"] == "143"


@pytest.mark.parametrize("name", ["USR1", "USR2"])
def test_user_signals_reach_srun(name: str, running: Callable[[str], subprocess.Popen[str]], world: World) -> None:
    """Srun passes them on; the code is srun's, not that of the interrupted wait."""
    job = running(f"trap 'exit 85' {name}")
    job.send_signal(getattr(signal, f"SIG{name}"))
    assert job.wait(10) == 85
    assert world.record()["code"] == "85"


def test_a_signal_does_not_end_the_wait(running: Callable[[str], subprocess.Popen[str]], world: World) -> None:
    """A training that goes on after USR1 is waited for."""
    job = running("trap 'touch $DUMP/usr1' USR1; trap 'exit 3' USR2")
    job.send_signal(signal.SIGUSR1)
    world.wait_for("usr1")
    assert job.poll() is None
    job.send_signal(signal.SIGUSR2)
    assert job.wait(10) == 3


# ---- setup ----

VENV = TOML + '[setup]\nvenv = "{}"\n'


def test_a_virtual_environment_is_activated(world: World, rendered: Callable[..., str]) -> None:
    """Also one in the home directory, with a blank in its name, whose script uses unset variables."""
    for path in (world.root / "my venv/bin", world.root / "home/bin"):
        path.mkdir(parents=True)
        (path / "activate").write_text(f'[ -z "$_UNSET" ] && export VENV="{path}"\n')
    world.run(rendered(VENV.format(world.root / "my venv")))
    assert world.environment()["VENV"] == f"{world.root}/my venv/bin"
    world.run(rendered(VENV.format("~/home")))
    assert world.environment()["VENV"] == f"{world.root}/home/bin"


def test_a_missing_virtual_environment_ends_the_job(world: World, rendered: Callable[..., str]) -> None:
    """With the code for wrong configuration, and its path."""
    code, output = world.run(rendered(VENV.format("/no/venv")))
    assert code == 64
    assert "trainsub: cannot activate the virtual environment /no/venv (on n1)" in output
    assert world.record()["code"] == "64"


MODULES = TOML + '[setup]\nmodules = ["cuda/12.4", "nccl"]\n'
MODULE = 'module() { [ "$2" != "$MISSING" ] && LOADED="${LOADED:-} $2"; export LOADED; [ "$2" != "$MISSING" ]; }\n'


def test_modules_are_loaded_in_order(world: World, rendered: Callable[..., str]) -> None:
    """With the site's own function, exported or not."""
    script = rendered(MODULES).replace("set +u", f"set +u\n{MODULE}")
    world.run(script, MISSING="-")
    assert world.environment()["LOADED"] == " cuda/12.4 nccl"


def test_a_missing_module_ends_the_job(world: World, rendered: Callable[..., str]) -> None:
    """With the code for wrong configuration, and its name."""
    code, output = world.run(rendered(MODULES).replace("set +u", f"set +u\n{MODULE}"), MISSING="nccl")
    assert (code, output) == (64, "trainsub: cannot load the module nccl (on n1)\n")


@pytest.mark.skipif(
    any(Path(p).exists() for p in ("/etc/profile.d/modules.sh", "/usr/share/modules")), reason="has modules"
)
def test_a_site_without_modules_ends_the_job(world: World, rendered: Callable[..., str]) -> None:
    """The message says what is missing."""
    code, output = world.run(rendered(MODULES))
    assert code == 64
    assert "cannot load the module cuda/12.4" in output
