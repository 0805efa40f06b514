"""What the programs are asked to run is in the audit log, although it travels on their standard input."""

import json
from pathlib import Path
from typing import Any

import pytest
from loginnode import RUN, Cluster

from trainsub.remote import Ask, ListDirectory, ReadTail, RunCommand, settle, submit
from trainsub.transport import Audit
from trainsub.transport.local import LocalTransport


@pytest.fixture
def audited(cluster: Cluster, tmp_path: Path) -> LocalTransport:
    """This machine, with an audit log."""
    del cluster  # its home directory
    return LocalTransport("hpc", Audit(tmp_path / "audit.jsonl"))


def records(tmp_path: Path) -> list[dict[str, Any]]:
    """The audit log."""
    return [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]


def test_what_is_asked_is_in_the_audit_log(audited: LocalTransport, tmp_path: Path) -> None:
    """Commands and files, in their order; of the same thing over and over only the first."""
    with Ask(audited) as ask:
        ask.run(["echo", "a b"])
        for offset in range(5):
            ask.tail("/dev/null", offset, 10)
        ask.batch(RunCommand(["true"]), ReadTail("/dev/null", 0, 10), ListDirectory("/"))
    (record,) = records(tmp_path)
    assert record["commands"] == [["echo", "a b"], ["tail", "/dev/null"], ["true"], ["tail", "/dev/null"], ["ls", "/"]]
    assert record["commands_left_out"] == 0
    assert record["what"] == "ask"


def test_long_conversations_are_counted(audited: LocalTransport, tmp_path: Path) -> None:
    """A day of looking at the queue and at a log is some lines, and a number."""
    with Ask(audited) as ask:
        for _ in range(60):
            ask.batch(RunCommand(["true"]), ReadTail("/dev/null", 0, 10))
    (record,) = records(tmp_path)
    assert (len(record["commands"]), record["commands_left_out"]) == (100, 20)


def test_what_is_submitted_is_in_the_audit_log(cluster: Cluster, audited: LocalTransport, tmp_path: Path) -> None:
    """Word for word as sbatch got it, but for the home directory, and nothing of what was sent."""
    submit(audited, cluster.request(remote_root="~/a%b"))
    (record,) = records(tmp_path)
    (words,) = cluster.slurm.calls("sbatch")
    (noted,) = record["commands"]
    assert [word.replace("~", str(cluster.home)) for word in noted] == ["sbatch", *words]
    assert record["what"] == "submit"
    assert "#!/bin/bash" not in (tmp_path / "audit.jsonl").read_text()


def test_a_cancelled_job_is_in_the_audit_log(cluster: Cluster, audited: LocalTransport, tmp_path: Path) -> None:
    """The job of a run that was voided meanwhile."""
    cluster.slurm.before("sbatch", f'ln -s void "{str(cluster.run_dir).replace("$", chr(92) + "$")}/owner.1"')
    submit(audited, cluster.request())
    assert records(tmp_path)[0]["commands"][-1] == ["scancel", "1000"]


def test_what_settles_is_in_the_audit_log(cluster: Cluster, audited: LocalTransport, tmp_path: Path) -> None:
    """Whom it asked, and what it claimed."""
    settle(audited, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin))
    (record,) = records(tmp_path)
    firsts = [words[0] for words in record["commands"]]
    assert firsts == ["squeue", "sacct", "claim", "squeue"]
    assert record["commands"][0] == ["squeue", *cluster.slurm.calls("squeue")[0]]
    assert record["commands"][2] == ["claim", "void"]
