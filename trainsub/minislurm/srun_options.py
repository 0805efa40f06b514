"""What srun is asked for: its command line over the variables that sbatch and the user have set. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trainsub.minislurm import options
from trainsub.minislurm.options import Option, Parsed
from trainsub.slurm import units

_TABLE = (
    Option("accel-bind"),
    Option("account", "A"),
    Option("chdir", "D"),
    Option("comment"),
    Option("compress", argument="optional"),
    Option("core-spec", "S"),
    Option("cpu-bind"),
    Option("cpu-freq"),
    Option("cpus-per-task", "c"),
    Option("disable-status", "X", "no"),
    Option("distribution", "m"),
    Option("error", "e"),
    Option("exact", argument="no"),
    Option("exclude", "x"),
    Option("exclusive", argument="optional"),
    Option("export"),
    Option("gpu-bind"),
    Option("gpu-freq"),
    Option("gpus", "G"),
    Option("gpus-per-node"),
    Option("gpus-per-task"),
    Option("gres"),
    Option("gres-flags"),
    Option("help", "h", "no"),
    Option("hint"),
    Option("immediate", "I", "optional"),
    Option("input", "i"),
    Option("job-name", "J"),
    Option("jobid"),
    Option("kill-on-bad-exit", "K", "optional"),
    Option("label", "l", "no"),
    Option("mem"),
    Option("mem-bind"),
    Option("mem-per-cpu"),
    Option("mem-per-gpu"),
    Option("mpi"),
    Option("msg-timeout"),
    Option("network"),
    Option("no-kill", "k", "optional"),
    Option("nodelist", "w"),
    Option("nodes", "N"),
    Option("ntasks", "n"),
    Option("ntasks-per-node"),
    Option("open-mode"),
    Option("output", "o"),
    Option("overcommit", "O", "no"),
    Option("overlap", argument="no"),
    Option("partition", "p"),
    Option("prolog"),
    Option("propagate", argument="optional"),
    Option("quiet", "Q", "no"),
    Option("relative", "r"),
    Option("slurmd-debug"),
    Option("threads"),
    Option("threads-per-core"),
    Option("time", "t"),
    Option("tres-bind"),
    Option("unbuffered", "u", "no"),
    Option("usage", argument="no"),
    Option("verbose", "v", "no"),
    Option("version", "V", "no"),
    Option("wait", "W"),
    Option("wckey"),
    Option("whole", argument="no"),
)
_VARIABLES = {
    "cpus-per-task": ("SRUN_CPUS_PER_TASK", "SLURM_CPUS_PER_TASK"),
    "chdir": ("SLURM_WORKING_DIR",),
    "distribution": ("SLURM_DISTRIBUTION",),
    "error": ("SRUN_ERROR", "SLURM_STDERRMODE"),
    "exact": ("SLURM_EXACT",),
    "export": ("SRUN_EXPORT_ENV", "SLURM_EXPORT_ENV"),
    "gpus-per-node": ("SLURM_GPUS_PER_NODE",),
    "gpus-per-task": ("SLURM_GPUS_PER_TASK",),
    "gres": ("SLURM_GRES",),
    "input": ("SRUN_INPUT", "SLURM_STDINMODE"),
    "jobid": ("SLURM_JOB_ID", "SLURM_JOBID"),
    "kill-on-bad-exit": ("SLURM_KILL_BAD_EXIT",),
    "label": ("SLURM_LABELIO",),
    "nodes": ("SLURM_NNODES",),
    "ntasks": ("SLURM_NTASKS", "SLURM_NPROCS"),
    "ntasks-per-node": ("SLURM_NTASKS_PER_NODE",),
    "open-mode": ("SLURM_OPEN_MODE",),
    "output": ("SRUN_OUTPUT", "SLURM_STDOUTMODE"),
    "overcommit": ("SLURM_OVERCOMMIT",),
    "overlap": ("SLURM_OVERLAP",),
    "time": ("SLURM_TIMELIMIT",),
    "wait": ("SLURM_WAIT",),
}
USAGE = """\
Usage: srun [-N nodes] [-n tasks] [--ntasks-per-node n] [-c cpus] [-w hosts] [-x hosts] [-r n] [--gres list]
            [--gpus-per-node n] [--gpus-per-task n] [-m distribution] [--exact] [--overlap] [-O] [-t minutes]
            [-o out] [-e err] [-i in] [-l] [-u] [-D path] [--export names] [--open-mode append|truncate]
            [-K[0|1]] [-W seconds] [-J name] [--jobid id] [-I] [-Q] [-v] program [arguments]
"""
BAD_OPTION = 255


class AskedError(Exception):
    """srun cannot do that; the lines are what it says.

    Args:
        text: What it says.
        code: Its exit code.
    """

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for.

    Attributes:
        parsed: The command line.
        variables: The environment.
    """

    parsed: Parsed
    variables: Mapping[str, str]

    def text(self, name: str) -> str | None:
        """Return the value of an option, from the command line or else from a variable."""
        if self.parsed.has(name):
            return self.parsed.last(name)
        return next((self.variables[one] for one in _VARIABLES.get(name, ()) if self.variables.get(one)), None)

    def flag(self, name: str) -> bool:
        """Whether an option without a value was given."""
        return self.parsed.has(name) or any(one in self.variables for one in _VARIABLES.get(name, ()))

    def count(self, name: str, *, of_line: bool = False) -> int | None:
        """Return a number above 0, if given; with ``of_line``, on the command line.

        Raises:
            AskedError: It is none.
        """
        text = self.parsed.last(name) if of_line else self.text(name)
        if text is None:
            return None
        number = _number(text.partition("-")[0] if name == "nodes" else text)
        if not number:
            raise AskedError(f'error: Invalid numeric value "{text}" for --{name}.')
        return number

    def number(self, name: str, default: int) -> int:
        """Return a number that may be 0.

        Raises:
            AskedError: It is none.
        """
        text = self.text(name)
        if text is None:
            # -K alone means yes.
            return 1 if self.parsed.has(name) else default
        number = _number(text)
        if number is None:
            raise AskedError(f"error: Invalid --{name} specification", BAD_OPTION)
        return number

    def seconds(self) -> int | None:
        """Return the time limit of the step.

        Raises:
            AskedError: It is none.
        """
        text = self.text("time")
        try:
            seconds = None if text is None else units.parse_time(text)
        except ValueError:
            raise AskedError("error: Invalid --time specification", BAD_OPTION) from None
        # Slurm counts in minutes, begun ones whole.
        return None if not seconds else -(-seconds // 60) * 60

    def distribution(self) -> str:
        """Return how tasks are dealt out to nodes: ``block``, ``cyclic``, ``plane=N``, or nothing where not said.

        Raises:
            AskedError: It is none of them.
        """
        text = (self.text("distribution") or "").lower()
        name = text.partition(":")[0].partition(",")[0]
        if name in {"", "*", "nopack", "pack"}:
            return ""
        kind, _, size = name.partition("=")
        if kind in {"block", "cyclic"} and not size:
            return kind
        if kind == "plane":
            return f"plane={_number(size) or _number(self.variables.get('SLURM_DIST_PLANESIZE', '')) or 1}"
        if kind == "arbitrary":
            raise AskedError("error: minislurm does not know --distribution=arbitrary", BAD_OPTION)
        raise AskedError("error: Invalid --distribution specification", BAD_OPTION)

    def gpus(self) -> int | None:
        """Return how many GPUs the step gets on each node; None: all of the job.

        Raises:
            AskedError: It cannot be read.
        """
        gres = self.parsed.last("gres")
        if gres is not None:
            return _gres(gres)
        for name in ("gpus-per-node", "gpus-per-task"):
            if self.parsed.has(name):
                return _gpus(name, self.parsed.last(name) or "")
        return None


def parse(words: Sequence[str], variables: Mapping[str, str]) -> Asked:
    """Return what is asked for.

    Raises:
        AskedError: An option is unknown.
    """
    try:
        asked = Asked(options.parse(words, _TABLE, stop_at_operand=True), variables)
    except options.OptionError as error:
        raise AskedError(f'{error}\nTry "srun --help" for more information', BAD_OPTION) from None
    if asked.text("open-mode") not in {None, "a", "append", "t", "truncate"}:
        raise AskedError("error: Invalid --open-mode specification", BAD_OPTION)
    return asked


def task_variables(asked: Asked) -> dict[str, str]:
    """Return which of srun's variables its tasks get."""
    wanted = asked.text("export")
    mine = dict(asked.variables)
    kept = {name: value for name, value in mine.items() if name.startswith(("SLURM_", "SPANK_"))}
    if wanted is None or wanted.upper() == "ALL":
        return mine
    if wanted.upper() in {"NONE", "NIL"}:
        return kept
    for item in wanted.split(","):
        name, equals, value = item.partition("=")
        if name.upper() == "ALL" and not equals:
            kept = {**mine, **kept}
        elif equals:
            kept[name] = value
        elif name in mine:
            kept[name] = mine[name]
    return kept


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _gpus(name: str, text: str) -> int:
    number = _number(text.rpartition(":")[2])
    if number is None:
        raise AskedError(f"error: Invalid --{name} specification", BAD_OPTION)
    return number


def _gres(text: str) -> int | None:
    if text.lower() == "none":
        return 0
    counts = [one.removeprefix("gres/").split(":") for one in text.split(",")]
    gpus = [parts for parts in counts if parts[0] in {"gpu", "gres/gpu"}]
    if not gpus:
        raise AskedError("error: Unable to create step for job: Invalid generic resource (gres) specification")
    # Slurm 24.11 takes gpu:0 for "all", as without the option.
    return _gpus("gres", gpus[0][-1] if len(gpus[0]) > 1 else "1") or None
