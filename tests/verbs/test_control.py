"""Hold, release and requeue, on a stand-in that answers as scontrol of 22.05 to 26.05 does (tests/cluster/test_control.py)."""

from typing import Any

import pytest
from verbs.desk import SILENT, Desk, stamp, submitted

from trainsub import Client
from trainsub.errors import RefusedError, SlurmSilentError, UnreachableError, UnsettledError
from trainsub.tracker.values import Run

# The rows of squeue are changed as slurmctld would: state in the 4th field, reason in the 5th.
SCONTROL = r"""
set_row() { awk -F '\037' -v OFS='\037' -v id="$id" -v to="$1" -v why="$2" -v at="$3" '
    $1 == id { if (to != "") $4 = to; $5 = why; if (at != "") { $6 = at; $7 = at; $8 = "N/A"; $10 += 1 } } { print }
' "$state/queue" >"$state/queue.new" && mv "$state/queue.new" "$state/queue"; }
refuse() { echo "$1 for job $id"; echo "slurm_suspend error: $1"; exit 1; } >&2
order=$1 id=$2
was=$(awk -F '\037' -v id="$id" '$1 == id { print $4 " " $5 }' "$state/queue")
case $order,$was in
    show,*) echo "AccountingStorageTRES = cpu,gres/gpu"; echo "SLURM_VERSION = 24.11.5" ;;
    *,) refuse "Invalid job id specified" ;;
    release,*JobHeldAdmin) refuse "Access/permission denied" ;;
    hold,*JobHeldAdmin) ;;
    hold,*) set_row "" JobHeldUser ;;
    release,*) set_row "" None ;;
    requeue,PENDING*) refuse "Job is pending execution" ;;
    requeue,*) set_row PENDING BeginTime "$(($(date +%s) + 121))" ;;
esac
"""


@pytest.fixture
def run(desk: Desk, client: Client) -> Run:
    """A run whose job waits."""
    made = submitted(client)
    desk.alpha.slurm.says("scontrol", SCONTROL)
    desk.alpha.shows(made, "PENDING")
    return made


def orders(desk: Desk) -> list[str]:
    """What scontrol was told."""
    return [" ".join(call) for call in desk.alpha.slurm.calls("scontrol") if call[0] != "show"]


def reason(client: Client, run: Run) -> Any:
    """The reason that is known."""
    return client.status([run.run], cached=True).runs[0].jobs[0].reason


def test_a_job_that_waits_is_held_and_released(desk: Desk, client: Client, run: Run) -> None:
    """Slurm is asked again, and what it shows then is told; the orders are in the history."""
    (held,) = client.hold([run.run])
    assert (held.words, reason(client, run)) == (
        f"job 1000 is held; `trainsub release {run.run}` lets it go",
        "JobHeldUser",
    )
    (free,) = client.release([run.run])
    assert (free.words, reason(client, run)) == ("job 1000 is released", "")
    assert orders(desk) == ["hold 1000", "release 1000"]
    events = [event.what for event in client.history(run.run) if event.source == "trainsub"]
    assert events == ["hold ordered", "release ordered"]


def test_what_was_not_held_is_told(client: Client, run: Run) -> None:
    """Slurm takes the order all the same."""
    assert client.release([run.run])[0].words == "job 1000 was not held"


def test_a_job_that_runs_goes_on_when_it_is_held(desk: Desk, client: Client, run: Run) -> None:
    """Slurm only notes it for a requeue, and whoever pays should know."""
    desk.alpha.shows(run, "RUNNING")
    (held,) = client.hold([run.run])
    assert "runs on, and is billed" in held.words
    assert held.run.jobs[0].state == "RUNNING"


def test_an_administrators_hold_cannot_be_released(desk: Desk, client: Client, run: Run) -> None:
    """It is said who can."""
    desk.alpha.slurm.says("scontrol", SCONTROL.replace('set_row "" JobHeldUser', 'set_row "" JobHeldAdmin'))
    assert "only an administrator can release it" in client.hold([run.run])[0].words
    with pytest.raises(RefusedError, match=r"not released: Access/permission denied \(an administrator holds it") as no:
        client.release([run.run])
    assert no.value.exit_code == 5


def test_a_job_that_runs_is_requeued(desk: Desk, client: Client, run: Run) -> None:
    """What that costs is told."""
    desk.alpha.shows(run, "RUNNING", start=stamp(-600))
    (done,) = client.requeue([run.run])
    assert "what it held until now is billed" in done.words
    assert "last checkpoint" in done.words
    assert (done.run.jobs[0].state, done.run.jobs[0].reason) == ("PENDING", "BeginTime")


def test_a_job_that_waits_cannot_be_requeued(client: Client, run: Run) -> None:
    """Slurm's words, and what they mean."""
    with pytest.raises(RefusedError, match=r"not requeued: Job is pending execution \(it is in the queue already"):
        client.requeue([run.run])


def test_a_job_that_has_ended_may_run_once_more(desk: Desk, client: Client, run: Run) -> None:
    """As long as Slurm remembers it: its state goes back, and that it is billed again is told."""
    desk.alpha.shows(run, "FAILED", start=stamp(-60), end=stamp(-1))
    desk.alpha.accounts(run, "FAILED", start=stamp(-60), end=stamp(-1), code="7:0")
    assert client.status([run.run]).runs[0].jobs[0].state == "FAILED"
    (done,) = client.requeue([run.run])
    assert done.words == "job 1000 had ended (FAILED) and is to run once more, which is billed, too"
    assert done.run.jobs[0].state == "PENDING"


def test_what_slurm_has_forgotten_is_not_requeued(desk: Desk, client: Client, run: Run) -> None:
    """No order is given: the id may be another job's."""
    desk.alpha.ended(run, "FAILED")
    with pytest.raises(RefusedError, match="has forgotten it: submit it again"):
        client.requeue([run.run])
    assert orders(desk) == []


@pytest.mark.parametrize("order", ["hold", "release"])
def test_what_has_ended_is_neither_held_nor_released(desk: Desk, client: Client, run: Run, order: str) -> None:
    """There is nothing to hold."""
    desk.alpha.ended(run, "COMPLETED")
    with pytest.raises(RefusedError, match=rf"has ended \(COMPLETED\): there is nothing to {order}"):
        getattr(client, order)([run.run])
    assert orders(desk) == []


def test_a_stranger_with_the_same_id_is_never_hit(desk: Desk, client: Client, run: Run) -> None:
    """scontrol knows no guard by name, so squeue must have shown that the id is ours."""
    desk.alpha.shows(run, "RUNNING", name="interactive", comment="")
    for order in (client.hold, client.release, client.requeue):
        with pytest.raises(RefusedError, match="squeue does not show it"):
            order([run.run])
    assert orders(desk) == []


def test_no_order_where_slurm_is_silent(desk: Desk, client: Client, run: Run) -> None:
    """Nobody says that the id is still ours."""
    desk.alpha.slurm.says("squeue", SILENT)
    with pytest.raises(SlurmSilentError):
        client.hold([run.run])
    assert orders(desk) == []


def test_an_order_that_shows_no_effect_is_told(desk: Desk, client: Client, run: Run) -> None:
    """Slurm took it, and shows the job as if nothing had happened."""
    desk.alpha.slurm.says("scontrol", "")
    assert client.hold([run.run])[0].words == "job 1000 was told to wait, and Slurm still shows it as PENDING"
    desk.alpha.shows(run, "RUNNING")
    assert "still shows it as RUNNING" in client.requeue([run.run])[0].words


def test_a_cluster_that_is_away_does_not_hinder_another(desk: Desk, client: Client, run: Run) -> None:
    """Its runs are left as they are, and that is the error."""
    other = submitted(client, cluster="beta")
    desk.beta.slurm.says("scontrol", SCONTROL)
    desk.beta.shows(other, "PENDING")
    desk.alpha.road.blocked = [UnreachableError("no route")]
    with pytest.raises(UnreachableError):
        client.hold([run.run, other.run])
    assert client.status([other.run], cached=True).runs[0].jobs[0].reason == "JobHeldUser"


def test_what_was_refused_has_no_job(desk: Desk, client: Client) -> None:
    """So there is nothing to order."""
    desk.alpha.slurm.refuses()
    with pytest.raises(RefusedError):
        submitted(client)
    (run,) = client.status(cached=True).runs
    with pytest.raises(RefusedError, match="has no job"):
        client.hold([run.run])


def test_an_open_submission_is_settled_first(desk: Desk, client: Client) -> None:
    """Its answer was lost; the job is found, and held."""
    desk.alpha.road.cuts = [90]
    try:
        run = submitted(client)
    except UnsettledError:
        (run,) = client.status().runs
    (job,) = run.jobs
    desk.alpha.slurm.says("scontrol", SCONTROL)
    desk.alpha.shows(run, "PENDING")
    assert f"job {job.job_id} is held" in client.hold([run.run])[0].words
