"""Submitted exactly once on real Slurm: the connection, the client, sshd, slurmctld or the login node fails midway."""

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import clusters
import pytest
from cluster.broken import Trials, over
from cluster.conftest import VERSIONS
from cluster.laptop import Laptop, Said, finish, until
from clusters import SlurmCluster
from faults.broken import CUT, DOWN, HOLE, UP, Fault
from faults.figures import PROPERTY
from faults.pace import PACE
from faults.relay import RESET, Relay

from trainsub.sandbox.layout import CONTROLLER

EACH = 4
"""Trials of each kind of break in each direction."""
FIND = 'PATH=/usr/bin:/usr/local/bin command -v "$(basename "$0")"'


@pytest.fixture(scope="module", params=VERSIONS)
def cluster(request: pytest.FixtureRequest) -> Iterator[SlurmCluster]:
    """A cluster of its own: these tests break it."""
    clusters.ensure([request.param])
    with SlurmCluster(request.param, nodes=2) as started:
        yield started


@pytest.fixture
def laptop(cluster: SlurmCluster, tmp_path: Path) -> Iterator[Laptop]:
    """Alice's machine; whatever a test broke is whole again afterwards, and her jobs are ended."""
    yield Laptop(tmp_path / "home", cluster)
    cluster.exec(["pkill", "-CONT", "slurmctld"])
    for service in ("slurmctld", "sshd"):
        cluster.exec(["start.sh", "service", service])
    cluster.wait_ready()
    cluster.exec(["scancel", "--user=alice"])


@pytest.fixture
def relayed(laptop: Laptop) -> Iterator[Relay]:
    """A relay between the laptop and the cluster."""
    with Relay(laptop.cluster.ssh_port) as relay:
        laptop.configure(ssh_config=over(relay, laptop.cluster, laptop.home / "over"))
        yield relay


def wrap(laptop: Laptop, script: str) -> None:
    """Put a script in sbatch's place; it calls the real one as ``$sbatch``."""
    text = f"#!/bin/sh\nsbatch=$({FIND})\nPATH=/usr/bin:/bin:/usr/local/bin\n{script}\n"
    laptop.there("mkdir", "-p", f"{laptop.root}/bin")
    laptop.there("sh", "-c", 'printf %s "$1" >"$2" && chmod +x "$2"', "sh", text, f"{laptop.root}/bin/sbatch")


def wrapped(laptop: Laptop, script: str, ssh_config: Path | None = None) -> None:
    """Configure the laptop so that a script stands in sbatch's place."""
    wrap(laptop, script)
    laptop.configure(f'slurm_bin = "{laptop.root}/bin"', ssh_config=ssh_config)


def job(laptop: Laptop, name: str) -> Path:
    """A spec whose job leaves a line when it trains."""
    return laptop.shell_job(f"echo $SLURM_JOB_ID >>{laptop.root}/trained", name=name)


def in_sbatch(laptop: Laptop) -> None:
    """Wait until a submission holds its lock."""
    until(
        lambda: laptop.exists(f"{laptop.root}/runs") and laptop.there("ls", f"{laptop.root}/runs").strip(), "the lock"
    )


def one_training(laptop: Laptop, name: str, job_id: object) -> None:
    """There is one job of this name, it is the one that was told, and it has trained once.

    Once in many times, on 24.11, the accounts held another one of that name, which had never started; nobody knows
    yet why. What has started is what counts, and if that is wrong all rows are shown.
    """
    assert laptop.queued(f"{name}-") == [str(job_id)]
    until(lambda: laptop.exists(f"{laptop.root}/trained"), "the job to train", 90)
    until(lambda: not laptop.there("squeue", "--me", "--noheader").strip(), "the queue to be empty", 120)

    def rows() -> str:
        return laptop.there("sacct", "-nPX", "-S", "now-1hours", "-o", "JobIDRaw,State,Start,JobName,WorkDir,Submit")

    def started() -> list[str]:
        text = rows()
        ours = [line.split("|") for line in text.splitlines() if f"|{name}-" in line and f"|{laptop.root}/" in line]
        return [job for job, state, start, *_ in ours if start not in {"None", "Unknown"}]

    until(started, "the accounts to know it", 60)
    assert started() == [str(job_id)], rows()
    assert laptop.read(f"{laptop.root}/trained").split() == [str(job_id)], rows()


def settled(laptop: Laptop, seconds: float = 200) -> Said:
    """Ask for the status until nothing is unsettled."""

    def known() -> Said | None:
        said = laptop.run("status", "--json")
        return said if said.code == 0 and said.run["phase"] != "unsettled" else None

    found: Said = until(known, "the outcome", seconds)
    return found


def test_the_connection_breaks_anywhere(
    laptop: Laptop, record_property: Callable[[str, object], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reset, closed or swallowed, between the first byte of the handshake and the last of the talk."""
    for module, name, value in PACE:
        monkeypatch.setattr(module, name, value)
    seed = random.SystemRandom().randrange(1 << 32)
    draw = random.Random(seed)
    trials = Trials(laptop)
    try:
        size = trials.size()
        faults = [
            Fault(kind, way, draw.randrange(size[way] + 1))
            for kind in (CUT, RESET, HOLE)
            for way in (UP, DOWN)
            for _ in range(EACH)
        ]
        figures = trials.run(faults)
    finally:
        trials.close()
    record_property(PROPERTY, f"Slurm {laptop.cluster.version} (seed {seed}): {figures.line()}")
    assert not figures.wrong, "\n".join([figures.line(), *figures.wrong])


@pytest.mark.parametrize("delay", [0.2, 0.5, 0.6, 0.7, 0.8, 1.0])
def test_the_client_is_killed(laptop: Laptop, delay: float) -> None:
    """Wherever SIGKILL hits, the same key makes it one job."""
    spec, key = job(laptop, "killed"), f"killed {laptop.root}"
    process = laptop.start("submit", spec, "--key", key)
    time.sleep(delay)
    process.kill()
    process.communicate()
    said = until(lambda: (one := laptop.run("submit", spec, "--key", key, "--json")).code == 0 and one, "the job", 150)
    one_training(laptop, "killed", said.run["job_id"])


def test_sshd_dies_during_the_submission(laptop: Laptop) -> None:
    """All its sessions die with it; when it is back, the same command finds the job."""
    wrapped(laptop, 'sleep 4; exec "$sbatch" "$@"')
    process = laptop.start("submit", job(laptop, "nosshd"), "--json")
    in_sbatch(laptop)
    laptop.cluster.kill_logins()
    laptop.cluster.service("sshd")
    said = finish(process)
    assert said.code == 0, said
    assert "finding out" in said.err
    one_training(laptop, "nosshd", said.run["job_id"])


def test_the_answer_of_sbatch_is_lost(laptop: Laptop) -> None:
    """The job is there, and sbatch says that it timed out: the same command finds it."""
    wrapped(
        laptop, '"$sbatch" "$@" >/dev/null; echo "sbatch: error: Socket timed out on send/recv operation" >&2; exit 1'
    )
    said = laptop.run("submit", job(laptop, "lost"), "--json").ok()
    one_training(laptop, "lost", said.run["job_id"])


@pytest.mark.parametrize("heard", [True, False])
def test_the_answer_cannot_be_written(laptop: Laptop, *, heard: bool) -> None:
    """The place for sbatch's answer is taken: the user hears the job's id, or the next command finds it by the fence."""
    wrapped(laptop, 'mkdir -p "$8/.answer.1/x"; sleep 2; exec "$sbatch" "$@"')
    spec = job(laptop, "unwritten")
    if heard:
        said = laptop.run("submit", spec, "--json").ok()
        assert "could not be written" in said.err
    else:
        process = laptop.start("submit", spec)
        in_sbatch(laptop)
        process.kill()
        process.communicate()
        said = settled(laptop)
    one_training(laptop, "unwritten", said.run["job_id"])


def test_slurmctld_is_down(laptop: Laptop) -> None:
    """sbatch says so: refused, no job, neither now nor when it is back; then the same command makes one."""
    laptop.cluster.kill_service("slurmctld")
    spec = job(laptop, "down")
    said = laptop.run("submit", spec, "--key", laptop.root)
    assert said.code == 5, said
    assert "Unable to contact slurm controller" in said.err
    laptop.cluster.service("slurmctld")
    laptop.cluster.wait_ready()
    assert laptop.queued("down-") == []
    one_training(laptop, "down", laptop.submit(spec, "--key", laptop.root)["job_id"])


def test_slurmctld_is_slow(laptop: Laptop) -> None:
    """sbatch waits for fifteen seconds: the user is told what is waited for, and gets the job."""
    laptop.cluster.freeze_service("slurmctld")
    process = laptop.start("submit", job(laptop, "slow"), "--json")
    time.sleep(15)
    laptop.cluster.thaw_service("slurmctld")
    said = finish(process).ok()
    assert "its last word was: sbatch" in said.err
    one_training(laptop, "slow", said.run["job_id"])


def test_slurmctld_hangs_for_longer_than_sbatch_is_given(laptop: Laptop) -> None:
    """sbatch is ended after a minute; what slurmctld makes of the request when it goes on again is found."""
    laptop.cluster.freeze_service("slurmctld")
    process = laptop.start("submit", job(laptop, "hangs"), "--json")
    time.sleep(75)
    laptop.cluster.thaw_service("slurmctld")
    said = finish(process, 200)
    assert said.code in {0, 4, 7}, said
    document = settled(laptop).run
    if document["job_id"] is not None:
        one_training(laptop, "hangs", document["job_id"])
        return
    until(lambda: not laptop.there("squeue", "--me", "--noheader").strip(), "late jobs to be gone", 60)
    assert not laptop.exists(f"{laptop.root}/trained")
    assert laptop.there("readlink", f"{laptop.run_dir(document['run'])}/owner.1").strip() == "void"


def test_slurmctld_restarts_meanwhile(laptop: Laptop) -> None:
    """It is frozen, killed with the request in its hands, and started again."""
    laptop.cluster.freeze_service("slurmctld")
    spec = job(laptop, "restarts")
    process = laptop.start("submit", spec, "--key", laptop.root, "--json")
    in_sbatch(laptop)
    time.sleep(3)
    laptop.cluster.kill_service("slurmctld")
    laptop.cluster.service("slurmctld")
    laptop.cluster.wait_ready()
    said = finish(process, 200)
    assert said.code in {0, 4, 5, 7}, said
    again = until(
        lambda: (one := laptop.run("submit", spec, "--key", laptop.root, "--json")).code == 0 and one, "the job", 200
    )
    one_training(laptop, "restarts", again.run["job_id"])


def test_the_login_node_restarts_meanwhile(laptop: Laptop) -> None:
    """Everything on it dies, the program of the submission too; at last there is one job."""
    wrapped(laptop, 'sleep 5; exec "$sbatch" "$@"')
    spec = job(laptop, "reboot")
    process = laptop.start("submit", spec, "--key", laptop.root)
    in_sbatch(laptop)
    laptop.cluster.restart(CONTROLLER)
    laptop.cluster.wait_ready()
    assert finish(process, 300).code in {0, 4, 7}
    again = until(
        lambda: (one := laptop.run("submit", spec, "--key", laptop.root, "--json")).code == 0 and one, "the job", 200
    )
    one_training(laptop, "reboot", again.run["job_id"])


def test_the_laptop_sleeps_and_wakes_elsewhere(laptop: Laptop, relayed: Relay) -> None:
    """It was in the middle of sbatch; its old connection is dead, and new ones get through: it finds the job."""
    wrapped(laptop, 'sleep 3; exec "$sbatch" "$@"', laptop.home / "over" / "ssh_config")
    process = laptop.start("submit", job(laptop, "asleep"), "--json")
    in_sbatch(laptop)
    process.send_signal(signal.SIGSTOP)
    time.sleep(8)
    relayed.drop()
    process.send_signal(signal.SIGCONT)
    said = finish(process).ok()
    one_training(laptop, "asleep", said.run["job_id"])


def test_the_laptop_sleeps_while_it_sends(laptop: Laptop, relayed: Relay) -> None:
    """The program on the cluster gives up waiting; another machine with the same key takes over; both say the same."""
    relayed.breaks(Fault(HOLE, UP, 9000))
    spec = job(laptop, "sends")
    process = laptop.start("submit", spec, "--key", laptop.root, "--json")
    time.sleep(2)
    process.send_signal(signal.SIGSTOP)
    other = Laptop(laptop.home.parent / "other", laptop.cluster, root=laptop.root)
    there = until(
        lambda: (one := other.run("submit", spec, "--key", laptop.root, "--json")).code == 0 and one, "the job", 200
    )
    relayed.drop()
    process.send_signal(signal.SIGCONT)
    assert finish(process).code in {0, 4}
    assert laptop.submit(spec, "--key", laptop.root)["job_id"] == there.run["job_id"]
    one_training(laptop, "sends", there.run["job_id"])


def test_the_user_types_it_again_in_a_second_terminal(laptop: Laptop, relayed: Relay) -> None:
    """At once, without a key, while the first one hangs in a black hole: it is told to wait, and both get one job."""
    go = f"{laptop.root}/go"
    config = laptop.home / "over" / "ssh_config"
    wrapped(laptop, f'until [ -e {go} ]; do sleep 0.2; done; exec "$sbatch" "$@"', config)
    laptop.there("touch", go)
    with laptop.client() as client:  # how many bytes come down before sbatch is called: the rest is swallowed
        client.submit(client.plan(job(laptop, "measured")))
    until(lambda: not laptop.there("squeue", "--me", "--noheader").strip(), "that job to end", 120)
    relayed.breaks(Fault(HOLE, DOWN, relayed.passed[DOWN] - 150))
    laptop.there("rm", "-rf", f"{laptop.root}/runs", f"{laptop.root}/trained", go)
    spec = job(laptop, "typed")
    first = laptop.start("submit", spec, "--json")
    in_sbatch(laptop)
    second = laptop.start("submit", spec, "--json")
    assert second.stderr is not None
    assert b"another trainsub on this machine" in second.stderr.readline()
    laptop.there("touch", go)
    ended = [finish(process).ok() for process in (first, second)]
    assert ended[0].run["job_id"] == ended[1].run["job_id"]
    one_training(laptop, "typed", ended[0].run["job_id"])
