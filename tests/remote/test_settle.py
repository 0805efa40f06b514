import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from loginnode import RUN, Cluster

from trainsub.errors import OutputError, RemoteFileError
from trainsub.remote import SettleReply, settle, submit
from trainsub.remote.outcome import judge
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID

# The package's attribute of that name is the function.
SETTLE = sys.modules["trainsub.remote.settle"]
REFUSAL = "rc 1\nerr sbatch: error: Batch job submission failed: Invalid qos specification\n"


def ask(cluster: Cluster, **more: object) -> SettleReply:
    """Settle the run of these tests."""
    return settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin), **more)  # type: ignore[arg-type]


def lay(cluster: Cluster, *, answer: str = "", owner: str = "", age: float | None = None) -> None:
    """Leave a run's directory as a submit would."""
    cluster.run_dir.mkdir(parents=True)
    if age is not None:
        (cluster.run_dir / "submit.1").write_text(f"{int(time.time() - age)} 60\n")
    if answer:
        (cluster.run_dir / "answer.1").write_text(answer)
    if owner:
        (cluster.run_dir / "owner.1").symlink_to(owner)
        os.utime(cluster.run_dir / "owner.1", (time.time() - (age or 0),) * 2, follow_symlinks=False)


def fence(cluster: Cluster) -> str:
    """What the fence holds."""
    return str((cluster.run_dir / "owner.1").readlink())


def test_nothing_was_ever_there(cluster: Cluster) -> None:
    """Void, with the fence on disk, in a root that did not exist."""
    assert ask(cluster) == SettleReply(VOID, detail="no job was accepted, and none will be")
    assert fence(cluster) == VOID
    assert (cluster.root / "PROTOCOL").read_text() == "1\n"
    assert cluster.root.stat().st_mode & 0o777 == 0o700
    assert cluster.leftovers() == [RUN]
    assert cluster.login.execs == 1


def test_void_stays_void(cluster: Cluster) -> None:
    """Asked again, it says the same, and asks Slurm no more."""
    ask(cluster)
    calls = len(cluster.slurm.calls("squeue"))
    cluster.slurm.queue(5)
    assert ask(cluster).outcome == VOID
    assert len(cluster.slurm.calls("squeue")) == calls


@pytest.mark.parametrize("answer", ["rc 0\nout 77\n", "rc 0\nout hello\nout 77;west\nerr warning\n"])
def test_an_answer_is_claimed_and_told(cluster: Cluster, answer: str) -> None:
    """The fence is created for the job before anybody hears of it."""
    lay(cluster, answer=answer)
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (ACCEPTED, 77)
    assert reply.cluster == ("west" if "west" in answer else None)
    assert fence(cluster) == "77"
    assert cluster.slurm.calls("squeue") == []


@pytest.mark.parametrize(("answer", "outcome", "job"), [
    ("", ACCEPTED, 77), ("rc 0\nout 77\n", ACCEPTED, 77), ("rc 124\n", ACCEPTED, 77), ("rc 0\nout 78\n", ACCEPTED, 77),
])  # fmt: skip
def test_the_fence_is_the_judge(cluster: Cluster, answer: str, outcome: str, job: int) -> None:
    """Whoever holds it is the job, whatever sbatch said."""
    lay(cluster, answer=answer, owner="77")
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (outcome, job)


def test_a_voided_run_with_a_job(cluster: Cluster) -> None:
    """The job is named, and void."""
    lay(cluster, answer="rc 0\nout 77\n", owner="void")
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (VOID, 77)
    assert "will not train" in reply.detail


def test_when_it_began(cluster: Cluster) -> None:
    """The mark of the submit tells, whatever else was found; Slurm's own time stands in for a lost one."""
    lay(cluster, answer="rc 0\nout 77\n", age=1000)
    marked = datetime.fromtimestamp(int((cluster.run_dir / "submit.1").read_text().split()[0]), UTC)
    assert (ask(cluster).begun, ask(cluster).begun) == (marked, marked)
    (cluster.run_dir / "submit.1").unlink()
    assert ask(cluster).begun is None
    (cluster.run_dir / "submit.1").write_text(f"{10**30} 60\n")
    assert ask(cluster).begun is None


@pytest.mark.parametrize("where", ["queue", "account"])
@pytest.mark.parametrize("mark", [True, False])
def test_when_a_job_began_that_slurm_knows(cluster: Cluster, where: str, *, mark: bool) -> None:
    """Of the records of a requeued job the first counts."""
    getattr(cluster.slurm, where)(77, submitted=1_700_000_600)
    getattr(cluster.slurm, where)(77)
    getattr(cluster.slurm, where)(77, submitted=1_700_000_000)
    if mark:
        lay(cluster, age=1000)
    reply = ask(cluster)
    assert reply.job_id == 77
    assert reply.begun is not None
    slurms = datetime.fromtimestamp(1_700_000_000, UTC)
    assert (reply.begun - slurms > timedelta(days=1)) if mark else reply.begun == slurms


def test_a_strange_fence_is_an_error(cluster: Cluster) -> None:
    """Nothing is guessed."""
    lay(cluster, owner="me")
    with pytest.raises(OutputError, match="'me'"):
        ask(cluster)
    with pytest.raises(OutputError):
        judge("٣", b"")


def test_a_refusal_is_told_and_removed(cluster: Cluster) -> None:
    """The lock is released; asked again, there was nothing."""
    lay(cluster, answer=REFUSAL)
    reply = ask(cluster)
    assert (reply.outcome, reply.detail) == (REFUSED, "Invalid qos specification")
    assert cluster.leftovers() == []


def test_a_refusal_with_a_void_stays(cluster: Cluster) -> None:
    """A fence that somebody may have read is never removed."""
    lay(cluster, answer=REFUSAL, owner="void")
    assert ask(cluster).outcome == VOID
    assert fence(cluster) == VOID


def test_a_young_submit_is_unknown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may still be with sbatch: nothing is said, and nothing is touched."""
    monkeypatch.setattr(SETTLE, "_WAIT", 1)
    lay(cluster, age=20)
    reply = ask(cluster)
    assert reply.outcome == UNKNOWN
    assert "may still be at work" in reply.detail
    assert not (cluster.run_dir / "owner.1").is_symlink()
    assert cluster.slurm.calls("squeue") == []


@pytest.mark.parametrize(("name", "age", "archive", "outcome"), [
    (RUN, 20, None, UNKNOWN), (RUN, 70, None, VOID), (RUN, 70, 20, UNKNOWN), (RUN, 70, 70, VOID),
    ("other", 20, 20, VOID), (RUN + ".x", 20, 20, VOID),
])  # fmt: skip
def test_a_submit_on_its_way_to_the_lock_is_unknown(
    cluster: Cluster, name: str, age: int, archive: int | None, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it gives signs of life: touches its directory, or receives an archive."""
    monkeypatch.setattr(SETTLE, "_WAIT", 1)
    stage = cluster.root / ".new.0123"
    (stage / name).mkdir(parents=True)
    if archive is not None:
        (stage / ".archive").touch()
        os.utime(stage / ".archive", (time.time() - archive,) * 2)
    os.utime(stage / name, (time.time() - age,) * 2)
    assert ask(cluster).outcome == outcome
    assert cluster.run_dir.exists() == (outcome == VOID)


def test_a_refusal_says_nothing_of_a_submit_on_its_way(cluster: Cluster) -> None:
    """The refusal was the answer to another one; this one may still come to the lock, once the directory has gone."""
    lay(cluster, answer="rc 1\nerr sbatch: error: Batch job submission failed: Invalid partition name specified\n")
    stage = cluster.root / ".new.0123" / RUN
    stage.mkdir(parents=True)
    assert ask(cluster).outcome == UNKNOWN
    assert cluster.run_dir.exists()
    os.utime(stage, (time.time() - 70,) * 2)
    assert ask(cluster).outcome == REFUSED
    assert not cluster.run_dir.exists()


def test_a_lock_without_a_mark_is_as_old_as_its_directory(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is written just after the lock."""
    monkeypatch.setattr(SETTLE, "_WAIT", 0)
    lay(cluster)
    assert ask(cluster).outcome == UNKNOWN
    os.utime(cluster.run_dir, (0, 0))
    assert ask(cluster).outcome == VOID


def test_the_answer_comes_while_we_wait(cluster: Cluster) -> None:
    """A submit that is at work is given a few seconds."""
    lay(cluster, age=5)
    timer = threading.Timer(1.0, (cluster.run_dir / "answer.1").write_text, ["rc 0\nout 77\n"])
    timer.start()
    assert ask(cluster).job_id == 77
    timer.join()


@pytest.mark.parametrize(
    "answer", ["", "rc 124\n", "rc 137\n", "rc 1\nerr sbatch: error: Socket timed out\n", "garbage\n"]
)
def test_an_old_submit_is_looked_up(cluster: Cluster, answer: str) -> None:
    """No usable answer: Slurm knows, by name."""
    lay(cluster, answer=answer, age=1000)
    cluster.slurm.queue(77)
    cluster.slurm.queue(76, name="other")
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id, reply.others) == (ACCEPTED, 77, ())
    assert fence(cluster) == "77"
    assert f"--name={RUN}" in cluster.slurm.calls("squeue")[0]


def test_the_accounting_knows(cluster: Cluster) -> None:
    """It has left the queue; the window reaches back before the submission."""
    cluster.slurm.account(77)
    reply = ask(cluster, since=datetime(2026, 1, 2, tzinfo=UTC))
    assert (reply.outcome, reply.job_id) == (ACCEPTED, 77)
    (words,) = cluster.slurm.calls("sacct")
    assert f"uts{int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())}" in words
    env = cluster.slurm.env("sacct")
    assert (env["LC_ALL"], env["SLURM_TIME_FORMAT"], env["TZ"]) == ("C", "%s", "UTC0")


@pytest.mark.parametrize(("comment", "outcome"), [
    (f"trainsub:{RUN}:1", ACCEPTED), ("", ACCEPTED), ("rewritten by the site", ACCEPTED), (f"trainsub:{RUN}:2", VOID),
])  # fmt: skip
def test_comments(cluster: Cluster, comment: str, outcome: str) -> None:
    """A rewritten comment does not hide a job; one that names another link does."""
    cluster.slurm.queue(77, comment=comment)
    assert ask(cluster).outcome == outcome


def test_several_jobs(cluster: Cluster) -> None:
    """One holds the fence; the others are named."""
    cluster.slurm.queue(78)
    cluster.slurm.queue(77)
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id, reply.others) == (ACCEPTED, 77, (78,))


@pytest.mark.parametrize("command", ["squeue", "sacct"])
@pytest.mark.parametrize("script", ["echo 'Unable to contact slurm controller' >&2; exit 1", "printf 'cut off'"])
def test_slurm_cannot_be_asked(cluster: Cluster, command: str, script: str) -> None:
    """Then nothing is said, and nothing voided."""
    cluster.slurm.says(command, script)
    assert ask(cluster).outcome == UNKNOWN
    assert not cluster.run_dir.exists()


def test_the_job_made_its_fence_and_slurm_is_down(cluster: Cluster) -> None:
    """The run's directory is enough."""
    cluster.slurm.says("squeue", "exit 1")
    lay(cluster, owner="77", age=1000)
    assert ask(cluster).job_id == 77


@pytest.mark.parametrize("how", ["disabled", "missing"])
def test_no_accounting_has_said_all_it_can(cluster: Cluster, how: str) -> None:
    """A cluster without slurmdbd can be settled."""
    if how == "missing":
        (cluster.slurm.bin / "sacct").unlink()
    else:
        cluster.slurm.says("sacct", "echo 'Slurm accounting storage is disabled' >&2; exit 1")
    assert ask(cluster).outcome == VOID


def test_a_job_that_came_late(cluster: Cluster) -> None:
    """After voiding it looks once more, and names what it finds."""
    cluster.slurm.says("squeue", '[ "$n" = 0 ] || as_asked <"$state/queue"')
    cluster.slurm.queue(77)
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id, reply.begun) == (VOID, 77, None)
    assert fence(cluster) == VOID


@pytest.mark.parametrize("fails", [False, True])
def test_a_job_that_came_late_is_cancelled(cluster: Cluster, *, fails: bool) -> None:
    """By its id and name; where that fails, it is said so, and the fence stays what it is."""
    cluster.slurm.says("squeue", '[ "$n" = 0 ] || as_asked <"$state/queue"')
    if fails:
        cluster.slurm.says("scancel", "echo 'scancel: error: Kill job error on job id 77: no way' >&2; exit 1")
    cluster.slurm.queue(77)
    reply = ask(cluster)
    assert cluster.slurm.calls("scancel") == [[f"--name={RUN}", "77"]]
    assert ("it is cancelled" if not fails else "no way") in reply.detail


def test_a_job_that_came_later_still_is_cancelled(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where sbatch may have been called, slurmctld is given some seconds after voiding."""
    monkeypatch.setattr(SETTLE, "_LATE", 1)
    lay(cluster, answer="rc 124\n", age=1000)
    cluster.slurm.says("squeue", '[ "$n" -lt 2 ] || as_asked <"$state/queue"')
    cluster.slurm.queue(77)
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (VOID, 77)
    assert cluster.slurm.calls("scancel") == [[f"--name={RUN}", "77"]]


def test_a_job_below_another_root_is_another_run(cluster: Cluster) -> None:
    """Two remote roots of one user, the same name and the same key: neither settles by the other's job."""
    cluster.slurm.queue(77, folder=f"/elsewhere/runs/{RUN}/work")
    assert (ask(cluster).outcome, cluster.slurm.calls("scancel")) == (VOID, [])


@pytest.mark.parametrize(
    "folder", ["{root}/runs/{run}/work", "{home}/other name/runs/{run}/work", "/moved/by/the/site"]
)
def test_a_job_in_our_folder_is_ours_whatever_its_name(cluster: Cluster, folder: str) -> None:
    """Also by way of a symbolic link; a folder that a site has changed says nothing."""
    lay(cluster, age=1000)
    (cluster.run_dir / "work").mkdir()
    (cluster.home / "other name").symlink_to(cluster.root)
    cluster.slurm.queue(77, folder=folder.format(root=cluster.root, home=cluster.home, run=RUN))
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (ACCEPTED, 77)


def escape(path: Path) -> str:
    """A path within double quotes of a shell."""
    return str(path).replace("$", "\\$")


@pytest.mark.parametrize(("script", "outcome", "job"), [
    ('ln -s 77 "{0}/owner.1"', ACCEPTED, 77),
    ('echo "rc 0\nout 77" >"{0}/answer.1"', VOID, 77),
])  # fmt: skip
def test_somebody_is_quicker(cluster: Cluster, script: str, outcome: str, job: int) -> None:
    """While Slurm was asked the job started (it wins), or its answer was written (the fence is ours)."""
    cluster.slurm.before("sacct", f'mkdir -p "{escape(cluster.run_dir)}"; ' + script.format(escape(cluster.run_dir)))
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (outcome, job)
    assert fence(cluster) == ("77" if outcome == ACCEPTED else VOID)


def test_found_but_voided_meanwhile(cluster: Cluster) -> None:
    """Another settler was quicker: both say void."""
    cluster.slurm.queue(77)
    directory = escape(cluster.run_dir)
    cluster.slurm.before("sacct", f'mkdir -p "{directory}"; ln -s void "{directory}/owner.1"')
    reply = ask(cluster)
    assert (reply.outcome, reply.job_id) == (VOID, 77)


def test_two_settlers(cluster: Cluster) -> None:
    """They say the same."""
    replies: list[SettleReply] = []
    threads = [
        threading.Thread(
            target=lambda: replies.append(
                settle(cluster.other_login(), "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin))
            )
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.outcome for reply in replies] == [VOID] * 4


@pytest.mark.parametrize("age", [5, 1000])
def test_a_directory_that_is_being_removed(cluster: Cluster, age: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody called sbatch in it; while it may still go nothing is said."""
    monkeypatch.setattr(SETTLE, "_WAIT", 1)
    lay(cluster, owner="gone", age=age)
    assert ask(cluster).outcome == (UNKNOWN if age == 5 else VOID)


def test_a_directory_that_has_just_been_removed(cluster: Cluster) -> None:
    """Its successor gets the fence."""
    lay(cluster, owner="gone", age=5)
    timer = threading.Timer(1.0, cluster.run_dir.rename, [cluster.home / "away"])
    timer.start()
    assert ask(cluster).outcome == VOID
    timer.join()
    assert fence(cluster) == VOID


def test_a_directory_that_vanishes_between_two_looks(cluster: Cluster) -> None:
    """Its remover may be as quick as this: then the next one is ours."""
    lay(cluster, owner="gone", age=5)
    stat = cluster.slurm.bin / "stat"
    remove = 'mv "$PWD" "$HOME/away"; cd "$HOME/away"; rm owner.1'
    stat.write_text(f'#!/bin/sh\ncase $* in *owner.1) {remove} ;; esac\nPATH=${{PATH#*:}} exec stat "$@"\n')
    stat.chmod(0o755)
    assert ask(cluster).outcome == VOID
    assert fence(cluster) == VOID


def test_a_fence_that_cannot_be_written(cluster: Cluster) -> None:
    """Then "no job" cannot be said."""
    (cluster.home / ".trainsub").write_text("a file")
    reply = ask(cluster)
    assert reply.outcome == UNKNOWN
    assert "cannot be written down" in reply.detail


def test_another_protocol_is_refused(cluster: Cluster) -> None:
    """A directory of another version is not voided."""
    cluster.root.mkdir()
    (cluster.root / "PROTOCOL").write_text("2\n")
    with pytest.raises(RemoteFileError, match="'2'"):
        ask(cluster)
    assert not cluster.run_dir.exists()


def test_arrays_and_other_links(cluster: Cluster) -> None:
    """Of a later link the accounting cannot say anything, because it has no comments."""
    cluster.slurm.account(77)
    reply = settle(cluster.login, "~/.trainsub", RUN, 2, slurm_bin=str(cluster.slurm.bin))
    assert reply.outcome == UNKNOWN


def test_settling_during_a_slow_sbatch_finds_the_job(cluster: Cluster) -> None:
    """The user's next command comes while sbatch still waits for slurmctld."""
    cluster.slurm.before("sbatch", 'touch "$state/begun"; sleep 2')
    thread = threading.Thread(target=submit, args=(cluster.other_login(), cluster.request()))
    thread.start()
    while not (cluster.slurm.state / "begun").exists():
        time.sleep(0.01)
    assert ask(cluster).job_id == 1000
    thread.join()
    assert fence(cluster) == "1000"
