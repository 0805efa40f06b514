"""Secrets on real Slurm: they reach every rank, nothing else ever has them, and they go however a run ends."""

import hashlib
import uuid
from collections.abc import Mapping
from pathlib import Path

import pytest
from cluster.laptop import Laptop, Said, until
from clusters import SlurmCluster

from trainsub.sandbox.layout import CONTROLLER

TABLE = '[secrets]\nnames = ["API_KEY"]\n'
SEARCH = 'grep -rlsF -e "$NEEDLE" /home /root /tmp /var /etc /run /dev/shm; true'
"""Wherever Slurm, sshd and jobs leave anything. What looks for a text must not have it in its own arguments for long."""
ACCOUNTS = (
    'sacct --allusers --duplicates -P -o ALL -j "$1"; sacct -j "$1" --env-vars; sacct -j "$1" --batch-script; true'
)
CONTROL = 'scontrol show job -dd "$1"; scontrol write batch_script "$1" -; squeue -o "%all" -j "$1"; true'


@pytest.fixture
def secret() -> str:
    """A value that is found nowhere else, and that would do something if a shell took it apart."""
    return f"planted-{uuid.uuid4().hex}'; touch /tmp/pwned; '\n$(touch /tmp/pwned)"


def needle(secret: str) -> str:
    """What is looked for: no quoting changes this part."""
    return secret.partition("'")[0]


def files_with(cluster: SlurmCluster, text: str) -> set[str]:
    """Files on any node that hold a text."""
    found: set[str] = set()
    for node in (CONTROLLER, *cluster.nodes):
        _, listed = cluster.exec(["sh", "-c", SEARCH], node=node, env={"NEEDLE": text})
        found |= set(listed.split("\n")) - {""}
    return found


def told(cluster: SlurmCluster, job: int) -> str:
    """What Slurm tells of a job, whoever asks, and what runs on the nodes."""
    asked = [cluster.exec(["sh", "-c", words, "sh", str(job)])[1] for words in (ACCOUNTS, CONTROL)]
    seen = [cluster.exec(["ps", "-eo", "args", "ww"], node=node)[1] for node in (CONTROLLER, *cluster.nodes)]
    return "\n".join([*asked, *seen])


def here(laptop: Laptop, text: str) -> list[Path]:
    """Files of the user's machine that hold a text: store, audit log, cache."""
    return [path for path in laptop.home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def submit(laptop: Laptop, spec: Path, secret: str) -> Said:
    """Submit with the secret in the environment."""
    return laptop.run("submit", spec, "--json", env={"API_KEY": secret})


def run_of(laptop: Laptop, spec: Path, secret: str) -> Mapping[str, object]:
    """The run that was accepted."""
    return submit(laptop, spec, secret).ok().run


def test_each_rank_has_them_and_nothing_else_does(laptop: Laptop, secret: str) -> None:
    """While the job runs, the file beside the script is the only one; when it has ended there is none at all."""
    script = """
        printf %s "$API_KEY" | sha256sum
        touch "$TRAINSUB_RUN_DIR/began.$SLURM_PROCID"
        until [ -e "$TRAINSUB_RUN_DIR/go" ]; do sleep 0.2; done
    """
    run = run_of(laptop, laptop.shell_job(script, nodes=2, more=TABLE), secret)
    folder, job = laptop.run_dir(str(run["run"])), int(str(run["job_id"]))
    until(lambda: all(laptop.exists(f"{folder}/began.{rank}") for rank in (0, 1)), "both ranks to begin")

    assert files_with(laptop.cluster, needle(secret)) == {f"{folder}/secrets.env"}
    assert laptop.there("stat", "-c", "%a %U", f"{folder}/secrets.env").split() == ["600", "alice"]
    assert needle(secret) not in told(laptop.cluster, job)
    assert here(laptop, needle(secret)) == []

    laptop.there("touch", f"{folder}/go")
    assert laptop.run("wait", str(run["run"])).code == 0
    log = laptop.run("logs", str(run["run"])).ok().out
    assert log.count(hashlib.sha256(secret.encode()).hexdigest()) == 2
    assert files_with(laptop.cluster, needle(secret)) == set()
    assert needle(secret) not in told(laptop.cluster, job)
    assert here(laptop, needle(secret)) == []
    assert not laptop.exists("/tmp/pwned")


def test_they_go_however_a_run_ends(laptop: Laptop, secret: str) -> None:
    """By the job's own script where that comes to it; else by the command that learns of the end."""
    scripts = {"ends": "true", "fails": "exit 3", "dies": "kill -9 $$", "is-stopped": "sleep 300"}
    specs = {name: laptop.shell_job(text, name=name, more=TABLE) for name, text in scripts.items()}
    specs["waits"] = laptop.shell_job("true", name="waits", more=f"hold = true\n{TABLE}")
    specs["is-killed"] = laptop.shell_job("sleep 300", name="is-killed", more=f"requeue = true\n{TABLE}")
    specs["is-late"] = laptop.shell_job('trap "" TERM; sleep 300', name="is-late", more=f"requeue = false\n{TABLE}")
    specs["is-late"].write_text(specs["is-late"].read_text().replace("00:10:00", "00:01:00"))
    specs["is-an-array"] = laptop.shell_job("true", name="is-an-array", more=f'array = "0-1"\n{TABLE}')
    runs = {name: run_of(laptop, spec, secret) for name, spec in specs.items()}
    files = {name: f"{laptop.run_dir(str(run['run']))}/secrets.env" for name, run in runs.items()}

    def running(name: str) -> bool:
        return bool(laptop.there("squeue", "-h", "-n", str(runs[name]["run"]), "-t", "R"))

    # No command of trainsub is needed for these, if whoever submitted them has gone away.
    alone = {name for name in files if name in {*scripts, "is-late"}} - {"is-stopped"}
    until(lambda: not [name for name in alone if laptop.exists(files[name])], "secrets to go by themselves", 150)
    until(lambda: running("is-stopped") and running("is-killed"), "two jobs to run")
    assert laptop.exists(files["waits"])
    assert laptop.exists(files["is-stopped"])

    laptop.run("cancel", str(runs["waits"]["run"]), str(runs["is-stopped"]["run"])).ok()
    laptop.there("scancel", "--signal=KILL", "--full", str(runs["is-killed"]["job_id"]))
    laptop.run("wait", *(str(run["run"]) for run in runs.values()))
    assert files_with(laptop.cluster, needle(secret)) == set()
    assert here(laptop, needle(secret)) == []


def test_a_refused_run_leaves_none(laptop: Laptop, secret: str) -> None:
    """Neither there nor here."""
    said = submit(laptop, laptop.shell_job("true", more=f'qos = "none-such"\n{TABLE}'), secret)
    assert said.code == 5, said
    assert files_with(laptop.cluster, needle(secret)) == set()
    assert here(laptop, needle(secret)) == []
