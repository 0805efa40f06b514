import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from minislurm.filled import NODES, Cluster, share
from minislurm.made import Said

from trainsub.minislurm import lifecycle, sacct, sacct_fields
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Array, Job, Share
from trainsub.slurm import environment
from trainsub.slurm import sacct as questions

ARRAY = Array(0, pending=(1, 2, 3, 5), limit=2, count=5, least=1, most=5)


def rows(cluster: Cluster, *words: str) -> list[str]:
    """Return what sacct prints without its header, parted by bars."""
    said = cluster.ask(sacct.main, "-nP", *words)
    assert (said.code, said.err) == (0, "")
    return said.out.splitlines()


def step(cluster: Cluster, job: Job, name: str, state: str = "COMPLETED", *shares: Share, **values: int) -> None:
    """Write a step of a job."""
    command = "batch" if name == "batch" else "train.sh"
    times: dict[str, Any] = {"start": job.start or 0, "end": job.end}
    with Queue(cluster.home) as queue:
        queue.put_step(
            Step(job.job_id, job.restarts, name, command, state, shares=shares or job.shares[:1], **{**times, **values})
        )


def requeued(cluster: Cluster, job: Job) -> Job:
    """Queue a job again that has ended."""
    again, record = lifecycle.requeue(job, cluster.now - 5, 8)
    assert record is not None
    with Queue(cluster.home) as queue, queue.change():
        queue.close_record(replace(record, state="REQUEUED"))
        queue.put(again)
    return again


def test_the_usual_table(cluster: Cluster) -> None:
    """Without options sacct prints Slurm's table, with steps."""
    job = cluster.ended("two words and more", "CANCELLED", stop_by=7, shares=(share(1, 2), share(2, 2)))
    step(cluster, job, "0", "FAILED", share(1, 2), share(2, 2), exit_code=3)
    step(cluster, job, "batch", "CANCELLED", exit_signal=15)
    assert cluster.ask(sacct.main) == Said(
        0,
        "JobID           JobName  Partition    Account  AllocCPUS      State ExitCode \n"
        "------------ ---------- ---------- ---------- ---------- ---------- -------- \n"
        "1            two words+        gpu   research          4 CANCELLED+      0:0 \n"
        "1.batch           batch              research          2  CANCELLED     0:15 \n"
        "1.0            train.sh              research          4     FAILED      3:0 \n",
        "",
    )
    assert cluster.ask(sacct.main, "-b", "-X").out.splitlines() == [
        "JobID             State ExitCode ",
        "------------ ---------- -------- ",
        "1            CANCELLED+      0:0 ",
    ]
    assert len(cluster.ask(sacct.main, "-l", "-X").out.splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("-o", "jobid,state"), "1            CANCELLED+ \n"),
        (("-p", "-o", "jobid,state"), "1|CANCELLED by 7|\n"),
        (("-P", "-o", "jobid,state"), "1|CANCELLED by 7\n"),
        (("-p", "--delimiter=xx", "-o", "jobid,state"), "1xxCANCELLED by 7xx\n"),
        (("-P", "-o", "jobid", "-o", "state"), "1|CANCELLED by 7\n"),
        (("-P", "-o", "jobid,,state"), "1\n"),
        (("-P", "-o", "JOBIDRA,stat,ALLOC,elap"), "1|CANCELLED by 7|1|00:00:20\n"),
        (("-o", "state%-20,jobname%3"), "CANCELLED by 7       jo+ \n"),
        (("-o", "state%5,jobid%-4"), "CANC+ 1    \n"),
        (("-o", "jobid%,state%x,user%0"), "   \n"),
        (("-o", ""), "\n"),
        (("-P", "-o", "alloctres,reqtres,reqmem"), "billing=1,cpu=1,mem=4G,node=1|billing=1,cpu=1,mem=4G,node=1|4G\n"),
        (
            ("-P", "--noconvert", "-o", "alloctres,reqmem"),
            "billing=1,cpu=1,mem=4096M,node=1|4096M\n",
        ),
    ],
)
def test_formats(cluster: Cluster, words: tuple[str, ...], text: str) -> None:
    """Fields, widths and delimiters are those that the user wants."""
    cluster.ended("job-with-a-name", "CANCELLED", stop_by=7, memory=4096)
    assert cluster.ask(sacct.main, "-nX", *words) == Said(0, text, "")


def test_headers(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header has the fields' own names, cut to their widths."""
    assert cluster.ask(sacct.main, "-P", "-o", "jobid,STATE").out == "JobID|State\n"
    assert cluster.ask(sacct.main, "-p", "-o", "jobid,STATE").out == "JobID|State|\n"
    assert cluster.ask(sacct.main, "-o", "timelimitraw,state%3").out == "TimelimitR Sta \n---------- --- \n"
    monkeypatch.setenv("SACCT_FORMAT", "jobid,user%4")
    assert cluster.ask(sacct.main).out == "JobID        User \n------------ ---- \n"
    header = cluster.ask(sacct.main, "-P", "-o", "all").out
    assert header.strip().split("|") == [field.name for field in sacct_fields.FIELDS.values()]
    assert len(cluster.ask(sacct.main, "-e").out.split()) == len(sacct_fields.FIELDS)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("-o", "jobid,foo,bar"), 'sacct: error: Invalid field requested: "foo"\n'),
        (("-j", "abc"), "sacct: fatal: Bad job/step specified: abc\n"),
        (("-j", "1.foo"), "sacct: fatal: Bad step specified: 1\n"),
        (("-j", "1_[2-3]"), "sacct: fatal: Bad job array element specified: 1\n"),
        (("-s", "CD,FOO"), "sacct: fatal: unrecognized job state value 'FOO'\n"),
        (("-s", "all"), "sacct: fatal: unrecognized job state value 'all'\n"),
        (("-S", "foo"), "Invalid time specification (pos=0): foo\n"),
        (("-E", "foo"), "Invalid time specification (pos=0): foo\n"),
        (("-u", "no-such-user"), "sacct: error: Invalid user id: no-such-user\n"),
        (("-N", "nowhere"), "sacct: error: Invalid node name nowhere\n"),
        (("foo", "bar"), "sacct: error: Unknown arguments:\nsacct: error:  foo\nsacct: error:  bar\n"),
        (
            ("-S", "2030-01-02T00:00:00", "-E", "2030-01-01T00:00:00"),
            "sacct: error: Start time (2030-01-02T00:00:00) requested is after end time (2030-01-01T00:00:00).\n",
        ),
    ],
)
def test_refusals(cluster: Cluster, words: tuple[str, ...], complaint: str) -> None:
    """What sacct cannot do is told as Slurm tells it."""
    assert cluster.ask(sacct.main, *words) == Said(1, "", complaint)


def test_an_unknown_option(cluster: Cluster) -> None:
    """An option that it does not know is told, whether Slurm has it or not."""
    assert cluster.ask(sacct.main, "--foo") == Said(1, "", "sacct: unrecognized option '--foo'\n")
    assert cluster.ask(sacct.main, "--units=G") == Said(1, "", "sacct: error: minislurm does not know --units\n")
    assert cluster.ask(sacct.main, "-V") == Said(0, "slurm 24.11.5-minislurm\n", "")
    assert cluster.ask(sacct.main, "--help").out.startswith("Usage: sacct")


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        ((), "1 3 5"),
        (("-S", "now-1hour"), "1 3 5"),
        (("-S", "now"), "3 5"),
        (("-S", "now-20"), "1 3 5"),
        (("-S", "now-2hours", "-E", "now-1hour"), ""),
        (("-E", "now+2hours"), "1 3 4 5"),
        (("-j", "1,2,3"), "1 2 3"),
        (("-S", "now-2hours", "-E", "now-1hour", "-j", "1"), ""),
        (("-S", "now-1hour", "-j", "4"), "4"),
        (("-j", "2", "-j", "4,"), "2 4"),
        (("-j", "99"), ""),
        (("-j", ""), "1 3 5"),
        (("-j", "1", "-S", "now"), ""),
        (("-j", "2", "-S", "now-1hour"), "2"),
        (("-s", "R"), "3"),
        (("-s", "PD"), "5"),
        (("-s", "R,PD"), "3 5"),
        (("-s", "F"), ""),
        (("-s", "F", "-S", "now-1hour"), ""),
        (("-s", "F", "-S", "now-1hour", "-E", "now"), "1"),
        (("-s", "F,RUNNING", "-E", "now"), "1 3"),
        (("-s", "R", "-S", "now-1hour"), ""),
        (("-s", "R", "-S", "now-15", "-E", "now"), "1 3"),
        (("-s", "CD", "-j", "1"), ""),
        (("-s", "F", "-j", "1"), "1"),
        (("--name=runs,held",), "3"),
        (("--name=",), ""),
        (("-r", "debug"), "3"),
        (("-A", "research"), "1 3 5"),
        (("-A", "other"), ""),
        (("-q", "normal"), "1 3 5"),
        (("-u", str(os.getuid())), "1 3 5"),
        (("-u", "65533"), ""),
        (("-u", "65533", "-a"), "1 3 5"),
        (("-N", NODES[1]), "3"),
        (("-N", "127.0.0.[1-4]"), "1 3"),
    ],
)
def test_choices(cluster: Cluster, words: tuple[str, ...], ids: str) -> None:
    """Only those records are told of that are asked for: jobs that could never start only by their id."""
    cluster.ended("failed", "FAILED", exit_code=1)
    cluster.held("held")
    cluster.running("runs", share(2), partition="debug")
    cluster.put("begins", eligible=cluster.now + 3600, not_before=cluster.now + 3600)
    cluster.put("waits", eligible=cluster.now - 60, reason="Resources")
    assert rows(cluster, "-X", "-o", "jobid", *words) == ids.split()


def test_today(cluster: Cluster) -> None:
    """Without a beginning the window is the day."""
    midnight = cluster.now - cluster.now % 86400
    cluster.ended("yesterday", end=midnight - 1)
    cluster.ended("today", end=midnight)
    assert rows(cluster, "-X", "-o", "jobname") == ["today"]
    assert rows(cluster, "-X", "-o", "jobname", "-j", "1,2") == ["yesterday", "today"]


def test_a_requeued_job(cluster: Cluster) -> None:
    """A requeue ends a record; only -D tells of those before the last."""
    job = cluster.ended("again", shares=(share(1),))
    step(cluster, job, "batch", "CANCELLED", exit_signal=15)
    again = requeued(cluster, job)
    form = ("-o", "jobid,state,nodelist,restarts", "-j", "1")
    assert rows(cluster, *form) == ["1|PENDING|None assigned|1"]
    before = [f"1|REQUEUED|{NODES[0]}|0", f"1.batch|CANCELLED|{NODES[0]}|"]
    assert rows(cluster, "-D", *form) == [*before, "1|PENDING|None assigned|1"]
    job = replace(again, state="RUNNING", start=cluster.now, shares=(share(3),))
    with Queue(cluster.home) as queue:
        queue.put(job)
    step(cluster, job, "batch", "RUNNING")
    assert rows(cluster, *form) == [f"1|RUNNING|{NODES[2]}|1", f"1.batch|RUNNING|{NODES[2]}|"]
    assert rows(cluster, "-D", *form)[:3] == [*before, f"1|RUNNING|{NODES[2]}|1"]


def test_a_resized_job(cluster: Cluster) -> None:
    """A resize makes a record of its own, told without -D, too; the next one keeps the job's start, as on 24.11."""
    job = cluster.running("sheds", share(1, 1, 2), share(2, 1, 2), share(3, 1, 2), nodes=3, gpus_per_node=2)
    step(cluster, job, "batch", "RUNNING")
    smaller, record = lifecycle.resize(job, NODES[:2], cluster.now - 10)
    with Queue(cluster.home) as queue, queue.change():
        queue.close_record(record)
        queue.put(smaller)
    step(cluster, smaller, "0", "RUNNING", *smaller.shares, start=cluster.now - 5)
    assert [row.split("|")[:4] for row in rows(cluster, "-o", "jobid,state,nnodes,elapsedraw")] == [
        ["1", "RESIZING", "3", "20"],
        ["1.batch", "RESIZING", "1", "20"],
        ["1", "RUNNING", "2", "30"],
        ["1.0", "RUNNING", "2", "5"],
    ]
    first, second = rows(cluster, "-X", "-o", "start,submit,eligible,alloctres")
    assert first.split("|")[0] == second.split("|")[0]
    assert second.split("|")[1] == second.split("|")[2] != first.split("|")[1]
    assert second.split("|")[3] == "billing=2,cpu=2,gres/gpu:h100=4,gres/gpu=4,mem=8000M,node=2"


def test_what_is_being_stopped_is_booked(cluster: Cluster) -> None:
    """The accounts know what a job ends with as soon as it is stopped."""
    running = cluster.running("cancelled")
    stopping = lifecycle.stop(running, cluster.now, "CANCELLED", by=7)
    ends = replace(cluster.running("ends"), state="COMPLETING")
    with Queue(cluster.home) as queue:
        queue.put(stopping)
        queue.put(ends)
    assert rows(cluster, "-X", "-o", "jobid,state") == ["1|CANCELLED by 7", "2|RUNNING"]
    assert rows(cluster, "-X", "-j", "1", "-o", "end") != ["Unknown"]


@pytest.mark.parametrize(
    ("state", "code", "signal", "text"),
    [
        ("COMPLETED", 0, 0, "0:0"),
        ("FAILED", 7, 0, "7:0"),
        ("FAILED", 127, 0, "127:0"),
        ("FAILED", 128, 0, "0:0"),
        ("FAILED", 143, 0, "15:0"),
        ("FAILED", 255, 0, "127:0"),
        ("FAILED", 0, 9, "0:9"),
        ("CANCELLED", 0, 15, "0:0"),
        ("TIMEOUT", 143, 0, "0:0"),
        ("NODE_FAIL", 1, 0, "0:0"),
    ],
)
def test_exit_codes(cluster: Cluster, state: str, code: int, signal: int, text: str) -> None:
    """sacct takes 128 from codes that have it, and knows none of jobs that were stopped."""
    job = cluster.ended("job", state, exit_code=code, exit_signal=signal)
    step(cluster, job, "0", "FAILED", exit_code=200)
    step(cluster, job, "1", "FAILED", exit_code=3)
    assert rows(cluster, "-X", "-o", "exitcode,derivedexitcode") == [f"{text}|72:0"]
    assert rows(cluster, "-o", "exitcode", "-j", "1.0,1.1") == ["72:0", "3:0"]
    assert rows(cluster, "-o", "exitcode", "-j", "1,1.1") == [text, "3:0"]


def test_arrays(cluster: Cluster) -> None:
    """Tasks that wait share a record."""
    row = cluster.put("array", array=ARRAY, eligible=cluster.now - 60)
    job = cluster.running("array", array=replace(ARRAY, job_id=row.job_id, task=4, pending=()))
    step(cluster, job, "batch", "RUNNING")
    form = ("-o", "jobid,jobidraw,state")
    assert rows(cluster, *form) == ["1_[1-3,5%2]|1|PENDING", "1_4|2|RUNNING", "1_4.batch|2.batch|RUNNING"]
    assert rows(cluster, *form, "-X", "--array") == [
        *(f"1_{task}|1|PENDING" for task in (1, 2, 3, 5)),
        "1_4|2|RUNNING",
    ]
    assert rows(cluster, *form, "-j", "1_4") == ["1_4|2|RUNNING", "1_4.batch|2.batch|RUNNING"]
    assert rows(cluster, *form, "-j", "1_4.batch") == ["1_4.batch|2.batch|RUNNING"]
    assert rows(cluster, *form, "-j", "2") == ["1_4|2|RUNNING", "1_4.batch|2.batch|RUNNING"]
    # A task that shares a record is not found by its own name.
    assert rows(cluster, *form, "-j", "1_2") == []
    cluster.put("gone", array=Array(0, cancelled=(2, 3), limit=2), state="CANCELLED", stop_by=7, end=cluster.now)
    assert rows(cluster, *form, "-j", "3") == ["3_[2-3%2]|3|CANCELLED by 7"]


FIELDS = {
    "jobname": ("runs", "train.sh", "waits", "gone", "never"),
    "submit": ("T", "T", "T", "T", "T"),
    "eligible": ("T", "T", "Unknown", "Unknown", "Unknown"),
    "start": ("T", "T", "Unknown", "None", "T"),
    "end": ("Unknown", "Unknown", "Unknown", "T", "Unknown"),
    "elapsedraw": ("S", "S", "0", "0", "0"),
    "timelimit": ("01:00:00", "", "UNLIMITED", "01:00:00", "01:00:00"),
    "timelimitraw": ("60", "", "UNLIMITED", "60", "60"),
    "ncpus": ("4", "4", "0", "0", "0"),
    "reqcpus": ("2", "4", "2", "1", "1"),
    "nnodes": ("2", "2", "2", "1", "1"),
    "allocnodes": ("2", "2", "0", "0", "0"),
    "reqnodes": ("2", "2", "2", "1", "1"),
    "nodelist": ("127.0.0.[1-2]", "127.0.0.[1-2]", "None assigned", "None assigned", "None assigned"),
    "ntasks": ("", "1", "", "", ""),
    "partition": ("gpu", "", "gpu", "gpu", "gpu"),
    "account": ("research", "research", "research", "research", "research"),
    "uid": (str(os.getuid()), "", *[str(os.getuid())] * 3),
    "qos": ("normal", "", "normal", "normal", "normal"),
    "alloctres": (
        "billing=4,cpu=4,gres/gpu:h100=4,gres/gpu=4,mem=16000M,node=2",
        "cpu=4,gres/gpu:h100=4,gres/gpu=4,mem=16000M,node=2",
        "",
        "",
        "",
    ),
    "reqtres": (
        "billing=2,cpu=2,gres/gpu=4,mem=8000M,node=2",
        "",
        "billing=2,cpu=2,mem=2T,node=2",
        "billing=1,cpu=1,mem=4000M,node=1",
        "billing=1,cpu=1,mem=4000M,node=1",
    ),
    "workdir": ("/work", "", "/work", "/work", "/work"),
    "stdout": ("/work/slurm-%j.out", "", "/work/slurm-%j.out", "/work/slurm-%j.out", "/work/slurm-%j.out"),
    "submitline": ("sbatch job", "", "", "", ""),
    "suspended": ("00:00:00",) * 5,
    "maxrss": ("",) * 5,
    "comment": ("",) * 5,
}


@pytest.mark.parametrize("field", FIELDS)
def test_fields(cluster: Cluster, field: str) -> None:
    """Each field tells what it tells in Slurm: of a job that runs, its step, one held, one cancelled, one given up."""
    job = cluster.running(
        "runs", share(1, 2, 2), share(2, 2, 2), nodes=2, gpus_per_node=2, gpu_option="gres/gpu:2", comment="mine",
        submit_line="sbatch job",
    )  # fmt: skip
    step(cluster, job, "0", "RUNNING", *job.shares)
    cluster.held("waits", nodes=2, time_limit=None, memory=0)
    cluster.put("gone", state="CANCELLED", start=cluster.now, end=cluster.now, stop_by=7)
    cluster.put("never", state="CANCELLED", start=cluster.now, end=cluster.now, reason="DependencyNeverSatisfied")
    told = rows(cluster, "-j", "1,2,3,4", "-o", field)
    texts = ["T" if text.startswith("20") and "T" in text else "S" if text == "30" else text for text in told]
    assert texts == list(FIELDS[field])


def test_every_field_tells_something(cluster: Cluster) -> None:
    """No field fails, whatever the row."""
    job = cluster.ended()
    step(cluster, job, "batch")
    cluster.running()
    cluster.held()
    cluster.put("array", array=ARRAY)
    told = rows(cluster, "-j", "1,2,3,4", "-o", "all")
    assert [row.count("|") for row in told] == [len(sacct_fields.FIELDS) - 1] * 5


def test_the_order_is_that_of_submission(cluster: Cluster) -> None:
    """Arrays come behind the other jobs of their second, their tasks in order."""
    array = Array(9, count=2)
    cluster.running("array", array=replace(array, task=2), job_id=9)
    cluster.running("array", array=replace(array, task=1), job_id=10)
    cluster.running("later", job_id=2, submit=cluster.now - 50)
    cluster.running("first", job_id=11, submit=cluster.now - 70)
    cluster.running("same", job_id=12)
    assert rows(cluster, "-X", "-o", "jobid") == ["11", "12", "9_1", "9_2", "2"]


def test_times(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Times look as SLURM_TIME_FORMAT wants them."""
    monkeypatch.setenv("SLURM_TIME_FORMAT", "%s")
    cluster.ended()
    assert rows(cluster, "-o", "submit,start,end") == [f"{cluster.now - 60}|{cluster.now - 30}|{cluster.now - 10}"]


def test_trainsub_reads_it(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """trainsub's own query is answered in its own form."""
    for name, value in environment.SET:
        monkeypatch.setenv(name, value)
    job = cluster.ended("two words", "FAILED", exit_code=7, shares=(share(1, 1, 3), share(2, 1, 3)))
    requeued(cluster, job)
    said = cluster.ask(sacct.main, *questions.argv([1, 99], datetime.fromtimestamp(cluster.now - 7200, UTC))[1:])
    first, second = questions.parse(said.out)
    assert (first.state, first.elapsed, first.nodes, first.nodelist) == ("REQUEUED", 20, 2, "127.0.0.[1-2]")
    assert first.alloc_tres == "billing=2,cpu=2,gres/gpu:h100=6,gres/gpu=6,mem=8000M,node=2"
    assert (second.state, second.start, second.end, second.name) == ("PENDING", None, None, "two words")
    assert second.eligible == datetime.fromtimestamp(cluster.now + 3, UTC)
    assert (
        questions.parse(cluster.ask(sacct.main, *questions.by_name_argv("x", datetime(2020, 1, 1, tzinfo=UTC))[1:]).out)
        == []
    )
