"""Ranks in containers, over two nodes of real Slurm: apptainer itself, and a stand-in for pyxis that is as strict."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import clusters
import pytest
from cluster.laptop import Laptop
from cluster.test_kinds import PROGRAMS, Kind, ranks
from clusters import PYTHON, SlurmCluster

from trainsub.sandbox import docker as engine
from trainsub.sandbox.layout import base_image

VERSION = "26.05"
IMAGES = Path(__file__).parent / "images"
RUNTIMES = ("apptainer", "pyxis")
# Docker's own filter of system calls lets no user make namespaces, which both are made of.
SECURITY = ("seccomp=unconfined",)

SECRET = 'it\'s $HOME of $(id) "a b"'
LOOK = """
    cat /etc/mark
    echo "home: $(ls -A /home/alice)"
    echo "data: $(cat /data/word) $( (echo >/data/x) 2>&1 | grep -o 'Read-only file system')"
    echo "threads: $OMP_NUM_THREADS of the image: $ONLY_IN_THE_IMAGE own: $OWN"
    echo "secret: $WORD"
    echo "here: $PWD rank $RANK of $WORLD_SIZE, master $MASTER_ADDR:$MASTER_PORT"
    echo written >"written.$RANK"
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[SlurmCluster]:
    """Two nodes with apptainer, and an srun that has pyxis's flags."""
    base = clusters.ensure([VERSION])[VERSION]
    image = f"{base}-containers"
    release = base_image(VERSION)
    arguments = ("--build-arg", f"BASE={base}", "--build-arg", f"RELEASE={release}", "--tag", image)
    engine.docker("build", *arguments, str(IMAGES), timeout=900)
    mounts = clusters.python_mounts()
    with SlurmCluster(VERSION, nodes=2, mounts=mounts, image=image, security=SECURITY) as started:
        yield started


def project(laptop: Laptop, runtime: str, command: tuple[str, ...], kind: str, keys: str = "") -> Path:
    """A spec of two ranks on each of two nodes, in the image; ``/data`` is there for reading."""
    data = f"{laptop.root}-data"
    laptop.there("sh", "-c", f"mkdir -p {data} && echo found >{data}/word")
    mounts = [f"{data}:/data:ro", "/opt/python", "/opt/torch", "/opt/python-run"]
    spec = laptop.project(
        f'name = "inside"\ncommand = {json.dumps(command)}\n'
        f'[slurm]\nnodes = 2\ngpus_per_node = 2\ncpus_per_task = 3\ntime = "00:10:00"\n[launch]\nkind = "{kind}"\n'
        f'[env]\nOWN = "a b"\n[container]\nruntime = "{runtime}"\nimage = "/opt/image"\nmounts = {json.dumps(mounts)}\n{keys}'
    )
    shutil.copytree(PROGRAMS, spec.parent, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return spec


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("kind", "program"), [("torchrun", "ddp.py"), ("srun", "procid.py")])
def test_pytorch_trains_in_containers(laptop: Laptop, runtime: str, kind: str, program: str) -> None:
    """Four ranks in four containers, or in two, find each other; the launcher is inside with them."""
    words = (PYTHON, program, "--name", "a b", "$HOME")
    said = laptop.run("submit", project(laptop, runtime, words, kind), "--follow", timeout=300)
    assert said.code == 0, said.out
    assert sorted(ranks(said.out, Kind(f'kind = "{kind}"', words))) == [0, 1, 2, 3]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_what_is_seen_in_a_container(laptop: Laptop, runtime: str) -> None:
    """The image, the run's own directory, the mounts, and the job's variables and secrets, which win over the image's; no home."""
    spec = project(laptop, runtime, ("sh", "-c", LOOK), "srun", '[secrets]\nnames = ["WORD"]\n')
    run = laptop.run("submit", spec, "--json", env={"WORD": SECRET}).ok().run["run"]
    waited = laptop.run("wait", run, "--timeout", "90")
    work = f"{laptop.run_dir(run)}/work"
    log = laptop.run("logs", run).ok().out.splitlines()
    assert waited.code == 0, log
    assert log.count("this is the image") == 4, log
    assert log.count("data: found Read-only file system") == 4, log
    home = {line for line in log if line.startswith("home: ")}
    assert home == {f"home: {Path(laptop.root).name}"}, log
    assert log.count("threads: 3 of the image: yes own: a b") == 4, log
    assert log.count(f"secret: {SECRET}") == 4, log
    assert len({line for line in log if line.startswith(f"here: {work} rank ")}) == 4, log
    assert {f"written.{rank}" for rank in range(4)} <= set(laptop.there("ls", work).split())


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_failure_inside_is_the_jobs(laptop: Laptop, runtime: str) -> None:
    """The exit code comes out, and the node's name with it."""
    script = "[ $RANK != 2 ] || exit 7; sleep 30"
    run = laptop.submit(project(laptop, runtime, ("sh", "-c", script), "srun"))
    waited = laptop.run("wait", run["run"], "--timeout", "90", "--json")
    assert waited.run["exit_code"] == {"code": 7, "signal": 0}, laptop.run("logs", run["run"]).out
    assert "trainsub: the first failure: exit code 7 on n2" in laptop.run("logs", run["run"]).out


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("--container-nonsense", "srun: unrecognized option '--container-nonsense'"),
        ("--container-workdir=", "--container-workdir: argument required"),
        ("--container-mount-home", "--container-mount-home is given twice, with different values"),
        ("--container-mounts=/nowhere:/x", "is given twice, with different values"),
        ("--no-container-remap-root", "this is the image"),
    ],
)
def test_the_stand_in_refuses_what_pyxis_would(laptop: Laptop, option: str, said: str) -> None:
    """Otherwise these tests would show nothing; the last one is an option that pyxis has."""
    spec = project(laptop, "pyxis", ("cat", "/etc/mark"), "srun", f"options = {json.dumps([option])}\n")
    run = laptop.submit(spec)
    waited = laptop.run("wait", run["run"], "--timeout", "60")
    log = laptop.run("logs", run["run"]).out
    assert said in log
    assert (waited.code == 0) == (said == "this is the image"), log
