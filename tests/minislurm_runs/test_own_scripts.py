"""A team's own batch script, without any template: staged, submitted once, tracked, accounted."""

import json
from pathlib import Path

import pytest
from minislurm_runs.machine import Machine, until

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=theirs --output=%x-%j.out
#SBATCH -N 2 -t 5
#SBATCH --gpus-per-node=2
#SBATCH --ntasks-per-node=2

cd "$SLURM_SUBMIT_DIR"
echo "in $(ls | tr '\\n' ' ')with $# words: $*"
sleep 2
srun sh -c 'echo "task $SLURM_PROCID of $SLURM_NTASKS"'
"""


def own(machine: Machine, script: str, more: str = "") -> Path:
    """A spec that names a script beside it."""
    spec = machine.project(f'name = "own"\ntemplate = "own.sbatch"\n{more}')
    (spec.parent / "own.sbatch").write_text(script)
    return spec


def test_it_runs_as_it_is(machine: Machine) -> None:
    """From its own lines to the bill; its words arrive as they are, and its code is where it would be by hand."""
    said = machine.run("submit", own(machine, SCRIPT, 'command = ["--lr", "a \'b\' $(c)"]\n'), "--follow").ok()
    assert "in job.toml own.sbatch with 2 words: --lr a 'b' $(c)" in said.out
    assert {f"task {rank} of 4" for rank in range(4)} <= set(said.out.splitlines())
    assert (
        "as it is; of its own lines, these count for nothing here: --job-name (line 2), --output (line 2)" in said.err
    )
    (run,) = machine.run("status", "--json").ok().document["runs"]
    assert (run["phase"], run["nodes"], run["gpus"], run["state"]) == ("finished", 2, 4, "COMPLETED")
    usage = machine.run("usage", "--json").ok().document["runs"][0]
    assert usage["gpu_seconds"] > 0
    assert usage["cost"]["currency"] == "EUR"
    folder = machine.state / "minislurm" / "trainsub" / "runs" / run["run"]
    assert (folder / "own.sbatch").read_text() == SCRIPT
    assert json.loads((folder / "run.json").read_text())["key"]


@pytest.mark.parametrize(
    ("body", "code", "state", "recorded"),
    [("exit 3", 10, "FAILED", 3), ("kill -9 $$", 10, "FAILED", 137), ("trap 'exit 7' EXIT; false", 10, "FAILED", 7)],
)
def test_its_end_is_the_end_of_the_job(machine: Machine, body: str, code: int, state: str, recorded: int) -> None:
    """Whatever traps it sets itself; and the exit record says so."""
    said = machine.run("submit", own(machine, f"#!/bin/sh\n#SBATCH -N1 -t5\n{body}\n"), "--wait", "--json")
    assert (said.code, said.run["state"]) == (code, state), said
    folder = machine.state / "minislurm" / "trainsub" / "runs" / said.run["run"]
    (record,) = (folder / "exit").iterdir()
    assert record.read_text().startswith(f"code={recorded} ")


@pytest.mark.parametrize("signal", ["USR1", "USR2", "INT", "HUP", "QUIT"])
def test_a_signal_for_the_batch_script_reaches_it(machine: Machine, signal: str) -> None:
    """As `--signal=B:USR1@60` would send it; also those to which a shell in the background is deaf."""
    script = f"#!/bin/bash\n#SBATCH -N1 -t5\ntrap 'echo got {signal}; exit 0' {signal}\necho ready\nwhile :; do sleep 0.2; done\n"
    run = machine.submit(own(machine, script))
    until(lambda: "ready" in machine.run("logs", run["run"]).out, "the script to be ready")
    machine.slurm("scancel", "--batch", f"--signal={signal}", str(run["job_id"]))
    said = machine.run("wait", run["run"])
    assert said.code == 0, said
    assert f"got {signal}" in machine.run("logs", run["run"]).ok().out


def test_a_script_that_saves_when_it_is_cancelled(machine: Machine) -> None:
    """TERM is passed on, and what it does then is waited for."""
    script = "#!/bin/bash\n#SBATCH -N1 -t5\ntrap 'sleep 1; echo saved; exit 0' TERM\necho ready\nwhile :; do sleep 0.2; done\n"
    run = machine.submit(own(machine, script))
    until(lambda: "ready" in machine.run("logs", run["run"]).out, "the script to be ready")
    machine.run("cancel", run["run"]).ok()
    assert machine.run("wait", run["run"]).code == 11
    assert "saved" in machine.run("logs", run["run"]).ok().out


def test_another_interpreter(machine: Machine) -> None:
    """sbatch takes any; the array's tasks have their indices."""
    script = "#!/usr/bin/env python3\n#SBATCH -N1 -t5 --array=0-1\nimport os\nprint('index', os.environ['SLURM_ARRAY_TASK_ID'])\n"
    said = machine.run("submit", own(machine, script), "--wait", "--json").ok()
    logs = (machine.state / "minislurm" / "trainsub" / "runs" / said.run["run"] / "logs").iterdir()
    assert sorted(line for log in logs for line in log.read_text().splitlines() if line.startswith("index")) == [
        "index 0",
        "index 1",
    ]


def test_a_copy_that_lost_the_fence_runs_nothing(machine: Machine) -> None:
    """The script is the user's, the fence is ours."""
    run = machine.run("submit", own(machine, "#!/bin/sh\n#SBATCH -N1 -t5\necho ran\n"), "--wait", "--json").ok().run
    folder = machine.state / "minislurm" / "trainsub" / "runs" / run["run"]
    log = machine.home / "second.log"
    machine.slurm("sbatch", f"--output={log}", str(folder / "script.sbatch"), str(folder), "1")
    until(lambda: log.exists() and "nothing to do" in log.read_text(), "the second job to give up")
    assert "ran" not in log.read_text()
