"""What a job is: values that the queue keeps and the commands show. Pure.

Times are seconds since 1970, whole ones as in Slurm; None is "not yet".
"""

from dataclasses import dataclass

RUNNING_STATES = frozenset({"RUNNING", "COMPLETING"})
"""A job in these holds nodes."""
ENDED_STATES = frozenset(
    {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "DEADLINE", "OUT_OF_MEMORY", "PREEMPTED", "BOOT_FAIL"}
)


@dataclass(frozen=True, slots=True)
class Signal:
    """``--signal``: what is sent some time before the limit.

    Attributes:
        number: The signal.
        seconds: How long before the end.
        batch_only: ``B:``, to the batch script instead of the steps.
    """

    number: int
    seconds: int = 60
    batch_only: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What a job asks for, as sbatch took it from the command line, ``SBATCH_*`` variables and the script.

    Its script and its environment are files beside the queue, as slurmctld keeps them: see ``queue.Queue.folder``.

    Attributes:
        name: Job name.
        partition: One partition.
        nodes: Nodes.
        ntasks: Tasks in all; what ``SLURM_NTASKS`` says only where ``ntasks_given``.
        ntasks_given: Whether the user gave a number of tasks, in all or per node.
        ntasks_per_node: None where not given.
        cpus_per_task: None where not given.
        cpus_per_gpu: None where not given.
        gpus_per_node: GPUs on each node.
        gpu_option: The option as given, such as ``gres/gpu:8``; empty where no GPUs were asked for.
        memory: MiB on each node; None where not given, 0 for all.
        time_limit: Seconds; None where unlimited.
        chdir: Working directory.
        output: Pattern of the output file; None for Slurm's default.
        error: Pattern of the error file; None: the output file.
        input: Pattern of the input file; None for /dev/null.
        open_mode: ``a`` or ``t``.
        signal: See Signal.
        begin: Not before this time.
        deadline: The job is given up if it cannot end by then.
        requeue: Whether Slurm may requeue it, and the user too.
        dependency: As given, checked: ``afterok:12,singleton``.
        kill_on_invalid_dependency: True, False, or None for the cluster's default.
        nodelist: Nodes that must be among those given.
        exclude: Nodes that must not be.
        exclusive: All CPUs and GPUs of its nodes.
        account: Who pays.
        qos: Quality of service.
        comment: Comment.
        wckey: Workload characterization key.
        nice: Lowers the priority.
        export: ``SLURM_EXPORT_ENV`` of the job where ``--export`` was given; None otherwise.
        arguments: Arguments of the script.
        command: The script's path as given, absolute; empty for ``--wrap`` and standard input.
        umask: Of the submitting process.
        distribution: ``--distribution`` as given; empty where not.
        submit_line: The command line of its sbatch.
        most_nodes: What ``scontrol show job`` tells as the most nodes while it waits; None where Slurm has none.
        memory_unit: ``node``, ``cpu`` or ``gpu``: what the memory was asked for.
        told: Fields of ``scontrol show job`` that repeat an option, and have no effect; empty ones are left out.
    """

    name: str
    partition: str
    nodes: int = 1
    ntasks: int = 1
    ntasks_given: bool = False
    ntasks_per_node: int | None = None
    cpus_per_task: int | None = None
    cpus_per_gpu: int | None = None
    gpus_per_node: int = 0
    gpu_option: str = ""
    memory: int | None = None
    time_limit: int | None = None
    chdir: str = "/"
    output: str | None = None
    error: str | None = None
    input: str | None = None
    open_mode: str = "t"
    signal: Signal | None = None
    begin: int | None = None
    deadline: int | None = None
    requeue: bool = True
    dependency: str = ""
    kill_on_invalid_dependency: bool | None = None
    nodelist: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    exclusive: bool = False
    account: str = "research"
    qos: str = "normal"
    comment: str = ""
    wckey: str = ""
    nice: int = 0
    export: str | None = None
    arguments: tuple[str, ...] = ()
    command: str = ""
    umask: int = 0o022
    distribution: str = ""
    submit_line: str = ""
    most_nodes: int | None = None
    memory_unit: str = "node"
    told: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """What a job holds of one node.

    Attributes:
        node: Its name.
        cpus: How many CPUs.
        gpus: Which of the node's GPUs, as device numbers of the machine.
    """

    node: str
    cpus: int
    gpus: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Process:
    """A process that cannot be taken for a later one with its number.

    Attributes:
        pid: Its number.
        started: When it started, in the system's own words.
        boot: Which boot of the machine.
    """

    pid: int
    started: str
    boot: str


@dataclass(frozen=True, slots=True)
class Array:
    """A job's place in its array.

    Attributes:
        job_id: Id of the array.
        task: Index of the task; None for the one row that stands for all tasks that have not started.
        pending: Indices that share that row.
        cancelled: Indices that shared that row when the last of them were cancelled one by one; only sacct shows them.
        limit: How many may run at a time; 0 for no limit.
        count: Number of tasks in the whole array.
        least: Smallest index.
        most: Largest index.
        step: Step between the indices.
    """

    job_id: int
    task: int | None = None
    pending: tuple[int, ...] = ()
    cancelled: tuple[int, ...] = ()
    limit: int = 0
    count: int = 0
    least: int = 0
    most: int = 0
    step: int = 1


@dataclass(frozen=True, slots=True)
class Job:
    """A job, or all tasks of an array that have not started.

    Attributes:
        job_id: Its id; of an array's task its own.
        uid: Its owner.
        request: What it asks for; ``scontrol update`` replaces it.
        submit: Submission; a requeue makes a new one.
        eligible: Since when it could start; None while it waits for something but resources.
        start: When it got its nodes.
        end: When it ended.
        state: Slurm's word.
        reason: Slurm's word: why it waits, or how it ended; ``None``.
        held: ``user`` after a hold, or empty.
        not_before: From ``--begin``, and after a requeue.
        restarts: How often it was requeued.
        resized: When it gave nodes back; its accounts go on with a new period since then.
        array: Its place in an array.
        shares: Nodes that it holds or held last, in order; the first one is the batch host.
        exit_code: Of the batch script.
        exit_signal: Signal that ended the batch script, or 0.
        stepd: The process that runs it.
        mark: Value of ``MINISLURM_JOB`` in all its processes; new for each start.
        stop: What ends the job once its processes are gone: the state to tell; empty while nothing does.
        stop_by: User who cancelled it.
        stop_requeue: Whether it is to be queued again after that, and ``hold`` if held.
    """

    job_id: int
    uid: int
    request: Request
    submit: int
    eligible: int | None = None
    start: int | None = None
    end: int | None = None
    state: str = "PENDING"
    reason: str = "None"
    held: str = ""
    not_before: int | None = None
    restarts: int = 0
    resized: int | None = None
    array: Array | None = None
    shares: tuple[Share, ...] = ()
    exit_code: int = 0
    exit_signal: int = 0
    stepd: Process | None = None
    mark: str = ""
    stop: str = ""
    stop_by: int | None = None
    stop_requeue: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.state in ENDED_STATES

    @property
    def running(self) -> bool:
        """Whether it holds nodes."""
        return self.state in RUNNING_STATES

    @property
    def array_job_id(self) -> int:
        """Id of its array; of other jobs their own."""
        return self.array.job_id if self.array is not None else self.job_id

    def record(self) -> "Record":
        """What the accounts say of it now; of an array's row, of all its tasks.

        After a resize the new period keeps the job's start, as on 24.11, though it was submitted at the resize.
        """
        return Record(
            job_id=self.job_id,
            array=self.array,
            uid=self.uid,
            request=self.request,
            state=self.state,
            submit=self.submit if self.resized is None else self.resized,
            eligible=self.eligible if self.resized is None else self.resized,
            start=self.start,
            end=self.end,
            shares=self.shares,
            exit_code=self.exit_code,
            exit_signal=self.exit_signal,
            stop_by=self.stop_by,
            restarts=self.restarts,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """One period in the accounts, closed by a requeue or a resize; the last one of a job is ``Job.record()``.

    Attributes: as those of Job. ``state`` is how the period ended: ``REQUEUED``, ``NODE_FAIL``, ``RESIZING`` and so on.
    """

    job_id: int
    array: Array | None
    uid: int
    request: Request
    state: str
    submit: int
    eligible: int | None
    start: int | None
    end: int | None
    shares: tuple[Share, ...]
    exit_code: int
    exit_signal: int
    stop_by: int | None
    restarts: int
