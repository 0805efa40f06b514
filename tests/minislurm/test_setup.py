import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from minislurm.made import MAIN, Said, call, end_all, make, own

from trainsub.minislurm import conf, setup

COMMANDS = ["sacct", "sbatch", "scancel", "scontrol", "sinfo", "squeue", "srun"]


@pytest.fixture(autouse=True)
def _no_keeper_stays(tmp_path: Path) -> Iterator[None]:
    yield
    end_all(tmp_path)


def test_a_new_home(tmp_path: Path) -> None:
    """Its commands, its configuration, and nothing for anybody else."""
    home = make(tmp_path / "state" / "minislurm")
    assert sorted(path.name for path in home.iterdir()) == ["bin", "jobs", "minislurm.toml", "trainsub"]
    missing = [name for name in ("sha256sum", "timeout") if shutil.which(name) is None]
    assert sorted(path.name for path in (home / "bin").iterdir()) == sorted(COMMANDS + missing)
    for path in (home, *home.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path
    made = conf.load(home)
    assert [node.name for node in made.nodes] == ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"]
    assert {node.cpus for node in made.nodes} == {max(128, os.cpu_count() or 1)}
    assert [(one.name, one.max_time, one.default_time, one.max_nodes) for one in made.partitions] == [
        ("gpu", 7 * 86400, 3600, None),
        ("debug", 600, 300, 2),
    ]
    assert made.default_partition.name == "gpu"
    assert made.kill_wait == 0.5


def test_the_first_node_can_be_listened_at(tmp_path: Path) -> None:
    """And of the others it is told whether they can."""
    nodes = conf.load(make(tmp_path / "home")).nodes
    assert nodes[0].first
    for node in nodes:
        with socket.socket() as probe:
            try:
                probe.bind((node.name, 0))
            except OSError:
                assert not node.first
            else:
                assert node.first


def test_sizes_and_settings(tmp_path: Path) -> None:
    """As asked for; each setup says all of it."""
    home = make(
        tmp_path / "home",
        *("--nodes=2", "--cpus-per-node", "16", "--gpus-per-node=3", "--memory=1000"),
        *("--set", "gpu_type=h100", "--set", "min_job_age=2", "--set", 'cluster_name=a "b" ü'),
    )
    made = conf.load(home)
    assert [(node.name, node.cpus, node.memory, node.gpus) for node in made.nodes] == [
        ("127.0.0.1", 16, 1000, (0, 1, 2)),
        ("127.0.0.2", 16, 1000, (0, 1, 2)),
    ]
    assert (made.gpu_type, made.min_job_age, made.cluster_name) == ("h100", 2, 'a "b" ü')
    make(home)
    assert (len(conf.load(home).nodes), conf.load(home).min_job_age) == (4, 300)


def test_no_gpus(tmp_path: Path) -> None:
    """If none are wanted."""
    assert {node.gpus for node in conf.load(make(tmp_path / "home", "--gpus-per-node=0")).nodes} == {()}


def test_the_queue_stays(tmp_path: Path) -> None:
    """A renewal is no loss, also of jobs' scripts."""
    home = make(tmp_path / "home")
    assert call(home / "bin" / "sbatch", "--hold", "--wrap", "true").out == "Submitted batch job 1\n"
    before = (home / "queue.sqlite").read_bytes(), (home / "jobs" / "1" / "script").read_bytes()
    (home / "bin" / "sbatch").unlink()
    (home / "minislurm.toml").write_text("broken")
    make(home)
    assert before == ((home / "queue.sqlite").read_bytes(), (home / "jobs" / "1" / "script").read_bytes())
    assert call(home / "bin" / "sbatch", "--hold", "--wrap", "true").out == "Submitted batch job 2\n"


def test_permissions_are_mended(tmp_path: Path) -> None:
    """Of a home that others could read."""
    home = make(tmp_path / "home")
    home.chmod(0o755)
    assert make(home).stat().st_mode & 0o777 == 0o700


def test_several_at_once(tmp_path: Path) -> None:
    """While they run, the commands are always whole."""
    home = make(tmp_path / "home")
    command = [sys.executable, "-I", str(MAIN), str(home), "setup"]
    running = [subprocess.Popen(command) for _ in range(4)]
    while any(one.poll() is None for one in running):
        assert call(home / "bin" / "sbatch", "--version").out == "slurm 24.11.5-minislurm\n"
    assert [one.returncode for one in running] == [0] * 4
    assert [path.name for path in home.rglob(".*")] == []


def test_killed_at_any_moment(tmp_path: Path) -> None:
    """What was there is still whole, and what a killed one left goes some time."""
    home = make(tmp_path / "home")
    whole = (home / "minislurm.toml").read_bytes()
    for number in range(12):
        with subprocess.Popen([sys.executable, "-I", str(MAIN), str(home), "setup"]) as running:
            time.sleep(0.03 + number * 0.004)
            running.kill()
        assert len(conf.load(home).nodes) == 4
        assert call(home / "bin" / "sbatch", "--version").code == 0
    for path in home.rglob(".draft.*"):
        os.utime(path, (1, 1))
    make(home)
    assert list(home.rglob(".draft.*")) == []
    assert (home / "minislurm.toml").read_bytes() == whole


@pytest.mark.parametrize("name", ["two words", "it's", 'a "b" $HOME `id` \\', "ü ß", "-n", "*", "a;b&c"])
def test_any_path(tmp_path: Path, name: str) -> None:
    """The commands quote it."""
    home = make(tmp_path / name / "minislurm")
    (tmp_path / "elsewhere").mkdir()
    said = call(home / "bin" / "sbatch", "--hold", "--wrap", "true", cwd=tmp_path / "elsewhere")
    assert said == Said(0, "Submitted batch job 1\n", "")
    assert (home / "jobs" / "1").is_dir()


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_a_word_is_quoted(word: str) -> None:
    """For any shell."""
    text = setup.wrapper(Path("/") / word.replace("/", "-"), "sbatch")
    assert text.startswith("#!/bin/sh\nexec '")
    assert re.search(r" sbatch \"\$@\"\n\Z", text)


@pytest.mark.parametrize(
    ("path", "words"),
    [("a:b", "no colon and no line break"), ("a\nb", "no colon and no line break")],
)
def test_a_path_that_cannot_be(tmp_path: Path, path: str, words: str) -> None:
    """PATH would be cut there."""
    said = own(tmp_path / path, "setup")
    assert (said.code, words in said.err) == (1, True), said
    assert not (tmp_path / path).exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--nodes=0"], "--nodes is a number from 1 to 254, got 0"),
        (["--nodes=x"], "--nodes is a number from 1 to 254, got x"),
        (["--gpus-per-node=-1"], "--gpus-per-node is a number from 0 to 1024, got -1"),
        (["--set", "colour=red"], "--set colour=red: not a key of minislurm.toml; the keys are cluster_name, "),
        (["--set", "kill_wait=soon"], "--set kill_wait=soon: the value must be a number"),
        (["--colour"], "unrecognized option '--colour'"),
        (["more"], "takes no arguments, got more"),
    ],
)
def test_options_that_are_none(tmp_path: Path, options: list[str], words: str) -> None:
    """Told, and nothing is made."""
    said = own(tmp_path / "home", "setup", *options)
    assert said.code == 1
    assert said.err.startswith("setup: error: ")
    assert words in said.err
    assert not (tmp_path / "home").exists()


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    """The system's own words."""
    (tmp_path / "home").touch()
    said = own(tmp_path / "home", "setup")
    assert (said.code, said.out) == (1, "")
    assert "File exists" in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_home_of_somebody_else(tmp_path: Path) -> None:
    """Two users' queues do not meet."""
    home = make(tmp_path / "home")
    os.chown(home, 12345, -1)
    for words in (["setup"], ["sbatch", "--version"], ["squeue"]):
        said = own(home, *words)
        assert said.code == 1
        assert said.err.startswith(f"{words[0]}: error: {home} belongs to user 12345, and user 0 runs this")


@pytest.mark.parametrize("words", [[], ["/tmp/home"], ["/tmp/home", "salloc"]])
def test_no_command(words: list[str]) -> None:
    """A usage line."""
    said = call(sys.executable, "-I", MAIN, *words)
    assert said.code == 2
    assert said.err.startswith("usage: ")


def test_a_command_without_a_home(tmp_path: Path) -> None:
    """It says who makes it."""
    said = own(tmp_path / "home", "sbatch", "--wrap", "true")
    assert said == Said(
        1,
        "",
        f"sbatch: error: {tmp_path}/home/minislurm.toml: missing; any trainsub command on the cluster minislurm makes "
        "it anew\n",
    )


def test_only_what_is_light_is_loaded(tmp_path: Path) -> None:
    """Each command is a process of its own, and many are called."""
    home = make(tmp_path / "home")
    said = call(sys.executable, "-X", "importtime", "-I", MAIN, home, "sbatch", "--hold", "--wrap", "true")
    loaded = {line.rsplit("|", 1)[-1].strip() for line in said.err.splitlines()}
    assert "trainsub.minislurm.folder" in loaded
    for module in (
        "argparse",
        "pydantic",
        "typer",
        "jinja2",
        "paramiko",
        "subprocess",
        "asyncio",
        "logging",
        "secrets",
    ):
        assert module not in loaded, module
    rooms = {name.split(".")[1] for name in loaded if name.startswith("trainsub.")}
    assert rooms <= {"minislurm", "slurm", "errors"}


def test_nobody_reads_the_answer(tmp_path: Path) -> None:
    """No complaint of Python's."""
    home = make(tmp_path / "home")
    said = call("sh", "-c", '{ "$0" --help; echo $? >code; } | true', home / "bin" / "sbatch", cwd=tmp_path)
    assert (said.err, (tmp_path / "code").read_text()) in {("", "0\n"), ("", "1\n")}


def test_an_interrupted_command(tmp_path: Path) -> None:
    """As a shell tells it."""
    home = make(tmp_path / "home")
    with subprocess.Popen(
        [home / "bin" / "sbatch", "--hold"], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
        assert running.stderr is not None
        assert running.stderr.read() == b""
