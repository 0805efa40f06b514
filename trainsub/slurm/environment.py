"""Environment variables that would change what a Slurm command does. Pure.

``SBATCH_*`` beats the directives of a script, ``SQUEUE_*`` and ``SACCT_*`` change columns and filters, and inside an
allocation ``SLURM_*`` would make a submission inherit that allocation. So all of them are unset before a command runs,
except those that say where Slurm is and who we are.
"""

SCRUB_PREFIXES = (
    "PMIX_",
    "PMI_",
    "SACCT_",
    "SALLOC_",
    "SBATCH_",
    "SCANCEL_",
    "SCONTROL_",
    "SINFO_",
    "SLURMD_",
    "SLURM_",
    "SQUEUE_",
    "SRUN_",
)
"""Every variable that begins so is unset..."""

KEEP = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_JWT", "SLURM_SACK_JWKS", "SLURM_SACK_KEY", "SLURM_SACK_SOCKET")
"""...but for these: where the configuration is, and how the user proves who they are."""

SET = (("LC_ALL", "C"), ("SLURM_TIME_FORMAT", "%s"), ("SLURM_BITSTR_LEN", "0"))
"""Set for each command: plain messages, times as epoch seconds, pending array tasks in full."""


def is_scrubbed(name: str) -> bool:
    """Say whether a variable is unset before a Slurm command runs."""
    return name.startswith(SCRUB_PREFIXES) and name not in KEEP
