"""What a user wrote arrives to the byte: in the ranks' arguments and environment, and in sbatch's own options."""

import json
from pathlib import Path

from cluster.laptop import Laptop

NASTY = {
    "quotes": 'it\'s "quoted" `here`',
    "spaces": "  two  spaces at both ends  ",
    "newlines": "one\ntwo\n\nfour\n",
    "expansions": "$(touch pwned) ${HOME} $HOME `id` $$ !! ~ * ? [a-z] {a,b}",
    "backslashes": "\\n \\\\ \\' \\\" C:\\temp\\",
    "operators": "a; b && c | d > e < f & (g) # h",
    "unicode": "grüße 世界 🚀 é\u0301 \u2028 \xa0",
    "tabs": "\ta\tb\r\n\x0b\x0c\x1b[31m\x7f",
    "option": "--nodes=64",
    "percent": "%j %% %n",
    "template": "{{ name }} {% raw %} {# x #}",
    "empty": "",
}
PROGRAM = """
    import json, os, sys
    seen = {"argv": sys.argv[1:], "env": {name: value for name, value in os.environ.items() if name.startswith("NASTY_")}}
    with open(f"seen.{os.environ['RANK']}", "w") as file:
        json.dump(seen, file)
"""


def toml(text: str) -> str:
    """Write text as TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def spec(laptop: Laptop) -> Path:
    """Make a spec with all of them."""
    words = ", ".join(toml(word) for word in ("python3", "program.py", *NASTY.values()))
    env = "\n".join(f"NASTY_{name.upper()} = {toml(value)}" for name, value in NASTY.items())
    return laptop.project(
        f'name = "nasty"\ncommand = [{words}]\n[slurm]\nnodes = 2\ntime = 5\n'
        f'[launch]\nkind = "srun"\nnproc_per_node = 2\n[env]\n{env}\n',
        {"program.py": PROGRAM},
    )


def test_arguments_and_environment_arrive_in_every_rank(laptop: Laptop) -> None:
    """Quotes, blanks, newlines, expansions and unicode; and nothing of it is run."""
    run = laptop.run("submit", spec(laptop), "--wait", "--json")
    assert run.code == 0, (run, laptop.run("logs", "nasty"))
    work = f"{laptop.run_dir(run.run['run'])}/work"
    for rank in range(4):
        seen = json.loads(laptop.read(f"{work}/seen.{rank}"))
        assert seen["argv"] == list(NASTY.values())
        assert seen["env"] == {f"NASTY_{name.upper()}": value for name, value in NASTY.items()}
    assert "pwned" not in laptop.there("find", laptop.root, "/home/alice", "-maxdepth", "1")
    assert "pwned" not in laptop.there("ls", work)


def test_options_of_sbatch_arrive_as_written(laptop: Laptop) -> None:
    """sbatch reads its directives with a parser of its own; what it made of them is in the controller."""
    values = [value for name, value in NASTY.items() if name not in {"newlines", "tabs", "empty"}]
    with laptop.client() as client:
        for value in values:
            # --network is free text to a cluster without such a plugin, and can be looked at.
            more = f"hold = true\n[slurm.extra]\nnetwork = {toml(value)}\n"
            job = client.submit(client.plan(laptop.shell_job("true", more=more))).jobs[0]
            shown = laptop.there("scontrol", "show", "job", str(job.job_id))
            assert f" Network={value}\n" in shown, (value, shown)
        client.cancel([run.run for run in client.status(cached=True).runs])
