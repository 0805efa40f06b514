"""The pages say what happens: their commands are run, their programs too, and their files are read."""

import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.pages import ROOT, Block, Session, blocks, pages, same
from minislurm_runs.machine import torch_venv

from trainsub import parse_spec
from trainsub.config import Cluster, Layer, built_in_layer, parse_toml, resolve
from trainsub.render import render
from trainsub.sandbox import docker

PAGES = pages()
ALL = [block for page in PAGES for block in blocks(page)]
NOT_RUN_AT_MOST = 6
LANGUAGES = {"console", "sh", "toml", "python", "text", "json", "ini"}
WORDS = {"cluster", "config", "minislurm", "part"}
LEAST = {"name": "x", "command": ["x"], "slurm": {"nodes": 1, "time": "1"}}
WRITE = os.environ.get("TRAINSUB_TEST_WRITE_DOCS") == "1"
"""Put what is printed now into the pages, instead of comparing; output with "..." stays."""
SANDBOX_PAGES = {ROOT / "docs" / "how-to" / "use-the-sandbox.md"}
"""Pages that start a sandbox themselves."""


def _id(value: object) -> str:
    if isinstance(value, Block):
        return value.where
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else str(value)


@pytest.mark.parametrize("block", ALL, ids=_id)
def test_a_block_says_what_it_is(block: Block) -> None:
    """Its language is one that these tests know what to do with, and so is every word behind it."""
    assert block.language in LANGUAGES
    assert {word for word in block.words if "=" not in word} <= WORDS
    assert {word.partition("=")[0] for word in block.words if "=" in word} <= {"file", "not-run"}


def test_few_commands_are_not_run() -> None:
    """Whatever cannot be run here says why, and there is little of it."""
    skipped = [block for block in ALL if block.not_run is not None]
    assert all(len(block.not_run or "") > 10 for block in skipped)
    assert len(skipped) <= NOT_RUN_AT_MOST, [block.where for block in skipped]


@pytest.mark.parametrize("block", [block for block in ALL if block.language == "toml"], ids=_id)
def test_toml_is_a_spec_or_a_configuration(block: Block) -> None:
    """What a page shows is accepted as it stands."""
    name = Path(block.file or "").name
    if "config" in block.words or name in {"config.toml", "trainsub.toml"}:
        data = parse_toml(block.text, block.where)
        layers = [built_in_layer("/minislurm"), Layer("user", block.where, data, "/home/me")]
        if name == "trainsub.toml":
            hosts = {name: {"host": "h"} for name in data["clusters"]}
            layers = [Layer("user", "", {"clusters": hosts}, ""), Layer("project", block.where, data, "")]
        elif "part" in block.words:
            layers.insert(0, Layer("site", "", {"clusters": {name: {"host": "h"} for name in data["clusters"]}}, ""))
        resolve(layers, home="/home/me")
    elif "part" in block.words:
        given = tomllib.loads(block.text)
        whole = {**LEAST, **given, "slurm": {**LEAST["slurm"], **given.get("slurm", {})}}  # type: ignore[dict-item]
        from trainsub.spec import toml  # noqa: PLC0415

        parse_spec(toml.write(whole), origin=block.where)
    else:
        parse_spec(block.text, origin=block.where)


@pytest.mark.parametrize("block", [block for block in ALL if block.is_spec], ids=_id)
def test_a_spec_becomes_a_script(block: Block) -> None:
    """Whatever whole spec a page shows makes a batch script that bash can read."""
    script = render(parse_spec(block.text, origin=block.where), Cluster(transport="local"))
    subprocess.run(["bash", "-n"], input=script, check=True, text=True)


@pytest.mark.xdist_group("agents")
@pytest.mark.parametrize("page", PAGES, ids=_id)
def test_what_needs_no_cluster_does_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Commands that ask no network, or nobody but the embedded cluster, on any machine."""
    offline = [block for block in blocks(page) if not block.cluster]
    home = tmp_path / "home"
    with Session(home) as session:
        if any(block.minislurm for block in offline) and any("~/venv" in block.text for block in offline):
            torch_venv(home / "venv")
        try:
            _go_through(offline, session)
        finally:
            session.run(
                "scancel=~/.local/state/trainsub/minislurm/bin/scancel; [ ! -e $scancel ] || $scancel -u $(id -u)"
            )


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A sandbox for the pages that do not start one themselves; the state directory's parent."""
    import clusters  # noqa: PLC0415 -- only with Docker

    clusters.ensure(["24.11"])
    folder = tmp_path_factory.mktemp("sandbox")
    environ = {**os.environ, "TRAINSUB_STATE_DIR": str(folder), "TRAINSUB_CACHE_DIR": str(folder / "cache")}
    mounts = [word for source, target in clusters.python_mounts() for word in ("--mount", f"{source}:{target}")]
    program = [sys.executable, "-m", "trainsub", "sandbox"]
    try:
        subprocess.run([*program, "up", *mounts], env=environ, check=True)
        _install_torch(folder / "sandbox" / "ssh_config")
        yield folder
    finally:
        subprocess.run([*program, "down"], env=environ, check=True)


def _install_torch(ssh_config: Path) -> None:
    """What `pip install torch` into ~/venv would have done, without the download."""
    script = "mkdir -p venv/bin && echo 'PATH=/opt/python-run:$PATH' >venv/bin/activate"
    subprocess.run(["ssh", "-F", ssh_config, "trainsub-sandbox", script], check=True)


def _as_hpc(sandbox: Path, home: Path) -> None:
    """Let the sandbox be the host `hpc` of this reader."""
    mine, own = sandbox / "sandbox", home / ".ssh"
    own.mkdir(parents=True)
    shutil.copy(mine / "known_hosts", own)
    lines = (mine / "ssh_config").read_text().splitlines()
    kept = [line for line in lines if line.split()[0] in {"HostName", "Port", "User", "IdentityFile"}]
    files = [f"    UserKnownHostsFile {own}/known_hosts", "    GlobalKnownHostsFile none"]
    (own / "config").write_text("\n".join(["Host hpc", *kept, *files, ""]))


@pytest.mark.cluster
@pytest.mark.parametrize("page", [page for page in PAGES if any(block.cluster for block in blocks(page))], ids=_id)
def test_what_needs_a_cluster_does_what_the_page_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """The whole page, against real Slurm."""
    home = tmp_path / "home"
    if page in SANDBOX_PAGES:
        subprocess.run(["sh", docker.containers_dir() / "prepare", "24.11"], check=True)
        with Session(home) as session:
            try:
                _go_through(blocks(page), session)
            finally:
                session.run("trainsub sandbox down")
        return
    sandbox: Path = request.getfixturevalue("sandbox")
    if any('host = "hpc"' in block.text for block in blocks(page)):
        _as_hpc(sandbox, home)
    else:
        state = home / ".local" / "state" / "trainsub"
        state.mkdir(parents=True)
        (state / "sandbox").symlink_to(sandbox / "sandbox")
    with Session(home) as session:
        _go_through(blocks(page), session)


def _go_through(shown: list[Block], session: Session) -> None:
    """Do as the page says, block by block."""
    printed = {block: _one(block, session) for block in shown}
    if WRITE and shown:
        page = shown[0].page
        lines = page.read_text(encoding="utf-8").splitlines()
        for block, now in reversed(printed.items()):
            if now is not None:
                lines[block.line : block.line + len(block.lines)] = now
        text = "".join(f"{line}\n" for line in lines)
        for theirs, ours in session.names.items():
            text = text.replace(theirs, ours)
        page.write_text(text, encoding="utf-8")


def _one(block: Block, session: Session) -> list[str] | None:
    """Do what a block says; how it reads with what was printed now, if it says what is printed."""
    if block.not_run is not None:
        return None
    if block.file is not None:
        session.write(block)
    elif block.language in {"console", "sh"}:
        printed = _run(block, session)
        return printed if block.language == "console" else None
    elif block.language == "python":
        (session.home / "block.py").write_text(block.text)
        said, code = session.run("python ~/block.py")
        assert code == 0, f"{block.where}: exit code {code}\n" + "\n".join(said)
    return None


def _run(block: Block, session: Session) -> list[str]:
    rewritten: list[str] = []
    for command in block.commands():
        said, code = session.run(command.text)
        said = [line.rstrip() for line in said]
        place = f"{block.page.relative_to(ROOT)}:{command.line}: $ {command.text}"
        assert code == command.exit_code, f"{place}\nexit code {code}\n" + "\n".join(said)
        session.learn(command.expected, said)
        assert WRITE or same(command.expected, said), _difference(place, command.expected, said)
        text = command.text.replace("\n", "\n> ")
        rewritten += [*f"$ {text}".splitlines(), *(command.expected if "..." in command.expected else said)]
    return rewritten


def _difference(place: str, expected: tuple[str, ...], said: list[str]) -> str:
    return "\n".join([place, "--- the page says", *expected, "--- but it printed", *said])
