import contextlib
import hashlib
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from loginnode import RUN, Cluster, CutChannel, Slurm, wait_until

from trainsub.errors import ConfigError, OutputError, RemoteFileError, SnapshotError, UnreachableError
from trainsub.remote import SubmitReply, SubmitRequest, settle, submission, submit
from trainsub.tracker.values import ACCEPTED, REFUSED, UNKNOWN, VOID

# The package's attribute of that name is the function.
SUBMIT = sys.modules["trainsub.remote.submit"]
SETTLE = sys.modules["trainsub.remote.settle"]


def test_a_run_is_submitted(cluster: Cluster) -> None:
    """sbatch gets the contract's command line, and the run's directory is complete, answered and fenced."""
    progress: list[tuple[int, int]] = []
    reply = submit(cluster.login, cluster.request(), lambda sent, size: progress.append((sent, size)))
    assert (reply.outcome, reply.job_id, reply.existing, reply.uploaded) == (ACCEPTED, 1000, False, True)
    assert reply.notes == ()
    assert progress[-1] == (cluster.archive.stat().st_size,) * 2
    run_dir = str(cluster.run_dir)
    assert cluster.slurm.calls("sbatch") == [
        [
            "--parsable",
            f"--job-name={RUN}",
            f"--comment=trainsub:{RUN}:1",
            f"--chdir={run_dir}/work",
            f"--output={run_dir}/logs/%j.out",
            "--open-mode=append",
            f"{run_dir}/script.sbatch",
            run_dir,
            "1",
        ]
    ]
    assert (cluster.run_dir / "answer.1").read_text() == "rc 0\nout 1000\n"
    assert str((cluster.run_dir / "owner.1").readlink()) == "1000"
    assert sorted(path.name for path in cluster.run_dir.iterdir()) == [
        "answer.1", "exit", "logs", "owner.1", "script.sbatch", "spec.toml", "submit.1", "work",
    ]  # fmt: skip
    assert cluster.leftovers() == [RUN]
    assert (cluster.root / "PROTOCOL").read_text() == "1\n"
    assert cluster.login.execs == 1


def test_the_code_arrives_as_it_was(cluster: Cluster) -> None:
    """Modes, symbolic links, empty directories and odd names survive; nobody else can read any of it."""
    submit(cluster.login, cluster.request())
    work = cluster.run_dir / "work"
    assert (work / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (work / "train.py").stat().st_mode & 0o777 == 0o644
    assert (work / "locked").stat().st_mode & 0o777 == 0o555
    assert list((work / "empty").iterdir()) == []
    assert str((work / "link").readlink()) == "train.py"
    assert (work / "dir/with space/ünïcode $(x)\n.txt").read_bytes() == b"x"
    assert (work / "big.bin").stat().st_size == 256 * 1024
    for path in [cluster.root, cluster.root / "runs", cluster.root / "code", cluster.run_dir]:
        assert path.stat().st_mode & 0o777 == 0o700
    for path in [cluster.run_dir / "script.sbatch", next((cluster.root / "code").iterdir())]:
        assert path.stat().st_mode & 0o777 == 0o600


def test_the_job_gets_the_users_own_environment(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """An outer job's variables are gone, what makes output parsable is not handed on, the umask is the user's."""
    for name in [
        "SBATCH_PARTITION",
        "SLURM_JOB_ID",
        "SRUN_CPUS_PER_TASK",
        "PMIX_RANK",
        "SQUEUE_FORMAT",
        "SLURM_TIME_FORMAT",
    ]:
        monkeypatch.setenv(name, "x\nSLURM_CONF=fake\nSLURM_NOT A NAME=1")
    monkeypatch.setenv("SLURM_CONF", "/etc/x y/slurm.conf")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("MULTI", "a\nSBATCH_X=1\nb")
    monkeypatch.delenv("TZ", raising=False)
    old = os.umask(0o027)
    try:
        submit(cluster.login, cluster.request())
    finally:
        os.umask(old)
    env = cluster.slurm.env("sbatch")
    assert [name for name in env if name.startswith(("SBATCH_", "SRUN_", "PMIX_", "SQUEUE_", "TS_"))] == []
    assert {name: value for name, value in env.items() if name.startswith("SLURM_")} == {
        "SLURM_CONF": "/etc/x y/slurm.conf"
    }
    assert env["LC_ALL"] == "C.UTF-8"
    assert "TZ" not in env
    assert env["MULTI"] == "a\nSBATCH_X=1\nb"
    assert env["PATH"].startswith(f"{cluster.slurm.bin}:")
    assert int((cluster.slurm.state / "sbatch.umask.0").read_text(), 8) == 0o027
    assert not (cluster.slurm.state / "sbatch.stdin.0").exists()


def test_the_archive_travels_once(cluster: Cluster) -> None:
    """The second run of the same code sends some kilobytes."""
    first = submit(cluster.login, cluster.request())
    second = submit(cluster.login, cluster.request(run="other-00000000"))
    assert (first.uploaded, second.uploaded) == (True, False)
    assert second.sent < 13_000
    assert first.sent > second.sent + cluster.archive.stat().st_size - 20
    assert (cluster.root / "runs/other-00000000/work/train.py").exists()


@pytest.mark.parametrize("there", [False, True])
def test_the_archive_can_be_sent_unasked(cluster: Cluster, *, there: bool) -> None:
    """It is stored if it was lacking, and read and dropped if not."""
    if there:
        submit(cluster.login, cluster.request(run="other-00000000"))
    reply = submit(cluster.login, cluster.request(send_archive_first=True))
    assert (reply.outcome, reply.uploaded) == (ACCEPTED, not there)
    assert (cluster.run_dir / "work/train.py").exists()


@pytest.mark.parametrize("damage", [lambda data: data[:-1] + b"!", lambda data: data[:100], lambda data: data[:0]])
def test_a_damaged_stored_archive_is_replaced(cluster: Cluster, damage: object) -> None:
    """What lies there is verified before it is used."""
    submit(cluster.login, cluster.request(run="other-00000000"))
    stored = next((cluster.root / "code").iterdir())
    stored.write_bytes(damage(stored.read_bytes()))  # type: ignore[operator]
    reply = submit(cluster.login, cluster.request())
    assert (reply.outcome, reply.uploaded) == (ACCEPTED, True)
    assert stored.read_bytes() == cluster.archive.read_bytes()


@pytest.mark.parametrize("first", [False, True])
def test_another_archive_than_announced_is_refused(cluster: Cluster, *, first: bool) -> None:
    """Nothing is submitted and nothing stays."""
    with pytest.raises(RemoteFileError, match="sha256"):
        submit(cluster.login, cluster.request(sha256=hashlib.sha256(b"x").hexdigest(), send_archive_first=first))
    assert cluster.slurm.calls("sbatch") == []
    assert cluster.leftovers() == []
    assert list((cluster.root / "code").iterdir()) == []


def test_an_archive_that_shrinks_or_vanishes_is_an_error(cluster: Cluster) -> None:
    """Our own file is not what was announced: nothing is submitted, nothing stays."""
    size = cluster.archive.stat().st_size
    for changes in ({"size": size + 1}, {"archive": cluster.archive.with_name("nowhere")}):
        with pytest.raises(SnapshotError):
            submit(cluster.login, cluster.request(**changes))
        wait_until(lambda: cluster.leftovers() == [])
    assert cluster.slurm.calls("sbatch") == []


def test_no_archive_is_an_empty_working_directory(cluster: Cluster) -> None:
    """A run need not bring code."""
    assert submit(cluster.login, cluster.request(archive=None)).outcome == ACCEPTED
    assert list((cluster.run_dir / "work").iterdir()) == []


def test_a_refused_run_leaves_nothing(cluster: Cluster) -> None:
    """sbatch's words come back, the lock is released, and the same run can be submitted again."""
    cluster.slurm.refuses()
    reply = submit(cluster.login, cluster.request())
    assert (reply.outcome, reply.detail) == (REFUSED, "Invalid partition name specified")
    assert "Batch job submission failed" in reply.text
    assert reply.notes == ()
    assert cluster.leftovers() == []
    assert submit(cluster.login, cluster.request()).outcome == REFUSED
    assert len(cluster.slurm.calls("sbatch")) == 2


@pytest.mark.parametrize(
    "script", ["kill -9 $PPID", "exit 137", "echo 'sbatch: error: Socket timed out' >&2; exit 1", "exit 0"]
)
def test_an_unclear_answer_is_unknown(cluster: Cluster, script: str) -> None:
    """The directory stays: it is to be settled."""
    cluster.slurm.says("sbatch", script)
    assert submit(cluster.login, cluster.request()).outcome == UNKNOWN
    assert cluster.leftovers() == [RUN]


def test_sbatch_that_takes_too_long_is_unknown(cluster: Cluster) -> None:
    """Our own time limit says nothing about what slurmctld did."""
    cluster.slurm.says("sbatch", "exec sleep 60")
    reply = submit(cluster.login, cluster.request(sbatch_timeout=1))
    assert reply.outcome == UNKNOWN
    assert "124" in reply.detail


def test_sbatch_is_not_there(cluster: Cluster) -> None:
    """No such command is a refusal with its words."""
    (cluster.slurm.bin / "sbatch").unlink()
    reply = submit(cluster.login, cluster.request())
    assert reply.outcome == REFUSED
    assert "sbatch" in reply.detail
    assert cluster.leftovers() == []


def test_the_second_submit_gets_the_first_ones_answer(cluster: Cluster) -> None:
    """Whoever comes second, with the archive or without, hears the same job."""
    assert submit(cluster.login, cluster.request()).job_id == 1000
    for first in (False, True):
        again = submit(cluster.login, cluster.request(send_archive_first=first))
        assert (again.outcome, again.job_id, again.existing, again.uploaded) == (ACCEPTED, 1000, True, False)
    assert len(cluster.slurm.calls("sbatch")) == 1
    assert cluster.leftovers() == [RUN]


def test_when_it_began_is_told(cluster: Cluster) -> None:
    """By the cluster's clock, and to whoever comes later the first submit's time."""
    before = datetime.now(UTC).replace(microsecond=0)
    begun = submit(cluster.login, cluster.request()).begun
    assert begun is not None
    assert before <= begun <= datetime.now(UTC)
    (cluster.run_dir / "submit.1").write_text("1700000000 20\n")
    assert submit(cluster.login, cluster.request()).begun == datetime.fromtimestamp(1_700_000_000, UTC)
    for damage in ("", "x 20\n"):
        (cluster.run_dir / "submit.1").write_text(damage)
        assert submit(cluster.login, cluster.request()).begun is None


@pytest.mark.parametrize("first", [False, True])
def test_concurrent_submits_are_one_job(cluster: Cluster, *, first: bool) -> None:
    """Five at once call sbatch once; all hear its answer."""
    cluster.slurm.before("sbatch", "sleep 0.5")
    replies: list[SubmitReply] = []

    def one() -> None:
        replies.append(submit(cluster.other_login(), cluster.request(send_archive_first=first)))

    threads = [threading.Thread(target=one) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.job_id for reply in replies] == [1000] * 5
    assert sorted(reply.existing for reply in replies) == [False, True, True, True, True]
    assert len(cluster.slurm.calls("sbatch")) == 1
    wait_until(lambda: cluster.leftovers() == [RUN])


def test_concurrent_submits_of_a_refused_run(cluster: Cluster) -> None:
    """Whoever waits for a refused submit hears the refusal, or tries and is refused itself; nothing stays."""
    cluster.slurm.refuses()
    cluster.slurm.before("sbatch", "sleep 0.3")
    replies: list[SubmitReply] = []
    threads = [
        threading.Thread(target=lambda: replies.append(submit(cluster.other_login(), cluster.request())))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.outcome for reply in replies] == [REFUSED] * 4
    wait_until(lambda: cluster.leftovers() == [])


@pytest.mark.parametrize("who", ["submit", "settle"])
def test_a_refusal_whose_remover_died_does_not_last_for_ever(cluster: Cluster, who: str) -> None:
    """It is told for ten minutes; then the run is void for good, and its key goes on with another one."""
    cluster.slurm.refuses()
    cluster.login.in_limit = 180
    assert submit(cluster.login, cluster.request()).outcome == UNKNOWN
    cluster.login.in_limit = None
    wait_until((cluster.run_dir / "answer.1").exists)
    owner = cluster.run_dir / "owner.1"
    owner.symlink_to("gone")
    assert submit(cluster.login, cluster.request()).outcome == REFUSED
    os.utime(owner, (time.time() - 700,) * 2, follow_symlinks=False)
    if who == "submit":
        assert submit(cluster.login, cluster.request()).outcome == VOID
    else:
        assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).outcome == VOID
    assert str(owner.readlink()) == VOID
    assert len(cluster.slurm.calls("sbatch")) == 1


def test_a_submit_that_died_holding_the_lock_is_pending(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an answer nobody sends again."""
    monkeypatch.setattr(submission, "WAIT_FOR_OTHER", 1)
    cluster.run_dir.mkdir(parents=True)
    reply = submit(cluster.login, cluster.request())
    assert (reply.outcome, reply.existing) == (UNKNOWN, True)
    assert cluster.slurm.calls("sbatch") == []


def test_a_voided_run_is_void_for_ever(cluster: Cluster) -> None:
    """After the settler's word no submit of this run calls sbatch."""
    assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).outcome == VOID
    reply = submit(cluster.login, cluster.request(send_archive_first=True))
    assert (reply.outcome, reply.existing, reply.job_id) == (VOID, True, None)
    assert cluster.slurm.calls("sbatch") == []
    assert cluster.leftovers() == [RUN]


def test_voided_while_sbatch_works(cluster: Cluster) -> None:
    """The fence decides: the job is void, is told so, and is cancelled."""
    cluster.slurm.before("sbatch", f'ln -s void "{str(cluster.run_dir).replace("$", chr(92) + "$")}/owner.1"')
    reply = submit(cluster.login, cluster.request())
    assert (reply.outcome, reply.job_id) == (VOID, 1000)
    wait_until(lambda: cluster.slurm.calls("scancel") == [[f"--name={RUN}", "1000"]])


def test_the_job_was_quicker_with_its_fence(cluster: Cluster) -> None:
    """A job that started at once owns the run, and is accepted."""
    cluster.slurm.before("sbatch", f'ln -s 1000 "{str(cluster.run_dir).replace("$", chr(92) + "$")}/owner.1"')
    assert submit(cluster.login, cluster.request()).job_id == 1000
    assert cluster.slurm.calls("scancel") == []


def test_an_answer_that_cannot_be_written_is_told_and_marked(cluster: Cluster) -> None:
    """The user hears the job id all the same."""
    cluster.slurm.before("sbatch", f'mkdir -p "{str(cluster.run_dir).replace("$", chr(92) + "$")}/.answer.1/x"')
    reply = submit(cluster.login, cluster.request())
    assert (reply.outcome, reply.job_id) == (ACCEPTED, 1000)
    assert "could not be written" in reply.notes[0]


@pytest.mark.parametrize(
    "noise", ["printf 'welcome without newline'", "echo hi; echo err >&2", "head -c 3000000 /dev/zero"]
)
def test_a_noisy_login_shell_does_not_matter(cluster: Cluster, noise: str) -> None:
    """Banners on both streams are not for us."""
    cluster.login.noise = noise
    assert submit(cluster.login, cluster.request()).job_id == 1000


HOSTILE = [
    "it's",
    'a"b',
    "a b",
    "$(touch pwned)",
    "`id`",
    "new\nline",
    "ünïcödé",
    "-rf",
    "--",
    "a\\b",
    "%j",
    "*",
    "a:b",
    "!x;y|z&",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_values(cluster: Cluster, text: str) -> None:
    """Values are text, wherever they stand."""
    root = f"{cluster.home}/{text} root"
    reply = submit(cluster.login, cluster.request(remote_root=root, run=text))
    assert reply.outcome == ACCEPTED
    (words,) = cluster.slurm.calls("sbatch")
    assert words[:2] == ["--parsable", f"--job-name={text}"]
    assert words[-2:] == [f"{root}/runs/{text}", "1"]
    assert words[4] == f"--output={root}/runs/{text}".replace("%", "%%") + "/logs/%j.out"
    assert Path(words[-3]).read_bytes() == cluster.request().files["script.sbatch"]


@pytest.mark.parametrize("noise", ["stdout", "stderr"])
def test_sbatch_says_more_than_its_answer(cluster: Cluster, noise: str) -> None:
    """Wrappers that talk are recorded and do not matter."""
    to = "" if noise == "stdout" else " >&2"
    cluster.slurm.before("sbatch", f"printf 'sbatch: lua: hello  %%s \\\\n\\n\\n more\\n'{to}")
    reply = submit(cluster.login, cluster.request())
    assert reply.job_id == 1000
    assert str((cluster.run_dir / "owner.1").readlink()) == "1000"
    assert "lua: hello  %s \\n" in (cluster.run_dir / "answer.1").read_text()


def test_answers_with_a_cluster_name(cluster: Cluster) -> None:
    """Federations append it; the fence holds the id alone."""
    cluster.slurm.says("sbatch", "echo '77;west'")
    reply = submit(cluster.login, cluster.request())
    assert (reply.job_id, reply.cluster) == (77, "west")
    assert str((cluster.run_dir / "owner.1").readlink()) == "77"


def test_two_numbers_are_no_answer(cluster: Cluster) -> None:
    """In doubt nothing is claimed."""
    cluster.slurm.says("sbatch", "echo 77; echo 78")
    assert submit(cluster.login, cluster.request()).outcome == UNKNOWN
    assert not (cluster.run_dir / "owner.1").is_symlink()


@pytest.mark.parametrize("root", ["/proc/trainsub", "{home}/file/root", "{home}/file"])
def test_an_unwritable_root(cluster: Cluster, root: str) -> None:
    """The system's own words, and nothing left behind."""
    (cluster.home / "file").write_text("x")
    with pytest.raises(RemoteFileError) as caught:
        submit(cluster.login, cluster.request(remote_root=root.format(home=cluster.home)))
    assert "mkdir" in caught.value.message
    assert caught.value.hint is not None
    assert [path.name for path in cluster.home.iterdir()] == ["file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_file_system_that_is_read_only(cluster: Cluster) -> None:
    """It says so itself; that df shows no room on it is not the reason."""
    cluster.root.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700,ro", "tmpfs", str(cluster.root)]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        with pytest.raises(RemoteFileError, match="Read-only file system") as caught:
            submit(cluster.login, cluster.request())
        assert "No space" not in caught.value.message
    finally:
        subprocess.run(["umount", "-l", cluster.root], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_full_disk(cluster: Cluster) -> None:
    """The archive does not fit: the system's own words, and nothing of it stays."""
    cluster.root.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", cluster.root], check=False
    ).returncode:
        pytest.skip("this machine does not let us mount")
    try:
        with pytest.raises(RemoteFileError, match="No space left"):
            submit(cluster.login, cluster.request(files={"script.sbatch": b"x" * 70_000}))
        assert cluster.leftovers() == []
        big = cluster.home / "big.tar.gz"
        big.write_bytes(os.urandom(100_000))
        with pytest.raises(RemoteFileError, match="No space left"):
            submit(
                cluster.login,
                cluster.request(archive=big, sha256=hashlib.sha256(big.read_bytes()).hexdigest(), size=100_000),
            )
        assert cluster.leftovers() == []
        assert list((cluster.root / "code").iterdir()) == []
        with pytest.raises(RemoteFileError, match=r"(?s)unpack.*No space left on device") as caught:
            submit(cluster.login, cluster.request())
        assert "tmpfs" in caught.value.message
        assert cluster.leftovers() == []
        assert cluster.slurm.calls("sbatch") == []
        fill = 'cat /dev/zero >"{}/filler" 2>/dev/null'.format(str(cluster.root).replace("$", "\\$"))
        cluster.slurm.before("sbatch", fill)
        reply = submit(cluster.login, cluster.request(archive=None))
        assert (reply.outcome, reply.job_id) == (ACCEPTED, 1000)
    finally:
        subprocess.run(["umount", "-l", cluster.root], check=True)  # the program may still be leaving


def test_what_killed_programs_left_is_removed_after_a_day(cluster: Cluster) -> None:
    """Directories without write permission too; what is younger, or is not ours, stays."""
    for name, age in ((".new.0123", 2), (".new.4567", 0.5), (".other", 2)):
        (cluster.root / name / "r/work/locked").mkdir(parents=True)
        (cluster.root / name / "r/work/locked/f").touch()
        (cluster.root / name / "r/work/locked").chmod(0o555)
        os.utime(cluster.root / name, (time.time() - age * 86400,) * 2)
    assert submit(cluster.login, cluster.request()).outcome == ACCEPTED
    assert sorted(cluster.leftovers()) == [".new.4567", ".other", RUN]


def test_another_protocol_is_refused(cluster: Cluster) -> None:
    """A directory of another version is not touched."""
    cluster.root.mkdir()
    (cluster.root / "PROTOCOL").write_text("2\n")
    with pytest.raises(RemoteFileError, match="'2'"):
        submit(cluster.login, cluster.request())
    assert cluster.leftovers() == []
    assert (cluster.root / "PROTOCOL").read_text() == "2\n"


def test_bad_requests_are_never_sent(cluster: Cluster) -> None:
    """What cannot be right is told before anything is sent."""
    for changes in (
        {"run": "a/b"},
        {"run": ".."},
        {"run": ""},
        {"run": "a\0"},
        {"files": {"../x": b""}},
        {"files": {"work": b""}},
    ):
        with pytest.raises(ValueError, match=r"not a|NUL"):
            submit(cluster.login, cluster.request(**changes))
    for root in ("", "~bob/x"):
        with pytest.raises(ConfigError):
            submit(cluster.login, cluster.request(remote_root=root))
    assert cluster.login.execs == 0


def test_no_channel_is_raised_as_it_is(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent, so nothing is unknown."""

    def refuse(*_: object, **__: object) -> None:
        raise UnreachableError("no route")

    monkeypatch.setattr(cluster.login, "open", refuse)
    with pytest.raises(UnreachableError):
        submit(cluster.login, cluster.request())


@pytest.mark.parametrize("noise", ["echo 'account disabled' >&2; exit 1", "exec /no/such/shell"])
def test_a_login_that_runs_nothing_is_told(cluster: Cluster, noise: str) -> None:
    """The program never ran, and says so by its end: nothing is unknown."""
    cluster.login.noise = noise
    with pytest.raises(OutputError, match=r"ended early, with exit status (1: account disabled|127)"):
        submit(cluster.login, cluster.request())


class Stingy:
    """A request of which half a file is sent, as if the rest were swallowed on the way."""

    def __init__(self, whole: SubmitRequest) -> None:
        self._whole = whole
        self._asked = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._whole, name)

    @property
    def files(self) -> dict[str, bytes]:
        """The first who asks learns the sizes, and the next one what is sent."""
        self._asked += 1
        whole = dict(self._whole.files)
        return whole if self._asked == 1 else {name: data[:5] for name, data in whole.items()}


def _dialogue_sizes(cluster: Cluster) -> tuple[int, int]:
    """Bytes of an undisturbed dialogue, on a cluster of its own name."""
    reply = submit(cluster.other_login(), cluster.request(run="sizes-00000000"))
    assert reply.outcome == ACCEPTED
    return reply.sent, reply.received


def _truth(slurm: Slurm, reply: SubmitReply | None) -> None:
    """What was said is what sbatch saw."""
    ours = [words for words in slurm.calls("sbatch") if f"--job-name={RUN}" in words]
    assert len(ours) <= 1
    if reply is not None and reply.outcome == ACCEPTED:
        assert len(ours) == 1


@pytest.mark.parametrize("part", [0.0, 0.2, 0.5, 0.9, 0.99, 0.999])
def test_the_client_goes_while_it_sends(cluster: Cluster, part: float) -> None:
    """Cut anywhere before the end of the input: no job, nothing left, and the settler voids."""
    sent, _ = _dialogue_sizes(cluster)
    (cluster.root / "code").joinpath(next((cluster.root / "code").iterdir()).name).unlink()
    cluster.login.out_limit = int((sent - 20) * part)
    reply = submit(cluster.login, cluster.request())
    cluster.login.out_limit = None
    assert reply.outcome == UNKNOWN
    wait_until(lambda: cluster.leftovers() == ["sizes-00000000"])
    _truth(cluster.slurm, reply)
    assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).outcome == VOID
    assert submit(cluster.login, cluster.request()).outcome == VOID


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_the_client_goes_while_it_listens(cluster: Cluster, part: float) -> None:
    """Cut anywhere in the answer: at most one job, and the settler says which."""
    _, received = _dialogue_sizes(cluster)
    cluster.slurm.before("sbatch", "sleep 0.3")
    cluster.login.in_limit = int(received * part)
    reply = submit(cluster.login, cluster.request())
    cluster.login.in_limit = None
    assert reply.outcome in {UNKNOWN, ACCEPTED}
    settled = settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin))
    if settled.outcome == UNKNOWN:
        settled = settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin))
    _truth(cluster.slurm, reply)
    jobs = len([words for words in cluster.slurm.calls("sbatch") if f"--job-name={RUN}" in words])
    assert (settled.outcome, jobs) in {(ACCEPTED, 1), (VOID, 0)}
    again = submit(cluster.login, cluster.request())
    assert (again.outcome, again.job_id) == (settled.outcome, settled.job_id)
    _truth(cluster.slurm, again)


def test_the_client_is_gone_during_sbatch(cluster: Cluster) -> None:
    """The answer is on disk, and the fence is claimed, whoever listens."""
    cluster.slurm.before("sbatch", 'touch "$state/begun"; sleep 0.7')

    def leave() -> None:
        wait_until((cluster.slurm.state / "begun").exists)
        channel = cluster.login.channels[-1]
        assert isinstance(channel, CutChannel)
        channel.inner.close()

    cluster.login.in_limit = 1 << 30
    thread = threading.Thread(target=leave)
    thread.start()
    with contextlib.suppress(ValueError, OSError):  # the descriptor is closed under the reader's feet
        assert submit(cluster.login, cluster.request()).outcome == UNKNOWN
    thread.join()
    wait_until((cluster.run_dir / "answer.1").exists)
    wait_until((cluster.run_dir / "owner.1").is_symlink)
    assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).job_id == 1000


LEADER = "leader=$(ps -o sid= -p $$); kill -HUP $leader; kill -TERM $leader; kill -INT $leader; sleep 0.2"
"""The program under test leads a session of its own."""


def test_hangup_and_termination_during_sbatch(cluster: Cluster) -> None:
    """sshd's last signals do not stop the program before the answer is written."""
    cluster.slurm.before("sbatch", LEADER)
    assert submit(cluster.login, cluster.request()).job_id == 1000


def test_a_client_that_vanishes_while_it_sends_is_not_waited_for(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing comes any more, and nothing says so: the program gives up, tells why, and leaves nothing."""
    if "macos" in cluster.login.shell[0]:
        pytest.skip("on a Mac the client is on the same machine, and cannot vanish without a word")
    monkeypatch.setattr(submission, "SILENCE", 1)
    monkeypatch.setattr(submission, "BEAT", 1)  # the last sleep between two signs of life outlives them
    whole = cluster.request()
    with pytest.raises(RemoteFileError, match="stopped for 1 s"):
        submit(cluster.login, Stingy(whole))  # type: ignore[arg-type]
    assert cluster.leftovers() == []
    wait_until(lambda: loops(cluster) == [])  # its last words come before its end


def test_a_verdict_is_not_waited_for_for_ever(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client vanishes after a refusal: the program ends, the refusal stays on disk, and the next one tells it."""
    monkeypatch.setattr(submission, "SILENCE", 1)
    monkeypatch.setattr(submission, "BEAT", 1)  # the last sleep between two signs of life outlives them

    def vanished(_: object) -> bool:
        wait_until(lambda: loops(cluster) == [])
        return True

    monkeypatch.setattr(SUBMIT, "_discard", vanished)
    cluster.slurm.refuses()
    assert submit(cluster.login, cluster.request()).outcome == REFUSED
    assert cluster.leftovers() == [RUN]
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(cluster.home))
    assert submit(cluster.login, cluster.request()).existing
    assert cluster.leftovers() == []


def test_the_user_is_told_what_is_waited_for(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for each thing, when it takes long."""
    monkeypatch.setattr(SUBMIT, "_TOLD", 0.3)
    cluster.slurm.before("sbatch", "sleep 1")
    told: list[str] = []
    assert submit(cluster.login, cluster.request(archive=None), tell=told.append).job_id == 1000
    assert len([line for line in told if "its last word was: sbatch" in line]) == 1


def test_silence_is_unknown(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A black hole after the input: the client gives up, the cluster does not."""
    monkeypatch.setattr(SUBMIT, "_GRACE", -19.0)
    cluster.slurm.before("sbatch", "sleep 2")
    reply = submit(cluster.login, cluster.request())
    assert reply.outcome == UNKNOWN
    assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).job_id == 1000


def test_a_refusal_nobody_heard_is_told_and_removed_later(cluster: Cluster) -> None:
    """Whoever asks next hears the refusal; after that the run can be submitted again."""
    cluster.slurm.refuses()
    cluster.login.in_limit = 180  # four frames and a bit: the last says that sbatch is being called
    assert submit(cluster.login, cluster.request()).outcome == UNKNOWN
    cluster.login.in_limit = None
    wait_until((cluster.run_dir / "answer.1").exists)
    again = submit(cluster.login, cluster.request())
    assert (again.outcome, again.existing) == (REFUSED, True)
    wait_until(lambda: cluster.leftovers() == [])


def slowly(cluster: Cluster, name: str, script: str) -> str:
    """A slurm_bin with a command before the system's that does something more."""
    slow = cluster.slurm.base / "slow"
    slow.mkdir()
    (slow / name).write_text(f'#!/bin/sh\n{script}\nexec /bin/{name} "$@"\n')
    (slow / name).chmod(0o755)
    return f"{slow}:{cluster.slurm.bin}"


def loops(cluster: Cluster) -> list[str]:
    """Programs that still run with the environment of this test."""
    mark = f"HOME={cluster.home}".encode()
    found = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError):  # it is no process, or has just ended
            if mark in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.parametrize("name", ["tar", "sha256sum"])
@pytest.mark.parametrize("first", [False, True])
def test_slow_work_on_an_archive_is_not_silent(
    cluster: Cluster, name: str, monkeypatch: pytest.MonkeyPatch, *, first: bool
) -> None:
    """Signs of life keep the client waiting beyond its patience, and end with the work."""
    monkeypatch.setattr(submission, "BEAT", 1)
    request = cluster.request(patience=2.0, slurm_bin=slowly(cluster, name, "sleep 3.5"), send_archive_first=first)
    reply = submit(cluster.login, request)
    assert (reply.outcome, reply.notes) == (ACCEPTED, ())
    assert reply.received > 7 * 34
    wait_until(lambda: loops(cluster) == [])
    assert cluster.leftovers() == [RUN]


@pytest.mark.parametrize("how", ["exit 1", "kill -9 $(ps -o sid= -p $$); sleep 1"])
def test_slow_work_that_fails_ends_its_signs_of_life(
    cluster: Cluster, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the work fails or its program is killed: nobody goes on saying that it is busy."""
    monkeypatch.setattr(submission, "BEAT", 1)
    with pytest.raises((RemoteFileError, OutputError)) as caught:
        submit(cluster.login, cluster.request(patience=3.0, slurm_bin=slowly(cluster, "tar", f"sleep 1.5; {how}")))
    assert isinstance(caught.value, RemoteFileError) == (how == "exit 1")
    wait_until(lambda: loops(cluster) == [])


@pytest.mark.parametrize(("wait", "outcome"), [(0, UNKNOWN), (10, VOID)])
def test_a_black_hole_before_sbatch_is_unknown(
    cluster: Cluster, wait: int, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client waits as long as it was told; while the program may be at work nobody voids it."""
    monkeypatch.setattr(SETTLE, "_WAIT", wait)
    request = cluster.request(patience=0.5, slurm_bin=slowly(cluster, "tar", "sleep 1.5"))
    reply = submit(cluster.login, request)
    assert reply.outcome == UNKNOWN
    settled = settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin))
    assert (settled.outcome, cluster.run_dir.exists()) == (outcome, outcome == VOID)
    assert ("still" in settled.detail) == (outcome == UNKNOWN)
    wait_until(lambda: cluster.leftovers() == ([RUN] if outcome == VOID else []))
    assert settle(cluster.login, "~/.trainsub", RUN, 1, slurm_bin=str(cluster.slurm.bin)).outcome == VOID
    wait_until(lambda: cluster.leftovers() == [RUN])
    assert cluster.slurm.calls("sbatch") == []
