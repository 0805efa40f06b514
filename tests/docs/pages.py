"""Reads the documentation's pages, runs what they show, and compares what comes out with what they say.

A page is one session: its blocks run in order, in an empty home directory, through one bash. What a fenced block is
stands behind its language:

    ```console              commands behind "$ ", and what they print; "..." stands for any lines
    ```sh                   commands
    ```python               a program
    ```toml file=job.toml   any language: the block is the content of this file; "~/" is the home directory
    ```toml config          a configuration; without a word, a spec. With `part`, only some of its keys
    ```… minislurm          runs on the embedded cluster
    ```… cluster            needs the sandbox
    ```… not-run="reason"   cannot be run here

A block within an HTML comment is run and not shown: it makes what the page takes for granted, and no reader should type.

A command may end with a comment "# exit code N". Run ids on a page stand for those that are drawn when it is run.
"""

import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

ROOT = Path(__file__).parents[2]
HOME = "/home/me"
"""What the home directory is called on the pages."""

_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>.*)$")
_RUN = re.compile(r"\b(?!step-)[A-Za-z][\w.]*(?:-[A-Za-z]\w*)*-[0-9a-f]{8}\b")
_EXIT = re.compile(r"\s+# exit code (\d+)$")
_END = "\x1eend of output "

_VOLATILE = (
    (re.compile(r"\x1b\[[0-9;]*m"), ""),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?"), "TIME"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "SHA256"),
    (re.compile(r"\b[0-9a-f]{40}\b|\bcommit [0-9a-f]{12}\b"), "COMMIT"),
    (re.compile(r"SHA256:[\w+/]{43}"), "FINGERPRINT"),
    (re.compile(r"\((?:squeue|sacct), [^)]* ago"), "(SOURCE, AGE ago"),
    (re.compile(r"\((?:squeue|sacct)\)"), "(SOURCE)"),
    (re.compile(r"\b\d+ (?:bytes|KiB|MiB)"), "SIZE"),
    (re.compile(r"\b[\d.]+ (?:s|min|h)\b( \d+ (?:s|min)\b)?"), "DURATION"),
    (re.compile(r"127\.0\.0\.1\]?:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"(master \w+:)\d+"), r"\1PORT"),
    (re.compile(r"\bjob +\d+|\"job_id\": \d+"), "job N"),
    (re.compile(r"^(RUN +(?:sandbox|hpc|minislurm) +)\d+"), r"\1N"),
    (re.compile(r"\b\d+(?: +| GPU-seconds)?[\d.]* +\d+\.\d\d EUR"), "AMOUNTS"),
    (re.compile(r"[\d.]+ GPU-hours, [\d.]+ EUR \(\d+ GPU-seconds"), "AMOUNTS"),
    (re.compile(r"^rank \d+ of (\d+) \(local rank \d+\) on \S+"), r"rank R of \1"),
    (re.compile(r"\bloss \d\.\d+"), "loss X"),
    (re.compile(r"\b\d+ +[\d.]+ +-$|used [\d.]+ GPU-hours, no price configured \(\d+"), "AMOUNTS"),
    (re.compile(r"^(saved|resumed from|finished at)? ?step[- ]?\d+(\.pt: step \d+)?"), r"\1 step N"),
    (re.compile(r"(\"gpu_seconds\": |\"amount\": )[\"\d.]+"), r"\1N"),
)


@dataclass(frozen=True)
class Command:
    """One command of a block, and what the page says that it prints."""

    line: int
    text: str
    expected: tuple[str, ...]
    exit_code: int


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    page: Path
    line: int
    language: str
    words: tuple[str, ...]
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Its content."""
        return "".join(f"{line}\n" for line in self.lines)

    @property
    def where(self) -> str:
        """File and line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file(self) -> str | None:
        """The file whose content it is."""
        return self._value("file")

    @property
    def not_run(self) -> str | None:
        """Why it cannot be run."""
        return self._value("not-run")

    @property
    def is_spec(self) -> bool:
        """Whether it is a whole job spec."""
        settings = Path(self.file or "").name in {"config.toml", "trainsub.toml"}
        return self.language == "toml" and not settings and not {"config", "part"} & set(self.words)

    @property
    def cluster(self) -> bool:
        """Whether it needs the sandbox."""
        return "cluster" in self.words

    @property
    def minislurm(self) -> bool:
        """Whether it runs on the embedded cluster."""
        return "minislurm" in self.words

    def commands(self) -> Iterator[Command]:
        """The commands of a console block, or the single script of another one."""
        if self.language == "sh":
            yield Command(self.line, self.text, ("...",), 0)
            return
        text, at, expected = "", 0, list[str]()
        for number, line in enumerate(self.lines, self.line + 1):
            if line.startswith("$ "):
                if text:
                    yield _command(at, text, expected)
                text, at, expected = line.removeprefix("$ "), number, []
            elif text.endswith("\\") and not expected:
                text += "\n" + line.removeprefix("> ")
            else:
                expected.append(line)
        yield _command(at, text, expected)

    def _value(self, name: str) -> str | None:
        return next((word.partition("=")[2] for word in self.words if word.startswith(f"{name}=")), None)


def _command(line: int, text: str, expected: Sequence[str]) -> Command:
    found = _EXIT.search(text)
    return Command(line, text, tuple(expected), int(found[1]) if found else 0)


def pages() -> list[Path]:
    """Every page that people wrote."""
    written = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    return sorted(path for path in written if "reference" not in path.parts)


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    found: list[Block] = []
    opened: tuple[int, int, str] | None = None
    lines: list[str] = []
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        fence = _FENCE.match(line)
        if opened is None:
            if fence:
                opened, lines = (number, len(fence["indent"]), fence["info"]), []
        elif fence and not fence["info"]:
            language, *words = shlex.split(opened[2]) or [""]
            found.append(Block(page, opened[0], language, tuple(words), tuple(lines)))
            opened = None
        else:
            lines.append(line[opened[1] :])
    assert opened is None, f"{page}: a block does not end"
    return found


def same(expected: Sequence[str], actual: Sequence[str]) -> bool:
    """Compare outputs; "..." stands for any lines."""
    wanted, got = [_shape(line) for line in expected], [_shape(line) for line in actual]
    return _match([line for line in wanted if line], [line for line in got if line])


def _match(wanted: Sequence[str], got: Sequence[str]) -> bool:
    if not wanted:
        return not got
    if wanted[0] == "...":
        return any(_match(wanted[1:], got[skipped:]) for skipped in range(len(got) + 1))
    return bool(got) and wanted[0] == got[0] and _match(wanted[1:], got[1:])


def _shape(line: str) -> str:
    """A line without what changes from run to run."""
    line = _RUN.sub("RUN", line)
    for pattern, word in _VOLATILE:
        line = pattern.sub(word, line)
    return " ".join(line.split())


@dataclass
class Session:
    """One reader, who goes through one page.

    Attributes:
        home: The reader's home directory.
        folder: Where the reader is at first.
        names: Run ids on the page, and those that were drawn instead.
    """

    home: Path
    names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.home / "project"
        self.folder.mkdir(parents=True)
        (self.home / "trainsub").symlink_to(ROOT)
        programs = self.home / "bin"
        programs.mkdir()
        for name, start in (("trainsub", f"{sys.executable} -m trainsub"), ("python", sys.executable)):
            (programs / name).write_text(f'#!/bin/sh\nexec {start} "$@"\n')
            (programs / name).chmod(0o755)
        # ssh looks for its files in the home directory of the user database, whatever HOME says.
        real, config = shutil.which("ssh") or "ssh", self.home / ".ssh" / "config"
        (programs / "ssh").write_text(f'#!/bin/sh\n[ ! -e {config} ] || set -- -F {config} "$@"\nexec {real} "$@"\n')
        (programs / "ssh").chmod(0o755)
        kept = {key: os.environ[key] for key in ("DOCKER_HOST", "SSL_CERT_FILE") if key in os.environ}
        environ = {
            **kept,
            "DOCKER_CONFIG": os.environ.get("DOCKER_CONFIG", str(Path.home() / ".docker")),
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "GIT_CEILING_DIRECTORIES": str(self.home.parent),
        }
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self.folder,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shell.kill()
        self.shell.communicate()

    def write(self, block: Block) -> None:
        """Make the file that a block shows."""
        assert block.file
        path = self.home / block.file[2:] if block.file.startswith("~/") else self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._named(block.text), encoding="utf-8")

    def run(self, command: str, *, seconds: float = 120) -> tuple[list[str], int]:
        """Run a command; what it printed to both streams, and its exit code."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        text = f"{{ {self._named(command)}\n}} </dev/null; code=$?; echo; echo '{_END}'$code; (exit $code)\n"
        self.shell.stdin.write(text.encode())
        self.shell.stdin.flush()
        deadline, said = time.monotonic() + seconds, ""
        while not (end := re.search(rf"\n{_END}(\d+)\n", said)):
            ready, _, _ = select.select([self.shell.stdout], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"{command!r} did not end in {seconds} s; it said:\n{said}"
            data = os.read(self.shell.stdout.fileno(), 1 << 16)
            assert data, f"{command!r} ended the shell; it said:\n{said}"
            said += data.decode(errors="replace")
        return said[: end.start()].replace(str(self.home), HOME).splitlines(), int(end[1])

    def learn(self, expected: Sequence[str], actual: Sequence[str]) -> None:
        """Remember which run ids were drawn for those on the page."""
        theirs = list(dict.fromkeys(_RUN.findall("\n".join(expected))))
        ours = list(dict.fromkeys(_RUN.findall("\n".join(actual))))
        for one, other in zip(theirs, ours, strict=False):
            self.names.setdefault(one, other)

    def _named(self, text: str) -> str:
        text = text.replace(HOME, str(self.home))
        return _RUN.sub(lambda match: self.names.get(match[0], match[0]), text)
