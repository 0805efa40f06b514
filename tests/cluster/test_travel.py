"""The code travels as an immutable snapshot."""

import json
import subprocess
from pathlib import Path

from cluster.laptop import Laptop, without

SPEC = """\
name = "snapshot"
command = ["sh", "-c", "cat train.txt; ./tool; find . -printf '%y %m %p %l\\\\n' | LC_ALL=C sort"]
[slurm]
nodes = 1
time = 5
[launch]
kind = "srun"
"""


def git(folder: Path, *words: str) -> None:
    """Run git, as somebody."""
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def repository(laptop: Laptop) -> Path:
    """Make a repository with one of everything; the path of the spec."""
    spec = laptop.project(
        SPEC,
        {
            "train.txt": "committed\n",
            "tool": "#!/bin/sh\necho the tool runs\n",
            "package/module.py": "x = 1\n",
            "ünïcode dir/a file": "",
            ".gitignore": "ignored.txt\n",
            "ignored.txt": "no\n",
        },
    )
    folder = spec.parent
    (folder / "tool").chmod(0o755)
    (folder / "link").symlink_to("package/module.py")
    (folder / "dangling").symlink_to("nowhere at all")
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "first")
    (folder / "train.txt").write_text("uncommitted\n")
    (folder / "untracked.py").write_text("y = 2\n")
    (folder / "empty").mkdir()
    return spec


def test_a_queued_job_runs_the_code_as_it_was(laptop: Laptop) -> None:
    """Uncommitted and untracked files, symlinks, modes and empty folders arrive; later edits do not."""
    spec = repository(laptop)
    said = laptop.run("submit", spec, "--set", "slurm.hold=true", "--json").ok()
    assert "with uncommitted changes" in said.err
    assert "(1 of them untracked)" in said.err
    (spec.parent / "train.txt").write_text("edited after the submit\n")
    (spec.parent / "tool").unlink()
    laptop.there("scontrol", "release", str(said.run["job_id"]))
    assert laptop.run("wait", said.run["run"]).code == 0
    log = laptop.run("logs", said.run["run"]).ok().out
    lines = log.splitlines()
    assert "uncommitted" in lines
    assert "edited after the submit" not in log
    assert "the tool runs" in lines
    for expected in (
        "l 777 ./link package/module.py",
        "l 777 ./dangling nowhere at all",
        "f 755 ./tool ",
        "d 755 ./empty ",
        "f 644 ./untracked.py ",
        "f 644 ./ünïcode dir/a file ",
    ):
        assert expected in lines
    assert "ignored.txt" not in log
    shown = laptop.run("status", said.run["run"]).ok().out
    assert said.run["code"]["sha256"] in shown
    assert said.run["code"]["commit"] in shown
    assert "with uncommitted changes" in shown
    assert "untracked.py" in shown


def test_a_damaged_archive_on_the_cluster_is_replaced(laptop: Laptop) -> None:
    """It is verified before each use, and the new copy is whole."""
    spec = laptop.project(SPEC.replace("./tool; ", ""), {"train.txt": "whole\n"})
    first = laptop.run("submit", spec, "--wait", "--json").ok().run
    archive = f"{laptop.root}/code/{first['code']['sha256']}.tar.gz"
    for damage in ('truncate -s 10 "$1"', 'printf x | dd of="$1" bs=1 seek=40 conv=notrunc status=none', 'rm "$1"'):
        laptop.there("sh", "-c", f'chmod u+w "$1"; {damage}', "sh", archive)
        again = laptop.run("submit", spec, "--wait", "--json").ok().run
        assert again["code"]["sha256"] == first["code"]["sha256"]
        assert "whole" in laptop.run("logs", again["run"]).ok().out
        assert laptop.there("sha256sum", archive).split()[0] == first["code"]["sha256"]


def test_no_git_on_the_laptop_is_no_obstacle_outside_a_repository(laptop: Laptop) -> None:
    """Then the folder travels, less what .trainsubignore names."""
    laptop.path = without("git", laptop.home / "bin")
    spec = laptop.project(
        SPEC.replace("./tool; ", ""), {"train.txt": "here\n", ".trainsubignore": "big/\n", "big/x": ""}
    )
    ended = laptop.run("submit", spec, "--follow")
    assert ended.code == 0, ended
    assert "here" in ended.out
    assert "./big" not in ended.out
    assert "no git commit" in ended.err
    assert json.loads(laptop.run("status", "snapshot", "--json", "--cached").out)["runs"][0]["code"]["commit"] is None
