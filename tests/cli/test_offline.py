"""The command line as a user meets it, wherever no cluster is needed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

SPEC = """\
name = "demo"
command = ["python3", "train.py"]
[slurm]
nodes = 2
gpus_per_node = 8
time = "01:00:00"
"""
CONFIG = """\
[clusters.hpc]
host = "127.0.0.1"
port = {port}
connect_timeout = 2
[clusters.hpc.price]
currency = "EUR"
gpu_hour = "2.50"
"""


class Here:
    """A user's machine: an empty home, a configuration, and a spec."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "my project"
        self.project.mkdir()
        (self.project / "job.toml").write_text(SPEC)
        (self.project / "train.py").write_text("print('training')\n")
        self.config = folder / "config.toml"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.closed_port = probe.getsockname()[1]
        self.config.write_text(CONFIG.format(port=self.closed_port))
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder / "home"),
            "TRAINSUB_CONFIG": str(self.config),
            "TRAINSUB_STATE_DIR": str(folder / "state"),
            "TRAINSUB_CACHE_DIR": str(folder / "cache"),
            "COLUMNS": "120",
        }

    def run(self, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run trainsub in the project."""
        return subprocess.run(
            [sys.executable, "-m", "trainsub", *arguments],
            cwd=self.project,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """A user's machine."""
    return Here(tmp_path)


def test_render_prints_the_script_and_nothing_else(here: Here) -> None:
    """It asks no network, writes no store, and prints the same bytes each time."""
    first, second = here.run("render", "job.toml"), here.run("render", "job.toml")
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert first.stdout.startswith("#!/bin/bash\n")
    assert first.stderr == ""
    assert not (here.folder / "state").exists()


def test_dry_run_shows_script_code_and_ceiling(here: Here) -> None:
    """2 nodes × 8 GPUs × 1 h × 2.50 = 40.00; stdout holds the script alone."""
    done = here.run("submit", "job.toml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stdout == here.run("render", "job.toml").stdout
    assert "ceiling: 16.00 GPU-hours, 40.00 EUR" in done.stderr
    told = json.loads(here.run("submit", "job.toml", "--dry-run", "--json", "--key", "k").stdout)
    assert (told["ceiling"], told["ceiling_gpu_seconds"], told["gpus"]) == (
        {"amount": "40.00", "currency": "EUR"},
        57600,
        16,
    )
    assert told["run"].startswith("demo-")


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["slurm.time=UNLIMITED"], "ceiling: none, since there is no time limit"),
        (
            ["slurm.gpus_per_node=0", "slurm.exclusive=true"],
            "how many GPUs they have is not configured (clusters.hpc.gpus_per_node)",
        ),
        (["slurm.gpus_per_node=0"], "ceiling: 0.00 GPU-hours, 0.00 EUR"),
    ],
)
def test_a_dry_run_says_why_there_is_no_ceiling(here: Here, sets: list[str], words: str) -> None:
    """No limit is one thing, and GPUs that nobody counted another."""
    changes = [word for one in sets for word in ("--set", one)]
    done = here.run("submit", "job.toml", "--dry-run", *changes)
    assert done.returncode == 0, done.stderr
    assert words in done.stderr.splitlines()[-1]
    told = json.loads(here.run("submit", "job.toml", "--dry-run", "--json", *changes).stdout)
    assert (told["ceiling"] is None) == ("GPU-hours" not in words)


def test_the_embedded_cluster_is_told_no_number_of_gpus(here: Here) -> None:
    """Its configuration takes none, so none is asked for."""
    done = here.run(
        "--cluster",
        "minislurm",
        "submit",
        "job.toml",
        "--dry-run",
        "--set",
        "slurm.gpus_per_node=0",
        "--set",
        "slurm.exclusive=true",
    )
    assert done.stderr.splitlines()[-1].endswith("the job takes whole nodes, and how many GPUs they have is not known")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["submit", "absent.toml"], 3, "absent.toml: cannot be read"),
        (["render", "job.toml", "--set", "slurm.nodez=3"], 3, "nodes"),
        (["render", "job.toml", "--set", "slurm.nodes=many"], 3, "slurm.nodes"),
        (["render", "job.toml", "--set", 'command="python train.py"'], 3, "list"),
        (["render", "job.toml", "--set", f"name={'x' * 41}"], 3, "name"),
        (["--cluster", "other", "render", "job.toml"], 6, "other"),
        (["--cluster", "other", "status"], 6, "other"),
        (["status", "nope"], 6, "nope"),
        (["cancel", "nope"], 6, "nope"),
        (["logs", "nope"], 6, "nope"),
        (["wait", "nope"], 6, "nope"),
        (["usage", "nope"], 6, "nope"),
        (["usage", "--since", "yesterday-ish"], 2, "--since"),
        (["frobnicate"], 2, "frobnicate"),
        (["submit"], 2, "SPEC"),
        (["submit", "job.toml"], 4, "127.0.0.1"),
        (["cluster", "check"], 4, "127.0.0.1"),
        (["sandbox", "up", "--mount", "relative"], 2, "--mount"),
    ],
)
def test_errors_have_code_words_and_no_traceback(here: Here, arguments: list[str], code: int, words: str) -> None:
    """What went wrong is said on stderr, and the exit code is the documented one."""
    done = here.run(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


def test_errors_as_json(here: Here) -> None:
    """With --json the error is a document on stdout, of the same code."""
    done = here.run("status", "nope", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == told["error"]["code"] == 6
    assert told["error"]["kind"] == "unknown_run"
    assert done.stderr == ""
    both = json.loads(here.run("submit", "job.toml", "--follow", "--json").stdout)
    assert both["error"]["code"] == 2


def test_an_unreachable_cluster_leaves_no_intent(here: Here) -> None:
    """Nothing was sent, so there is nothing to settle."""
    assert here.run("submit", "job.toml").returncode == 4
    assert json.loads(here.run("status", "--json").stdout) == {"schema": 1, "runs": []}


def test_config_show_and_path(here: Here) -> None:
    """Each value has an origin; a variable beats a file."""
    done = here.run("config", "show", "--origin", TRAINSUB_CLUSTERS__HPC__HOST="elsewhere")
    assert 'clusters.hpc.host = "elsewhere"' in done.stdout
    assert "TRAINSUB_CLUSTERS__HPC__HOST" in done.stdout
    assert str(here.config) in done.stdout
    assert str(here.config) in here.run("config", "path").stdout
    told = json.loads(here.run("config", "show", "--json").stdout)
    assert told["values"]["clusters.hpc.price.gpu_hour"] == "2.50"


def test_a_named_configuration_must_exist(here: Here) -> None:
    """A typing error in --config is not silently an empty configuration."""
    done = here.run("--config", "absent.toml", "cluster", "list")
    assert done.returncode == 3
    assert "absent.toml" in done.stderr


def test_a_wrong_configuration_names_file_and_key(here: Here) -> None:
    """The place and the likely key are in the message."""
    here.config.write_text('[clusters.hpc]\nhosst = "x"\n')
    done = here.run("cluster", "list")
    assert done.returncode == 3
    assert str(here.config) in done.stderr
    assert "host" in done.stderr


def test_no_cluster_configured(here: Here) -> None:
    """Then the embedded cluster is meant; on a machine with a Slurm of its own, the error says what can be done."""
    here.config.write_text("")
    assert f"PATH={here.folder}/state/minislurm/bin:$PATH" in here.run("render", "job.toml").stdout
    (here.folder / "bin").mkdir()
    (here.folder / "bin" / "sbatch").touch(0o755)
    path = f"{here.folder}/bin:{os.environ['PATH']}"
    done = here.run("submit", "job.toml", PATH=path)
    assert done.returncode == 6
    assert f"a Slurm of its own ({here.folder}/bin/sbatch)" in done.stderr
    assert "clusters" in done.stderr
    assert here.run("--cluster", "minislurm", "submit", "job.toml", "--dry-run", PATH=path).returncode == 0


def test_an_unwritable_state_directory_is_a_store_error(here: Here) -> None:
    """Exit code 8, with the path."""
    (here.folder / "state").write_text("a file is in the way")
    done = here.run("status")
    assert done.returncode == 8
    assert "state" in done.stderr


def test_no_color_and_no_terminal_give_plain_text(here: Here) -> None:
    """No escape sequence reaches a pipe."""
    for arguments in (["cluster", "list"], ["status", "nope"], ["--help"]):
        done = here.run(*arguments)
        assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize("times", [1, 2, 300])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_a_command_with_their_code(here: Here, number: int, code: int, times: int) -> None:
    """Against a host that accepts and says nothing, so that the command is certainly at work; also if they repeat."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        here.config.write_text(
            CONFIG.format(port=mute.getsockname()[1]).replace("connect_timeout = 2", "connect_timeout = 30")
        )
        with subprocess.Popen(
            [sys.executable, "-m", "trainsub", "submit", "job.toml"],
            cwd=here.project, env=here.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            connection, _ = mute.accept()
            time.sleep(0.3)
            for _ in range(times):
                process.send_signal(number)
                time.sleep(0.0005)
            _, stderr = process.communicate(timeout=20)
            connection.close()
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr


def test_a_closed_pipe_is_no_traceback(here: Here) -> None:
    """`trainsub ... | head -0` ends quietly."""
    with subprocess.Popen(
        [sys.executable, "-m", "trainsub", "render", "job.toml"],
        cwd=here.project, env=here.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        process.stdout.close()
        process.wait(timeout=20)
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_traceback(here: Here, closed: str) -> None:
    """A cron job may have none of them; nothing else is then written into a file that took their place."""
    command = f'exec "$0" -m trainsub status {closed}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=here.project,
        env=here.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (here.folder / "state" / "store.sqlite").read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("arguments", ["status --json", "render job.toml", "--help", "config path"])
def test_a_full_disk_behind_stdout_is_told(here: Here, arguments: str) -> None:
    """Exit code 1 and words, no traceback."""
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -m trainsub {arguments} >/dev/full', sys.executable],
        cwd=here.project, env=here.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [["status", "--bogus"], ["wait"], ["submit"]])
def test_usage_errors_are_documents_too(here: Here, arguments: list[str]) -> None:
    """A pipeline that reads JSON finds JSON."""
    done = here.run(*arguments, "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "usage"


def test_an_empty_key_is_no_key(here: Here) -> None:
    """A variable that was never set must not make all runs the same."""
    done = here.run("submit", "job.toml", "--key", "")
    assert done.returncode == 2
    assert "key is empty" in done.stderr


def test_every_verb_has_help(here: Here) -> None:
    """Each says what it does, in a sentence."""
    top = here.run("--help").stdout
    for verb in ("render", "submit", "status", "wait", "logs", "cancel", "usage", "cluster", "config", "sandbox"):
        assert verb in top
        done = here.run(verb, "--help")
        assert done.returncode == 0
        assert done.stdout.splitlines()[0].startswith("Usage:")


def test_the_shell_completes_names_of_clusters(here: Here) -> None:
    """The configured ones and the embedded one; nothing where the configuration is wrong."""
    program = "from trainsub.cli.cluster import complete; print(complete(''), complete('m'))"

    def completed() -> str:
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=here.env, capture_output=True, text=True, check=True).stdout

    assert completed() == "['minislurm', 'hpc'] ['minislurm']\n"
    here.config.write_text("nonsense")
    assert completed() == "[] []\n"
