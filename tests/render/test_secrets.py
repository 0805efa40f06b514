"""What a script does with secrets: a real bash reads what the submit wrote, and removes it when the run has ended."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from render.world import VALUE, VARIABLE, World, cases, make_world, toml_string

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.remote import SubmitRequest
from trainsub.remote.submission import values
from trainsub.render import render
from trainsub.spec import OwnScript, parse_spec

SPEC = 'name = "job"\ncommand = ["task"]\n{}[slurm]\nnodes = 4\ntime = "5"\n[launch]\nkind = "command"\n'
SECRETS = '[secrets]\nnames = ["API_KEY"]\n'
CHAIN = "[chain]\nlinks = 3\n"
MARK = "planted-3f9a1c2e"
VALUE_HERE = 'it\'s $(a) "secret"\nof two lines'


def plant(world: World, secrets: dict[str, str]) -> Path:
    """Write the file as the submit program does."""
    text = str(values(SubmitRequest("~/r", "job-1a2b3c4d", 1, {}, secrets=secrets))["TS_SECRETS"])
    file = world.run_dir / "secrets.env"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    return file


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A run's directory."""
    return started(tmp_path)


def started(root: Path) -> World:
    """A run's directory, and a job that runs and that Slurm might requeue."""
    world = make_world(root)
    scontrol(world, "RUNNING", requeue=True)
    return world


def scontrol(world: World, state: str, *, requeue: bool) -> None:
    """Let ``scontrol show job`` say something; without a state, that it cannot."""
    said = f"echo 'JobId=42 JobName=x'; echo '   JobState={state} Reason=None'; echo '   Requeue={int(requeue)} Restarts=0'"
    words = said if state else "echo 'slurm_load_jobs error' >&2; exit 1"
    file = world.root / "bin" / "scontrol"
    file.write_text(f"#!/bin/bash\ncase $1-$2 in show-job) {words} ;; *) printf 'n1\\nn2\\n' ;; esac\n")


@settings(max_examples=cases(60), deadline=None)
@given(st.dictionaries(VARIABLE, VALUE, min_size=1, max_size=4))
def test_each_value_reaches_the_ranks_and_nothing_else(secrets: dict[str, str]) -> None:
    """To the byte; neither the script nor the log has it."""
    with tempfile.TemporaryDirectory() as folder:
        world = started(Path(folder))
        secrets = {name: f"{value}{MARK}{value}" for name, value in secrets.items()}
        plant(world, secrets)
        names = ", ".join(map(toml_string, secrets))
        spec = parse_spec(SPEC.format("") + f"[secrets]\nnames = [{names}]\n")
        script = render(spec, Cluster.model_validate({"transport": "local"}))
        code, output = world.run(script)
        assert code == 0, output
        found = world.environment()
        assert {name: found.get(name) for name in secrets} == secrets
        assert MARK not in script + output
        assert sorted(path.name for path in world.run_dir.iterdir()) == ["exit", "first", "owner.1"]
        assert list((world.root / "work").iterdir()) == []


def test_values_that_are_no_text(world: World, rendered: Callable[..., str]) -> None:
    """Whatever bytes a variable has."""
    plant(world, {"API_KEY": os.fsdecode(b"\xff\xfe'")})
    assert world.run(rendered(SPEC.format("") + SECRETS))[0] == 0
    assert b"API_KEY=\xff\xfe'\0" in (world.root / "dump" / "env").read_bytes()


@pytest.mark.parametrize("task", ["exit 0", "exit 3", "exit 85", "kill -9 $$"])
def test_they_go_with_the_job(world: World, rendered: Callable[..., str], task: str) -> None:
    """However the training ends."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    world.run(rendered(SPEC.format("") + SECRETS), TASK=task)
    assert world.environment()["API_KEY"] == VALUE_HERE
    assert not file.exists()


@pytest.mark.parametrize(
    ("state", "requeue", "stays"), [("COMPLETING", False, False), ("COMPLETING", True, True), ("", True, True)]
)
def test_a_job_that_may_be_requeued_keeps_them(
    world: World, rendered: Callable[..., str], state: str, *, requeue: bool, stays: bool
) -> None:
    """After TERM, of which a preemption is one; at once, because KILL may follow."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    scontrol(world, state, requeue=requeue)
    job = world.start(rendered(SPEC.format("") + SECRETS), TASK='trap "" TERM; sleep 2')
    world.wait_for("started.42")
    job.terminate()
    until = time.monotonic() + 1.5
    while file.exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert (file.exists(), job.poll()) == (stays, None)
    job.communicate(timeout=20)
    assert file.exists() == stays
    assert world.record()["code"] == "143"


@pytest.mark.parametrize("task", ["exit 0", "exit 1"])
def test_a_job_that_requeues_itself_keeps_them(world: World, rendered: Callable[..., str], task: str) -> None:
    """Launchers do, and then end with any code."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    scontrol(world, "PENDING", requeue=True)
    world.run(rendered(SPEC.format("") + SECRETS), TASK=task)
    assert file.exists()


def test_a_script_of_ones_own_that_ends_well_when_it_is_stopped_keeps_them(world: World) -> None:
    """It saves when it gets TERM, and is to go on after a requeue."""
    text = "#!/bin/bash\n#SBATCH -N 4 -t 5\ntrap 'exit 0' TERM\ntouch \"$DUMP/begun\"\nsleep 5 & wait\n"
    own = OwnScript("own.sbatch", text)
    file = plant(world, {"API_KEY": VALUE_HERE})
    (world.run_dir / "own.sbatch").write_text(own.text)
    spec = parse_spec('name = "x"\ntemplate = "own.sbatch"\n' + SECRETS, own=own)
    job = world.start(render(spec, Cluster.model_validate({"transport": "local"}), own=own))
    world.wait_for("begun")
    scontrol(world, "COMPLETING", requeue=True)
    job.terminate()
    job.communicate(timeout=20)
    assert (job.returncode, file.exists()) == (0, True)


def test_a_job_that_never_began_its_training_removes_them(world: World, rendered: Callable[..., str]) -> None:
    """Here: fewer nodes than asked for."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    code, _ = world.run(rendered(SPEC.format("") + SECRETS), SLURM_JOB_NUM_NODES="3")
    assert (code, file.exists()) == (76, False)


def test_a_job_that_does_not_own_the_run_leaves_them(world: World, rendered: Callable[..., str]) -> None:
    """They are another job's."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    (world.run_dir / "owner.1").symlink_to("41")
    assert world.run(rendered(SPEC.format("") + SECRETS))[0] == 0
    assert file.exists()


def test_a_job_whose_secrets_are_gone_says_so(world: World, rendered: Callable[..., str]) -> None:
    """As when an ended job is requeued by hand; nothing trains without them."""
    code, output = world.run(rendered(SPEC.format("") + SECRETS))
    assert code == 64
    assert "the secrets of this run are not there, or no longer: submit it again" in output
    assert not (world.root / "dump" / "started.42").exists()


@pytest.mark.parametrize(
    ("link", "task", "stays"),
    [("1", "exit 85", True), ("1", "exit 0", False), ("3", "exit 85", False), ("1", "exit 2", False)],
)
def test_they_last_as_long_as_a_chain(
    world: World, rendered: Callable[..., str], link: str, task: str, *, stays: bool
) -> None:
    """Until it is finished, stopped, or at its last link."""
    (world.root / "bin" / "scancel").write_text("#!/bin/sh\n")
    (world.root / "bin" / "scancel").chmod(0o755)
    file = plant(world, {"API_KEY": VALUE_HERE})
    array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": link, "SLURM_ARRAY_TASK_MAX": "3"}
    world.run(rendered(SPEC.format("") + SECRETS + CHAIN), TASK=task, **array)
    assert world.environment()["API_KEY"] == VALUE_HERE
    assert file.exists() == stays


def test_the_tasks_of_an_array_leave_them(world: World, rendered: Callable[..., str]) -> None:
    """Others need them; trainsub removes them when all have ended."""
    file = plant(world, {"API_KEY": VALUE_HERE})
    spec = SPEC.replace("nodes = 4", 'nodes = 4\narray = "0-3"').format("") + SECRETS
    array = {"SLURM_ARRAY_JOB_ID": "40", "SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_MAX": "3"}
    assert world.run(rendered(spec), **array)[0] == 0
    assert file.exists()


def test_in_containers(world: World, rendered: Callable[..., str]) -> None:
    """Apptainer gets them by APPTAINERENV_, whose values no command line shows; pyxis is told their names."""
    image = world.root / "image.sif"
    image.touch()
    plain = make_world_without_blanks(world)
    plant(plain, {"API_KEY": VALUE_HERE})
    table = f'[container]\nruntime = "apptainer"\nimage = "{image}"\n'
    assert plain.run(rendered(SPEC.format("") + SECRETS + table))[0] == 0
    assert plain.environment()["API_KEY"] == VALUE_HERE
    assert VALUE_HERE not in "".join(plain.dumped("apptainer") + plain.dumped("options"))
    plant(plain, {"API_KEY": VALUE_HERE})
    assert (
        plain.run(rendered(SPEC.format("") + SECRETS + '[container]\nruntime = "pyxis"\nimage = "reg#image:1"\n'))[0]
        == 0
    )
    (names,) = [word for word in plain.dumped("options") if word.startswith("--container-env=")]
    assert "API_KEY" in names.removeprefix("--container-env=").split(",")
    assert VALUE_HERE not in "".join(plain.dumped("options"))


def make_world_without_blanks(world: World) -> World:
    """The same, with a run's directory that containers can be given."""
    plain = World(world.root, world.env, "job-1a2b3c4d")
    plain.run_dir.mkdir()
    return plain


def test_a_script_of_ones_own_has_them(world: World) -> None:
    """And they go with it."""
    own = OwnScript("own.sbatch", "#!/bin/bash\n#SBATCH -N 4 -t 5\ntask\n")
    file = plant(world, {"API_KEY": VALUE_HERE})
    (world.run_dir / "own.sbatch").write_text(own.text)
    spec = parse_spec('name = "x"\ntemplate = "own.sbatch"\n' + SECRETS, own=own)
    code, output = world.run(render(spec, Cluster.model_validate({"transport": "local"}), own=own))
    assert (code, file.exists()) == (0, False), output
    assert world.environment()["API_KEY"] == VALUE_HERE


@pytest.mark.parametrize("name", ["code", "nodes", "run_dir", "owner"])
def test_names_that_the_script_uses_itself(rendered: Callable[..., str], name: str) -> None:
    """Their values would be changed, or change what the script does."""
    with pytest.raises(SpecError, match=f"secrets.names: {name}: the job script uses this name"):
        rendered(SPEC.format("") + f'[secrets]\nnames = ["{name}"]\n')
