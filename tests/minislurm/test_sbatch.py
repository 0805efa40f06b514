import os
import resource
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from minislurm.made import Said, call, end_all, make

from trainsub.minislurm.folder import read_environment
from trainsub.minislurm.queue import Queue
from trainsub.minislurm.values import Job
from trainsub.slurm import scontrol

SCRIPT = b"#!/bin/sh\ntrue\n"


class Desk:
    """A user with a minislurm.

    Attributes:
        home: Its home.
        here: The working directory.
    """

    def __init__(self, folder: Path) -> None:
        self.home = make(folder / "minislurm")
        self.program = str(self.home / "bin" / "sbatch")
        self.here = folder / "here"
        self.here.mkdir()
        (self.here / "job").write_bytes(SCRIPT)

    def sbatch(self, *words: str, stdin: bytes = b"", **env: str) -> Said:
        """Run sbatch; the job is held, so that nothing of it runs."""
        return call(
            self.home / "bin" / "sbatch", *words, env={"SBATCH_TIMELIMIT": "5", **env}, cwd=self.here, stdin=stdin
        )

    def held(self, *words: str, **env: str) -> Job:
        """Submit a held job, and return it."""
        said = self.sbatch("--hold", "--parsable", *words, stdin=b"", **env)
        assert (said.code, said.err) == (0, ""), said
        return self.job(int(said.out))

    def job(self, job_id: int) -> Job:
        """Return a job."""
        with Queue(self.home) as queue:
            found = queue.job(job_id)
        assert found is not None
        return found

    def ids(self) -> list[int]:
        """Return the ids of all jobs."""
        with Queue(self.home) as queue:
            return [job.job_id for job in queue.all_jobs()]

    def environment(self, job: Job) -> dict[str, str]:
        """Return a job's variables."""
        found = read_environment(self.home / "jobs" / str(job.array_job_id) / "environment")
        return {os.fsdecode(name): os.fsdecode(value) for name, value in found.items()}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Make one for all submissions that are refused."""
    desk = Desk(tmp_path_factory.mktemp("shared"))
    (desk.here / "folder").mkdir()
    (desk.here / "empty").touch()
    (desk.here / "foo-line").write_bytes(b"#!/bin/sh\n#SBATCH --hold foo\n")
    (desk.here / "pbs").write_bytes(b"#!/bin/sh\n#PBS -l x\n")
    (desk.here / "het").write_bytes(b"#!/bin/sh\n#SBATCH hetjob\n")
    return desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Make one; what should run in it after all ends with the test."""
    yield Desk(tmp_path)
    end_all(tmp_path)


def test_a_job(desk: Desk) -> None:
    """Whole: what it asks for, its script to the byte, its variables."""
    (desk.here / "job").write_bytes(b"#!/bin/sh\n#SBATCH -J lines\necho \xff")
    job = desk.held("--comment=a|b", "job", "a b", "", "*", MINE="x y")
    assert (job.job_id, job.uid, job.state, job.reason, job.held) == (1, os.getuid(), "PENDING", "JobHeldUser", "user")
    assert (job.eligible, job.array, job.restarts) == (None, None, 0)
    assert abs(job.submit - time.time()) < 30
    asked = job.request
    assert (asked.name, asked.comment, asked.partition, asked.time_limit) == ("lines", "a|b", "gpu", 300)
    assert (asked.chdir, asked.command, asked.arguments) == (str(desk.here), f"{desk.here}/job", ("a b", "", "*"))
    assert asked.submit_line == "sbatch --hold --parsable --comment=a|b job a b  *"
    assert (desk.home / "jobs" / "1" / "script").read_bytes() == b"#!/bin/sh\n#SBATCH -J lines\necho \xff"
    variables = desk.environment(job)
    assert (variables["MINE"], variables["SLURM_SUBMIT_DIR"]) == ("x y", str(desk.here))


def test_what_it_prints(desk: Desk) -> None:
    """The id, and nothing at all if it is to be quiet."""
    assert desk.sbatch("-H", "job") == Said(0, "Submitted batch job 1\n", "")
    assert desk.sbatch("-H", "--parsable", "job") == Said(0, "2\n", "")
    assert desk.sbatch("-H", "-Q", "--parsable", "job") == Said(0, "", "")
    assert desk.ids() == [1, 2, 3]
    said = desk.sbatch("-H", "-n2", "-N4", "job")
    assert said.err == "sbatch: warning: can't run 2 processes on 4 nodes, setting nnodes to 2\n"


def test_version_and_help(desk: Desk) -> None:
    """As trainsub reads them."""
    said = desk.sbatch("--version")
    assert scontrol.version(said.out) == (24, 11, 5)
    assert desk.sbatch("-V") == said
    for word in ("--help", "-h", "--usage"):
        assert desk.sbatch(word).out.startswith("Usage: sbatch [OPTIONS...] script [args...]\n")
    assert desk.ids() == []


@pytest.mark.parametrize(
    ("words", "stdin", "name", "command"),
    [
        (["job"], b"", "job", "{here}/job"),
        (["./job"], b"", "job", "{here}/job"),
        (["../here/job"], b"", "job", "{here}/job"),
        (["{here}/job"], b"", "job", "{here}/job"),
        ([], SCRIPT, "sbatch", ""),
        (["/dev/stdin", "a"], SCRIPT, "stdin", "/dev/stdin"),
        (["--wrap", "true"], b"", "wrap", ""),
        (["--wrap="], b"", "wrap", ""),
        (["inpath"], b"", "inpath", "{here}/bin/inpath"),
        (["--", "job"], b"", "job", "{here}/job"),
    ],
)
def test_where_scripts_come_from(desk: Desk, words: list[str], stdin: bytes, name: str, command: str) -> None:
    """A file here or on the PATH, standard input, or a command to wrap."""
    (desk.here / "bin").mkdir()
    (desk.here / "bin" / "inpath").write_bytes(SCRIPT)
    path = f"{desk.here}/bin:{os.environ['PATH']}"
    words = [word.format(here=desk.here) for word in words]
    assert desk.sbatch("--hold", *words, stdin=stdin, PATH=path) == Said(0, "Submitted batch job 1\n", "")
    request = desk.job(1).request
    assert (request.name, request.command) == (name, command.format(here=desk.here))


@pytest.mark.parametrize(
    ("words", "err", "code"),
    [
        (["missing"], "sbatch: error: Unable to open file missing\n", 1),
        (["/no/where"], "sbatch: error: Unable to open file /no/where\n", 1),
        (["folder"], "sbatch: error: Batch script is empty!\n", 1),
        (["empty"], "sbatch: error: Batch script is empty!\n", 1),
        ([], "sbatch: error: Batch script is empty!\n", 1),
        (["--wrap", "true", "job"], "sbatch: error: Script arguments not permitted with --wrap option\n", 1),
        (["--time=never", "job"], "sbatch: error: Invalid --time specification\n", 255),
        (
            ["--begin=someday", "job"],
            "Invalid time specification (pos=0): someday\nsbatch: error: Invalid --begin specification\n",
            255,
        ),
        (
            ["--nope=1", "job"],
            "sbatch: unrecognized option '--nope=1'\nTry \"sbatch --help\" for more information\n",
            255,
        ),
        (["-Y", "job"], "sbatch: invalid option -- 'Y'\nTry \"sbatch --help\" for more information\n", 255),
        (["--wrap"], "sbatch: option '--wrap' requires an argument\nTry \"sbatch --help\" for more information\n", 255),
        (["-N", "job"], 'sbatch: error: "job" is not a valid node count\n', 255),
        (["-J"], "sbatch: option requires an argument -- 'J'\nTry \"sbatch --help\" for more information\n", 255),
        (
            ["--nod=3"],
            (
                "sbatch: option '--nod=3' is ambiguous; possibilities: '--nodefile' '--nodelist' '--nodes'\n"
                'Try "sbatch --help" for more information\n'
            ),
            255,
        ),
        (["foo-line"], "sbatch: error: Invalid directive found in batch script: foo\n", 255),
        (["pbs"], "minislurm does not know #PBS and #BSUB lines", 255),
        (["het"], "minislurm does not know jobs of several components", 255),
        (["--array=3-1", "job"], "sbatch: error: Batch job submission failed: Invalid job array specification\n", 1),
        (["--dependency=afterok:9", "job"], "sbatch: error: Batch job submission failed: Job dependency problem\n", 1),
        (["--dependency=x", "job"], "sbatch: error: Batch job submission failed: Job dependency problem\n", 1),
        (["--export-file=none", "job"], "sbatch: error: Could not open user environment file none\n", 1),
    ],
)
def test_refusals(shared: Desk, words: list[str], err: str, code: int) -> None:
    """In Slurm's words, and no job is made."""
    said = shared.sbatch(*words)
    assert (said.code, said.out) == (code, "")
    assert said.err == err or ("minislurm" in err and err in said.err)
    assert shared.ids() == []
    assert list((shared.home / "jobs").iterdir()) == []


def test_a_script_that_is_too_long(desk: Desk) -> None:
    """Slurm takes 4 MiB."""
    (desk.here / "job").write_bytes(SCRIPT + b"#" * 4 * 1024 * 1024)
    said = desk.sbatch("job")
    text = "Pathname of a file, directory or other parameter too long"
    assert said == Said(1, "", f"sbatch: error: Batch job submission failed: {text}\n")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_script_that_cannot_be_read(desk: Desk) -> None:
    """Its whole path is told."""
    (desk.here / "job").chmod(0)
    assert desk.sbatch("job") == Said(1, "", f"sbatch: error: Unable to open file {desk.here}/job\n")


def test_a_working_directory_that_is_gone(desk: Desk) -> None:
    """As after its removal by somebody else."""
    program = f"mkdir gone; cd gone; rmdir ../gone; '{desk.home}/bin/sbatch' --wrap true"
    said = call("sh", "-c", program, cwd=desk.here)
    assert (said.code, said.err.splitlines()[-1]) == (1, "sbatch: error: getcwd failed: No such file or directory")


def test_lines_variables_and_options(desk: Desk) -> None:
    """Each overrides those before it."""
    (desk.here / "job").write_bytes(b"#!/bin/sh\n#SBATCH -J of-script --comment=of-script -t 11\ntrue\n#SBATCH -t 99\n")
    request = desk.held(
        "--time=7", "job", SBATCH_JOB_NAME="of-variable", SBATCH_TIMELIMIT="9", SBATCH_COMMENT="x"
    ).request
    assert (request.name, request.comment, request.time_limit) == ("of-variable", "of-script", 420)
    assert desk.held("job", SBATCH_EXCLUSIVE="", SBATCH_REQUEUE="x").request.exclusive
    assert desk.sbatch("job", SBATCH_TIMELIMIT="").err == "sbatch: error: Invalid --time specification\n"


def test_an_array(desk: Desk) -> None:
    """One row for all of its tasks."""
    array = desk.held("--array=1-9:4%2", "job").array
    assert array is not None
    assert (array.job_id, array.task, array.pending) == (1, None, (1, 5, 9))
    assert (array.limit, array.count, array.least, array.most, array.step) == (2, 3, 1, 9, 4)
    assert desk.held("--array=", "job").array is None


def test_what_a_job_waits_for(desk: Desk) -> None:
    """It is told from the first moment."""
    first = desk.held("job").job_id
    said = desk.sbatch("--parsable", f"--dependency=afterok:{first}", "job")
    waits = desk.job(int(said.out))
    assert (waits.reason, waits.eligible, waits.request.dependency) == ("Dependency", None, f"afterok:{first}")
    later = desk.job(int(desk.sbatch("--parsable", "--begin=now+1hour", "job").out))
    assert (later.reason, later.eligible) == ("BeginTime", later.not_before)
    assert later.not_before is not None
    assert abs(later.not_before - time.time() - 3600) < 30
    held = desk.held(f"--dependency={first}", "job")
    assert (held.reason, held.request.dependency) == ("JobHeldUser", f"afterany:{first}")


def test_test_only(desk: Desk) -> None:
    """Nothing is submitted; what would be refused is told in other words."""
    said = desk.sbatch("--test-only", "-N2", "job")
    assert (said.code, said.out) == (0, "")
    moment = said.err.split(" to start at ")[1].split()[0]
    assert said.err == (
        f"sbatch: Job 1 to start at {moment} using 2 processors on nodes 127.0.0.[1-2] in partition gpu\n"
    )
    assert abs(time.mktime(time.strptime(moment, "%Y-%m-%dT%H:%M:%S")) - time.time()) < 30
    assert desk.sbatch("--test-only", "-N9", "job") == Said(
        1, "", "allocation failure: Node count specification invalid\n"
    )
    assert desk.sbatch("--test-only", "-p", "x", "job") == Said(
        1, "", "sbatch: error: invalid partition specified: x\nallocation failure: Invalid partition name specified\n"
    )
    for bad, text in {
        "--array=3-1": "Invalid job array specification",
        "-dafterok:9": "Job dependency problem",
    }.items():
        assert desk.sbatch("--test-only", bad, "job") == Said(1, "", f"allocation failure: {text}\n")
    assert desk.ids() == []


def test_names_that_are_no_text(desk: Desk) -> None:
    """They arrive to the byte."""
    odd = os.fsdecode(b"n\xff")
    job = desk.held(f"--job-name={odd}", "job", odd, ODD=odd)
    assert (job.request.name, job.request.arguments, desk.environment(job)["ODD"]) == (odd, (odd,), odd)


def test_what_it_makes_is_private(desk: Desk) -> None:
    """Whatever the umask, which is the job's."""
    program = f"umask 027; '{desk.home}/bin/sbatch' --hold --parsable --wrap true; umask 777; \"$0\" -H --wrap true"
    said = call("sh", "-c", program, f"{desk.home}/bin/sbatch", cwd=desk.here)
    assert (said.code, said.out) == (0, "1\nSubmitted batch job 2\n"), said
    assert [desk.job(number).request.umask for number in (1, 2)] == [0o027, 0o777]
    for path in desk.home.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_wait(desk: Desk) -> None:
    """The exit code is the highest of the job's."""
    assert desk.sbatch("--wait", "--output=/dev/null", "--wrap", "exit 3").code == 3
    words = ("--wait", "--output=/dev/null", "--array=0-2", "--wrap", "exit $SLURM_ARRAY_TASK_ID")
    assert desk.sbatch(*words).code == 2
    assert desk.sbatch("--wait", "--output=/dev/null", "--wrap", "kill -9 $$").code == 1


def test_a_full_disk(desk: Desk) -> None:
    """Told as Slurm tells it; no half job is left. Here a limit to the size of files stands for the disk."""
    desk.held("job")
    (desk.here / "job").write_bytes(SCRIPT + b"#" * 300_000)

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    program = [desk.program, "--hold", "job"]
    done = subprocess.run(program, cwd=desk.here, preexec_fn=little_room, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    first, second = done.stderr.splitlines()
    assert first.startswith("sbatch: error: ")
    assert first.endswith(": File too large")
    assert second == "sbatch: error: Batch job submission failed: I/O error writing script/environment to file"
    assert desk.ids() == [1]
    assert [path.name for path in (desk.home / "jobs").iterdir()] == ["1"]
    assert desk.held("job").job_id == 2


def test_a_disk_too_full_for_the_queue(desk: Desk) -> None:
    """No job, and the next one comes through."""
    desk.held("job")

    def no_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    program = [desk.program, "--hold", "job"]
    done = subprocess.run(program, cwd=desk.here, preexec_fn=no_room, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("sbatch: error: ")
    assert desk.ids() == [1]
    assert desk.held("job").job_id == 2
    with sqlite3.connect(desk.home / "queue.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_home_that_cannot_be_written(desk: Desk) -> None:
    """Told, and nothing hangs."""
    jobs = desk.home / "jobs"
    jobs.rmdir()
    jobs.touch()
    said = desk.sbatch("job")
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith(
        "sbatch: error: Batch job submission failed: I/O error writing script/environment to file\n"
    )
    assert str(jobs) in said.err


def test_many_at_once(desk: Desk) -> None:
    """Each gets an id of its own, and its own script."""

    def submit(number: int) -> tuple[int, int]:
        said = desk.sbatch("--hold", "--parsable", f"--job-name={number}", "--wrap", f"echo {number}")
        return int(said.out), number

    with ThreadPoolExecutor(6) as pool:
        made = list(pool.map(submit, range(30)))
    assert sorted(job_id for job_id, _ in made) == list(range(1, 31))
    for job_id, number in made:
        assert desk.job(job_id).request.name == str(number)
        assert f"echo {number}\n" in (desk.home / "jobs" / str(job_id) / "script").read_text()


def test_killed_at_any_moment(desk: Desk) -> None:
    """The job is there whole, or not at all, and nothing stays of one that is not."""
    for number in range(40):
        program = [desk.program, "--hold", "--wrap", f"echo {number}"]
        with subprocess.Popen(program, cwd=desk.here, stdout=subprocess.DEVNULL) as running:
            time.sleep(0.03 + number * 0.002)
            running.kill()
    last = desk.held("job").job_id
    ids = desk.ids()
    assert ids[-1] == last
    for job_id in ids:
        assert (desk.home / "jobs" / str(job_id) / "script").read_bytes().startswith(b"#!/bin/sh\n")
        assert desk.environment(desk.job(job_id))["SLURM_SUBMIT_DIR"] == str(desk.here)
    assert sorted(int(path.name) for path in (desk.home / "jobs").iterdir() if path.name.isdecimal()) == ids


def test_scripts_of_forgotten_jobs_go(desk: Desk) -> None:
    """Those that squeue still shows stay."""
    make(desk.home, "--set", "min_job_age=1")
    assert desk.sbatch("--wait", "--output=/dev/null", "--wrap", "true").code == 0
    desk.held("job")
    assert (desk.home / "jobs" / "1").exists()
    time.sleep(2.2)
    desk.held("job")
    assert sorted(path.name for path in (desk.home / "jobs").iterdir() if path.name.isdecimal()) == ["2", "3"]
    assert desk.ids() == [1, 2, 3]
