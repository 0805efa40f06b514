"""What every transport promises, tested on real ones: this machine, and a real OpenSSH server."""

import contextlib
import os
import threading
import time

import pytest
from sshd import output

from trainsub.errors import RemoteTimeoutError
from trainsub.transport import Transport
from trainsub.transport.base import STDERR_LIMIT

MIB = 1 << 20


def sh(script: str) -> list[str]:
    """A script for the POSIX shell."""
    return ["/bin/sh", "-c", script]


def test_echo(transport: Transport) -> None:
    """What goes in comes out."""
    assert output(transport, "cat", stdin=b"hello\n") == b"hello\n"


def test_binary_safety(transport: Transport) -> None:
    """Every byte passes unchanged in both directions."""
    data = bytes(range(256)) * 64
    assert output(transport, "cat", stdin=data) == data


@pytest.mark.parametrize("code", [0, 1, 7, 127, 255])
def test_exit_status(transport: Transport, code: int) -> None:
    """The program's own exit status comes back."""
    channel = transport.open(sh(f"exit {code}"))
    assert channel.read(10) == b""
    assert channel.exit_status(10) == code
    channel.close()


def test_exit_status_after_a_signal(transport: Transport) -> None:
    """A killed program ends with 128 + the signal's number, as in a shell."""
    channel = transport.open(sh("kill -TERM $$"))
    assert channel.exit_status(10) == 143
    channel.close()


def test_missing_program(transport: Transport) -> None:
    """A program that does not exist is no broken connection: it ends with 127 and a message."""
    channel = transport.open(["/no/such/program"])
    assert channel.exit_status(10) == 127
    assert b"/no/such/program" in channel.stderr()
    channel.close()


def test_much_on_both_streams(transport: Transport) -> None:
    """Megabytes on stderr do not stop stdout, and the end of stderr is kept."""
    channel = transport.open(
        sh("head -c 24000000 /dev/zero >&2 & head -c 24000000 /dev/zero; wait; echo the end >&2"), what="flood"
    )
    size = 0
    while chunk := channel.read(20):
        size += len(chunk)
    assert size == 24_000_000
    assert channel.exit_status(10) == 0
    assert channel.stderr().endswith(b"the end\n")
    assert len(channel.stderr()) <= STDERR_LIMIT
    channel.close()
    assert transport.bytes_received == 48_000_008


def test_large_stdin(transport: Transport) -> None:
    """32 MiB arrive whole."""
    data = os.urandom(MIB) * 32
    assert int(output(transport, "wc", "-c", stdin=data)) == len(data)


def test_large_echo_with_a_reader(transport: Transport) -> None:
    """Much in both directions at once flows when one thread writes and another reads."""
    data = os.urandom(MIB) * 32
    channel = transport.open(["cat"])

    def feed() -> None:
        channel.write(data)
        channel.close_write()

    writer = threading.Thread(target=feed)
    writer.start()
    received = bytearray()
    while chunk := channel.read(20):
        received += chunk
    writer.join()
    assert received == data
    assert channel.exit_status(10) == 0
    channel.close()


def test_dialogue(transport: Transport) -> None:
    """Question and answer on one channel; nothing waits for a buffer to fill."""
    channel = transport.open(sh('while read line; do echo "got $line"; done'))
    for word in (b"one", b"two", b"three"):
        channel.write(word + b"\n")
        assert channel.read(10) == b"got " + word + b"\n"
    channel.close_write()
    assert channel.read(10) == b""
    assert channel.exit_status(10) == 0
    channel.close()


def test_end_of_stdin(transport: Transport) -> None:
    """close_write ends the program's stdin and nothing else; it may be called twice."""
    channel = transport.open(sh("cat >/dev/null; echo ended"))
    channel.close_write()
    channel.close_write()
    assert channel.read(10) == b"ended\n"
    assert channel.exit_status(10) == 0
    channel.close()


def test_write_after_the_end_of_stdin(transport: Transport) -> None:
    """Writing after close_write is a mistake of the caller, and is said to be one."""
    channel = transport.open(["sleep", "2"])
    channel.close_write()
    with pytest.raises(ValueError, match="close_write"):
        channel.write(b"late")
    channel.close()


def test_program_that_does_not_read(transport: Transport) -> None:
    """Writing to a program that has ended is not an error: its exit status says what happened."""
    channel = transport.open(sh("exec <&-; echo no; exit 3"))
    channel.write(b"x" * 8 * MIB)
    assert channel.read(10) == b"no\n"
    assert channel.exit_status(10) == 3
    channel.close()


def test_write_times_out(transport: Transport) -> None:
    """A program that reads nothing is waited for only so long, whatever a reader waits for; it can still be heard."""
    channel = transport.open(sh("sleep 2; echo late"))
    heard: list[bytes] = []
    reader = threading.Thread(target=lambda: heard.append(channel.read()))
    reader.start()
    started = time.monotonic()
    with pytest.raises(RemoteTimeoutError, match=r"read nothing of its input for 0\.3 s"):
        channel.write(bytes(32 * MIB), 0.3)
    assert time.monotonic() - started < 2
    assert heard == []
    reader.join(10)
    assert heard == [b"late\n"]
    channel.close()


def test_slow_progress_is_no_silence(transport: Transport) -> None:
    """A write that takes much longer than its timeout goes on as long as a little is read now and then."""
    slow = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3; head -c 400000 >/dev/null; done; cat >/dev/null"
    channel = transport.open(sh(f"echo go; {slow}; echo all"))
    assert channel.read(10) == b"go\n"
    started = time.monotonic()
    channel.write(bytes(8 * MIB), 1.5)
    assert time.monotonic() - started > 1.5
    channel.close_write()
    assert channel.read(10) == b"all\n"
    channel.close()


def test_read_times_out(transport: Transport) -> None:
    """No answer in time is an error of its own, and the channel goes on."""
    channel = transport.open(sh("sleep 0.6; echo late"))
    with pytest.raises(RemoteTimeoutError, match="no answer"):
        channel.read(0.1)
    assert channel.read(10) == b"late\n"
    channel.close()


def test_stderr_outlives_a_silence(transport: Transport) -> None:
    """A reader that ran out of patience does not make the rest of stderr vanish."""
    channel = transport.open(sh("sleep 0.3; echo one >&2; sleep 0.6; echo two >&2; echo end"))
    data = b""
    deadline = time.monotonic() + 10
    while not data and time.monotonic() < deadline:
        with contextlib.suppress(RemoteTimeoutError):
            data = channel.read(0.1)
    assert channel.exit_status(10) == 0
    assert channel.stderr() == b"one\ntwo\n"
    channel.close()


def test_exit_status_times_out(transport: Transport) -> None:
    """A program that goes on after it closed its stdout is waited for only so long."""
    channel = transport.open(sh("exec >&- 2>&-; sleep 2"))
    with pytest.raises(RemoteTimeoutError):
        channel.exit_status(0.2)
    channel.close()


def test_exit_status_drops_unread_output(transport: Transport) -> None:
    """Waiting for the end does not hang on output that nobody has read."""
    channel = transport.open(["head", "-c", "40000000", "/dev/zero"])
    assert channel.exit_status(20) == 0
    channel.close()


def test_close_lets_the_program_go(transport: Transport) -> None:
    """Closing does not wait for a program that goes on."""
    channel = transport.open(["sleep", "3"])
    started = time.monotonic()
    channel.close()
    channel.close()
    assert time.monotonic() - started < 2


def test_no_shell_expands_anything(transport: Transport) -> None:
    """Arguments arrive as they are, whatever a shell would make of them."""
    words = ["$HOME", "`id`", "*", "a b", "", "'", '"', "\\", "a\nb", ";exit 9", "~", "!x", "#", "%s", "-n"]
    script = 'for word; do printf "%s\\0" "$word"; done'
    printed = output(transport, "/bin/sh", "-c", script, "sh", *words)
    assert printed.decode().split("\0")[:-1] == words


def test_unicode_arguments(transport: Transport) -> None:
    """UTF-8 passes in arguments and output."""
    assert output(transport, "printf", "%s", "größe 训练 🚀") == "größe 训练 🚀".encode()


def test_nul_in_an_argument(transport: Transport) -> None:
    """NUL cannot be in a command line, and is refused before anything is sent."""
    with pytest.raises(ValueError, match="NUL"):
        transport.open(["echo", "a\0b"])


def test_several_programs_at_once(transport: Transport) -> None:
    """Channels do not disturb each other."""
    channels = [transport.open(["cat"]) for _ in range(4)]
    for number, channel in enumerate(channels):
        channel.write(b"%d" % number)
        channel.close_write()
    for number, channel in reversed(list(enumerate(channels))):
        assert channel.read(10) == b"%d" % number
        assert channel.exit_status(10) == 0
        channel.close()


def test_counters(transport: Transport) -> None:
    """Execs and bytes are counted; one connection serves many programs."""
    output(transport, "cat", stdin=b"12345")
    output(transport, "sh", "-c", "cat; echo err >&2", stdin=b"678")
    assert transport.execs == 2
    assert transport.connections <= 1
    assert transport.bytes_sent == 8
    assert transport.bytes_received == 12


def test_prepare(transport: Transport) -> None:
    """Preparing is not needed, does no harm, and may be done twice."""
    transport.prepare()
    transport.prepare()
    assert output(transport, "echo", "ok") == b"ok\n"
    transport.prepare()
    assert output(transport, "echo", "ok") == b"ok\n"
    assert transport.connections <= 1


def test_description(transport: Transport) -> None:
    """The description names the cluster."""
    assert transport.description.startswith("hpc (")
