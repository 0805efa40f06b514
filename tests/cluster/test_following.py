"""A log is followed by offset: from before it exists to the end of the job, across a requeue, each byte once."""

import time
from datetime import UTC, datetime
from pathlib import Path

from cluster.laptop import Laptop, finish, until
from clusters import SlurmCluster

LINES = """
    if [ "${SLURM_RESTART_COUNT:-0}" = 0 ]; then
        seq -f "first %06.0f" 1 20000
        sleep 300
    fi
    seq -f "second %06.0f" 1 20000
    sleep 1
    echo last
"""


def test_a_log_is_followed_across_a_requeue_and_crosses_once(cluster: SlurmCluster, tmp_path: Path) -> None:
    """It begins before the job does; only new bytes cross; it ends within two seconds of knowing the end."""
    # A user with few jobs, because squeue tells of all of them at each poll.
    laptop = Laptop(tmp_path / "home", cluster, user="tess")
    run = laptop.submit(laptop.shell_job(LINES, more="hold = true\n"))
    follower = laptop.start("logs", run["run"], "--follow")
    time.sleep(1)
    laptop.there("scontrol", "release", str(run["job_id"]))
    log = f"{laptop.run_dir(run['run'])}/logs/{run['job_id']}.out"
    until(lambda: laptop.exists(log) and "first 020000" in laptop.there("tail", "-c", "200", log), "the first lines")
    laptop.there("scontrol", "requeue", str(run["job_id"]))
    said = finish(follower)
    gone = datetime.now(UTC)
    assert said.code == 0, said.err
    assert said.out == laptop.read(log)
    assert said.out.count("first 020000\n") == 1
    assert said.out.endswith("last\n")

    (line,) = [line for line in laptop.audit() if line["what"] == "follow"]
    polls = line["duration_s"]  # at most one look a second
    assert line["bytes_received"] <= 1.05 * len(said.out) + 1024 * polls

    with laptop.client() as client:
        known = [event.at for event in client.history(run["run"]) if "COMPLETED" in event.what]
    assert len(known) == 1
    assert (gone - known[0]).total_seconds() <= 2


def test_submit_with_follow_tells_log_table_and_cost_apart(laptop: Laptop) -> None:
    """stdout is the log and the final table; the rest is talk on stderr."""
    said = laptop.run("submit", laptop.shell_job("echo out; echo err >&2; sleep 1", gpus=1), "--follow")
    assert said.code == 0
    assert "out\n" in said.out
    assert "err\n" in said.out
    assert said.out.splitlines()[-2].split() == ["RUN", "CLUSTER", "JOB", "STATE", "NODES", "GPUS", "ELAPSED"]
    assert "trainsub: used " in said.err


def test_a_long_log_is_shown_whole(laptop: Laptop) -> None:
    """More than one piece of it, and bytes that are no text."""
    said = laptop.run("submit", laptop.shell_job("seq 400000; printf '\\377\\000\\n'"), "--wait", "--json").ok()
    shown = laptop.start("logs", said.run["run"])
    out, _ = shown.communicate(timeout=60)
    assert out.endswith(b"399999\n400000\n\xff\x00\n")
    assert out.count(b"\n") >= 400_001
