"""A run's directory and stand-ins for Slurm's commands, in which a script is run by a real bash."""

import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

SRUN = r"""#!/bin/bash
# Stands in for srun: notes its options, then starts one task with what Slurm gives it.
if [[ $1 == --help ]]; then echo "${SRUN_HELP:-      --container-image=IMAGE}"; exit; fi
while [[ $1 == --* ]]; do options+=("$1"); shift; done
printf '%s\0' "${options[@]}" >"$DUMP/options"
export SLURM_PROCID=5 SLURM_NTASKS=16 SLURM_NODEID=1 SLURM_LOCALID=${LOCALID:-1} SLURM_NTASKS_PER_NODE=4
exec "$@"
"""

APPTAINER = r"""#!/bin/bash
# Stands in for apptainer: notes its options, knows no others, then starts the program with what APPTAINERENV_ gives it.
# As measured with apptainer 1.4: a shell takes these values apart, and runs commands in them, unless --no-eval is given.
eval=yes
[[ $1 == exec ]] || exit 255
shift
while [[ $1 == -* ]]; do
    case $1 in
        --no-eval) eval='' options+=("$1"); shift ;;
        --nv | --no-home | --rocm) options+=("$1"); shift ;;
        --bind | --pwd) options+=("$1" "$2"); shift 2 ;;
        *) echo "apptainer: unknown flag $1" >&2; exit 255 ;;
    esac
done
printf '%s\0' "${options[@]}" "$1" >"$DUMP/apptainer"
shift
for name in ${!APPTAINERENV_@}; do
    value=${!name}
    [ -z "$eval" ] || eval "value=\"$value\""
    export "${name#APPTAINERENV_}=$value"
    unset "$name"
done
exec "$@"
"""

TASK = r"""#!/bin/bash
# Stands in for the training: notes its arguments and its environment, then does what the test asks for.
for argument in "$@"; do printf '%s\0' "$argument"; done >"$DUMP/argv"
env -0 >"$DUMP/env"
touch "$DUMP/started.${SLURM_JOB_ID}"
eval "${TASK:-}"
"""

PYTHON = """#!/bin/bash
# Stands in for Python, which would start torchrun.
exec task "${0##*/}" "$@"
"""


@dataclass
class World:
    """A run's directory, stand-ins for Slurm's commands, and the variables of a job.

    Attributes:
        root: Everything is below it.
        env: The environment of the batch script.
        run_id: The run's id, here with a name that needs quotes.
    """

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    run_id: str = "job-1a2b it's"

    @property
    def run_dir(self) -> Path:
        """The run's directory."""
        return self.root / self.run_id

    def start(self, script: str, **env: str) -> subprocess.Popen[str]:
        """Start the script as slurmd would."""
        (self.root / "script").write_text(script)
        return subprocess.Popen(
            ["bash", self.root / "script", self.run_dir, "1"],
            cwd=self.root / "work",
            env={**self.env, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, script: str, **env: str) -> tuple[int, str]:
        """Run the script to its end."""
        job = self.start(script, **env)
        output, _ = job.communicate(timeout=20)
        return job.returncode, output

    def dumped(self, name: str) -> list[str]:
        """What a stand-in noted."""
        return (self.root / "dump" / name).read_bytes().decode().split("\0")[:-1]

    def environment(self) -> dict[str, str]:
        """The environment of the task."""
        return dict(item.split("=", 1) for item in self.dumped("env"))

    def record(self, name: str = "42.0") -> dict[str, str]:
        """The exit record."""
        text = (self.run_dir / "exit" / name).read_text()
        assert text.endswith("\n")
        return dict(item.split("=") for item in text.split())

    def port(self, low: int = 61000, count: int = 4536) -> int:
        """The first port that is tried for the rendezvous, in a range: it follows from job and cluster."""
        path = f"{self.root}/bin/scontrol\n"
        sum_ = subprocess.run(["cksum"], input=path, capture_output=True, text=True, check=True).stdout.split()[0]
        return low + (int(self.env["SLURM_JOB_ID"]) + int(sum_)) % count

    def wait_for(self, name: str) -> None:
        """Wait for a file of the stand-ins."""
        for _ in range(400):
            if (self.root / "dump" / name).exists():
                return
            time.sleep(0.02)
        raise AssertionError(name)


def make_world(root: Path, run_id: str = "job-1a2b it's") -> World:
    """Lay out a run's directory and the stand-ins."""
    for name in ("bin", "dump", "work", run_id, f"{run_id}/exit"):
        (root / name).mkdir()
    scontrol = "#!/bin/bash\nprintf 'n1\\nn2\\n'\n"
    commands = {
        "srun": SRUN,
        "task": TASK,
        "python": PYTHON,
        "python3": PYTHON,
        "scontrol": scontrol,
        "apptainer": APPTAINER,
    }
    for name, text in commands.items():
        (root / "bin" / name).write_text(text)
        (root / "bin" / name).chmod(0o755)
    env = {
        "PATH": f"{root}/bin:{os.environ['PATH']}",
        "HOME": str(root),
        "LC_ALL": "C.UTF-8",
        "DUMP": str(root / "dump"),
        "SLURM_JOB_ID": "42",
        "SLURM_JOB_NUM_NODES": "4",
        "SLURM_JOB_NODELIST": "n[1-4]",
        "SLURM_JOB_CPUS_PER_NODE": "32(x3),16",
        "SLURMD_NODENAME": "n1",
    }
    return World(root, env, run_id)


NASTY = st.sampled_from(
    [
        "$(touch x)",
        "`touch x`",
        "'",
        '"',
        "\\",
        "\n",
        "\r",
        "$HOME",
        "!!",
        "*",
        "~",
        "--",
        "-n",
        ";touch x;",
        "é",
        "{{ name }}",
    ]
)
VALUE = st.one_of(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=20),
    st.lists(NASTY, max_size=5).map("".join),
)
VARIABLE = st.from_regex(r"\A[A-Z][A-Z0-9_]{3,10}\Z").map(lambda name: "X_" + name + "_")


def cases(usual: int) -> int:
    """How many examples a test through a real shell tries: ``CASES=10000 pytest tests/render`` tries more."""
    return int(os.environ.get("CASES", usual))


def toml_string(text: str) -> str:
    """Write a TOML string."""
    return '"' + "".join(f"\\U{ord(c):08x}" for c in text) + '"'
