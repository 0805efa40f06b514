"""How often Slurm is asked, whatever asks: counted at the stand-ins for its commands."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from verbs.desk import Desk, Elsewhere, stamp, submitted

from trainsub import Client, poller
from trainsub.errors import UnreachableError

STEADY_MINUTES = 10


def questions(desk: Desk) -> int:
    """How often one of Slurm's commands was asked what it knows."""
    return sum(len(desk.alpha.slurm.calls(name)) for name in ("squeue", "sacct", "scontrol"))


def test_two_questions_a_minute_whatever_asks(desk: Desk) -> None:
    """Five processes for ten minutes on a fake clock: three that ask for the status without a pause, two that watch."""
    clients = [desk.client() for _ in range(5)]
    for _ in range(3):
        desk.alpha.add(submitted(clients[0]), "RUNNING")
    counts = []
    for step in range(20 * (STEADY_MINUTES + 3)):
        for one in clients[:3]:
            one.status()
        for one in clients[3:]:
            poller.tick(one._session, "alpha")  # noqa: SLF001 -- as wait and logs --follow do
        if step >= 20 * 3:
            counts.append(questions(desk))
        desk.clock.skip(seconds=3)
    asked = counts[-1] - counts[0]
    assert 2 * STEADY_MINUTES - 3 <= asked <= 2 * STEADY_MINUTES + 1


def test_records_that_are_late_are_asked_for_ever_less(desk: Desk, client: Client) -> None:
    """A job that neither squeue nor sacct knows, watched for an hour: sacct is asked some fifteen times."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    client.status()
    desk.alpha.clear()
    for _ in range(120):
        desk.clock.skip(seconds=30)
        poller.tick(client._session, "alpha")  # noqa: SLF001 -- as wait and logs --follow do
    assert 8 <= len(desk.alpha.slurm.calls("sacct")) <= 18
    assert questions(desk) <= 2 * 60 + 10


def test_what_is_new_is_seen_soon(desk: Desk, client: Client) -> None:
    """Right after ten minutes of asking all the time, a new run is looked for at once."""
    desk.alpha.shows(submitted(client), "RUNNING")
    for _ in range(200):
        client.status()
        desk.clock.skip(seconds=3)
    new = submitted(client)
    desk.alpha.add(new, "PENDING")
    (seen,) = client.status([new.run]).runs
    assert seen.jobs[0].state == "PENDING"


def test_slurms_rate_limit_is_heeded_and_told_once(desk: Desk, client: Client) -> None:
    """squeue waited by itself and answered: the answer counts, and the next question is a minute later for all."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    desk.alpha.slurm.before("squeue", 'echo "squeue: RPC rate limited 2 time(s). Sleeping then trying again." >&2')
    assert client.status().runs[0].jobs[0].state == "RUNNING"
    asked = questions(desk)
    other = desk.client()
    for _ in range(3):
        desk.clock.skip(seconds=16)
        assert other.status().unasked == client.status().unasked == {}
    assert questions(desk) == asked
    assert sum("asked too often; it is" in line for line in desk.told) == 1
    desk.clock.skip(seconds=20)
    client.status()
    assert questions(desk) == asked + 1


def test_orders_do_not_delay_who_watches(desk: Desk, client: Client) -> None:
    """Twenty looks by a person's orders within a minute: whoever waits learns an end within two intervals."""
    other = submitted(client)
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    for _ in range(20):
        desk.alpha.add(other, "RUNNING")
        with poller.conversation(client._session, "alpha", "order") as (_, scheduler):  # noqa: SLF001 -- as orders do
            poller.update(client._session, "alpha", scheduler, root=str(desk.alpha.root))  # noqa: SLF001 -- likewise
        desk.clock.skip(seconds=3)
    desk.alpha.ended(run)
    began = desk.clock.monotonic()
    assert client.wait([run.run])[0].jobs[0].state == "COMPLETED"
    assert desk.clock.monotonic() - began <= 95


def test_a_cluster_that_is_away_for_one_is_not_for_all(desk: Desk) -> None:
    """A process without the key fails by itself; the next one asks at once."""
    first, second = desk.client(), desk.client()
    run = submitted(first)
    desk.alpha.shows(run, "RUNNING")
    desk.alpha.road.blocked = [UnreachableError("no route"), None]
    assert list(first.status().unasked) == ["alpha"]
    assert second.status().unasked == {}
    assert second.status().runs[0].jobs[0].state == "RUNNING"


def test_who_asks_at_the_same_time_shares_one_answer(desk: Desk, client: Client) -> None:
    """The second command waits for the answer of the first, and asks nothing itself."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    go = desk.alpha.holds("squeue")
    first = Elsewhere(desk.client().status)
    desk.alpha.met("squeue")
    other = desk.client()
    desk.clock.after(0.5, go)
    desk.clock.after(0.5, first.result)
    assert other.status().runs[0].jobs[0].state == "RUNNING"
    assert len(desk.alpha.slurm.calls("squeue")) == 1


def command(*words: str) -> list[str]:
    """The command line of a process of this user."""
    return [sys.executable, "-m", "trainsub", *words]


def env(desk: Desk) -> dict[str, str]:
    """Its environment."""
    return {**os.environ, **desk.environ, "TRAINSUB_CONFIG": str(desk.config)}


def test_five_processes_ask_as_one(desk: Desk) -> None:
    """wait, two logs --follow, a status loop and a program, all real, on a scale of one to fifteen: 2 s for 30."""
    seconds, steady = 24, 2
    desk.configure(alpha=f"poll_seconds = {steady}")
    user = desk.client()
    runs = [submitted(user) for _ in range(2)]
    for run in runs:
        desk.alpha.add(run, "RUNNING", start=stamp(-60))
        desk.alpha.log(run).parent.mkdir(parents=True, exist_ok=True)
        desk.alpha.log(run).write_text("begin\n")
    program = "import time, trainsub\nwith trainsub.Client() as c:\n    while True:\n        c.status()\n        time.sleep(0.2)\n"
    loop = 'while :; do "$@" >/dev/null || exit; done'
    lines = [
        command("wait", runs[0].run),
        command("logs", "-f", runs[0].run),
        command("logs", "-f", runs[1].run),
        ["sh", "-c", loop, "sh", *command("status")],
        [sys.executable, "-c", program],
    ]
    started = [
        subprocess.Popen(line, env=env(desk), cwd=desk.folder, stdout=subprocess.DEVNULL, start_new_session=True)
        for line in lines
    ]
    try:
        time.sleep(8)
        before = questions(desk)
        time.sleep(seconds)
        asked = questions(desk) - before
        assert all(process.poll() is None for process in started)
    finally:
        for process in started:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert 2 <= asked <= seconds / steady + 2


def test_a_process_that_is_killed_while_it_asks_holds_up_nobody(desk: Desk, client: Client) -> None:
    """Its lock goes with it, and the next command asks at once."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING")
    go = desk.alpha.holds("squeue")
    killed = subprocess.Popen(command("status"), env=env(desk), stdout=subprocess.DEVNULL)
    desk.alpha.met("squeue")
    killed.kill()
    killed.wait()
    go()
    other = desk.client()
    assert other.status().runs[0].jobs[0].state == "RUNNING"
    assert desk.clock.slept == []


def test_two_clusters_are_asked_at_the_same_time(desk: Desk, client: Client) -> None:
    """Each waits for the other to have been reached: one after the other they never would be."""
    submitted(client)
    submitted(client, cluster="beta")
    met = threading.Barrier(2, timeout=20)
    for site in (desk.alpha, desk.beta):
        opened = site.road.open

        def both(argv: list[str], *, what: str = "", opened: object = opened) -> object:
            met.wait()
            return opened(argv, what=what)  # type: ignore[operator]

        site.road.open = both  # type: ignore[method-assign, assignment]
    assert client.status().unasked == {}


@pytest.fixture(autouse=True)
def folder_exists(desk: Desk) -> Path:
    """The root of the first cluster is there."""
    desk.alpha.root.mkdir(parents=True, exist_ok=True)
    return desk.alpha.root
