"""Scaffolding: a login node made of this machine's shells, and scripted stand-ins for Slurm's commands.

The stand-ins show what trainsub does with answers, and with failures that a real Slurm does not produce on demand. What
Slurm really answers is shown on containers, in tests/cluster.
"""

# ruff: noqa: D102 - the doubles' methods are those of what they stand for

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainsub.errors import ConnectionLostError
from trainsub.transport.base import Channel
from trainsub.transport.local import LocalTransport

RUN = "llama-7b-3f9a1c2e"
US = "\x1f"


class CutChannel:
    """A channel that dies after some bytes, in either direction; the program is told as sshd would tell it."""

    def __init__(self, inner: Channel, out_limit: int | None, in_limit: int | None) -> None:
        self.inner = inner
        self.out_limit = out_limit
        self.in_limit = in_limit

    def _die(self) -> ConnectionLostError:
        self.inner.close()
        self.out_limit = self.in_limit = 0
        return ConnectionLostError("cut")

    def write(self, data: bytes, timeout: float | None = None) -> None:
        if self.out_limit is None:
            self.inner.write(data, timeout)
            return
        self.inner.write(data[: self.out_limit], timeout)
        if len(data) >= self.out_limit:
            raise self._die()
        self.out_limit -= len(data)

    def close_write(self) -> None:
        self.inner.close_write()

    def read(self, timeout: float | None = None) -> bytes:
        if self.in_limit is None and self.out_limit != 0:
            return self.inner.read(timeout)
        if not self.in_limit:
            raise self._die()
        data = self.inner.read(timeout)
        if len(data) >= self.in_limit:
            data = data[: self.in_limit]
            self.inner.close()
        self.in_limit -= len(data)
        return data

    def stderr(self) -> bytes:
        return self.inner.stderr()

    def exit_status(self, timeout: float | None = None) -> int | None:
        return None if self.out_limit == 0 else self.inner.exit_status(timeout)

    def close(self) -> None:
        self.inner.close()


class Login(LocalTransport):
    """A login node: this machine, with the shell under test as /bin/sh, and whatever its login shell prints."""

    def __init__(self, shell: Sequence[str], noise: str = "") -> None:
        super().__init__("test")
        self.shell = tuple(shell)
        self.noise = noise
        self.out_limit: int | None = None
        self.in_limit: int | None = None
        self.channels: list[Channel] = []

    def open(self, argv: Sequence[str], *, what: str = "") -> Channel:
        assert argv[0] == "/bin/sh"
        command = [*self.shell, *argv[1:]]
        if self.noise:
            command = ["/bin/sh", "-c", self.noise + '\nexec "$@"', "login", *command]
        channel = super().open(command, what=what)
        if self.out_limit is not None or self.in_limit is not None:
            channel = CutChannel(channel, self.out_limit, self.in_limit)
        self.channels.append(channel)
        return channel


COMMAND = r"""#!/bin/sh
state=$(dirname "$0")/../state
name=$(basename "$0")
n=$(ls "$state" | grep -c "^$name[.]argv")
for word; do printf '%s\0' "$word"; done >"$state/$name.argv.$n"
env -0 >"$state/$name.env.$n"
umask >"$state/$name.umask.$n"
[ "$(readlink /proc/self/fd/0)" = /dev/null ] || echo "stdin is $(readlink /proc/self/fd/0)" >"$state/$name.stdin.$n"
asked="$*"
as_asked() { # whole rows become those that a settler asks for
    case "$name $asked" in
    squeue*WorkDir*) awk -F '\037' -v OFS='\037' 'NF > 1 { print $1, $2, $3, $6, $4, $5, (NF > 16 ? $16 : "/"), $14, $15, ""; next } 1' ;;
    sacct*WorkDir*) awk -F '\037' -v OFS='\037' 'NF > 1 { print $2, $5, $3, "None", "/", $16, "", "", ""; next } 1' ;;
    *) cat ;;
    esac
}
[ ! -f "$state/$name.before" ] || . "$state/$name.before"
[ ! -f "$state/$name.script" ] || . "$state/$name.script"
exit 0
"""

ACCEPT = r"""
comment= job=
for word; do
    case $word in --comment=*) comment=${word#*=} ;; --job-name=*) job=${word#*=} ;; esac
done
id=$((1000 + n))
u=$(printf '\037')
printf "$id${u}N/A${u}N/A${u}PENDING${u}Resources${u}Unknown${u}0${u}0${u}1${u}0${u}gpu${u}cpu=1${u}${u}%s${u}%s${u}\n" "$job" "$comment" >>"$state/queue"
echo "$id"
"""

REFUSE = 'echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2; exit 1'


@dataclass
class Slurm:
    """Scripted stand-ins for Slurm's commands."""

    base: Path
    bin: Path = field(init=False)
    state: Path = field(init=False)

    def __post_init__(self) -> None:
        self.bin = self.base / "slurm bin"
        self.state = self.base / "state"
        self.bin.mkdir(parents=True)
        self.state.mkdir()
        (self.state / "queue").touch()
        (self.state / "accounting").touch()
        for name in ("sbatch", "squeue", "sacct", "scancel"):
            (self.bin / name).write_text(COMMAND)
            (self.bin / name).chmod(0o755)
        self.says("sbatch", ACCEPT)
        self.says("squeue", 'as_asked <"$state/queue"')
        self.says("sacct", 'as_asked <"$state/accounting"')

    def says(self, name: str, script: str) -> None:
        (self.state / f"{name}.script").write_text(script)

    def before(self, name: str, script: str) -> None:
        (self.state / f"{name}.before").write_text(script)

    def refuses(self) -> None:
        self.says("sbatch", REFUSE)

    def calls(self, name: str) -> list[list[str]]:
        found = sorted(self.state.glob(f"{name}.argv.*"), key=lambda path: int(path.suffix[1:]))
        return [path.read_text().split("\0")[:-1] for path in found]

    def env(self, name: str, call: int = 0) -> dict[str, str]:
        pairs = (self.state / f"{name}.env.{call}").read_text().split("\0")
        return dict(pair.split("=", 1) for pair in pairs if "=" in pair)

    def queue(
        self,
        job_id: int,
        name: str = RUN,
        comment: str = f"trainsub:{RUN}:1",
        *,
        state: str = "PENDING",
        submitted: int | None = None,
        start: int = 0,
        end: int = 0,
        tres: str = "cpu=1",
        folder: str = "",
    ) -> None:
        """Add a row to what squeue prints; whoever asks for the working directory gets the folder."""
        times = (submitted or "Unknown", start, end)
        row = (job_id, "N/A", "N/A", state, "None", *times, 1, 0, "gpu", tres, "", name, comment)
        self._add("queue", *row, *([folder] if folder else []))

    def account(
        self,
        job_id: int,
        name: str = RUN,
        *,
        state: str = "COMPLETED",
        code: str = "0:0",
        submitted: int | None = None,
        start: int = 0,
        end: int | None = 0,
        tres: str = "cpu=1",
    ) -> None:
        """Add a record to what sacct prints; one that lasts has no end."""
        times = (submitted or "Unknown", 0, start, "Unknown" if end is None else end, (end or start) - start)
        where = ("n1", "gpu", "a", name)
        self._add("accounting", job_id, job_id, state, code, *times, "00:00:00", tres, 1, *where)

    def _add(self, file: str, *row: object) -> None:
        with (self.state / file).open("a") as stream:
            stream.write("".join(f"{field}{US}" for field in row) + "\n")


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)
