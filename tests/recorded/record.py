"""Records what real Slurm answers to trainsub: python -m recorded.record [--version V]… [SCENE]…, with PYTHONPATH=tests.

A file under tests/data/slurm/ is replaced only where the new answer says something else; what changed is printed.
"""

import argparse
import sys
import time
import traceback

import clusters
from clusters import SlurmCluster
from recorded.answers import FIRST_ID, VERSIONS, Recorded, save
from recorded.scenes import SCENES, Scene, unaccounted
from recorded.stage import Stage

QUICK = {"CRED_EXPIRE": "8", "SLURMD_TIMEOUT": "10"}
"""Seconds that a requeued job waits, less one, and until a silent node is down."""


def main() -> int:
    """Record the scenes that are named, or all."""
    everything = (*SCENES, unaccounted)
    names = {scene.__name__.replace("_", "-"): scene for scene in everything}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", action="append", choices=VERSIONS, help="default: all")
    parser.add_argument("scene", nargs="*", help=f"default: all of {', '.join(names)}")
    arguments = parser.parse_args()
    if missing := set(arguments.scene) - set(names):
        parser.error(f"no such scene: {', '.join(sorted(missing))}")
    chosen = [scene for name, scene in names.items() if not arguments.scene or name in arguments.scene]
    good = True
    for version in arguments.version or VERSIONS:
        answers, whole = play(version, chosen)
        good &= whole
        for file in save(version, answers, whole=whole and not arguments.scene):
            sys.stdout.write(f"{version}: {file} changed\n")
    return 0 if good else 1


def play(version: str, scenes: list[Scene]) -> tuple[list[Recorded], bool]:
    """Play scenes on real clusters; what was answered, and whether every scene came to its end."""
    clusters.ensure([version])
    answers: list[Recorded] = []
    good = True
    if ordinary := [scene for scene in scenes if scene is not unaccounted]:
        with SlurmCluster(version, nodes=4, env=QUICK) as cluster:
            stage = _counted(cluster)
            good &= _play(stage, ordinary)
            answers += stage.answers
    if unaccounted in scenes:
        with SlurmCluster(version, nodes=1, accounting=False, lua=True) as cluster:
            stage = _counted(cluster)
            good &= _play(stage, [unaccounted])
            answers += stage.answers
    return answers, good


def _counted(cluster: SlurmCluster) -> Stage:
    """Let the cluster count its jobs from FIRST_ID."""
    cluster.check(["sed", "-i", f"$ a FirstJobId={FIRST_ID}", "/etc/slurm/slurm.conf"])
    cluster.check(["scontrol", "reconfigure"])
    cluster.wait_ready()
    return Stage(cluster)


def _play(stage: Stage, scenes: list[Scene]) -> bool:
    """Play scenes one after the other; of one that fails nothing is kept, and the cluster is cleared for the next."""
    good = True
    for scene in scenes:
        begun, before = time.monotonic(), len(stage.answers)
        stage.scene = scene.__name__
        try:
            scene(stage)
        except Exception:  # noqa: BLE001 -- the others are worth having
            good = False
            del stage.answers[before:]
            sys.stderr.write(f"{scene.__name__}: {traceback.format_exc()}{stage.evidence()}\n")
            stage.clear()
        sys.stderr.write(f"{stage.cluster.version}: {scene.__name__} took {time.monotonic() - begun:.0f} s\n")
    return good


if __name__ == "__main__":
    sys.exit(main())
