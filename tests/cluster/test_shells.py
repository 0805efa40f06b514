"""Whatever shell a user logs in with, and wherever their runs lie."""

import json

import pytest
from cluster.laptop import Laptop, finish
from clusters import SlurmCluster


@pytest.mark.parametrize("transport", ["paramiko", "openssh"])
@pytest.mark.parametrize("user", ["bob", "tess", "finn"])
def test_any_login_shell_will_do(
    cluster: SlurmCluster, tmp_path_factory: pytest.TempPathFactory, user: str, transport: str
) -> None:
    """A talkative .bashrc, tcsh and fish: submit, follow, status, cancel, usage."""
    home = tmp_path_factory.mktemp(user) / "home"
    laptop = Laptop(home, cluster, user=user, keys=f'transport = "{transport}"')
    spec = laptop.project(
        """\
        name = "shell"
        command = ["sh", "-c", "id -un; cat code.txt; printf '%s' \\"$QUOTED\\"; echo"]
        [slurm]
        nodes = 1
        gpus_per_node = 1
        time = 5
        [launch]
        kind = "srun"
        [env]
        QUOTED = "a 'b' \\"c\\" $d !e"
        """,
        {"code.txt": "the code\n"},
    )
    following, waiting = [
        laptop.start("submit", *words)
        for words in ((spec, "--follow"), (laptop.shell_job("sleep 300", more="hold = true\n"), "--json"))
    ]
    held = finish(waiting).ok().run
    ended = finish(following)
    assert ended.code == 0, ended
    for line in (user, "the code", "a 'b' \"c\" $d !e"):
        assert line in ended.out.splitlines()
    assert "Welcome" not in ended.out
    assert laptop.status(held["run"])["phase"] == "pending"
    assert laptop.run("cancel", held["run"]).code == 0
    assert laptop.run("wait", held["run"]).code == 11
    assert laptop.run("usage", "shell", "--json").ok().document["runs"][0]["state"] == "COMPLETED"
    assert laptop.run("cluster", "check").code == 0
    assert laptop.run("cluster", "logout").code == 0


@pytest.mark.parametrize("below", ["sp ace/ünï'cödé $HOME;世界", "percent %j", "~"])
def test_a_remote_root_may_be_called_anything(laptop: Laptop, below: str) -> None:
    """Blanks, quotes, dollars, unicode, per cent; and the default, below the home directory."""
    if below == "~":
        laptop.root = "/home/alice/.trainsub"
        file = laptop.home / "config.toml"
        lines = [line for line in file.read_text().splitlines() if not line.startswith("remote_root")]
        file.write_text("\n".join(lines) + "\n")
    else:
        laptop.root += f" {below}"
        laptop.configure()
    spec = laptop.project(
        """\
        name = "root"
        command = ["sh", "-c", "pwd; ls"]
        [slurm]
        nodes = 2
        time = 5
        [launch]
        kind = "srun"
        """,
        {"a file": ""},
    )
    ended = laptop.run("submit", spec, "--follow")
    assert ended.code == 0, ended
    (run,) = json.loads(laptop.run("status", "--cached", "--json").out)["runs"]
    work = f"{laptop.run_dir(run['run'])}/work"
    assert ended.out.splitlines().count(work) == 2
    assert ended.out.splitlines().count("a file") == 2
    for path in (laptop.root, laptop.run_dir(run["run"])):
        assert laptop.there("stat", "-c", "%a", path).strip() == "700"
    assert laptop.there("stat", "-c", "%a", f"{laptop.run_dir(run['run'])}/script.sbatch").strip() == "600"
