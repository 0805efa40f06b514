import grp
import os
import pwd
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from minislurm.filled import NODES, NOON, Cluster, share
from minislurm.made import Said, own

from trainsub.minislurm import squeue, squeue_fields
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Array
from trainsub.slurm import environment
from trainsub.slurm import squeue as questions

ARRAY = Array(0, pending=(1, 2, 3, 4, 6), limit=2, count=6, least=1, most=6)


def lines(cluster: Cluster, *words: str) -> list[str]:
    """Return what squeue prints without its header."""
    said = cluster.ask(squeue.main, "-h", *words)
    assert (said.code, said.err) == (0, "")
    return said.out.splitlines()


def test_the_usual_table(cluster: Cluster) -> None:
    """Without options squeue prints Slurm's table of the jobs that have not ended."""
    cluster.running("runs", share(1), share(2))
    cluster.held("a-very-long-name")
    cluster.ended()
    cluster.put("job", array=ARRAY, reason="Priority")
    user = f"{pwd.getpwuid(os.getuid()).pw_name:>8.8}"
    said = cluster.ask(squeue.main)
    assert said == Said(
        0,
        "             JOBID PARTITION     NAME     USER ST       TIME  NODES NODELIST(REASON)\n"
        f"       4_[1-4,6%2]       gpu      job {user} PD       0:00      1 (Priority)\n"
        f"                 2       gpu a-very-l {user} PD       0:00      1 (JobHeldUser)\n"
        f"                 1       gpu     runs {user}  R       0:30      2 127.0.0.[1-2]\n",
        "",
    )


def test_the_long_table_is_dated(cluster: Cluster) -> None:
    """--long begins with the date, unless there is no header."""
    cluster.running()
    first, header, row = cluster.ask(squeue.main, "-l").out.splitlines()
    assert time.strptime(first, "%a %b %d %H:%M:%S %Y").tm_year > 2020
    assert header.split()[4:7] == ["STATE", "TIME", "TIME_LIMI"]
    assert row.split()[4:7] == ["RUNNING", "0:30", "1:00:00"]
    assert len(lines(cluster, "-l")) == 1


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), "waits array runs"),
        (("-t", "all"), "waits failed array runs"),
        (("--states=PD,f",), "waits failed array"),
        (("-t", ""), ""),
        (("-t", "running"), "runs"),
        (("-n", "runs,waits"), "waits runs"),
        (("--name=nobody",), ""),
        (("-p", "debug"), "waits"),
        (("-w", NODES[1]), "runs"),
        (("-w", NODES[0]), ""),
        (("-j", "1,3"), "runs"),
        (("-j", "1,3", "-t", "all"), "failed runs"),
        (("-j", "1,"), "runs"),
        (("-j", "1.0"), "runs"),
        (("-j", "1,99"), "runs"),
        (("-j", "98,99"), ""),
        (("-j", ""), ""),
        (("-j", "4"), "array"),
        (("-j", "4_2"), "array"),
        (("-j", "4_5"), ""),
        (("-j", "4_[1-2]"), ""),
        (("-j", "1_x"), ""),
        (("--me",), "waits array runs"),
        (("-u", str(os.getuid())), "waits array runs"),
        (("-u", ""), ""),
        (("-u", "65533", "--me"), "waits array runs"),
        (("--me", "-u", "65533"), ""),
        (("-A", "research"), "waits array runs"),
        (("-A", "other"), ""),
        (("-q", "normal"), "waits array runs"),
        (("-R", "maintenance"), ""),
        (("-L", "matlab"), ""),
        (("-a", "--hide", "--local", "-v"), "waits array runs"),
    ],
)
def test_choices(cluster: Cluster, words: tuple[str, ...], names: str) -> None:
    """Only those jobs are told of that are asked for."""
    cluster.running("runs", share(2))
    cluster.held("waits", partition="debug")
    cluster.ended("failed", "FAILED")
    cluster.put("array", array=ARRAY, reason="Priority")
    assert lines(cluster, "-o", "%j", *words) == names.split()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-j", "99"), "slurm_load_jobs error: Invalid job id specified\n"),
        (("-j", "99_1"), "slurm_load_jobs error: Invalid job id specified\n"),
        (("-j", "99", "-t", "all"), "slurm_load_jobs error: Invalid job id specified\n"),
        (("-j", "abc"), "squeue: error: Invalid job id: abc\n"),
        (("-j", "1,abc"), "squeue: error: Invalid job id: abc\n"),
        (("-w", "nowhere"), "squeue: error: Invalid node name nowhere\n"),
        (("-S", "?"), "squeue: error: Invalid sort specification: ?\n"),
        (("-o", "%i", "-O", "JobID"), "squeue: error: -O (--Format) is incompatible with -o (--format)\n"),
        (("-O", "JobID", "-o", "%i"), "squeue: error: -o (--format) is incompatible with -O (--Format)\n"),
        (("--foo",), "squeue: unrecognized option '--foo'\nTry \"squeue --help\" for more information\n"),
        (("-Y",), "squeue: invalid option -- 'Y'\nTry \"squeue --help\" for more information\n"),
        (("--json",), 'squeue: error: minislurm does not know --json\nTry "squeue --help" for more information\n'),
    ],
)
def test_refusals(cluster: Cluster, words: tuple[str, ...], complaint: str) -> None:
    """What squeue cannot do is told as Slurm tells it."""
    cluster.running()
    assert cluster.ask(squeue.main, *words) == Said(1, "", complaint)


def test_an_unknown_state(cluster: Cluster) -> None:
    """The states that there are are told."""
    said = cluster.ask(squeue.main, "-t", "PD,foo")
    assert (said.code, said.out) == (1, "")
    first, second, last = said.err.split("\n", 2)
    assert first == "squeue: error: Invalid job state specified: foo"
    assert second.startswith("squeue: error: Valid job states include: pending,running,")
    assert last == "\n"


def test_an_unrecognized_word(cluster: Cluster) -> None:
    """squeue takes no words that are no options."""
    said = cluster.ask(squeue.main, "12")
    assert said.code == 1
    assert said.err.startswith("squeue: error: Unrecognized option: 12\nUsage: squeue ")


def test_unknown_users_and_fields_are_told_and_left_out(cluster: Cluster) -> None:
    """A user or a field that does not exist is no reason to print nothing."""
    cluster.running()
    said = cluster.ask(squeue.main, "-h", "-u", f"no-such-user,{os.getuid()}", "-o", "%i %s")
    assert said == Said(
        0,
        "1 %s\n",
        "squeue: error: Invalid job format specification: s\nsqueue: error: Invalid user: no-such-user\n\n",
    )
    said = cluster.ask(squeue.main, "-h", "-O", "foo:5,JobID:3")
    assert said == Said(0, "1  \n", "squeue: error: Invalid job format specification: foo\n")


def test_help_and_version(cluster: Cluster) -> None:
    """--version names the release, --help the options."""
    assert cluster.ask(squeue.main, "-V") == Said(0, "slurm 24.11.5-minislurm\n", "")
    assert cluster.ask(squeue.main, "--help").out.startswith("Usage: squeue")


def test_jobs_are_forgotten(cluster: Cluster) -> None:
    """A job is not known any more when min_job_age has passed since its end."""
    cluster.ended("old", end=cluster.now - 301)
    cluster.ended("new", end=cluster.now - 200)
    assert lines(cluster, "-t", "all", "-o", "%j") == ["new"]
    assert cluster.ask(squeue.main, "-j", "1").code == 1
    # One that ended is known, but not shown.
    assert cluster.ask(squeue.main, "-h", "-j", "2") == Said(0, "", "")


def test_variables(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQUEUE_ variables count where no option does."""
    cluster.running("runs")
    cluster.held("waits")
    cluster.put("array", array=ARRAY)
    monkeypatch.setenv("SQUEUE_FORMAT", "%j")
    assert lines(cluster) == ["array", "waits", "runs"]
    assert lines(cluster, "-O", "JobID:1", "-j", "1,9") == ["1"]
    monkeypatch.setenv("SQUEUE_SORT", "i")
    monkeypatch.setenv("SQUEUE_STATES", "running,pending")
    monkeypatch.setenv("SQUEUE_PARTITION", "gpu")
    assert lines(cluster) == ["runs", "waits", "array"]
    assert lines(cluster, "-S", "-i") == ["array", "waits", "runs"]
    monkeypatch.setenv("SQUEUE_NAMES", "waits")
    assert lines(cluster) == ["waits"]
    monkeypatch.setenv("SQUEUE_USERS", "65533")
    assert lines(cluster) == []
    monkeypatch.delenv("SQUEUE_USERS")
    monkeypatch.delenv("SQUEUE_NAMES")
    monkeypatch.delenv("SQUEUE_FORMAT")
    monkeypatch.setenv("SQUEUE_FORMAT2", "JobArrayID:6,Name:5")
    monkeypatch.setenv("SQUEUE_ARRAY", "1")
    assert lines(cluster, "-j", "3,2") == ["2     waits", *(f"3_{task}   array" for task in (1, 2, 3, 4, 6))]


@pytest.mark.parametrize(
    ("letters", "names"),
    [
        ("i", "d a b c"),
        ("-i", "c b a d"),
        ("j", "a b c d"),
        ("-j", "d c b a"),
        ("t,-j", "c b a d"),
        ("P,j", "b a c d"),
        ("D,j", "a b c d"),
        ("-l,j", "c a b d"),
        ("-M", "d c b a"),
        ("S,j", "d a b c"),
    ],
)
def test_order(cluster: Cluster, letters: str, names: str) -> None:
    """--sort orders by several fields, backwards where asked to."""
    cluster.running("d", share(1), share(2))
    cluster.held("a")
    cluster.held("b", partition="debug")
    cluster.held("c", time_limit=7200)
    assert lines(cluster, "-S", letters, "-o", "%j") == names.split()


def test_arrays(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tasks that wait share a row, also those that were taken out of it, as long as it is there."""
    row = cluster.put("array", array=ARRAY, reason="Priority")
    alone = Array(row.job_id, task=5, limit=2, count=6, least=1, most=6)
    cluster.held("array", array=alone)
    cluster.running("array", array=Array(row.job_id, task=0))
    form = ("-o", "%i|%A|%F|%K|%t|%r")
    assert lines(cluster, *form) == ["1_[1-6]|1|1|1-6|PD|Priority,JobHeldUser", "1_0|3|1|0|R|None"]
    assert lines(cluster, *form, "-j", "3") == ["1_0|3|1|0|R|None"]
    assert lines(cluster, *form, "-j", "1_3") == ["1_3|1|1|3|PD|Priority"]
    assert lines(cluster, *form, "-j", "1_3,1_4,1_0") == ["1_[3-4]|1|1|3-4|PD|Priority", "1_0|3|1|0|R|None"]
    assert lines(cluster, *form, "-r", "-t", "PD") == [
        *(f"1_{task}|1|1|{task}|PD|Priority" for task in (1, 2, 3, 4, 6)),
        "1_5|2|1|5|PD|JobHeldUser",
    ]
    assert lines(cluster, "-h", "-j", "1_5,1_6", "-o", "%i") == ["1_[5-6]"]
    cluster.put("long", array=Array(0, pending=(*range(0, 99, 3), 100), count=34))
    monkeypatch.setenv("SLURM_BITSTR_LEN", "0")
    assert lines(cluster, "-n", "long", "-o", "%i")[0].endswith(",96,100]")
    monkeypatch.delenv("SLURM_BITSTR_LEN")
    assert lines(cluster, "-n", "long", "-o", "%i") == ["4_[0,3,6,9,12,15,18,21,24,27,30"]


def test_a_cancelled_row_without_tasks(cluster: Cluster) -> None:
    """A row whose tasks were cancelled one by one has none to tell of."""
    cluster.put("array", array=Array(0, cancelled=(2, 3)), state="CANCELLED", end=cluster.now)
    assert lines(cluster, "-r", "-t", "all", "-j", "1", "-o", "%i %K %T") == ["1 N/A CANCELLED"]


def test_tasks_without_their_row_stand_alone(cluster: Cluster) -> None:
    """Where the row of the array has started, the tasks that wait again are told of one by one."""
    for task in (1, 2):
        cluster.held("array", array=Array(1, task=task))
    assert lines(cluster, "-S", "K", "-o", "%i") == ["1_1", "1_2"]


# Each letter of a running job and of one that waits, as 24.11 prints it.
LETTERS = {
    "a": ("research", "research"),
    "A": ("1", "2"),
    "b": ("gres/gpu:3", "N/A"),
    "B": (NODES[0], "n/a"),
    "c": ("2", "1"),
    "C": ("8", "1"),
    "d": ("0", "0"),
    "D": ("2", "1"),
    "E": ("(null)", "afterok:1(unfulfilled)"),
    "f": ("(null)", "(null)"),
    "F": ("1", "2"),
    "h": ("OK", "NO"),
    "H": ("*", "*"),
    "i": ("1", "2"),
    "j": ("runs", "waits"),
    "k": ("a|b", "(null)"),
    "K": ("N/A", "N/A"),
    "l": ("1:00:00", "UNLIMITED"),
    "L": ("59:30", "UNLIMITED"),
    "m": ("4000M", "2G"),
    "M": ("0:30", "0:00"),
    "n": ("", NODES[2]),
    "N": ("127.0.0.[1-2]", ""),
    "o": ("/work/job", "(null)"),
    "p": ("0.00000000023283", "0.00000000023283"),
    "P": ("gpu", "debug"),
    "q": ("normal", "normal"),
    "Q": ("1", "1"),
    "r": ("None", "Dependency"),
    "R": ("127.0.0.[1-2]", "(Dependency)"),
    "t": ("R", "PD"),
    "T": ("RUNNING", "PENDING"),
    "U": (str(os.getuid()), str(os.getuid())),
    "v": ("(null)", "(null)"),
    "w": ("(null)", "key"),
    "x": ("", "127.0.0.[1,4]"),
    "X": ("N/A", "N/A"),
    "y": ("0", "50"),
    "z": ("*:*:*", "*:*:*"),
    "Z": ("/work", "/work"),
}


@pytest.mark.parametrize("letter", LETTERS)
def test_letters(cluster: Cluster, letter: str) -> None:
    """Each letter tells what it tells in Slurm."""
    held = (share(1, 4, 3), share(2, 4, 3))
    cluster.running(
        "runs", *held, nodes=2, ntasks_per_node=2, cpus_per_task=1, gpus_per_node=3, gpu_option="gres/gpu:3",
        comment="a|b", command="/work/job",
    )  # fmt: skip
    cluster.put(
        "waits", partition="debug", time_limit=None, memory=2048, dependency="afterok:1", reason="Dependency",
        exclusive=True, nodelist=(NODES[2],), exclude=(NODES[3], NODES[0]), nice=50, wckey="key",
    )  # fmt: skip
    assert lines(cluster, "-S", "A", "-o", f"%{letter}") == list(LETTERS[letter])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("State,Reason,ReasonList", "FAILED NonZeroExitCode (NonZeroExitCode)"),
        ("exit_code,RestartCnt,Requeue,BatchFlag", "7:0 2 0 1"),
        ("TimeUsed,TimeLeft,TimeLimit", "0:20 59:40 1:00:00"),
        ("tres-alloc,tres,gres", "cpu=1,mem=4000M,node=1,billing=1 cpu=1,mem=4000M,node=1,billing=1 N/A"),
        ("StdOut,StdErr,StdIn", "/work/%x.out /work/err /dev/null"),
        ("NumTasks,NumNodes,NumCPUs,MinCPUs,MaxNodes,MaxCPUs", "1 1 1 1 1 1"),
        ("BatchHost,NodeList,ReqNodes,ExcNodes", f"{NODES[0]} {NODES[0]}  "),
        ("Cluster,Deadline,ResizeTime,PendingTime", "minislurm N/A N/A 30"),
    ],
)
def test_words(cluster: Cluster, words: str, told: str) -> None:
    """Each word tells what it tells in Slurm."""
    cluster.ended(
        "bad", "FAILED", reason="NonZeroExitCode", exit_code=7, restarts=2, requeue=False, output="%x.out", error="err"
    )
    form = ",".join(f"{word}: " for word in words.split(","))
    assert lines(cluster, "-t", "all", "-O", form) == [told + " "]


def test_every_word_and_letter_tells_something(cluster: Cluster) -> None:
    """No column fails, whatever the job."""
    cluster.running()
    cluster.held()
    cluster.ended()
    cluster.put("array", array=ARRAY)
    cluster.put("gone", state="CANCELLED", start=cluster.now, end=cluster.now)
    form = ",".join(f"{word}:|" for word in squeue_fields.WORDS)
    assert {line.count("|") for line in lines(cluster, "-t", "all", "-O", form)} == {len(squeue_fields.WORDS)}
    form = "|".join(f"%{letter}" for letter in squeue_fields.LETTERS)
    assert len(lines(cluster, "-r", "-t", "all", "-o", form)) == 9
    for letter in squeue_fields.LETTERS:
        assert len(lines(cluster, "-S", letter, "-o", "%i")) == 3


def test_expected_starts(cluster: Cluster) -> None:
    """--start tells of the jobs that wait, those with a time first."""
    cluster.running()
    cluster.held("held")
    cluster.put("begins", begin=cluster.now + 600, not_before=cluster.now + 600, reason="BeginTime")
    rows = [line.split() for line in lines(cluster, "--start")]
    assert [(row[2], row[5], row[8 - 1]) for row in rows] == [
        ("begins", datetime.fromtimestamp(cluster.now + 600, UTC).strftime("%Y-%m-%dT%H:%M:%S"), "(null)"),
        ("held", "N/A", "(null)"),
    ]


def test_times(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start and end are those that were, or that must be."""
    now = cluster.now
    monkeypatch.setenv("SLURM_TIME_FORMAT", "%s")
    cluster.running("runs")
    cluster.running("endless", time_limit=None)
    cluster.ended("ended")
    cluster.held("held", begin=now - 5, not_before=now - 5)
    cluster.put("begins", begin=now + 600, not_before=now + 600, reason="BeginTime")
    assert lines(cluster, "-t", "all", "-S", "A", "-o", "%S %e") == [
        f"{now - 30} {now + 3570}",
        f"{now - 30} {now - 30 + 365 * 86400}",
        f"{now - 30} {now - 10}",
        "N/A N/A",
        f"{now + 600} {now + 4200}",
    ]


def test_trainsub_reads_it(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """trainsub's own query is answered in its own form."""
    for name, value in environment.SET:
        monkeypatch.setenv(name, value)
    cluster.running("two words", share(1, 1, 3), share(2, 1, 3), nodes=2, comment="a\nb|\x1e")
    cluster.put("array", array=ARRAY, reason="Priority")
    said = cluster.ask(squeue.main, *questions.argv()[1:])
    row, job = questions.parse(said.out)
    assert (job.job_id, job.name, job.comment, job.nodes, job.nodelist) == (
        1,
        "two words",
        "a\nb|\x1e",
        2,
        "127.0.0.[1-2]",
    )
    assert job.tres == "cpu=2,mem=8000M,node=2,billing=2,gres/gpu=6,gres/gpu:h100=6"
    assert job.start_time == datetime.fromtimestamp(cluster.now - 30, UTC)
    assert (row.job_id, row.array_job_id, row.array_pending, row.reason) == (2, 2, "1-4,6%2", "Priority")
    assert questions.parse(cluster.ask(squeue.main, *questions.by_name_argv("nobody")[1:]).out) == []


def test_as_a_process(cluster: Cluster) -> None:
    """The program answers, too, and a home without its file is told."""
    cluster.held()
    said = own(cluster.home, "squeue", "-h", "-o", "%j")
    assert said == Said(0, "held\n", "")
    (cluster.home / "minislurm.toml").unlink()
    said = own(cluster.home, "squeue")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("squeue: error: ")


def test_steps(cluster: Cluster) -> None:
    """--steps tells of the steps that run."""
    job = cluster.running("job", share(1), share(2))
    task = cluster.running("array", array=replace(ARRAY, job_id=9, task=3, pending=()))
    with Queue(cluster.home) as queue:
        for number, name, end in ((1, "batch", None), (1, "0", None), (1, "1", NOON), (2, "batch", None)):
            command = "batch" if name == "batch" else "train"
            shares = job.shares if number == 1 else task.shares
            queue.put_step(Step(number, 0, name, command, "RUNNING", NOON - 30, end=end, shares=shares))
    said = cluster.ask(squeue.main, "-s", "-u", str(os.getuid()))
    user = f"{pwd.getpwuid(os.getuid()).pw_name:>8.8}"
    assert said == Said(
        0,
        "         STEPID     NAME PARTITION     USER      TIME NODELIST\n"
        f"        1.batch    batch       gpu {user}      0:30 127.0.0.[1-2]\n"
        f"            1.0    train       gpu {user}      0:30 127.0.0.[1-2]\n"
        f"      9_3.batch    batch       gpu {user}      0:30 127.0.0.1\n",
        "",
    )
    assert lines(cluster, "--steps", "-j", "1", "-o", "%i %j") == ["1.batch batch", "1.0 train"]
    assert lines(cluster, "--steps=1.0", "-o", "%i %S %U") == [f"1.0 2026-11-22T11:59:30 {os.getuid()}"]
    said = cluster.ask(squeue.main, "-s", "-h", "-j", "2", "-o", "%i %z")
    assert said == Said(0, "9_3.batch %z\n", "squeue: error: Invalid job step format specification: z\n")


def test_a_user_without_a_name(cluster: Cluster) -> None:
    """A user and a group that the machine does not know are told as numbers."""
    cluster.put("job", uid=3_999_999_999)
    form = "UserName:|,UserID:|,GroupID:|,GroupName:|"
    assert lines(cluster, "-O", form) == [f"3999999999|3999999999|{os.getgid()}|{group(os.getgid())}|"]


def group(number: int) -> str:
    """Return the name of a group."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
