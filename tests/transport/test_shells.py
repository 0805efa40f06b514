"""Whatever shell a user logs in with, whatever it prints, wherever its home is, and in whatever character set."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from loginnode import installed
from sshd import Server, output

from trainsub.remote.program import BOOT, compose
from trainsub.transport import Transport

Connect = Callable[..., Transport]

NOISE = {
    "sh": (".profile", "echo Welcome; echo >&2 welcome"),
    "bash": (".bashrc", "echo Welcome; echo >&2 welcome; stty sane; cd /"),
    "tcsh": (".tcshrc", "echo Welcome\nset prompt = 'x'"),
    "fish": (".config/fish/config.fish", "echo Welcome; echo >&2 welcome"),
}
PROGRAM = """printf '\\nhome=%s word=%s mark\\n' "$HOME" "$TS_WORD"; cat; exit 7"""
HARD = """a 'b' "c" $d !e `f` \\g * ünï 世界"""


@pytest.fixture(params=sorted(NOISE))
def shell(request: pytest.FixtureRequest) -> str:
    """Each login shell."""
    return installed(str(request.param))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home directory whose name is not nice."""
    path = tmp_path / "ho me 'x'"
    path.mkdir()
    return path


def login_node(start: Callable[..., Server], shell: str, home: Path, *more: str) -> Server:
    """An sshd whose users have that shell and that home; a command given is run as sshd would: SHELL -c COMMAND."""
    script = home.parent / "login"
    script.write_text(
        f'#!/bin/sh\nHOME="{home}"; export HOME; unset SHLVL; cd "$HOME"\nexec {shell} -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    script.chmod(0o755)
    name, text = NOISE[Path(shell).name]
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(text + "\n")
    (home.parent / "banner").write_bytes("Wartung am Freitag, 20 Uhr: größe\n".encode("latin-1") * 50)
    return start(f"ForceCommand {script}", f"Banner {home.parent}/banner", *more)


@pytest.mark.parametrize("kind", ["paramiko", "openssh"])
def test_a_program_runs_in_any_login_shell(
    sshd_with: Callable[..., Server], tmp_path: Path, home: Path, shell: str, connect: Connect, kind: str
) -> None:
    """Our one command line and its values arrive; what the shell prints by itself comes before."""
    server = login_node(sshd_with, shell, home)
    channel = connect(server.config(tmp_path / "config"), transport=kind).open(BOOT)
    channel.write(compose(PROGRAM, {"TS_WORD": HARD}))
    channel.write(b"rest of stdin")
    channel.close_write()
    printed = bytearray()
    while data := channel.read(20):
        printed += data
    assert channel.exit_status(10) == 7
    assert printed.endswith(f"\nhome={home} word={HARD} mark\nrest of stdin".encode())
    channel.close()


@pytest.mark.parametrize("kind", ["paramiko", "openssh"])
@pytest.mark.parametrize("here", ["C", "C.UTF-8", "de_DE.ISO-8859-1"])
def test_any_locale(sshd_with: Callable[..., Server], tmp_path: Path, runtime: Path, kind: str, here: str) -> None:
    """Bytes are bytes, whatever the locale is on either side; file names that are no UTF-8 pass as they are."""
    server = sshd_with("SetEnv LC_ALL=de_DE.ISO-8859-1 LANG=C")
    config = server.config(tmp_path / "config", "SendEnv LC_*")
    program = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from pathlib import Path
from sshd import Cluster, output
from trainsub.transport import open_transport
transport = open_transport("hpc", Cluster(transport={kind!r}, host="hpc", ssh_config=Path({str(config)!r})))
latin = os.fsdecode(b"gr\\xf6\\xdfe")
printed = output(transport, "printf", "%s|%s", "gr\\xf6\\xdfe \\u4e16", latin)
assert printed == "gr\\xf6\\xdfe \\u4e16|".encode() + b"gr\\xf6\\xdfe", printed
assert output(transport, "cat", stdin=bytes(range(256))) == bytes(range(256))
print(transport.description)
transport.close()
"""
    environ = {**os.environ, "LC_ALL": here, "LANG": here, "PYTHONPATH": str(Path(__file__).parents[2])}
    environ["TRAINSUB_RUNTIME_DIR"] = str(runtime)
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("hpc (")


def test_a_banner_is_no_output(sshd_with: Callable[..., Server], tmp_path: Path, home: Path, connect: Connect) -> None:
    """What the server says before the login is no part of what a program prints, on either stream."""
    server = login_node(sshd_with, "/bin/sh", home)
    transport = connect(server.config(tmp_path / "config"), transport="openssh")
    assert output(transport, "echo", "ok") == b"ok\n"
    channel = transport.open(["sh", "-c", "echo mine >&2"])
    assert channel.exit_status(10) == 0
    assert channel.stderr() == b"mine\n"
    channel.close()
