"""One submission, one job: one connection and one exec, the same key, the fence, and a client that is killed."""

import os
import signal
import subprocess
import time
from typing import Any

import pytest
from cluster.laptop import Laptop, finish, until

from trainsub import Client
from trainsub.config import Cluster
from trainsub.transport import Audit, Transport, open_transport


def counting(laptop: Laptop) -> tuple[Client, list[Any]]:
    """A client whose transports can be looked at."""
    made: list[Any] = []

    def connect(name: str, cluster: Cluster) -> Transport:
        made.append(open_transport(name, cluster, audit=Audit(laptop.state / "audit.jsonl")))
        return made[-1]  # type: ignore[no-any-return]

    return laptop.client(connect=connect), made


def test_a_submit_is_one_connection_and_one_exec(laptop: Laptop) -> None:
    """Also the first one, which carries the code; the second does not carry it again."""
    spec = laptop.project(
        """\
        name = "code"
        command = ["sh", "-c", "test -s big"]
        [slurm]
        nodes = 1
        time = 5
        [launch]
        kind = "srun"
        """,
        {"big": os.urandom(200_000).hex()},
    )
    client, made = counting(laptop)
    with client:
        first = client.submit(client.plan(spec))
        (transport,) = made
        assert (transport.connections, transport.execs) == (1, 1)
        sent = transport.bytes_sent
        second = client.submit(client.plan(spec))
        assert (transport.connections, transport.execs) == (1, 2)
        again = transport.bytes_sent - sent
        size = second.code.size if second.code else 0
        assert size > 200_000
        assert sent > size
        assert again < 30_000
        ended = client.wait([first.run, second.run])
    assert [run.jobs[-1].state for run in ended] == ["COMPLETED", "COMPLETED"]
    submits = [line for line in laptop.audit() if line["what"] == "submit"]
    assert [line["bytes_sent"] > size for line in submits] == [True, False]


def test_the_same_key_from_two_processes_at_the_same_time_is_one_job(laptop: Laptop) -> None:
    """Also from another machine, whose store knows nothing; and later, too."""
    other = Laptop(laptop.home.parent / "other", laptop.cluster, root=laptop.root)
    spec = laptop.shell_job("true", name="same")
    words = ("submit", str(spec), "--key", "nightly", "--json")
    ended = [finish(process) for process in [machine.start(*words) for machine in (laptop, laptop, other)]]
    said = [one.ok().run for one in ended]
    assert len({(run["run"], run["job_id"]) for run in said}) == 1
    assert len(laptop.queued("same-")) == 1

    later = laptop.run("submit", spec, "--key", "nightly", "--json").ok().run
    assert later["job_id"] == said[0]["job_id"]
    assert len(laptop.queued("same-")) == 1
    changed = laptop.run("submit", spec, "--key", "nightly", "--set", "slurm.nodes=2", "--json").ok()
    assert changed.run["job_id"] == said[0]["job_id"]
    assert "that run stands" in changed.err
    assert laptop.submit(spec)["job_id"] != said[0]["job_id"]


def test_a_second_copy_of_the_script_trains_nothing(laptop: Laptop) -> None:
    """Somebody submits the very script again by hand: it ends with 0 within seconds, and the run is untouched."""
    run = laptop.submit(laptop.shell_job("echo trained >>../trained; sleep 6", name="fenced"))
    until(lambda: laptop.exists(f"{laptop.run_dir(run['run'])}/trained"), "the job to run")
    where = laptop.run_dir(run["run"])
    begun = time.monotonic()
    copy = laptop.there(
        "sbatch", "--parsable", "--wait", f"--output={laptop.root}/copy.out", f"{where}/script.sbatch", where, "1"
    ).split()[0]
    assert time.monotonic() - begun < 20
    ended = laptop.there("sacct", "-nPX", "-j", copy, "-o", "State,ExitCode").strip()
    until(lambda: "COMPLETED|0:0" in laptop.there("sacct", "-nPX", "-j", copy, "-o", "State,ExitCode"), ended)
    assert f"belongs to {run['job_id']}, not to job {copy}: nothing to do" in laptop.read(f"{laptop.root}/copy.out")
    assert laptop.run("wait", run["run"]).code == 0
    assert laptop.read(f"{where}/trained") == "trained\n"
    assert laptop.there("readlink", f"{where}/owner.1").strip() == str(run["job_id"])


@pytest.mark.parametrize("delay", [0.3, 0.7, 1.1])
def test_a_client_that_is_killed_leaves_a_question_that_the_next_command_answers(laptop: Laptop, delay: float) -> None:
    """Wherever SIGKILL hits, there is one job or none, and status says which; a submit with the key makes it one."""
    spec = laptop.shell_job("true", name="killed", more="hold = true\n")
    key = f"killed after {delay} s"  # its own: the same key is the same run, and the cluster knows the others
    process = laptop.start("submit", spec, "--key", key, "--json")
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()

    told = laptop.run("status", "--json")
    # The program on the cluster may still be at work: then the outcome is said to be open, not guessed.
    if told.ok().document["runs"] and told.run["phase"] == "unsettled":
        until(lambda: laptop.run("status", "--json").ok().run["phase"] != "unsettled", "the outcome", 120)
        told = laptop.run("status", "--json")
    known = [run["job_id"] for run in told.document["runs"] if run["job_id"]]
    assert [str(job) for job in known] == laptop.queued("killed-"), (told, laptop.there("squeue", "--states=all"))

    again = laptop.submit(spec, "--key", key)
    rows = laptop.there("squeue", "--states=all", "--all", "--format=%A %T %r %j %Z")
    assert laptop.queued("killed-") == [str(again["job_id"])], (known, again, rows)
    assert known in ([], [again["job_id"]])
    laptop.run("cancel", again["run"]).ok()


def test_a_connection_that_is_cut_in_the_middle_of_sbatch_is_settled(laptop: Laptop) -> None:
    """sbatch is slow, the client is killed meanwhile, and the job that comes of it is found."""
    laptop.there("mkdir", "-p", f"{laptop.root}/bin")
    slow = '#!/bin/sh\nsleep 3\nexec $(PATH=/usr/bin:/usr/local/bin command -v sbatch) "$@"\n'
    laptop.there("sh", "-c", 'printf %s "$1" >"$2" && chmod +x "$2"', "sh", slow, f"{laptop.root}/bin/sbatch")
    laptop.configure(f'slurm_bin = "{laptop.root}/bin"')
    process = laptop.start("submit", laptop.shell_job("true", name="cut", more="hold = true\n"))
    until(lambda: laptop.exists(f"{laptop.root}/runs") and laptop.there("ls", f"{laptop.root}/runs"), "the lock")
    process.kill()
    subprocess.Popen.communicate(process)
    open_now = laptop.run("status", "--json").ok().run
    assert open_now["phase"] in {"unsettled", "pending"}
    settled = until(
        lambda: (run := laptop.run("status", "--json").ok().run)["phase"] == "pending" and run, "the outcome", 120
    )
    assert laptop.queued("cut-") == [str(settled["job_id"])]
    laptop.run("cancel", settled["run"]).ok()
