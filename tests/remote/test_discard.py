"""A refused run's directory is removed by one, and only that one directory."""

import threading

import pytest
from loginnode import RUN, Cluster, wait_until
from standins import ACCEPT

from trainsub.remote import settle, submit
from trainsub.remote.talk import Talk
from trainsub.tracker.values import ACCEPTED

SLOW_RM = """\
#!/bin/sh
# A slow file system: the fence is removed already, and the rest not yet.
last=
for word; do last=$word; done
if [ "$(readlink "$last/owner.1")" = gone ]; then
    /bin/rm -f "$last/owner.1"
    : >"{state}/half"
    while [ ! -e "{state}/go" ]; do sleep 0.05; done
fi
exec /bin/rm "$@"
"""


def test_a_late_word_does_not_remove_a_successor(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who discards a refused run late finds its directory half deleted, and another run's in its place."""
    slurm = cluster.slurm
    slurm.refuses()
    state = slurm.state
    go, waiting = threading.Event(), threading.Event()
    send = Talk.send

    def late(talk: Talk, data: bytes) -> None:
        if data == b"discard\n" and threading.current_thread().name == "late":
            waiting.set()
            go.wait(60)
        send(talk, data)

    monkeypatch.setattr(Talk, "send", late)
    first = threading.Thread(target=submit, args=(cluster.login, cluster.request()), name="late")
    first.start()
    assert waiting.wait(20)
    (slurm.bin / "rm").write_text(SLOW_RM.format(state=state))
    (slurm.bin / "rm").chmod(0o755)
    where = {"slurm_bin": str(slurm.bin)}
    second = threading.Thread(target=settle, args=(cluster.other_login(), "~/.trainsub", RUN, 1), kwargs=where)
    second.start()
    wait_until((state / "half").exists, 20)
    slurm.says("sbatch", ACCEPT)
    successor = submit(cluster.other_login(), cluster.request())
    assert (successor.outcome, successor.existing) == (ACCEPTED, False)
    go.set()
    (state / "go").touch()
    first.join(30)
    second.join(30)
    again = submit(cluster.other_login(), cluster.request())
    assert (again.outcome, again.job_id, again.existing) == (ACCEPTED, successor.job_id, True)
