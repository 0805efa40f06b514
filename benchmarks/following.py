"""``trainsub logs --follow`` on a log that grows: bytes on the network beside the bytes of the log."""

import json
import subprocess
import time
from collections.abc import Iterator

from benchmarks.measure import FailedError
from benchmarks.table import Row
from benchmarks.world import World, trainsub

_MOST = 1.05
_A_POLL = 1024
_POLL_SECONDS = 1.0
"""A running job's log is looked at this often or more often; counted as if it never were more often."""
_PIECES, _PIECE, _PAUSE = 24, 250_000, 0.5
_WRITE = f"for i in $(seq {_PIECES}); do head -c {_PIECE} /dev/urandom | base64; sleep {_PAUSE}; done"


def measure(world: World) -> Iterator[Row]:
    """Submit a job that writes much, and follow it to its end."""
    spec = world.spec("talkative", ["sh", "-c", _WRITE])
    submitted = _run(world, "submit", "--json", str(spec))
    (run,) = json.loads(submitted)["runs"]
    time.sleep(0.3)
    world.relay.take()
    known = len(world.audit())
    began = time.monotonic()
    followed = _run(world, "logs", "--follow", run["run"])
    polls = int((time.monotonic() - began) / _POLL_SECONDS)
    time.sleep(0.3)
    log = world.cluster.check(["cat", f"/home/alice/trainsub/runs/{run['run']}/logs/{run['job_id']}.out"], user="alice")
    if followed != log.encode():
        raise FailedError(f"{len(followed)} bytes were followed, and the log has {len(log)}")
    raw = world.relay.take()
    (record,) = world.audit()[known:]
    payload = int(str(record["bytes_sent"])) + int(str(record["bytes_received"]))
    yield Row("logs --follow: bytes of the log, seconds", f"{len(followed)}, {time.monotonic() - began:.0f}")
    yield Row("… payload, both ways", f"{payload} ({payload / len(followed):.3f} ×)")
    allowed = _MOST * len(followed) + _A_POLL * polls
    yield Row(
        "… on the network, both ways",
        f"{raw.total} ({raw.total / len(followed):.3f} ×; back {raw.down}, there {raw.up})",
        f"≤ {_MOST} × + 1 KiB a poll",
        raw.total <= allowed,
    )


def _run(world: World, *arguments: str) -> bytes:
    done = subprocess.run(trainsub(*arguments), env=world.env, capture_output=True, check=False)
    if done.returncode:
        raise FailedError(f"trainsub {arguments[0]} ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout
