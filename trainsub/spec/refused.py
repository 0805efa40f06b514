"""Options of sbatch that a spec may not give, and why. Pure."""

_COUNTS = "trainsub counts GPUs per node, so that ranks and cost are known; use gpus_per_node"
_LOG = "trainsub keeps one log per job in the run's directory; `trainsub logs` shows it"
_ROOT = "only an administrator may"

REFUSED = {
    "job_name": "trainsub sets it to the run id, by which it finds the job again; `name` is its first part",
    "comment": "trainsub sets it, to find the job again when an answer was lost",
    "chdir": "trainsub sets it: the job runs in its own copy of the code",
    "output": _LOG,
    "error": _LOG,
    "open_mode": _LOG,
    "input": "the batch script's standard input belongs to trainsub",
    "wrap": "trainsub sends a script; `command` says what it runs",
    "parsable": "trainsub sets it, to read the job id",
    "quiet": "trainsub reads what sbatch says",
    "verbose": "trainsub reads what sbatch says",
    "wait": "use `trainsub submit --wait`",
    "test_only": "use `trainsub submit --dry-run`",
    "dependency": "links that follow one another are in [chain]",
    "export": "trainsub sets it; variables of the job are in [env]",
    "export_file": "trainsub sets the environment; variables of the job are in [env]",
    "get_user_env": "trainsub sets the environment; variables of the job are in [env]",
    "clusters": "the cluster is chosen by `--cluster` or by default_cluster in the configuration",
    "gpus": _COUNTS,
    "gpus_per_task": f"it binds one GPU to each rank, which breaks NCCL between them; {_COUNTS}",
    "gpus_per_socket": _COUNTS,
    "ntasks_per_gpu": _COUNTS,
    "tres_per_task": _COUNTS,
    "no_requeue": "write requeue = false",
    "uid": _ROOT,
    "gid": _ROOT,
    "help": "not an option of a job",
    "usage": "not an option of a job",
    "version": "not an option of a job",
}
"""Refused in ``[slurm]``, in ``[slurm.extra]``, and in a cluster's defaults."""

SET_BY_SPEC = {
    "array": "what a job trains is the spec's to say",
    "nodes": "every spec says it, so a default would never count",
    "time": "every spec says it, so a default would never count",
    "ntasks": "the spec's launch kind sets it",
    "ntasks_per_node": "the spec's launch kind sets it",
}
"""Refused in a cluster's defaults only."""
