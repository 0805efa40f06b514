from collections.abc import Iterator

import pytest
from verbs.desk import SILENT, Desk, stamp, submitted

from trainsub import Client, Run
from trainsub.errors import AuthError, RefusedError, UnreachableError
from trainsub.verbs import logs as verb

LINES = b"".join(b"line %05d\n" % number for number in range(3000))
AWAY = UnreachableError("no route")


@pytest.fixture
def run(desk: Desk, client: Client) -> Run:
    """A run whose job has written a log, and has ended."""
    made = submitted(client)
    desk.alpha.log(made).write_bytes(LINES)
    desk.alpha.shows(made, "RUNNING")
    desk.clock.after(30, lambda: desk.alpha.ended(made))
    return made


def follow(client: Client, run: Run) -> bytes:
    """All that is followed to the end."""
    return b"".join(client.logs(run.run, follow=True))


def test_a_log_is_followed_to_its_end(desk: Desk, client: Client, run: Run) -> None:
    """What is written between two looks is shown, and so is what came just before the end."""
    log = desk.alpha.log(run)
    for second in (2, 10, 29):
        desk.clock.after(second, lambda text=b"more %d\n" % second: log.write_bytes(log.read_bytes() + text))  # type: ignore[misc]
    assert follow(client, run) == LINES + b"more 2\nmore 10\nmore 29\n"
    assert desk.clock.seconds < 90


def test_a_cluster_that_was_never_reached_is_an_error(desk: Desk, client: Client, run: Run) -> None:
    """Exit code 4, at once."""
    desk.alpha.road.blocked = [AWAY]
    with pytest.raises(UnreachableError) as caught:
        follow(client, run)
    assert caught.value.exit_code == 4
    assert desk.clock.slept == []


@pytest.mark.parametrize("piece", [7, 997, 3456])
def test_cuts_lose_and_repeat_nothing(
    desk: Desk, client: Client, run: Run, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    """Connections that break in the middle of the log: each byte is shown once."""
    monkeypatch.setattr(verb, "CHUNK", 10_000)
    desk.alpha.road.cuts = [10_000 + piece, 12_000 + piece, 11_000 + piece]
    assert follow(client, run) == LINES
    assert sum("lost" in line for line in desk.told) == 3


def test_pauses_grow_while_a_cluster_is_away(desk: Desk, client: Client, run: Run) -> None:
    """One, two, four seconds, and a minute at the most."""
    desk.alpha.road.cuts = [2000]
    desk.alpha.road.blocked = [None, *[AWAY] * 8, None]
    assert follow(client, run) == LINES
    assert desk.clock.slept[:9] == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_who_is_not_let_in_any_more_is_told(desk: Desk, client: Client, run: Run) -> None:
    """It takes a person to mend that."""
    desk.alpha.road.cuts = [2000]
    desk.alpha.road.blocked = [None, AuthError("permission denied")]
    with pytest.raises(AuthError):
        follow(client, run)


def test_a_login_node_that_reboots_is_no_end(desk: Desk, client: Client, run: Run) -> None:
    """The remote shell ends with 143, in good order: it is started again."""
    once = '[ -e "$state/rebooted" ] || { touch "$state/rebooted"; kill -TERM "$(cut -d" " -f6 /proc/$$/stat)"; }'
    desk.alpha.slurm.before("squeue", once)
    assert follow(client, run) == LINES
    assert any("lost" in line and "143" in line for line in desk.told), desk.told


def test_a_silent_slurm_is_told_once_and_the_log_goes_on(desk: Desk, client: Client, run: Run) -> None:
    """The log is a file; Slurm is only asked whether more is to come."""
    speaks = (desk.alpha.slurm.state / "squeue.script").read_text()
    desk.alpha.slurm.says("squeue", SILENT)
    log = desk.alpha.log(run)
    desk.clock.after(20, lambda: log.write_bytes(LINES + b"more\n"))
    desk.clock.after(100, lambda: desk.alpha.slurm.says("squeue", speaks))
    assert follow(client, run) == LINES + b"more\n"
    assert sum("Unable to contact" in line for line in desk.told) == 1


def test_a_job_that_waits_has_no_log_yet(desk: Desk, client: Client) -> None:
    """That is said, and is no error."""
    waiting = submitted(client)
    assert list(client.logs(waiting.run)) == []
    assert desk.told == ["job 1000 has no log yet"]


def test_a_growing_log_is_shown_as_long_as_it_was(
    desk: Desk, client: Client, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --follow nobody runs after a job that writes faster than it is read."""
    monkeypatch.setattr(verb, "CHUNK", 1000)
    log = desk.alpha.log(run)

    def reading() -> Iterator[bytes]:
        for chunk in client.logs(run.run):
            yield chunk
            log.write_bytes(log.read_bytes() + b"x" * 1500)

    assert b"".join(reading()) == LINES


def test_a_requeued_job_is_followed_on(desk: Desk, client: Client, run: Run) -> None:
    """It waits again, and what it writes then is shown too."""
    log = desk.alpha.log(run)
    desk.clock.after(3, lambda: desk.alpha.shows(run, "PENDING"))
    desk.clock.after(20, lambda: log.write_bytes(LINES + b"again\n"))
    assert follow(client, run) == LINES + b"again\n"


def test_a_refused_run_has_no_log(desk: Desk, client: Client) -> None:
    """The error says so, with the cluster's words as the reason."""
    desk.alpha.slurm.refuses()
    with pytest.raises(RefusedError):
        submitted(client, "k")
    (refused,) = client.status(cached=True).runs
    with pytest.raises(RefusedError, match="has no log"):
        list(client.logs(refused.run))


def test_an_exit_record_lets_slurm_be_asked_at_once(desk: Desk, client: Client) -> None:
    """The job's own last words save the wait for the next question: the end is shown within two seconds."""
    made = submitted(client)
    desk.alpha.log(made).write_bytes(b"out\n")
    desk.alpha.shows(made, "RUNNING")

    def ends() -> None:
        desk.alpha.ended(made)
        (desk.alpha.root / "runs" / made.run / "exit" / "1000.0").write_text(
            f"code=0 start={stamp()} end={stamp()} node=n1\n"
        )

    desk.clock.after(100, ends)
    assert follow(client, made) == b"out\n"
    assert desk.clock.seconds < 103
