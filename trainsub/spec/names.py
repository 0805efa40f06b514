"""Which names of variables ``[env]`` and ``[secrets]`` may give. Pure."""

import re
from typing import Annotated

from trainsub.spec import toml
from trainsub.spec.expect import Expect, NotExpectedError, line

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_GIVE = "Choose another name, or write it in [env]: there its value can be read."
_LAUNCHER = "trainsub and the launcher set it for each rank"
_RESERVED = [
    (re.compile(r"TRAINSUB_.*"), "trainsub sets it"),
    (re.compile(r"TS_.*"), "trainsub's own programs on the cluster use it"),
    (re.compile(r"IFS"), "the job's script splits words by it"),
    (re.compile(r"MASTER_ADDR|MASTER_PORT|WORLD_SIZE|(?:LOCAL_|NODE_|GROUP_|ROLE_)?RANK"), _LAUNCHER),
    (re.compile(r"(?:LOCAL_|GROUP_|ROLE_)WORLD_SIZE|TORCHELASTIC_(?:RUN_ID|RESTART_COUNT|MAX_RESTARTS)"), _LAUNCHER),
    (re.compile(r"PET_.*"), "trainsub gives torchrun its options"),
    (re.compile(r"SBATCH_.*"), "[slurm] has the options of sbatch"),
    (
        re.compile(
            r"SLURM_(?:EXPORT_ENV|JOB_?.*|JOBID|ARRAY_.*|STEP_?.*|PROCID|NODEID|LOCALID|NTASKS.*|NPROCS|NNODES|NODELIST"
            r"|TASKS_PER_NODE|CPUS_.*|GPUS_.*|MEM_PER_.*|RESTART_COUNT|SUBMIT_.*|CLUSTER_NAME|CONF)"
        ),
        "Slurm sets it; [slurm] has the options of the job",
    ),
    (re.compile(r"BASHOPTS|BASH_VERSINFO|EUID|PPID|SHELLOPTS|UID"), "bash does not let it be set"),
]

# What submits the job begins by forgetting variables of the secrets' names, and could not go on without these.
_NO_SENSE = re.compile(r"PATH|HOME|USER|SHELL|LD_.*|BASH_ENV|ENV|PS4")

# By the end of the name: HF_TOKEN is a secret, TOKENIZERS_PARALLELISM and PASSWORD_FILE are not.
_SECRET = re.compile(
    r".*(?:PASSWORD|PASSWD|PASSPHRASE|API_?KEY|(?:ACCESS|SECRET|PRIVATE|SIGNING|ENCRYPTION)_?KEY)"
    r"|(?:.*_)?(?:TOKEN|SECRET)",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(r"(?:.*_)?(?:PAD|EOS|BOS|UNK|SEP|CLS|MASK|STOP|END|START|SPECIAL|PER)_TOKEN", re.IGNORECASE)


def _settable(value: object) -> str:
    name = line(value)
    if _NAME.fullmatch(name) is None:
        raise NotExpectedError("not a name that a variable can have: letters, digits and underscores, no digit first")
    for pattern, reason in _RESERVED:
        if pattern.fullmatch(name):
            raise NotExpectedError(f"reserved: {reason}")
    return name


def _secret_name(value: object) -> str:
    name = _settable(value)
    if _NO_SENSE.fullmatch(name):
        raise NotExpectedError("reserved: shells and programs are steered by it, so it is no secret", hint=_GIVE)
    return name


def _variable_name(value: object) -> str:
    name = _settable(value)
    if _SECRET.fullmatch(name) and not _NO_SECRET.fullmatch(name):
        raise NotExpectedError(
            "looks like a secret, and values of a spec can be read in the job's script",
            hint=f"Its value can come from your environment: [secrets] names = [{toml.value_text(name)}]",
        )
    return name


SECRET_NAME = Expect("a variable's name", _secret_name)
"""Any that the job may set and that can hold a secret."""
VARIABLE_NAME = Expect("a variable's name", _variable_name)
VariableName = Annotated[str, VARIABLE_NAME]
