import time

import pytest
from minislurm.filled import Cluster, share
from minislurm.made import Said

from trainsub.minislurm import setup, sinfo, sinfo_fields
from trainsub.slurm import sinfo as questions


def busy(cluster: Cluster) -> None:
    """Let jobs hold all of one node and a part of another."""
    cluster.running("all", share(1, 16, 8))
    cluster.running("some", share(2, 4, 3))
    cluster.ended()


# What 24.11 printed, with these nodes' names.
TABLES = {
    "": """\
PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST
gpu*         up 7-00:00:00      1    mix 127.0.0.2
gpu*         up 7-00:00:00      1  alloc 127.0.0.1
gpu*         up 7-00:00:00      2   idle 127.0.0.[3-4]
debug        up      10:00      1    mix 127.0.0.2
debug        up      10:00      1  alloc 127.0.0.1
debug        up      10:00      2   idle 127.0.0.[3-4]
""",
    "-s": """\
PARTITION AVAIL  TIMELIMIT   NODES(A/I/O/T) NODELIST
gpu*         up 7-00:00:00          2/2/0/4 127.0.0.[1-4]
debug        up      10:00          2/2/0/4 127.0.0.[1-4]
""",
    "-N -n 127.0.0.[2-3]": """\
NODELIST   NODES PARTITION STATE\x20
127.0.0.2      1      gpu* mix  \x20
127.0.0.2      1     debug mix  \x20
127.0.0.3      1      gpu* idle \x20
127.0.0.3      1     debug idle \x20
""",
    "-p debug -t idle": """\
PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST
debug        up      10:00      2   idle 127.0.0.[3-4]
""",
    "-p gpu,debug -t alloc,MIXED -h": """\
gpu*         up 7-00:00:00      1    mix 127.0.0.2
gpu*         up 7-00:00:00      1  alloc 127.0.0.1
debug        up      10:00      1    mix 127.0.0.2
debug        up      10:00      1  alloc 127.0.0.1
""",
    "-h -t down": "gpu*         up 7-00:00:00      0    n/a \ndebug        up      10:00      0    n/a \n",
    "-h -d -p gpu": "gpu*         up 7-00:00:00      0    n/a \n",
    "-n nowhere -p gpu": (
        "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\ngpu*         up 7-00:00:00      0    n/a \n"
    ),
    "-h -t down -o %D/%t": "",
    "-p nowhere": "PARTITION AVAIL  TIMELIMIT  NODES  STATE NODELIST\n",
    "-h -o %C:%t:%N:%D": ("4/12/0/16:mix:127.0.0.2:1\n16/0/0/16:alloc:127.0.0.1:1\n0/32/0/32:idle:127.0.0.[3-4]:2\n"),
    "-h -o %R": "gpu\ndebug\n",
    "-h -p gpu -o %20P|%.5a|%F|%A": "gpu*                |   up|2/2/0/4|2/2\n",
    "-h -p gpu -o %G/%c/%m/%f": "gpu:h100:8/16/1048576/(null)\n",
    "-h -S -P -s": (
        "gpu*         up 7-00:00:00          2/2/0/4 127.0.0.[1-4]\n"
        "debug        up      10:00          2/2/0/4 127.0.0.[1-4]\n"
    ),
    "-h -p gpu -S N": (
        "gpu*         up 7-00:00:00      1  alloc 127.0.0.1\n"
        "gpu*         up 7-00:00:00      1    mix 127.0.0.2\n"
        "gpu*         up 7-00:00:00      2   idle 127.0.0.[3-4]\n"
    ),
    "-h -p gpu -S t": (
        "gpu*         up 7-00:00:00      2   idle 127.0.0.[3-4]\n"
        "gpu*         up 7-00:00:00      1  alloc 127.0.0.1\n"
        "gpu*         up 7-00:00:00      1    mix 127.0.0.2\n"
    ),
    "-h -p gpu -O NodeHost:10,GresUsed:22,CPUsState:,AllocMem:.6": (
        "127.0.0.2 gpu:h100:3(IDX:0-2)   4/12/0/16 16000\n"
        "127.0.0.1 gpu:h100:8(IDX:0-7)   16/0/0/16 64000\n"
        "127.0.0.3 gpu:h100:0(IDX:N/A)   0/16/0/16     0\n"
        "127.0.0.4 gpu:h100:0(IDX:N/A)   0/16/0/16     0\n"
    ),
    "-R": "REASON               USER      TIMESTAMP           NODELIST\n",
    "-T": "No reservations in the system\n",
    "-V": "slurm 24.11.5-minislurm\n",
}


@pytest.mark.parametrize("words", TABLES)
def test_tables(cluster: Cluster, words: str) -> None:
    """Partitions and nodes are told as Slurm tells them."""
    busy(cluster)
    assert cluster.ask(sinfo.main, *words.split(" ") if words else ()) == Said(0, TABLES[words], "")


def test_long_tables_are_dated(cluster: Cluster) -> None:
    """--long begins with the date, unless there is no header."""
    date, header, first, *_ = cluster.ask(sinfo.main, "-l").out.splitlines()
    assert time.strptime(date, "%a %b %d %H:%M:%S %Y").tm_year > 2020
    assert header.split()[3:8] == ["JOB_SIZE", "ROOT", "OVERSUBS", "GROUPS", "NODES"]
    assert first.split() == ["gpu*", "up", "7-00:00:00", "1-infinite", "no", "NO", "all", "4", "idle", "127.0.0.[1-4]"]
    row = cluster.ask(sinfo.main, "-Nlh").out.splitlines()[0]
    assert (
        row
        == "127.0.0.1      1      gpu*        idle 16     16:1:1 104857        0      1   (null) none                "
    )


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--foo",), "sinfo: unrecognized option '--foo'\nTry \"sinfo --help\" for more information\n"),
        (("-n", "a[1-"), "sinfo: error: not a hostlist: 'a[1-'\n"),
        (("-S", "?"), "sinfo: error: Invalid sort specification: ?\n"),
    ],
)
def test_refusals(cluster: Cluster, words: tuple[str, ...], complaint: str) -> None:
    """What sinfo cannot do is told."""
    said = cluster.ask(sinfo.main, *words)
    assert (said.code, said.err) == (1, complaint)


def test_an_unknown_state(cluster: Cluster) -> None:
    """The states that there are are told."""
    said = cluster.ask(sinfo.main, "-t", "idle,foo")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith('sinfo: error: Bad state string: "foo"\nsinfo: error: valid states: unknown,down,idle,')


def test_unknown_fields_are_told_and_left_out(cluster: Cluster) -> None:
    """A field that does not exist is no reason to print nothing."""
    said = cluster.ask(sinfo.main, "-h", "-p", "gpu", "-o", "%P %W")
    assert said == Said(0, "gpu* %W\n", "Invalid node format specification: W\n")
    said = cluster.ask(sinfo.main, "-h", "-p", "gpu", "-O", "foo:5,Nodes:2")
    assert said == Said(0, "4 \n", "sinfo: error: Invalid job format specification: foo\n")


def test_variables(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """SINFO_ variables count where no option does."""
    monkeypatch.setenv("SINFO_FORMAT", "%R")
    assert cluster.ask(sinfo.main, "-h").out == "gpu\ndebug\n"
    monkeypatch.setenv("SINFO_PARTITION", "debug")
    assert cluster.ask(sinfo.main, "-h").out == "debug\n"
    assert cluster.ask(sinfo.main, "-h", "-o", "%D").out == "4\n"


def test_every_word_and_letter_tells_something(cluster: Cluster) -> None:
    """No column fails, with nodes and without."""
    busy(cluster)
    form = ",".join(f"{word}:|" for word in sinfo_fields.WORDS)
    for more in ((), ("-N",), ("-t", "down")):
        said = cluster.ask(sinfo.main, "-h", *more, "-O", form)
        assert {line.count("|") for line in said.out.splitlines()} == {len(sinfo_fields.WORDS)}
    form = "|".join(f"%{letter}" for letter in sinfo_fields.LETTERS)
    assert cluster.ask(sinfo.main, "-o", form).code == 0
    for letter in sinfo_fields.LETTERS:
        assert cluster.ask(sinfo.main, "-S", letter).code == 0


def test_trainsub_reads_it(cluster: Cluster) -> None:
    """trainsub's own query is answered in its own form; nodes without GPUs make a row of their own."""
    busy(cluster)
    text = (cluster.home / "minislurm.toml").read_text()
    (cluster.home / "minislurm.toml").write_text(text.replace("gpus = [0, 1, 2, 3, 4, 5, 6, 7]", "gpus = []", 1))
    gpu, debug = questions.parse(cluster.ask(sinfo.main, *questions.argv()[1:]).out)
    assert (gpu.name, gpu.default, gpu.up, gpu.nodes, gpu.idle, gpu.down) == ("gpu", True, True, 4, 2, 0)
    assert (gpu.time_limit, gpu.default_time, gpu.gres, gpu.gpus_per_node) == (604800, 3600, ("gpu:h100:8",), 8)
    assert (debug.name, debug.default, debug.time_limit, debug.default_time) == ("debug", False, 600, 300)


def test_a_cluster_without_gpus(cluster: Cluster) -> None:
    """Where there are no GPUs none are told of."""
    assert setup.main(cluster.home, ["--gpus-per-node", "0"]) == 0
    assert cluster.ask(sinfo.main, "-h", "-p", "gpu", "-o", "%G").out == "(null)\n"
    assert cluster.ask(sinfo.main, "-h", "-p", "gpu", "-O", "GresUsed:").out == "gpu:0\n"
    assert questions.parse(cluster.ask(sinfo.main, *questions.argv()[1:]).out)[0].gpus_per_node == 0
