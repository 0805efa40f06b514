"""Templates as files of the site, the user and the project, as the command line shows them."""

import json
from pathlib import Path

import pytest
from cli.test_offline import Here

from trainsub.places import Places
from trainsub.template_files import read_templates

EXTENDING = '{{% extends "{}.sbatch.j2" %}}\n{{% block environment %}}\n{{{{ super() | shell }}}}\necho {} {{{{ name }}}}\n{{% endblock %}}\n'


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A user's machine, with a project and a configuration."""
    made = Here(tmp_path)
    (made.project / "trainsub.toml").touch()
    return made


def write(folder: Path, name: str, text: str) -> Path:
    """Write a template."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.sbatch.j2"
    path.write_text(text)
    return path


def test_the_layers(here: Here) -> None:
    """The project's wins over the user's, which wins over the built-in one; each is told, and all take part."""
    mine = write(here.folder / "templates", "torchrun", EXTENDING.format("torchrun", "user"))
    ours = write(here.project / "templates", "torchrun", EXTENDING.format("torchrun", "project"))
    done = here.run("render", "job.toml")
    assert done.stderr == f"trainsub: template: torchrun of the project ({ours})\n"
    assert "echo user demo\n" in done.stdout.partition("echo project demo\n")[0]
    told = json.loads(here.run("template", "list", "--json").stdout)["templates"]
    (found,) = [one for one in told if one["name"] == "torchrun"]
    assert (found["layer"], found["path"], found["extend_only"]) == ("project", str(ours), False)
    assert found["overridden"][0]["path"] == str(mine)
    assert [one["layer"] for one in found["overridden"]] == ["user", "built-in"]
    table = here.run("template", "list").stdout
    assert "overridden" in table
    assert "to extend only" in table
    plan = json.loads(here.run("submit", "job.toml", "--dry-run", "--json").stdout)
    assert plan["template"] == {"name": "torchrun", "layer": "project", "path": str(ours)}


def test_a_path_in_the_spec(here: Here) -> None:
    """It is relative to the spec, and above all layers; a path into a layer means that layer's template."""
    ours = write(here.project / "templates", "torchrun", EXTENDING.format("torchrun", "project"))
    write(here.project, "torchrun", EXTENDING.format("torchrun", "spec"))
    done = here.run("render", "job.toml", "--set", "template=torchrun.sbatch.j2")
    assert "torchrun of the spec" in done.stderr
    assert done.stdout.index("echo project demo") < done.stdout.index("echo spec demo")
    done = here.run("render", "job.toml", "--set", "template=templates/torchrun.sbatch.j2")
    assert done.stderr == f"trainsub: template: torchrun of the project ({ours})\n"
    assert done.stdout.count("echo project demo") == 1
    done = here.run("render", "job.toml", "--set", "template=nope.j2")
    assert (done.returncode, "nope.j2: cannot be read: No such file" in done.stderr) == (3, True)


def test_a_folder_is_one_layer(tmp_path: Path) -> None:
    """Also where the user's configuration lies beside the project's."""
    (tmp_path / "trainsub.toml").touch()
    write(tmp_path / "templates", "torchrun", EXTENDING.format("torchrun", "x"))
    places = Places({}, working_directory=tmp_path, config_file=tmp_path / "config.toml")
    assert [layer for layer, _ in places.template_folders()] == ["site", "user"]
    assert [one.layer for one in read_templates(places).stack("torchrun")] == ["user", "built-in"]


def test_show(here: Here) -> None:
    """What it is for and what it extends; its text; and each block with the file that writes it."""
    ours = write(here.project / "templates", "srun", "{#-\nPurpose: ours.\n-#}\n" + EXTENDING.format("srun", "x"))
    said = here.run("template", "show", "srun").stdout
    assert said.startswith(f"srun (project): {ours}\nextends srun (built-in): ")
    assert said.endswith("Purpose: ours.\n")
    assert here.run("template", "show", "srun", "--source").stdout == ours.read_text()
    blocks = here.run("template", "show", "srun", "--blocks").stdout.splitlines()
    assert f"{ours}:5" in next(line for line in blocks if line.startswith("environment "))
    assert "built-in" in next(line for line in blocks if line.startswith("fence "))
    told = json.loads(here.run("template", "show", "srun", "--json").stdout)
    assert [one["name"] for one in told["extends"]] == ["srun", "base"]
    assert [one["name"] for one in told["blocks"]][:4] == ["header", "directives", "fence", "record"]
    assert (told["name"], told["source"]) == ("srun", ours.read_text())
    assert here.run("template", "show", "nope").returncode == 3
    assert here.run("template", "show", "srun", "--blocks", "--source").returncode == 2


def test_check(here: Here) -> None:
    """Exit code 3 and file and line of each mistake; a batch script, too; all templates if none is named."""
    assert here.run("template", "check").stderr == "trainsub: nothing to put right\n"
    bad = write(
        here.project / "templates",
        "bad",
        '{% extends "srun.sbatch.j2" %}\n{% block env %}\n"{{ nodez }}"\n{% endblock %}\n',
    )
    done = here.run("template", "check")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        f"{bad}:3: unknown variable: nodez",
        f"{bad}:3: {{{{ nodez }}}} is inside quotes or a here document, where its own quotes do harm",
    ]
    assert here.run("template", "check", "srun").returncode == 0
    told = json.loads(here.run("template", "check", "bad", "--json").stdout)["problems"]
    assert told[0] == {"file": str(bad), "line": 3, "message": "unknown variable: nodez"}
    assert here.run("template", "check", "nope").returncode == 3
    assert here.run("template", "check", "templates/bad.sbatch.j2").returncode == 3
    (here.project / "own.sbatch").write_text("#!/bin/sh\n#SBATCH --gpus=4\n")
    done = here.run("template", "check", "own.sbatch")
    assert (done.returncode, done.stdout.partition(": trainsub")[0]) == (3, "own.sbatch:2: --gpus")


def test_new(here: Here) -> None:
    """What is written extends what is there, passes the lint, and replaces nothing."""
    done = here.run("template", "new", "torchrun")
    path = here.project / "templates" / "torchrun.sbatch.j2"
    assert (done.returncode, done.stdout) == (0, f"{path}\n")
    assert '{% extends "torchrun.sbatch.j2" %}' in path.read_text()
    assert here.run("template", "check").returncode == 0
    again = here.run("template", "new", "torchrun")
    assert (again.returncode, "is there already" in again.stderr) == (3, True)
    told = json.loads(here.run("template", "new", "mine", "--extends", "srun", "--user", "--json").stdout)
    assert (told["layer"], told["path"]) == ("user", str(here.folder / "templates" / "mine.sbatch.j2"))
    assert '{% extends "srun.sbatch.j2" %}' in Path(told["path"]).read_text()
    done = here.run("render", "job.toml", "--set", "launch.kind=srun", "--set", "template=mine")
    assert (done.returncode, "its template user/mine." in done.stdout) == (0, True)
    assert here.run("template", "new", "a/b").returncode == 3
    assert here.run("template", "new", "x", "--extends", "nope").returncode == 3
    assert here.run("template", "new", "x", "--project", "--user").returncode == 2
    (here.project / "trainsub.toml").unlink()
    outside = here.run("template", "new", "x", "--project")
    assert (outside.returncode, "A project begins with a file trainsub.toml" in outside.stderr) == (3, True)


def test_a_script_of_ones_own(here: Here) -> None:
    """It is named with what of it counts for nothing; its lines decide, and are named where they cannot be taken over."""
    own = here.project / "own.sbatch"
    own.write_text("#!/bin/bash\n#SBATCH -N 2 -t 60\n#SBATCH --gpus-per-node=4 -o x.out\nsrun ./train\n")
    (here.project / "own.toml").write_text('name = "own"\ntemplate = "own.sbatch"\n')
    done = here.run("submit", "own.toml", "--dry-run")
    assert (
        f"trainsub: script: {own}, as it is; of its own lines, these count for nothing here: --output (line 3)"
        in done.stderr
    )
    assert "ceiling: 8.0000 GPU-hours, 20.00 EUR" in done.stderr
    told = json.loads(here.run("submit", "own.toml", "--dry-run", "--json").stdout)
    assert told["template"] == {"name": "own.sbatch", "layer": "spec", "path": str(own)}
    one, other = (json.loads(here.run("submit", "own.toml", "--dry-run", "--json").stdout)["script"] for _ in range(2))
    assert one == other
    own.write_text("#!/bin/bash\n#SBATCH -N 2-4 -t 60\n")
    done = here.run("render", "own.toml")
    assert (done.returncode, "own.sbatch:2: --nodes: expected an integer" in done.stderr) == (3, True)
    own.write_bytes(b"#!/bin/bash\n\xff\n")
    assert "own.sbatch: not UTF-8: byte 12" in here.run("render", "own.toml").stderr
