"""A job that Slurm refused, and of which it keeps a record all the same: no run, to whoever looks."""

import pytest
from standins import ACCEPT
from verbs.desk import Desk, submitted
from verbs.test_arrays_elsewhere import squeue_with_folders

from trainsub.errors import RefusedError

REFUSED = r"""
comment= job= folder=
for word; do
    case $word in --comment=*) comment=${word#*=} ;; --job-name=*) job=${word#*=} ;; --chdir=*) folder=${word#*=} ;; esac
done
row() { for field; do printf '%s\037' "$field"; done; echo; }
now=$(date +%s)
row 77 N/A N/A FAILED BadConstraints "$now" N/A "$now" 1 0 gpu '' '' "$job" "$comment" "$folder" >>"$state/queue"
echo "sbatch: error: Batch job submission failed: Requested node configuration is not available" >&2
exit 1
"""
"""What Slurm 22.05, 24.11 and 26.05 do with a job that no node could ever fit."""


@pytest.mark.parametrize("state", ["", "other"])
def test_the_record_of_a_refused_job_is_no_run(desk: Desk, state: str) -> None:
    """Neither here, where it was refused, nor on another machine: the same key is submitted there, once it fits."""
    desk.alpha.slurm.says("sbatch", REFUSED)
    squeue_with_folders(desk)
    with pytest.raises(RefusedError, match="node configuration is not available"):
        submitted(desk.client(), "key")
    client = desk.client(state=state)
    done = client.sync("alpha")
    assert (done.restored, done.gone, done.unreadable, done.unasked) == ([], [], {}, None)
    desk.alpha.slurm.says("sbatch", ACCEPT)
    run = submitted(client, "key", slurm__time='"0:30:00"')
    assert (run.outcome, len(desk.alpha.slurm.calls("sbatch"))) == ("accepted", 2)
