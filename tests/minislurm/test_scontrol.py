import os
import pwd
from dataclasses import replace
from pathlib import Path

import pytest
from minislurm.filled import NODES, NOON, Cluster, share
from minislurm.made import Said

from trainsub.minislurm import scontrol, setup
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.steps import Step
from trainsub.minislurm.values import Array, Job, Process
from trainsub.slurm import scontrol as questions

ARRAY = Array(0, pending=(1, 2, 3, 4, 5), limit=2, count=5, least=1, most=5)
DONE = Said(0, "", "")


def wrong(text: str) -> Said:
    """Return what is said of a command that cannot be followed."""
    return Said(1, "", f"{text}\n")


def shown(cluster: Cluster, job: Job | str, *words: str) -> dict[str, str]:
    """Return what is shown of a job: its keys and values, less blanks inside."""
    name = job if isinstance(job, str) else str(job.job_id)
    said = cluster.ask(scontrol.main, *words, "-o", "show", "job", name)
    assert (said.code, said.err) == (0, "")
    return dict(word.partition("=")[::2] for word in said.out.split())


# -- show --------------------------------------------------------------------------------------------------------------


def test_a_job(cluster: Cluster) -> None:
    """A job is shown as 24.11 shows it."""
    job = cluster.running(
        "runs", share(1, 1, 3), share(2, 1, 3), nodes=2, ntasks_per_node=1, gpus_per_node=3, gpu_option="gres/gpu:3",
        time_limit=600, comment="a|b c", output="o.%j", command="/work/sl",
    )  # fmt: skip
    said = cluster.ask(scontrol.main, "show", "job", "1")
    owner = said.out.splitlines()[1]
    assert owner.startswith(f"   UserId={pwd.getpwuid(os.getuid()).pw_name}({os.getuid()}) GroupId=")
    assert said == Said(
        0,
        "JobId=1 JobName=runs\n"
        f"{owner}\n"
        "   Priority=1 Nice=0 Account=research QOS=normal\n"
        "   JobState=RUNNING Reason=None Dependency=(null)\n"
        "   Requeue=1 Restarts=0 BatchFlag=1 Reboot=0 ExitCode=0:0\n"
        "   RunTime=00:00:30 TimeLimit=00:10:00 TimeMin=N/A\n"
        "   SubmitTime=2026-11-22T11:59:00 EligibleTime=2026-11-22T11:59:00\n"
        "   AccrueTime=2026-11-22T11:59:00\n"
        "   StartTime=2026-11-22T11:59:30 EndTime=2026-11-22T12:09:30 Deadline=N/A\n"
        "   SuspendTime=None SecsPreSuspend=0 LastSchedEval=2026-11-22T11:59:30 Scheduler=Main\n"
        f"   Partition=gpu AllocNode:Sid={os.uname().nodename}:0\n"
        "   ReqNodeList=(null) ExcNodeList=(null)\n"
        "   NodeList=127.0.0.[1-2]\n"
        "   BatchHost=127.0.0.1\n"
        "   NumNodes=2 NumCPUs=2 NumTasks=2 CPUs/Task=1 ReqB:S:C:T=0:0:*:*\n"
        "   ReqTRES=cpu=2,mem=8000M,node=2,billing=2,gres/gpu=6\n"
        "   AllocTRES=cpu=2,mem=8000M,node=2,billing=2,gres/gpu=6,gres/gpu:h100=6\n"
        "   Socks/Node=* NtasksPerN:B:S:C=1:0:*:* CoreSpec=*\n"
        "   MinCPUsNode=1 MinMemoryCPU=4000M MinTmpDiskNode=0\n"
        "   Features=(null) DelayBoot=00:00:00\n"
        "   OverSubscribe=OK Contiguous=0 Licenses=(null) Network=(null)\n"
        "   Command=/work/sl\n"
        "   WorkDir=/work\n"
        "   Comment=a|b c \n"
        "   StdErr=/work/o.1\n"
        "   StdIn=/dev/null\n"
        "   StdOut=/work/o.1\n"
        "   TresPerNode=gres/gpu:3\n"
        "   \n\n",
        "",
    )
    details = shown(cluster, job, "-d")
    assert (details["JOB_GRES"], details["GRES"]) == ("gpu:h100:6", "gpu:h100:3(IDX:0-2)")


def test_other_jobs(cluster: Cluster) -> None:
    """What a job has that others have not is shown."""
    held = cluster.held(
        nodes=2,
        most_nodes=2,
        memory=2048,
        cpus_per_task=4,
        exclusive=True,
        nice=7,
        nodelist=NODES[:2],
        exclude=NODES[3:],
    )
    told = shown(cluster, held)
    assert [told[key] for key in ("Priority", "Nice", "EligibleTime", "StartTime", "AllocTRES")] == [
        "0", "7", "Unknown", "Unknown", "(null)",
    ]  # fmt: skip
    assert [told[key] for key in ("NumNodes", "NumCPUs", "MinMemoryNode", "OverSubscribe", "TresPerTask")] == [
        "2-2", "8", "2G", "NO", "cpu=4",
    ]  # fmt: skip
    assert (told["ReqNodeList"], told["ExcNodeList"]) == ("127.0.0.[1-2]", "127.0.0.4")
    begins = cluster.put(begin=NOON + 60, not_before=NOON + 60, reason="BeginTime", time_limit=None)
    told = shown(cluster, begins)
    assert (told["EligibleTime"], told["AccrueTime"]) == ("2026-11-22T12:01:00", "Unknown")
    assert (told["StartTime"], told["TimeLimit"]) == ("2026-11-22T12:01:00", "UNLIMITED")
    sheds = cluster.running(resized=NOON - 5)
    assert shown(cluster, sheds)["ResizeTime"] == "2026-11-22T11:59:55"
    killed = cluster.ended(state="FAILED", exit_signal=10, reason="RaisedSignal:10(User defined signal 1)", error="err")
    told = shown(cluster, killed)
    assert (told["Reason"], told["ExitCode"]) == ("RaisedSignal:10(User_defined_signal_1)", "0:10")
    assert (told["StdErr"], told["StdOut"]) == ("/work/err", f"/work/slurm-{killed.job_id}.out")
    waits = cluster.put(dependency="afterok:3,afterany:999", reason="Dependency")
    assert shown(cluster, waits)["Dependency"].startswith("afterok:3(unfulfilled)")


def test_arrays(cluster: Cluster) -> None:
    """The rows of an array are shown, or one of its tasks."""
    row = cluster.put("array", array=ARRAY)
    cluster.running("array", array=replace(ARRAY, job_id=row.job_id, task=7, pending=()))
    said = cluster.ask(scontrol.main, "show", "job", "1")
    assert [line for line in said.out.splitlines() if line.startswith("JobId")] == [
        "JobId=1 ArrayJobId=1 ArrayTaskId=1-5%2 ArrayTaskThrottle=2 JobName=array",
        "JobId=2 ArrayJobId=1 ArrayTaskId=7 ArrayTaskThrottle=2 JobName=array",
    ]
    told = shown(cluster, "1_3")
    assert (told["JobId"], told["ArrayTaskId"], told["StdOut"]) == ("1", "3", "/work/slurm-1_3.out")
    assert shown(cluster, "1_7")["JobId"] == shown(cluster, "2")["JobId"] == "2"
    assert cluster.ask(scontrol.main, "show", "job", "1_9") == Said(1, "Job 1_9 not found\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("show job", Said(0, "No jobs in the system\n", "")),
        ("show job 99", wrong("slurm_load_jobs error: Invalid job id specified")),
        ("show job 99_1", wrong("slurm_load_jobs error: Invalid job id specified")),
        ("show job abc", wrong("scontrol_print_job error: Invalid job id specified")),
        ("show job 1 2", wrong("too many arguments for keyword:show")),
        ("show jobx 1", wrong("invalid entity:jobx for keyword:show ")),
        ("show", wrong("too few arguments for keyword:show")),
        ("show step", Said(0, "No job steps in the system\n", "")),
        (
            "show step 99",
            wrong("scontrol: error: scontrol_print_step: slurm_get_job_steps(99) failed: Invalid job id specified"),
        ),
        ("show step x", wrong("scontrol: error: Invalid job id specified")),
        ("show node nowhere", Said(1, "Node nowhere not found\n", "")),
        ("show node a[1-", wrong("Invalid hostlist: a[1-")),
        ("show partition nowhere", Said(1, "Partition nowhere not found\n", "")),
        (
            "show licenses",
            wrong("scontrol: error: minislurm does not know licenses: it stands in for Slurm on one machine"),
        ),
        ("suspend 1", wrong("scontrol: error: minislurm does not know suspend: it stands in for Slurm on one machine")),
        ("foo", wrong("invalid keyword: foo")),
        ("hold", wrong("too few arguments for keyword:hold")),
        ("requeue", wrong("too few arguments for keyword:requeue")),
        ("update", wrong("too few arguments for update keyword")),
        ("ping x", wrong("too many arguments for keyword:ping")),
        ("--foo", wrong("scontrol: unrecognized option '--foo'\nTry \"scontrol --help\" for more information")),
        ("show hostnames n[1-3,7],x1", Said(0, "n1\nn2\nn3\nn7\nx1\n", "")),
        ("SHOW HOSTNAMES n2", Said(0, "n2\n", "")),
        ("sho hostn n2", Said(0, "n2\n", "")),
        ("show hostnames", Said(0, "", "scontrol: error: host list is empty\n")),
        ("show hostnames n[1-", Said(0, "", "Invalid hostlist: n[1-\n")),
        ("show hostlist n3,n1,n2,n1", Said(0, "n[3,1-2,1]\n", "")),
        ("show hostlistsorted n3,n1,n2,n1", Said(0, "n[1,1-3]\n", "")),
        ("show hostlist", wrong("invalid encode argument")),
        ("show hostlist /no/such/file", Said(0, "", "Invalid hostlist: /no/such/file\n")),
        ("show hostlist n1 n2", wrong("too many arguments for keyword:show")),
        ("version", Said(0, "slurm 24.11.5-minislurm\n", "")),
        ("-V", Said(0, "slurm 24.11.5-minislurm\n", "")),
        ("hold 99", wrong("Invalid job id specified for job 99\nslurm_suspend error: Invalid job id specified")),
        ("hold abc", wrong("Invalid job id specified for job abc\nslurm_suspend error: Invalid job id specified")),
        ("-Q hold abc", Said(1, "", "")),
        ("requeue 99,x", wrong("Invalid job id specified for job 99\nInvalid job id specified for job x")),
        ("requeue State=SpecialExit 9", wrong("scontrol: error: minislurm does not know requeue State=SpecialExit")),
        ("update JobId=99 Comment=x", wrong("Invalid job id specified for job 99")),
        ("write batch_script 9", wrong("job script retrieval failed: Invalid job id specified")),
        ("write batch_script x", wrong("scontrol: error: Invalid job id specified")),
        ("write config", wrong("invalid entity:config for keyword:write ")),
    ],
)
def test_short_answers(cluster: Cluster, words: str, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """What there is little to tell of is told as Slurm tells it."""
    monkeypatch.delenv("SLURM_NODELIST", raising=False)
    monkeypatch.setenv("SLURM_JOB_NODELIST", "x[1-2]")
    assert cluster.ask(scontrol.main, *words.split()) == said


def test_names_of_the_jobs_own_nodes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a list the one in the environment counts, and a file may hold one."""
    monkeypatch.setenv("SLURM_NODELIST", "127.0.0.[1-2]")
    assert cluster.ask(scontrol.main, "show", "hostnames").out == "127.0.0.1\n127.0.0.2\n"
    (tmp_path / "hosts").write_text("n1\nn2,n3\n")
    assert cluster.ask(scontrol.main, "show", "hostlist", str(tmp_path / "hosts")).out == "n[1-3]\n"


def test_help(cluster: Cluster) -> None:
    """The commands that it knows are told where none is named."""
    assert cluster.ask(scontrol.main, "help").out == cluster.ask(scontrol.main, "-h").out
    said = cluster.ask(scontrol.main)
    assert said.code == 1
    assert "holds no conversation" in said.err
    assert "requeuehold" in said.err


def test_steps(cluster: Cluster) -> None:
    """Steps that run are shown."""
    job = cluster.running("job", share(1, 2, 4), share(2, 2, 4))
    with Queue(cluster.home) as queue:
        queue.put_step(Step(1, 0, "batch", "batch", "RUNNING", NOON - 30, shares=job.shares[:1]))
        queue.put_step(
            Step(
                1, 0, "0", "train.sh", "RUNNING", NOON - 20, shares=job.shares, ntasks=4, process=Process(77, "1", "b")
            )
        )
        queue.put_step(Step(1, 0, "1", "over", "COMPLETED", NOON - 20, end=NOON - 10, shares=job.shares))
    assert cluster.ask(scontrol.main, "show", "step", "1.0").out == (
        f"StepId=1.0 UserId={os.getuid()} StartTime=2026-11-22T11:59:40 TimeLimit=UNLIMITED\n"
        "   State=RUNNING Partition=gpu NodeList=127.0.0.[1-2]\n"
        "   Nodes=2 CPUs=4 Tasks=4 Name=train.sh Network=(null)\n"
        "   TRES=cpu=4,gres/gpu:h100=8,gres/gpu=8,mem=16000M,node=2\n"
        "   ResvPorts=(null)\n"
        "   CPUFreqReq=Default\n"
        "   SrunHost:Pid=127.0.0.1:77\n"
        "   TresPerStep=cpu:4\n"
        "   TresPerNode=gres/gpu:4\n\n"
    )
    assert cluster.ask(scontrol.main, "-o", "show", "steps", "1").out.count("StepId=") == 2
    assert cluster.ask(scontrol.main, "show", "step").out.count("StepId=") == 2


def test_nodes_and_partitions(cluster: Cluster) -> None:
    """Nodes and partitions are shown with what jobs hold of them."""
    cluster.running("job", share(2, 4, 3))
    one = cluster.ask(scontrol.main, "-o", "show", "nodes", "127.0.0.[1-2]").out.splitlines()
    first, second = (dict(word.partition("=")[::2] for word in line.split()) for line in one)
    assert [first[key] for key in ("NodeName", "CPUAlloc", "CPUTot", "State", "AllocTRES")] == [
        NODES[0],
        "0",
        "16",
        "IDLE",
        "",
    ]
    assert second["AllocTRES"] == "cpu=4,mem=16000M,gres/gpu=3,gres/gpu:h100=3"
    assert second["CfgTRES"] == "cpu=16,mem=1T,billing=16,gres/gpu=8,gres/gpu:h100=8"
    assert (second["State"], second["Gres"], second["Partitions"]) == ("MIXED", "gpu:h100:8", "gpu,debug")
    assert cluster.ask(scontrol.main, "show", "node").out.count("NodeName=") == 4
    told = dict(word.partition("=")[::2] for word in cluster.ask(scontrol.main, "show", "partition=debug").out.split())
    assert [told[key] for key in ("MaxNodes", "MaxTime", "DefaultTime", "Default", "State", "TotalCPUs", "TotalNodes")] == [
        "2", "00:10:00", "00:05:00", "NO", "UP", "64", "4",
    ]  # fmt: skip
    assert cluster.ask(scontrol.main, "show", "part").out.count("PartitionName=") == 2


def test_the_configuration(cluster: Cluster) -> None:
    """trainsub reads what it needs to know of the cluster."""
    settings = questions.parse_config(cluster.ask(scontrol.main, "show", "config").out)
    assert questions.version(settings["SLURM_VERSION"]) == (24, 11, 5)
    assert questions.tracks_gpus(settings)
    assert questions.has_accounting(settings)
    assert [settings[key] for key in ("KillWait", "MinJobAge", "MaxArraySize", "JobRequeue", "DefMemPerCPU")] == [
        "5 sec", "300 sec", "1001", "1", "4000",
    ]  # fmt: skip
    (controller,) = questions.parse_ping(cluster.ask(scontrol.main, "ping").out)
    assert (controller.role, controller.up) == ("primary", True)


def test_a_script_is_written(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job's script is printed or written to a file."""
    job = cluster.held()
    folder = cluster.home / "jobs" / str(job.job_id)
    folder.mkdir()
    (folder / "script").write_text("#!/bin/sh\ntrue\n")
    monkeypatch.chdir(tmp_path)
    said = cluster.ask(scontrol.main, "write", "batch_script", "1")
    assert said == Said(0, "batch script for job 1 written to slurm-1.sh\n", "")
    assert (tmp_path / "slurm-1.sh").read_text() == "#!/bin/sh\ntrue\n"
    assert cluster.ask(scontrol.main, "write", "batch", "1", "-").out == "#!/bin/sh\ntrue\n"


# -- hold, release, requeue --------------------------------------------------------------------------------------------


def test_hold_and_release(cluster: Cluster) -> None:
    """Jobs are held and released, by id or name."""
    cluster.put("first")
    cluster.put("second")
    assert cluster.ask(scontrol.main, "hold", "1", "2") == DONE
    assert [cluster.job(number).held for number in (1, 2)] == ["user", "user"]
    assert cluster.ask(scontrol.main, "release", "1,2") == DONE
    assert [cluster.job(number).held for number in (1, 2)] == ["", ""]
    for word in ("name=second", "jobname=second"):
        assert cluster.ask(scontrol.main, "uhold", word) == DONE
        assert [cluster.job(number).held for number in (1, 2)] == ["", "user"]
    running = cluster.running()
    assert cluster.ask(scontrol.main, "hold", str(running.job_id)) == DONE
    cluster.ended()
    for command in ("hold", "release"):
        said = cluster.ask(scontrol.main, command, "4")
        assert said == wrong("Job has already finished for job 4\nslurm_suspend error: Job has already finished")


def test_tasks_of_an_array_are_held(cluster: Cluster) -> None:
    """A hold takes tasks out of their row; that of the whole array holds the row."""
    cluster.put("array", array=ARRAY)
    cluster.ended("array", array=replace(ARRAY, job_id=1, task=0, pending=()))
    assert cluster.ask(scontrol.main, "hold", "1_[2-3]") == DONE
    with Queue(cluster.home) as queue:
        jobs = queue.array_jobs(1)
    assert [(job.array.task, job.array.pending, job.held) for job in jobs if job.array is not None] == [
        (None, (1, 4, 5), ""), (0, (), ""), (2, (), "user"), (3, (), "user"),
    ]  # fmt: skip
    assert cluster.ask(scontrol.main, "hold", "1") == DONE
    assert cluster.ask(scontrol.main, "release", "1_2") == DONE
    with Queue(cluster.home) as queue:
        assert [job.held for job in queue.array_jobs(1)] == ["user", "", "", "user"]
    said = cluster.ask(scontrol.main, "hold", "1_9")
    assert said == wrong("Invalid job id specified for job 1_9\nslurm_suspend error: Invalid job id specified")


def test_the_last_tasks_keep_the_arrays_id(cluster: Cluster) -> None:
    """Where all tasks that wait are named, the row stays whole."""
    cluster.put("array", array=replace(ARRAY, pending=(1, 2)))
    assert cluster.ask(scontrol.main, "hold", "1_1,1_2") == DONE
    with Queue(cluster.home) as queue:
        jobs = queue.array_jobs(1)
    assert sorted((job.job_id, job.held) for job in jobs) == [(1, "user"), (2, "user")]


def test_requeue(cluster: Cluster) -> None:
    """Jobs are queued again, and their records closed."""
    cluster.ended("over", "FAILED", exit_code=1)
    assert cluster.ask(scontrol.main, "requeue", "1") == DONE
    again = cluster.job(1)
    assert (again.state, again.restarts, again.held) == ("PENDING", 1, "")
    with Queue(cluster.home) as queue:
        (record,) = queue.closed_records()
    assert (record.exit_code, record.restarts) == (1, 0)
    cluster.running("runs")
    assert cluster.ask(scontrol.main, "requeuehold", "2") == DONE
    assert cluster.job(2).stop == "REQUEUED"
    assert cluster.ask(scontrol.main, "requeue", "1") == wrong("Job is pending execution for job 1")
    cluster.running("fixed", requeue=False)
    said = cluster.ask(scontrol.main, "requeue", "incomplete", "3")
    assert said == wrong("Requested operation is presently disabled for job 3")


def test_requeue_of_an_array(cluster: Cluster) -> None:
    """Of an array is told which tasks could not be queued again."""
    cluster.put("array", array=ARRAY)
    cluster.running("array", array=replace(ARRAY, job_id=1, task=7, pending=()))
    assert cluster.ask(scontrol.main, "requeue", "1") == wrong("1_1-5: Job is pending execution\n1_7: No error")
    assert cluster.job(2).stop == "REQUEUED"
    assert cluster.ask(scontrol.main, "requeue", "1_4") == wrong("1_4: Job is pending execution")
    assert cluster.ask(scontrol.main, "requeue", "1_[1-") == wrong("Invalid job id specified for job 1_[1-")
    assert cluster.ask(scontrol.main, "requeue", "1_[5-1]") == wrong("Invalid job id specified for job 1_[5-1]")


# -- update ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ("TimeLimit=5", "TimeLimit", "00:05:00"),
        ("TimeLimit=1:2:3", "TimeLimit", "01:03:00"),
        ("TimeLimit=+10", "TimeLimit", "01:10:00"),
        ("TimeLimit=-10", "TimeLimit", "00:50:00"),
        ("timelimit=6-0", "TimeLimit", "6-00:00:00"),
        ("Comment=hello", "Comment", "hello"),
        ("Name=other", "JobName", "other"),
        ("JobName=other", "JobName", "other"),
        ("ExcNodeList=127.0.0.1,127.0.0.3", "ExcNodeList", "127.0.0.[1,3]"),
        ("ExcNodeList=", "ExcNodeList", "(null)"),
        ("NodeList=127.0.0.2", "ReqNodeList", "127.0.0.2"),
        ("ReqNodeList=127.0.0.2", "ReqNodeList", "127.0.0.2"),
        ("NumNodes=3", "NumNodes", "3-3"),
        ("ReqNodes=2-4", "NumNodes", "2-4"),
        ("Nice=10", "Nice", "10"),
        ("Nice=x", "Nice", "0"),
        ("Requeue=0", "Requeue", "0"),
        ("StartTime=now+1hour", "StartTime", "2026-11-22T13:00:00"),
        ("Dependency=afterany:2", "Dependency", "afterany:2(unfulfilled)"),
        ("Dependency=singleton", "Dependency", "(null)"),
        ("Dependency=", "Dependency", "(null)"),
        ("WorkDir=/tmp", "WorkDir", "/tmp"),
        ("StdOut=/tmp/x", "StdOut", "/tmp/x"),
        ("Account=Other", "Account", "other"),
        ("QOS=high", "QOS", "high"),
        ("comment first comment=second", "Comment", "second"),
        ("TimeLimit=5 Partition=debug", "Partition", "debug"),
    ],
)
def test_updates(cluster: Cluster, change: str, key: str, value: str) -> None:
    """What a user may change of a job that waits is changed."""
    job = cluster.put("job", reason="Priority")
    cluster.running()
    assert cluster.ask(scontrol.main, "update", "JobId=1", *change.split()) == DONE
    assert shown(cluster, job)[key] == value
    assert cluster.job(1).reason == "None"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("TimeLimit=30-0", "Access/permission denied for job 1"),
        ("TimeLimit=UNLIMITED", "Access/permission denied for job 1"),
        ("TimeLimit=foo", "scontrol: error: Invalid TimeLimit value"),
        ("TimeLimit=", "scontrol: error: Invalid TimeLimit value"),
        ("TimeLimit=-500", "scontrol: error: TimeLimit decrement larger than current time limit (500 > 60)"),
        ("Partition=nowhere", "Invalid partition name specified for job 1"),
        ("Partition=debug", "Requested time limit is invalid (missing or exceeds some limit) for job 1"),
        ("TimeLimit=5 NumNodes=3 Partition=debug", "Node count specification invalid for job 1"),
        ("ExcNodeList=nowhere", "Invalid node name specified for job 1"),
        ("NodeList=nowhere", "Invalid node name specified for job 1"),
        ("NumNodes=x", 'scontrol: error: Invalid node count "x"'),
        ("StartTime=foo", "Invalid time specification (pos=0): foo\nNo changes specified"),
        ("Dependency=foo", "Job dependency problem for job 1"),
        ("Dependency=afterok:99999", "Job dependency problem for job 1"),
        ("Dependency=afterany:1", "Job dependency problem for job 1"),
        ("Nice=-10", "Access/permission denied for job 1"),
        ("Priority=10", "Access/permission denied for job 1"),
        ("Deadline=now+1hour", "Access/permission denied for job 1"),
        ("Requeue=x", "scontrol: error: Invalid Requeue value: x"),
        (
            "ArrayTaskThrottle=1",
            (
                "scontrol: error: Update of ArrayTaskThrottle is only allowed on ArrayJobId\n"
                "Requested operation not supported on this system for job 1"
            ),
        ),
        ("ArrayTaskThrottle=x", "Invalid ArrayTaskThrottle value: x\nRequest aborted"),
        ("foo", "Invalid input: foo\nRequest aborted"),
        ("Foo=5", "Update of this parameter is not supported: Foo=5\nRequest aborted"),
        ("Features=x", "scontrol: error: minislurm does not know Features in an update of a job\nRequest aborted"),
        ("Comment+=x", "scontrol: error: minislurm does not know Comment+=x in an update of a job\nRequest aborted"),
        ("", "No changes specified"),
    ],
)
def test_refused_updates(cluster: Cluster, change: str, complaint: str) -> None:
    """What a user may not change is told, and nothing is changed."""
    job = cluster.put("job", reason="Priority")
    assert cluster.ask(scontrol.main, "update", "JobId=1", *change.split()) == wrong(complaint)
    assert cluster.job(1) == job


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("TimeLimit=50", ""),
        ("TimeLimit=-10", ""),
        ("TimeLimit=65", "Access/permission denied"),
        ("TimeLimit=+10", "Access/permission denied"),
        ("Partition=debug", "Job is no longer pending execution"),
        ("ExcNodeList=127.0.0.4", "Job is no longer pending execution"),
        ("Nice=5", ""),
        ("StartTime=now+1hour", "Job is no longer pending execution"),
        ("Dependency=singleton", "Job is no longer pending execution"),
        ("Requeue=0", ""),
        ("Comment=x", ""),
        ("Name=x", ""),
        ("NumNodes=2", "Requested operation not supported on this system"),
        ("NumNodes=1", ""),
        ("NodeList=127.0.0.2", "Invalid node name specified"),
        ("NodeList=nowhere", "Invalid node name specified"),
        ("NodeList=", "Invalid node name specified"),
    ],
)
def test_updates_of_a_running_job(cluster: Cluster, change: str, complaint: str) -> None:
    """Less may be changed of a job that runs."""
    cluster.running()
    expected = wrong(f"{complaint} for job 1") if complaint else DONE
    assert cluster.ask(scontrol.main, "update", "JobId=1", *change.split()) == expected


def test_a_job_gives_nodes_back(cluster: Cluster) -> None:
    """NodeList and NumNodes of a running job shrink it, which ends a record."""
    cluster.running("job", share(1), share(2), share(3), share(4), nodes=4)
    assert cluster.ask(scontrol.main, "update", "JobId=1", f"NodeList={NODES[0]},{NODES[2]}") == DONE
    job = cluster.job(1)
    assert ([one.node for one in job.shares], job.resized) == ([NODES[0], NODES[2]], NOON)
    said = cluster.ask(scontrol.main, "update", "JobId=1", "NumNodes=1")
    assert said == wrong("Job is no longer pending execution for job 1")
    cluster.running("another", share(1), share(2), share(3), nodes=3)
    assert cluster.ask(scontrol.main, "update", "jobid", "2", "numnodes", "2") == DONE
    with Queue(cluster.home) as queue:
        records = queue.closed_records()
    assert [(one.state, len(one.shares)) for one in records] == [("RESIZING", 4), ("RESIZING", 3)]
    assert cluster.ask(scontrol.main, "update", "JobId=1", f"NodeList={NODES[0]}", "NumNodes=1") == DONE
    with Queue(cluster.home) as queue:
        assert len(queue.closed_records()) == 3


def test_updates_of_several_jobs(cluster: Cluster) -> None:
    """Several jobs are changed at once, and those that cannot be are told."""
    cluster.held()
    cluster.ended()
    cluster.put()
    said = cluster.ask(scontrol.main, "update", "JobId=1,2,3", "Comment=all")
    assert said == wrong("Job has already finished for job 2")
    assert [cluster.job(number).request.comment for number in (1, 2, 3)] == ["all", "", "all"]
    assert (cluster.job(1).reason, cluster.job(3).reason) == ("JobHeldUser", "None")
    said = cluster.ask(scontrol.main, "update", "JobId=1", "Priority=5")
    assert said == wrong("Job is in held state, pending scheduler release for job 1")


def test_updates_of_arrays(cluster: Cluster) -> None:
    """An array is changed as a whole, or some of its tasks."""
    cluster.put("array", array=ARRAY)
    cluster.running("array", array=replace(ARRAY, job_id=1, task=7, pending=()))
    assert cluster.ask(scontrol.main, "update", "JobId=1", "ArrayTaskThrottle=4") == DONE
    with Queue(cluster.home) as queue:
        assert [job.array.limit for job in queue.array_jobs(1) if job.array is not None] == [4, 4]
    text = "Update of ArrayTaskThrottle is only allowed on ArrayJobId"
    said = cluster.ask(scontrol.main, "update", "JobId=1_4", "ArrayTaskThrottle=1")
    assert said == wrong(f"1_4: Requested operation not supported on this system ({text})")
    assert cluster.ask(scontrol.main, "update", "JobId=1_[4-5]", "Comment=some") == DONE
    with Queue(cluster.home) as queue:
        assert [job.request.comment for job in queue.array_jobs(1)] == ["", "", "some", "some"]
    said = cluster.ask(scontrol.main, "update", "JobId=1", "TimeLimit=2:00:00")
    assert said == wrong("1_1-5: No error\n1_7: Access/permission denied") or said.err.count("\n") == 2


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("TimeLimit=5", "No valid entity in update command\nInput line must include "),
        ("NodeName=n1 State=DRAIN", "scontrol: error: minislurm does not know an update of NodeName"),
        ("PartitionName=gpu", "scontrol: error: minislurm does not know an update of PartitionName"),
    ],
)
def test_updates_of_no_job(cluster: Cluster, words: str, complaint: str) -> None:
    """Only jobs may be changed."""
    said = cluster.ask(scontrol.main, "update", *words.split())
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith(complaint)


def test_a_limit_that_no_partition_sets(cluster: Cluster) -> None:
    """Where the partition has no limit a job may be without one."""
    assert setup.main(cluster.home, []) == 0
    text = (cluster.home / "minislurm.toml").read_text()
    (cluster.home / "minislurm.toml").write_text(text.replace("max_time = 604800\n", "", 1))
    job = cluster.put("job")
    assert cluster.ask(scontrol.main, "update", "JobId=1", "TimeLimit=-1") == DONE
    assert shown(cluster, job)["TimeLimit"] == "UNLIMITED"
