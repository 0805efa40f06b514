"""The scenes: what happens to jobs on a cluster of four nodes with eight GPUs, and what is asked then."""

import time
from collections.abc import Callable

from recorded.stage import HASH, SINCE, Stage, run_of, wait

from trainsub.record.names import comment
from trainsub.remote import named as asked_by_name
from trainsub.remote import strays
from trainsub.slurm import sacct, sbatch, scancel, scontrol, sinfo, squeue

Options = dict[str, sbatch.Value]
SLEEP = "exec sleep 300"
TEXTS = (
    "a|b | c||",
    "one\ntwo\n\nthree",
    "one\n",
    "α β 漢字 🚀 e\u0301",
    "  two  blanks\tand a tab ",
    "'single' \"double\" `back` $(sub) \\n %j",
    "(null)",
    "a\x1fb",
    "\x1f\n\x1f\n",
    "x" * 990,
)
"""Names, and what is added to comments."""


def running(stage: Stage) -> None:
    """A job that runs on two nodes, three GPUs on each."""
    job = stage.submit("running", SLEEP, {"nodes": 2, "gpus_per_node": 3})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.all_of("running", job)
    stage.clear()


def completed(stage: Stage) -> None:
    """A job that ended well, and one with only CPUs."""
    job = stage.submit("completed", "sleep 1", {"gpus_per_node": 1})
    plain = stage.submit("without-gpus", "true")
    stage.until_booked(stage.until(job, "COMPLETED"), "COMPLETED")
    stage.all_of("completed", job)
    stage.until_booked(stage.until(plain, "COMPLETED"), "COMPLETED")
    stage.accounts("without-gpus", plain)


def failed(stage: Stage) -> None:
    """Exit code 7; ended by a signal."""
    job, hit = stage.submit("failed", "exit 7"), stage.submit("signalled", "kill -9 $$")
    for name, one in (("failed", job), ("signalled", hit)):
        stage.until_booked(stage.until(one, "FAILED"), "FAILED")
        stage.all_of(name, one)


def cancelled(stage: Stage) -> None:
    """While it ran by its user, while it ran by root, and before it started; cancelled once more, too."""
    mine, roots = (stage.submit(f"cancelled-by-{who}", SLEEP) for who in ("user", "root"))
    never = stage.submit("cancelled-pending", SLEEP, {"hold": True})
    for job in (mine, roots):
        stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.root("scancel", str(roots))
    stage.record("cancelled-by-user.scancel", scancel.argv([mine], name=run_of("cancelled-by-user")))
    stage.record("cancelled-pending.scancel", scancel.argv([never], name=run_of("cancelled-pending")))
    for name, job in (("by-user", mine), ("by-root", roots), ("pending", never)):
        stage.until_booked(stage.until(job, "CANCELLED"), "CANCELLED")
        stage.all_of(f"cancelled-{name}", job)
    stage.record("ended.scancel", scancel.argv([mine]))


def timeout(stage: Stage) -> None:
    """The time limit."""
    job = stage.submit("timeout", SLEEP, {"gpus_per_node": 1})
    stage.until(job, "RUNNING")
    stage.root("scontrol", "update", f"JobId={job}", "EndTime=now")
    stage.until_booked(stage.until(job, "TIMEOUT"), "TIMEOUT")
    stage.all_of("timeout", job)


def requeued(stage: Stage) -> None:
    """Once by its user: waiting for BeginTime, then running, then ended, with a record of each allocation."""
    script = '[ "${SLURM_RESTART_COUNT:-0}" = 1 ] || exec sleep 300; exec sleep 4'
    job = stage.submit("requeued", script, {"gpus_per_node": 2})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    time.sleep(2)
    stage.there("scontrol", "requeue", str(job))
    stage.until(job, "PENDING BeginTime")
    stage.queue("requeued-waiting", run_of("requeued"))
    stage.accounts("requeued-waiting", job)
    stage.until(job, "RUNNING")
    stage.queue("requeued-running", run_of("requeued"))
    stage.accounts("requeued-running", job)
    stage.until_booked(stage.until(job, "COMPLETED"), "COMPLETED")
    stage.all_of("requeued", job)


def requeue_held(stage: Stage) -> None:
    """Root takes a running job's nodes and holds it."""
    job = stage.submit("requeue-held", SLEEP)
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.root("scontrol", "requeuehold", str(job))
    # Slurm first gives the reason of any requeue, then its own words on this one.
    stage.until(job, "PENDING job requeued in held state", "PENDING JobHeldAdmin")
    stage.all_of("requeue-held", job)
    stage.clear()


def held(stage: Stage) -> None:
    """By the user at submission, by root later."""
    mine, roots = (
        stage.submit("held", SLEEP, {"hold": True}),
        stage.submit("held-by-root", SLEEP, {"begin": "now+1hour"}),
    )
    stage.root("scontrol", "hold", str(roots))
    stage.waiting("held", mine, "JobHeldUser")
    stage.waiting("held-by-root", roots, "JobHeldAdmin")
    stage.clear()


def array(stage: Stage) -> None:
    """An array held back: two tasks run, the rest waits in one row; then all ended, one of them badly."""
    # Task 2 fails; the others wait until the scene lets them go.
    script = 'until [ -e ../go ]; do sleep 0.2; done; [ "$SLURM_ARRAY_TASK_ID" != 2 ] || exit 5'
    job = stage.submit("array", script, {"array": "0-4,9%2"})
    run = run_of("array")
    wait(lambda: stage.there("squeue", "-h", "-t", "R", "-n", run, "-o", "%A").count("\n") == 2, "two tasks to run")
    stage.until_booked(job, "PENDING", "RUNNING")
    wait(lambda: stage.there("sacct", "-nPX", "-j", str(job), "-o", "State").count("RUNNING") == 2, "their records")
    stage.all_of("array", job)
    stage.there("touch", f"/home/alice/runs/{run}/go")
    ended = ["squeue", "-h", "-t", "CD,F", "-n", run, "-o", "%A"]
    wait(lambda: stage.there(*ended).count("\n") == 6, "all tasks to end")
    booked = ["sacct", "-nPX", "-j", str(job), "-o", "State,JobName"]
    wait(lambda: len(_ends(stage.there(*booked))) == 6, "the records of all tasks")
    stage.queue("array-ended", run)
    stage.accounts("array-ended", job)
    stage.waiting("array-held", stage.submit("array-held", SLEEP, {"array": "1-100:3", "hold": True}), "JobHeldUser")
    stage.clear()


def _ends(rows: str) -> list[str]:
    return [row for row in rows.splitlines() if row.startswith(("COMPLETED", "FAILED")) and "|allocation" not in row]


def resized(stage: Stage) -> None:
    """A job that gave back one of its two nodes: while it runs on, and at its end."""
    job = stage.submit("resized", SLEEP, {"nodes": 2, "gpus_per_node": 4})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    time.sleep(2)
    (first, *_) = stage.there("squeue", "-h", "-j", str(job), "-o", "%B").split()
    stage.there("sh", "-c", f"cd /tmp && scontrol update JobId={job} NodeList={first}; rm -f slurm_job_*_resize.*")
    stage.until_booked(job, "RUNNING")
    stage.queue("resized-running", run_of("resized"))
    stage.accounts("resized-running", job)
    time.sleep(2)
    stage.there("scancel", str(job))
    stage.until_booked(stage.until(job, "CANCELLED"), "CANCELLED")
    stage.all_of("resized", job)


def suspended(stage: Stage) -> None:
    """By root; then at its end, with the seconds that it stood still."""
    job = stage.submit("suspended", "exec sleep 4", {"gpus_per_node": 1})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.root("scontrol", "suspend", str(job))
    stage.until_booked(stage.until(job, "SUSPENDED"), "SUSPENDED", "RUNNING")
    stage.all_of("suspended", job)
    time.sleep(3)
    stage.root("scontrol", "resume", str(job))
    stage.until_booked(stage.until(job, "COMPLETED"), "COMPLETED")
    stage.queue("suspended-ended", run_of("suspended"))
    stage.accounts("suspended-ended", job)


def completing(stage: Stage) -> None:
    """A script that does not heed SIGTERM is still there after it was cancelled, until KillWait is over."""
    job = stage.submit("completing", "trap '' TERM; echo deaf; while :; do sleep 1; done")
    stage.until(job, "RUNNING")
    stage.until_file(run_of("completing"), "deaf")
    stage.there("scancel", str(job))
    stage.until(job, "COMPLETING")
    stage.queue("completing", run_of("completing"))
    stage.accounts("completing", job)
    stage.long_form("completing", job)
    stage.clear()


def preempted(stage: Stage) -> None:
    """A job in the lowest partition makes room, and waits again; one that may not be requeued ends."""
    for name, requeue in (("preempted-requeued", True), ("preempted", False)):
        size: Options = {"partition": "preemptible", "nodes": 4, "gpus_per_node": 8}
        job = stage.submit(name, SLEEP, {**size, "requeue": requeue, "no_requeue": not requeue})
        stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
        over = stage.submit("preempts", SLEEP, {"nodes": 4, "gpus_per_node": 8})
        stage.until(over, "RUNNING")
        stage.until(job, "PENDING", "PREEMPTED")
        stage.until_booked(job, "PENDING", "PREEMPTED")
        stage.all_of(name, job)
        stage.clear()


def hostile(stage: Stage) -> None:
    """Names and comments with everything that Slurm lets a user write."""
    run = f"hostile-{HASH}"
    jobs: list[int] = []
    stage.place(run, SLEEP, {"time": "00:05:00", "hold": True})
    for text in TEXTS:
        argv = [*stage.argv_of_sbatch(run)]
        argv[2], argv[3] = f"--job-name={text}", f"--comment={comment(run, 1)} {text}"
        jobs.append(int(stage.there(*argv)))
    stage.until_booked(jobs[-1], "PENDING")
    stage.record("hostile.squeue", squeue.argv())
    stage.accounts("hostile", *jobs)
    stage.clear()


def waiting(stage: Stage) -> None:
    """Behind a job that takes the whole cluster and has no time limit: every reason, and an absurd expected start."""
    stage.root("scontrol", "update", "PartitionName=gpu", "MaxTime=INFINITE")
    full = stage.submit("fills", SLEEP, {"nodes": 4, "exclusive": True, "gpus_per_node": 8, "time": "UNLIMITED"})
    stage.until(full, "RUNNING")
    stage.queue("without-limit", run_of("fills"))
    wanted: dict[str, tuple[str, Options]] = {
        "resources": ("Resources", {"nodes": 4, "gpus_per_node": 8}),
        "priority": ("Priority", {"nodes": 4, "gpus_per_node": 8}),
        "dependency": ("Dependency", {"dependency": f"afterok:{full}"}),
        "begin": ("BeginTime", {"begin": "now+1hour"}),
        "singleton": ("Dependency", {"dependency": "singleton"}),
    }
    jobs: dict[str, int] = {}
    for name, (reason, options) in wanted.items():
        if name == "singleton":
            stage.submit("waits-singleton", SLEEP, {"hold": True})
        jobs[name] = stage.submit(f"waits-{name}", SLEEP, options)
        stage.until(jobs[name], f"PENDING {reason}")
    expected = ["squeue", "-h", "-j", str(jobs["resources"]), "-o", "%S"]
    wait(lambda: stage.there(*expected).strip() != "N/A", "an expected start", 60)
    for name, job in jobs.items():
        stage.until_booked(job, "PENDING")
        stage.queue(f"waits-{name}", run_of(f"waits-{name}"))
        stage.accounts(f"waits-{name}", job)
    stage.long_form("waits-resources", jobs["resources"])
    stage.long_form("waits-dependency", jobs["dependency"])
    stage.record("all.squeue", squeue.argv())
    stage.clear()
    stage.root("scontrol", "update", "PartitionName=gpu", "MaxTime=7-00:00:00")


def limited(stage: Stage) -> None:
    """There is room, but the account has no more GPUs to give; and a node that is named is drained."""
    job = stage.submit("waits-limit", SLEEP, {"account": "small", "nodes": 2, "gpus_per_node": 8})
    stage.waiting("waits-limit", job, "Assoc")
    stage.root("scontrol", "update", "NodeName=n3", "State=DRAIN", "Reason=test")
    job = stage.submit("waits-drained", SLEEP, {"nodelist": "n3"})
    stage.waiting("waits-drained", job, "ReqNodeNotAvail")
    stage.record("node-drained.sinfo", sinfo.argv())
    stage.clear()
    stage.root("scontrol", "update", "NodeName=n3", "State=RESUME")


def never_satisfied(stage: Stage) -> None:
    """It waits for a job that failed, for ever; and one that ends for it."""
    bad = stage.until(stage.submit("bad", "exit 1"), "FAILED")
    waits = stage.submit("never", SLEEP, {"dependency": f"afterok:{bad}"})
    ends = stage.submit("never-killed", SLEEP, {"dependency": f"afterok:{bad}", "kill_on_invalid_dep": "yes"})
    stage.waiting("never", waits, "DependencyNeverSatisfied")
    stage.until_booked(stage.until(ends, "CANCELLED"), "CANCELLED")
    stage.all_of("never-killed", ends)
    stage.clear()


def unknown(stage: Stage) -> None:
    """Ids and names that there never were; alone and beside one that there is."""
    job = stage.until_booked(stage.submit("known", SLEEP, {"hold": True}), "PENDING")
    stage.queue("unknown", "nobody-00000000")
    stage.accounts("unknown", 799_999)
    stage.accounts("unknown-and-known", job, 799_999)
    stage.long_form("unknown", 799_999)
    stage.record("unknown.scancel", scancel.argv([799_999]))
    stage.record("by-name.sacct", sacct.by_name_argv(run_of("completed"), SINCE))
    stage.clear()


def named(stage: Stage) -> None:
    """What a settler and a machine that knows nothing ask: jobs of one name, and all that bear trainsub's comment."""
    run = run_of("named")
    job = stage.submit("named", SLEEP, {"array": "1-2"})
    held = stage.submit("stray", SLEEP, {"hold": True})
    wait(lambda: stage.there("squeue", "-h", "-t", "R", "-n", run, "-o", "%A").count("\n") == 2, "two tasks to run")
    stage.until_booked(job, "RUNNING")
    stage.until_booked(held, "PENDING")
    stage.record("named.squeue-named", asked_by_name.queue_argv(run))
    stage.record("named.sacct-named", asked_by_name.accounts_argv(run, SINCE))
    stage.record("named.squeue-strays", strays.queue_argv())
    stage.record("named.sacct-strays", strays.accounts_argv(SINCE))
    stage.clear()


def ordered(stage: Stage) -> None:
    """Holding, releasing and requeuing jobs that take the order, and that do not."""
    runs, waits = (
        stage.submit("ordered", SLEEP, {"no_requeue": True}),
        stage.submit("ordered-waits", SLEEP, {"begin": "now+1hour"}),
    )
    stage.until(runs, "RUNNING")
    orders: tuple[tuple[str, scontrol.Order, int], ...] = (
        ("holds", "hold", waits),
        ("releases", "release", waits),
        ("holds-again", "hold", waits),
        ("requeues-waiting", "requeue", waits),
        ("requeues-never", "requeue", runs),
        ("holds-unknown", "hold", 799_999),
    )
    for name, order, job in orders:
        stage.record(f"{name}.scontrol-order", scontrol.order_argv(order, job))
    stage.root("scontrol", "release", str(waits))
    stage.root("scontrol", "hold", str(waits))
    stage.record("releases-denied.scontrol-order", scontrol.order_argv("release", waits))
    stage.clear()


def refused(stage: Stage) -> None:
    """Submissions that sbatch refuses, and one that it takes."""
    options: dict[str, Options] = {
        "partition": {"partition": "none"},
        "qos": {"qos": "none"},
        "account": {"account": "none"},
        "nodes": {"nodes": 99},
        "gpus": {"gpus_per_node": 9},
        "gpu-type": {"gpus_per_node": "a100:1"},
        "gres": {"gres": "tpu:1"},
        "cpus": {"cpus_per_task": 999},
        "mem": {"mem": "9000G"},
        "time": {"time": "8-00:00:00"},
        "bad-time": {"time": "soon"},
        "qos-time": {"qos": "limited", "time": "01:00:00"},
        "constraint": {"constraint": "none"},
        "nodelist": {"nodelist": "nowhere"},
        "reservation": {"reservation": "none"},
        "licenses": {"licenses": "none:1"},
        "dependency": {"dependency": "afterok:799999"},
        "bad-array": {"array": "a-b"},
        "closed": {"partition": "closed"},
        "option": {"no_such_option": "1"},
    }
    for name, one in options.items():
        run = f"refused-{HASH}"
        stage.place(run, "true", {"time": "00:05:00", **one})
        stage.record(f"refused-{name}.sbatch", stage.argv_of_sbatch(run), settings=())
    stage.place(f"refused-{HASH}", "true", {"time": "00:05:00", "account": "small", "hold": True})
    for _ in range(2):
        stage.there(*stage.argv_of_sbatch(f"refused-{HASH}"))
    stage.record("refused-limit.sbatch", stage.argv_of_sbatch(f"refused-{HASH}"), settings=())
    stage.place(f"accepted-{HASH}", "true", {"time": "00:05:00", "hold": True})
    stage.record("accepted.sbatch", stage.argv_of_sbatch(f"accepted-{HASH}"), settings=())
    stage.clear()


def described(stage: Stage) -> None:
    """The cluster: configuration, partitions, versions."""
    stage.record("up.scontrol-ping", scontrol.ping_argv())
    stage.record("up.scontrol-config", scontrol.config_argv())
    stage.record("up.sinfo", sinfo.argv())
    stage.record("up.squeue-version", ["squeue", "--version"])
    stage.record("up.sacct-now", ["sacct", "-n", "-X", "-S", "now"])
    for number, text in enumerate(("n[1-3,7]", "a1-[01-02,10]x", "n1"), 1):
        stage.record(f"hostnames-{number}.scontrol-hostnames", ["scontrol", "show", "hostnames", text])


def node_failed(stage: Stage) -> None:
    """The node of two jobs dies: one of them may be requeued, the other may not."""
    ends = stage.submit("node-fail", SLEEP, {"nodelist": "n4", "no_requeue": True, "gpus_per_node": 1})
    waits = stage.submit("node-fail-requeued", SLEEP, {"nodelist": "n4", "requeue": True, "gpus_per_node": 1})
    for job in (ends, waits):
        stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.cluster.kill("n4")
    stage.until_booked(stage.until(ends, "NODE_FAIL"), "NODE_FAIL")
    stage.until(waits, "PENDING BeginTime")
    stage.all_of("node-fail", ends)
    stage.all_of("node-fail-requeued", waits)
    stage.record("node-down.sinfo", sinfo.argv())
    stage.until(waits, "PENDING ReqNodeNotAvail")
    stage.queue("waits-node", run_of("node-fail-requeued"))
    stage.cluster.start_node("n4")
    stage.clear()


def dbd_down(stage: Stage) -> None:
    """The accounting database is down: squeue and sbatch go on, sacct does not."""
    job = stage.submit("dbd-down", SLEEP)
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.cluster.kill_service("slurmdbd")
    stage.all_of("dbd-down", job)
    stage.record("dbd-down.sacct-now", ["sacct", "-n", "-X", "-S", "now"])
    stage.place(f"dbd-down-{HASH}", "true", {"time": "00:05:00", "hold": True})
    stage.record("dbd-down.sbatch", stage.argv_of_sbatch(f"dbd-down-{HASH}"), settings=())
    stage.cluster.service("slurmdbd")
    stage.clear()


def controller_down(stage: Stage) -> None:
    """slurmctld is frozen, then gone; sacct still answers."""
    job = stage.submit("ctld-down", SLEEP)
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.cluster.freeze_service("slurmctld")
    _silent(stage, "ctld-frozen", job)
    stage.cluster.thaw_service("slurmctld")
    wait(lambda: stage.state(job).startswith("RUNNING"), "the controller to answer again")
    # What sbatch could not deliver may have been taken in the end: that is why its answer is unclear.
    stage.cluster.kill_service("slurmctld")
    _silent(stage, "ctld-down", job)
    stage.cluster.service("slurmctld")
    stage.clear()


def _silent(stage: Stage, name: str, job: int) -> None:
    stage.record(f"{name}.squeue", squeue.argv())
    stage.accounts(name, job)
    stage.record(f"{name}.scontrol-ping", scontrol.ping_argv())
    stage.record(f"{name}.scontrol-config", scontrol.config_argv())
    stage.record(f"{name}.sinfo", sinfo.argv())
    stage.record(f"{name}.scancel", scancel.argv([job], name=run_of("ctld-down")))
    stage.place(f"silent-{HASH}", "true", {"time": "00:05:00", "hold": True})
    stage.record(f"{name}.sbatch", ["timeout", "-k", "10", "60", *stage.argv_of_sbatch(f"silent-{HASH}")], settings=())


def cold_start(stage: Stage) -> None:
    """slurmctld -c: the controller forgets the job, and tells the accounts."""
    job = stage.submit("cold-start", SLEEP, {"gpus_per_node": 1})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.cluster.cold_start()
    stage.until_booked(job, "CANCELLED")
    stage.all_of("cold-start", job)
    # Its id is given again, to the job that this makes.
    stage.cluster.wait_ready()


def runaway(stage: Stage) -> None:
    """The controller loses the file of its queue: sacct calls the job RUNNING for ever, and squeue does not know it."""
    job = stage.submit("runaway", SLEEP, {"gpus_per_node": 1})
    stage.until_booked(stage.until(job, "RUNNING"), "RUNNING")
    stage.cluster.lose_queue()
    stage.all_of("runaway", job)


def unaccounted(stage: Stage) -> None:
    """A cluster without accounting, whose job_submit plugin rewrites comments."""
    job = stage.submit("unaccounted", SLEEP, {"gpus_per_node": 1})
    stage.until(job, "RUNNING")
    stage.all_of("unaccounted", job)
    stage.record("unaccounted.sacct-now", ["sacct", "-n", "-X", "-S", "now"])
    stage.record("unaccounted.scontrol-config", scontrol.config_argv())
    stage.clear()


Scene = Callable[[Stage], None]

SCENES: tuple[Scene, ...] = (
    described,
    # While the queue and the accounts hold nothing else: these ask for all.
    hostile,
    named,
    waiting,
    limited,
    running,
    completed,
    failed,
    cancelled,
    timeout,
    requeued,
    requeue_held,
    held,
    array,
    resized,
    suspended,
    completing,
    preempted,
    never_satisfied,
    unknown,
    ordered,
    refused,
    node_failed,
    dbd_down,
    controller_down,
    cold_start,
    runaway,
)
"""In this order on one cluster: the last ones break it."""
