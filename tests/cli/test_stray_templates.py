"""What lies in a folder of templates and is none, cannot be read, or is no file at all."""

import json
import os
from pathlib import Path

import pytest
from cli.test_offline import Here
from cli.test_templates import EXTENDING, write


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A user's machine, with a project."""
    made = Here(tmp_path)
    (made.project / "trainsub.toml").touch()
    return made


def test_files_that_are_no_templates(here: Here) -> None:
    """An editor's lock, a Mac's second file, a copy: no name of them is a template's, and none stops anything."""
    ours = write(here.project / "templates", "mine", EXTENDING.format("torchrun", "mine"))
    (ours.parent / ".#mine.sbatch.j2").symlink_to("somebody@somewhere.1234")
    (ours.parent / "._mine.sbatch.j2").write_bytes(b"\x00\x05\x16\x07\xff")
    (ours.parent / "mine (copy).sbatch.j2").write_bytes(b"\xff")
    assert "echo mine demo" in here.run("render", "job.toml", "--set", "template=mine").stdout
    told = json.loads(here.run("template", "list", "--json").stdout)["templates"]
    assert [one["name"] for one in told if one["layer"] != "built-in"] == ["mine"]
    assert here.run("template", "check").stderr == "trainsub: nothing to put right\n"


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ("a link to nothing", "cannot be read: No such file or directory"),
        ("a link to itself", "cannot be read: Too many levels of symbolic links"),
        ("bytes", "not UTF-8: byte 5"),
        ("a folder", "is no regular file"),
        ("a FIFO", "is no regular file"),
    ],
)
def test_a_template_that_cannot_be_read(here: Here, what: str, fault: str) -> None:
    """It is told wherever somebody asks for it or for all, and in the way of nobody who does not."""
    folder = here.project / "templates"
    folder.mkdir()
    bad = folder / "srun.sbatch.j2"
    if what == "bytes":
        bad.write_bytes(b"{# a\n\xff #}\n")
    elif what == "a FIFO":
        os.mkfifo(bad)
    elif what == "a folder":
        bad.mkdir()
    else:
        bad.symlink_to("nothing" if what == "a link to nothing" else bad.name)
    write(folder, "good", EXTENDING.format("torchrun", "good"))
    child = write(folder, "child", EXTENDING.format("srun", "child"))

    assert here.run("render", "job.toml", "--set", "template=good").returncode == 0
    assert here.run("submit", "job.toml", "--dry-run").returncode == 0
    assert here.run("template", "show", "good").returncode == 0
    assert here.run("template", "check", "good").returncode == 0

    listed = here.run("template", "list")
    assert (listed.returncode, "good" in listed.stdout) == (0, True)
    assert fault in next(line for line in listed.stdout.splitlines() if line.startswith("srun "))
    told = {one["name"]: one for one in json.loads(here.run("template", "list", "--json").stdout)["templates"]}
    assert (told["good"]["problem"], told["srun"]["problem"]) == (None, fault)

    checked = here.run("template", "check")
    line = 2 if what == "bytes" else 1
    assert (checked.returncode, checked.stdout.splitlines()) == (
        3,
        [f"{child}:1: extends srun.sbatch.j2, and {bad}: {fault}", f"{bad}:{line}: {fault}"],
    )
    for asked in (["template", "show", "srun"], ["template", "show", "child"], ["template", "check", str(bad)]):
        done = here.run(*asked)
        assert (done.returncode, f"{bad}: {fault}" in done.stderr) == (3, True), done.stderr
    for used in ("srun", "child"):
        done = here.run("render", "job.toml", "--set", f"template={used}")
        assert (done.returncode, f"{bad}: {fault}" in done.stderr) == (3, True), done.stderr


def test_one_that_is_overridden_and_cannot_be_read(here: Here) -> None:
    """The list tells of it in its own row; what does not extend it does not mind."""
    below = here.folder / "templates"
    below.mkdir()
    (below / "srun.sbatch.j2").symlink_to("nothing")
    write(here.project / "templates", "srun", EXTENDING.format("torchrun", "ours"))
    assert "overridden; cannot be read: No such file" in here.run("template", "list").stdout
    (told,) = [
        one for one in json.loads(here.run("template", "list", "--json").stdout)["templates"] if one["name"] == "srun"
    ]
    assert told["problem"] is None
    assert told["overridden"][0]["problem"] == "cannot be read: No such file or directory"
    assert told["overridden"][1]["problem"] is None
    assert here.run("render", "job.toml", "--set", "template=srun").returncode == 0


def test_a_folder_that_is_a_link_to_itself(here: Here) -> None:
    """It cannot be read, and that is said without a traceback."""
    folder = here.project / "templates"
    folder.symlink_to("templates")
    for verb in (["template", "list"], ["template", "new", "x"], ["render", "job.toml"]):
        done = here.run(*verb)
        assert done.returncode == 3
        assert f"{folder}: cannot be read: Too many levels of symbolic links" in done.stderr
        assert "Traceback" not in done.stderr
    folder.unlink()
    folder.symlink_to("nothing")
    assert here.run("template", "list").returncode == 0


def test_a_file_called_templates(here: Here) -> None:
    """There are no templates in it, and a new one has no place there, which is what is said."""
    folder = here.project / "templates"
    folder.write_text("")
    assert here.run("template", "list").returncode == 0
    done = here.run("template", "new", "mine")
    assert done.returncode == 3
    assert f"{folder} is no folder" in done.stderr
    assert "there already" not in done.stderr


def test_a_script_that_is_no_file(here: Here) -> None:
    """A FIFO would be waited for, until somebody writes into it; a device might never end."""
    os.mkfifo(here.project / "f.sbatch")
    os.mkfifo(here.project / "f.sbatch.j2")
    for name in ("f.sbatch", "f.sbatch.j2", "/dev/zero"):
        for verb in (["render", "job.toml", "--set", f"template={name}"], ["template", "check", name]):
            done = here.run(*verb)
            assert (done.returncode, f"{name}: is no regular file" in done.stderr) == (3, True), done.stderr


def test_a_name_that_is_a_file(here: Here) -> None:
    """A script without a dot in its name is a path only with a slash, which is what the hint says."""
    (here.project / "noext").write_text("#!/bin/sh\n#SBATCH -N 1 -t 5\ntrue\n")
    hint = 'hint: For the file noext, write "./noext". There are: '
    for verb in (["render", "job.toml", "--set", "template=noext"], ["template", "check", "noext"]):
        done = here.run(*verb)
        assert (done.returncode, "there is no template 'noext'" in done.stderr) == (3, True)
        assert hint in done.stderr
    (here.project / "own.toml").write_text('name = "own"\ntemplate = "./noext"\n')
    assert here.run("render", "own.toml").returncode == 0
    assert "For the file" not in here.run("template", "check", "nope").stderr
    (here.project / "deeper").mkdir()
    (here.project / "deeper" / "job.toml").write_text((here.project / "job.toml").read_text())
    assert "For the file" not in here.run("render", "deeper/job.toml", "--set", "template=noext").stderr
