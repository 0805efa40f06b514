"""``trainsub submit`` over an open shared connection beside ``ssh -o ControlPath=… host sbatch`` over another."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from benchmarks.measure import Sample, in_turn, run
from benchmarks.table import Row
from benchmarks.world import HOST, World, trainsub

_ROUNDS = 15
_TARGET = 1.1
_SETTLE = 0.3
_LATER = "now+10days"
_JOB = "/home/alice/muxed.sh"
PLAIN, SUBMIT, START = "ssh host sbatch, connection open", "submit, openssh, connection open", "python -c pass"


def measure(world: World) -> Iterator[Row]:
    """Open both connections, measure, and clear the queue afterwards."""
    world.configure(transport="openssh")
    script = f"printf '#!/bin/sh\\n#SBATCH --begin={_LATER}\\n#SBATCH --nodes=1\\ntrue\\n' >{_JOB}"
    world.cluster.check(["sh", "-c", script], user="alice")
    spec = world.spec("muxed", ["true"], slurm=f'begin = "{_LATER}"')
    shared = ["-o", f"ControlPath={world.home}/plain", "-o", "ControlMaster=auto", "-o", "ControlPersist=600"]
    programs: dict[str, Callable[[], Sample]] = {
        PLAIN: lambda: _settled(world, world.ssh(f"sbatch {_JOB}", *shared)),
        SUBMIT: lambda: _settled(world, trainsub("submit", str(spec))),
        START: lambda: _settled(world, [sys.executable, "-c", "pass"]),
    }
    execs = len(world.audit())
    try:
        series = in_turn(_ROUNDS, programs, warm=2)
    finally:
        subprocess.run(
            ["ssh", "-F", str(world.ssh_config), *shared, "-O", "exit", HOST], check=False, capture_output=True
        )
        subprocess.run(trainsub("cluster", "logout", "far"), env=world.env, check=False, capture_output=True)
        world.configure()
    execs = len(world.audit()) - execs
    world.cluster.check(["scancel", "--user=alice"])
    plain, own, start = series[PLAIN], series[SUBMIT], series[START]
    for name, one in ((PLAIN, plain), (SUBMIT, own), (START, start)):
        yield Row(name, f"{one.wall:.3f} s (least {one.best:.3f}), {one.cpu * 1000:.0f} ms of processor time")
    ratio, least = (own.wall - start.wall) / plain.wall, (own.best - start.best) / plain.best
    yield Row(
        "… beside muxed ssh host sbatch, the interpreter's start aside",
        f"{ratio:.2f} × (of the least times: {least:.2f} ×)",
        f"≤ {_TARGET} ×",
        ratio <= _TARGET,
    )
    yield Row("… execs a submission", f"{execs / (_ROUNDS + 2):.1f}", "1", execs == _ROUNDS + 2)


def _settled(world: World, argv: list[str]) -> Sample:
    time.sleep(_SETTLE)
    return run(argv, env=world.env)
