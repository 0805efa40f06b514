import os
import time

import pytest
from loginnode import Cluster

from trainsub.errors import ConfigError, ConnectionLostError, OutputError, RemoteFileError, RemoteTimeoutError
from trainsub.remote import Ask, Completed, ListDirectory, ReadTail, RunCommand, Tail


def test_many_commands_over_one_exec(cluster: Cluster) -> None:
    """Output to the byte, status, complaints; and the next question is not disturbed."""
    with Ask(cluster.login) as ask:
        assert ask.run(["printf", "a\\n\\n"]) == Completed(0, b"a\n\n", b"")
        assert ask.run(["sh", "-c", "printf out; printf 'err\n' >&2; exit 3"]) == Completed(3, b"out", b"err")
        assert ask.run(["cat"]) == Completed(0, b"", b"")
        assert ask.run(["no-such-command"]).rc == 127
        assert (
            ask.run(["printf", "%s|", "it's", "$(id)", "new\nline", "-n", "", "é"]).out
            == "it's|$(id)|new\nline|-n||é|".encode()
        )
    assert cluster.login.execs == 1


def test_slurms_commands_are_found_and_their_environment_is_plain(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """slurm_bin is on the PATH, and times are epoch seconds."""
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    with Ask(cluster.login, slurm_bin=str(cluster.slurm.bin), what="poll") as ask:
        assert ask.run(["squeue"]).rc == 0
    env = cluster.slurm.env("squeue")
    assert "SQUEUE_FORMAT" not in env
    assert (env["SLURM_TIME_FORMAT"], env["LC_ALL"]) == ("%s", "C")
    assert not (cluster.slurm.state / "squeue.stdin.0").exists()


def test_a_time_limit(cluster: Cluster) -> None:
    """A command that hangs is ended, with what it had said."""
    with Ask(cluster.login) as ask:
        done = ask.run(["sh", "-c", "echo begun; echo dying >&2; sleep 30"], timeout=1)
        assert done == Completed(124, b"begun\n", b"dying")
        assert ask.run(["echo", "next"]).out == b"next\n"


def test_much_on_both_streams(cluster: Cluster) -> None:
    """Some megabytes each, at once."""
    script = "head -c 5000000 /dev/zero; head -c 300000 /dev/zero | tr '\\0' e >&2; head -c 5000000 /dev/zero"
    with Ask(cluster.login) as ask:
        done = ask.run(["sh", "-c", script])
    assert (len(done.out), len(done.err)) == (10_000_000, 300_000)


def test_a_log_is_followed_by_offset(cluster: Cluster) -> None:
    """Before it exists, while it grows, when nothing is new, and after it shrank."""
    log = cluster.home / "-log $x\n'.out"
    with Ask(cluster.login) as ask:
        assert ask.tail(str(log), 0, 100) is None
        log.write_bytes(b"")
        assert ask.tail(str(log), 0, 100) == Tail(b"", 0, 0)
        log.write_bytes(bytes(range(256)) * 2)
        first = ask.tail(str(log), 0, 300)
        assert first is not None
        assert (first.data, first.start, first.size, first.end) == ((bytes(range(256)) * 2)[:300], 0, 512, 300)
        assert ask.tail(str(log), first.end, 300) == Tail((bytes(range(256)) * 2)[300:], 300, 512)
        assert ask.tail(str(log), 512, 300) == Tail(b"", 512, 512)
        log.write_bytes(b"new\n")
        assert ask.tail(str(log), 512, 300) == Tail(b"new\n", 0, 4)
        assert ask.read(str(log)) == b"new\n"
        assert ask.read(str(log) + "x") is None


def test_a_log_is_as_long_as_the_open_file_says(cluster: Cluster) -> None:
    """On a network file system a name's attributes may be seconds old; opening the file asks anew."""
    (cluster.slurm.bin / "stat").write_text("#!/bin/sh\necho 2\n")
    (cluster.slurm.bin / "stat").chmod(0o755)
    log = cluster.home / "log"
    log.write_bytes(b"text")
    with Ask(cluster.login, slurm_bin=str(cluster.slurm.bin)) as ask:
        assert ask.tail(str(log), 0, 100) == Tail(b"text", 0, 4)


def test_a_poll_costs_few_bytes(cluster: Cluster) -> None:
    """A look at a log and for an exit record is one round trip of some 250 bytes beyond the log's own."""
    run = cluster.home / "runs" / "llama-7b-3f9a1c2e"
    run.mkdir(parents=True)
    (run / "1234.out").write_bytes(b"x" * 1000)
    login = cluster.login
    with Ask(login) as ask:
        ask.list("/")
        before = login.bytes_sent + login.bytes_received
        tail, ended = ask.batch(
            ReadTail("runs/llama-7b-3f9a1c2e/1234.out", 0, 1 << 20),
            ReadTail("runs/llama-7b-3f9a1c2e/exit/1234.0", 0, 1 << 20),
        )
        assert tail is not None
        assert (len(tail.data), ended) == (1000, None)
        assert login.bytes_sent + login.bytes_received - before - 1000 < 275
        before = login.bytes_sent + login.bytes_received
        ask.batch(ReadTail("runs/llama-7b-3f9a1c2e/1234.out", 1000, 1 << 20))
        assert login.bytes_sent + login.bytes_received - before < 180


def test_an_unreadable_file_is_an_error(cluster: Cluster) -> None:
    """A directory is no log; the conversation goes on."""
    with Ask(cluster.login) as ask:
        with pytest.raises(RemoteFileError, match="Is a directory"):
            ask.tail(str(cluster.home), 0, 10)
        assert ask.list(str(cluster.home)) == []


def test_directories_are_listed(cluster: Cluster) -> None:
    """Names may be anything; a directory that is not there is empty."""
    names = ["a b", "new\nline", "*", "-n", "é"]
    for name in names:
        (cluster.home / name).touch()
    (cluster.home / ".hidden").touch()
    (cluster.home / "dangling").symlink_to("nowhere")
    with Ask(cluster.login) as ask:
        assert sorted(ask.list(str(cluster.home))) == sorted([*names, "dangling"])
        assert ask.list(str(cluster.home / "nowhere")) == []
        (cluster.home / "empty").mkdir()
        assert ask.list(str(cluster.home / "empty")) == []


def test_the_root_is_found(cluster: Cluster) -> None:
    """A home directory is known only there."""
    with Ask(cluster.login) as ask:
        assert ask.root("~/.trainsub") == f"{cluster.home}/.trainsub"
        assert ask.root("~") == str(cluster.home)
        assert ask.root("/scratch/me//") == "/scratch/me"
        assert ask.root("scratch") == f"{cluster.home}/scratch"
        with pytest.raises(ConfigError):
            ask.root("~bob")


def test_batches_of_all_kinds(cluster: Cluster) -> None:
    """Answered in their order, in one round trip."""
    (cluster.home / "f").write_text("text")
    path = str(cluster.home / "f")
    with Ask(cluster.login) as ask:
        ran, tail, names = ask.batch(RunCommand(["echo", "1"]), ReadTail(path, 1, 2), ListDirectory(str(cluster.home)))
        assert (ran.out, tail, names) == (b"1\n", Tail(b"ex", 1, 4), ["f"])
        assert ask.batch(*[ReadTail(path + end, 0, 1) for end in ("", "x", "", "y")]) == (
            Tail(b"t", 0, 4),
            None,
            Tail(b"t", 0, 4),
            None,
        )
        assert ask.batch(ListDirectory(str(cluster.home)))[0] == ["f"]


def test_silence_ends_the_conversation(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """What would come later must not be taken for the next answer."""
    monkeypatch.setattr("trainsub.remote.ask._SILENCE", -28.0)
    with Ask(cluster.login) as ask:
        with pytest.raises(RemoteTimeoutError):
            ask.run(["sleep", "10"], timeout=29)
        with pytest.raises(RemoteTimeoutError):
            ask.run(["echo", "1"])


def test_a_lost_connection_is_told(cluster: Cluster) -> None:
    """And after the end there is nothing more to ask."""
    cluster.login.in_limit = 60
    with Ask(cluster.login) as ask, pytest.raises(ConnectionLostError):
        ask.run(["echo", "1"])
    with pytest.raises(ConnectionLostError):
        ask.list("/")


def test_a_login_that_runs_nothing(cluster: Cluster) -> None:
    """Its words are in the error."""
    cluster.login.noise = "echo This account is not available; exit 1"
    with Ask(cluster.login) as ask, pytest.raises(OutputError, match="exit status 1: This account is not available"):
        ask.run(["echo", "1"])


def test_nul_is_refused_and_nothing_is_broken(cluster: Cluster) -> None:
    """The mistake is the caller's; the conversation goes on."""
    with Ask(cluster.login) as ask:
        with pytest.raises(ValueError, match="NUL"):
            ask.run(["echo", "a\0b"])
        assert ask.run(["echo", "1"]).out == b"1\n"


def test_a_program_killed_under_us(cluster: Cluster) -> None:
    """It ended without a word: told with its status."""

    class Killed(ListDirectory):
        def code(self) -> str:
            return "kill -9 $$"

    with Ask(cluster.login) as ask, pytest.raises(OutputError, match="exit status 137"):
        ask.batch(Killed(""))


def test_nothing_is_started_before_it_is_needed(cluster: Cluster) -> None:
    """An unused conversation costs nothing."""
    with Ask(cluster.login):
        pass
    assert cluster.login.execs == 0


def test_a_request_is_quick(cluster: Cluster) -> None:
    """Some milliseconds each."""
    with Ask(cluster.login) as ask:
        ask.list("/")
        begin = time.monotonic()
        for _ in range(20):
            ask.tail(os.devnull, 0, 10)
        assert time.monotonic() - begin < 5


def test_a_client_that_is_silent_for_too_long_is_taken_for_dead(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program on the login node ends; should the client wake up, it learns that it must connect again."""
    if "macos" in cluster.login.shell[0]:
        pytest.skip("on a Mac the client is on the same machine, and cannot vanish without a word")
    monkeypatch.setattr("trainsub.remote.ask._IDLE", 1)
    with Ask(cluster.login, slurm_bin=str(cluster.slurm.bin)) as ask:
        assert ask.run(["echo", "x"]).out == b"x\n"
        time.sleep(2.5)
        with pytest.raises(ConnectionLostError, match="nothing was asked for 1 s"):
            ask.run(["echo", "y"])
