import pytest

from trainsub.errors import SpecError, TrainsubError, UsageError
from trainsub.spec import JobSpec, parse_spec

HEAD = 'name = "llama-7b"\ncommand = ["python", "train.py"]\n'
SLURM = '[slurm]\nnodes = 4\ntime = "12:00:00"\n'


def wrong(text: str, *sets: str) -> TrainsubError:
    """The error of a spec."""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, origin="spec.toml", sets=sets)
    return caught.value


def test_the_least_spec() -> None:
    """Name, command, nodes and time are enough."""
    spec = parse_spec(HEAD + SLURM, origin="spec.toml")
    assert (spec.name, spec.command, spec.template) == ("llama-7b", ("python", "train.py"), None)
    assert (spec.slurm.nodes, spec.slurm.time, spec.launch.kind) == (4, "12:00:00", "torchrun")
    assert spec.code is not None
    assert (spec.code.path, spec.code.max_bytes) == (".", 256 * 2**20)


def test_a_full_spec() -> None:
    """Each table is read, and numbers become what Slurm writes."""
    text = (
        'template = "srun"\n' + HEAD + SLURM + 'gpus_per_node = "h100:8"\nmem = 0\ntime_min = 90\nexclusive = "user"\n'
        'signal = "B:USR1@120"\nwait_all_nodes = true\nnice = 100\nrequeue = false\n'
        '[slurm.extra]\nswitches = "1@10:00"\noversubscribe = true\nbb = ["a", 1]\n'
        '[launch]\nkind = "srun"\nnproc_per_node = 4\n[setup]\nmodules = ["cuda/12.4"]\nvenv = "~/venv"\n'
        '[env]\nNCCL_DEBUG = "WARN"\nSEED = 1\nLR = 1e-4\nMANY = "a\\nb"\nEMPTY = ""\nTOKENIZERS_PARALLELISM = "false"\n'
        'PAD_TOKEN = "<pad>"\nPASSWORD_FILE = "/x"\n[code]\npath = "../x"\nmax_size = "1G"\ninclude = [".env"]\n'
    )
    spec = parse_spec(text, origin="spec.toml")
    assert spec.slurm.mem == "0"
    assert spec.slurm.time_min == "90"
    assert spec.slurm.wait_all_nodes == 1
    assert spec.slurm.extra == {"switches": "1@10:00", "oversubscribe": True, "bb": ("a", 1)}
    assert spec.env["MANY"] == "a\nb"
    assert spec.code is not None
    assert spec.code.max_bytes == 2**30


def test_no_code() -> None:
    """``code = false`` lets nothing travel, and is kept."""
    spec = parse_spec("code = false\n" + HEAD + SLURM, origin="spec.toml")
    assert spec.code is None
    assert parse_spec(spec.to_toml(), origin="again") == spec


@pytest.mark.parametrize(
    ("sets", "key", "value"),
    [
        (["slurm.nodes=8"], ("slurm", "nodes"), 8),
        (["slurm.nodes=8", "slurm.nodes=9"], ("slurm", "nodes"), 9),
        (["slurm.time=1:00:00"], ("slurm", "time"), "1:00:00"),
        (["slurm.time=90"], ("slurm", "time"), "90"),
        (["slurm.gpus_per_node=h100:8"], ("slurm", "gpus_per_node"), "h100:8"),
        (["launch.nproc_per_node = 2"], ("launch", "nproc_per_node"), 2),
        (["env.A=b=c"], ("env",), {"A": "b=c"}),
        (["env.A="], ("env",), {"A": ""}),
        (["env.LR=0.5"], ("env",), {"LR": 0.5}),
        (['env.A="1"'], ("env",), {"A": "1"}),
        (["slurm.extra.switches=1@10:00"], ("slurm", "extra"), {"switches": "1@10:00"}),
        (["code=false"], ("code",), None),
        (['command=["a", "b"]'], ("command",), ("a", "b")),
        (['setup={ venv = "/v" }', "setup.venv=/w"], ("setup", "venv"), "/w"),
    ],
)
def test_set(sets: list[str], key: tuple[str, ...], value: object) -> None:
    """A change reaches every table, also one that the file does not have."""
    found: object = parse_spec(HEAD + SLURM, origin="spec.toml", sets=sets)
    for part in key:
        found = getattr(found, part)
    assert found == value


@pytest.mark.parametrize("change", ["slurm.nodes", "=8", "slurm..nodes=8", "slurm.no des=8", "", "env.ä=1"])
def test_set_of_a_bad_form(change: str) -> None:
    """What is no KEY=VALUE is a usage error."""
    with pytest.raises(UsageError, match="not KEY=VALUE"):
        parse_spec(HEAD + SLURM, origin="spec.toml", sets=[change])


def test_set_through_a_value() -> None:
    """A key below something that is no table is a usage error."""
    with pytest.raises(UsageError, match=r"--set slurm.time.x=1: slurm.time is not a table"):
        parse_spec(HEAD + SLURM, origin="spec.toml", sets=["slurm.time.x=1"])


def test_an_error_names_where_the_value_came_from() -> None:
    """A value of --set is not blamed on the file."""
    error = wrong(HEAD + "[slurm]\nnodes = 0\ntime = 1", "slurm.mem=much", "slurm.nods=1")
    assert error.message.splitlines() == [
        "spec.toml: slurm.nodes: expected an integer ≥ 1, got 0",
        '--set: slurm.mem: expected a size: "64G", "1500M", or a number of MiB, got "much"',
        "--set: slurm.nods: unknown key; did you mean nodes?",
    ]
    assert error.hint == "[slurm.extra] takes options that trainsub does not know."


def test_an_empty_spec() -> None:
    """All that is required is named at once."""
    lines = wrong("").message.splitlines()
    assert [line.partition(" is required")[0] for line in lines] == [
        "spec.toml: name:",
        "spec.toml: command:",
        "spec.toml: slurm:",
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nodes = 3", "nodes: unknown key; did you mean slurm.nodes?"),
        ("comand = 3", "comand: unknown key; did you mean command?"),
        ("sweep = 3", "sweep: expected a table, got 3"),
        ("launch = 3", "launch: expected a table, got 3"),
        ("env = []", "env: expected a table, got an empty list"),
        ("code = true", "code: expected a table, got true"),
        ("code = { paths = 1 }", "code.paths: unknown key; did you mean path?"),
        ("launch = { Nproc-Per-Node = 1 }", "launch.Nproc-Per-Node: unknown key; did you mean nproc_per_node?"),
        ('"a b" = 1', '"a b": unknown key'),
    ],
)
def test_a_wrong_key_above_the_tables(line: str, message: str) -> None:
    """The key that was meant is named, wherever it belongs."""
    assert wrong(f"{line}\n{HEAD}{SLURM}").message == f"spec.toml: {message}"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("gpus-per-node = 8", "slurm.gpus-per-node: unknown key; did you mean gpus_per_node?"),
        ("job_name = 'x'", "slurm.job_name: trainsub sets it to the run id"),
        ("job-name = 'x'", "slurm.job-name: unknown key; job_name: trainsub sets it to the run id"),
        ("gpus = 8", "slurm.gpus: trainsub counts GPUs per node"),
        ("partition = ''", 'slurm.partition: expected text, got ""'),
        ("partition = 3", "slurm.partition: expected text, got 3"),
        ("partition = 'a\tb'", "slurm.partition: must be one line without control characters"),
        ('partition = "a\\u0000b"', "slurm.partition: must not contain NUL"),
        ("partition = 12:00:00", "slurm.partition: expected text, got 12:00:00 without quotes"),
        ("partition = {}", "slurm.partition: expected text, got an empty table"),
        ("tmp = '1G'\ncpus_per_task = 0", "slurm.cpus_per_task: expected an integer ≥ 1, got 0"),
        (
            f"priority = {10**22}",
            "slurm.priority: expected an integer from 0 to 9223372036854775807, got 10000000000000000000000",
        ),
        (f"cpus_per_task = {10**22}", "slurm.cpus_per_task: expected an integer from 1 to 9223372036854775807, got"),
        (f"partition = ['{'x' * 90}']", "slurm.partition: expected text, got a list"),
        ("gpus_per_node = -1", 'slurm.gpus_per_node: expected an integer ≥ 0, or text such as "h100:8", got -1'),
        ("gpus_per_node = true", "slurm.gpus_per_node: expected an integer"),
        ("gpus_per_node = 'h100'", "slurm.gpus_per_node: expected an integer"),
        ("gres = 'gpu=8'", 'slurm.gres: expected text such as "gpu:8"'),
        ("gres = 'gpu:8'\ngpus_per_node = 8", "slurm.gres: asks for GPUs, and so does gpus_per_node"),
        ("mem = '1G'\nmem_per_gpu = '1G'", "slurm.mem_per_gpu: excludes mem, as in sbatch"),
        ("cpus_per_gpu = 1\ncpus_per_task = 1", "slurm.cpus_per_gpu: excludes cpus_per_task, as in sbatch"),
        ("mem = 'all'", 'slurm.mem: expected a size: "64G"'),
        ("mem = -1", 'slurm.mem: expected a size: "64G"'),
        ("time_min = 0", "slurm.time_min: a limit of 0 means none to Slurm"),
        ("nice = -1", "slurm.nice: Slurm refuses a negative nice value from a user, got -1"),
        ("nice = true", "slurm.nice: expected an integer from 0 to 2147483645, got true"),
        ("signal = 'B:USR1@70000'", "slurm.signal: Slurm takes at most 65535 seconds before the end"),
        ("signal = '@@'", 'slurm.signal: expected text such as "B:USR1@120", got "@@"'),
        ("signal = 'B:TERM@60'", "slurm.signal: TERM to the batch script alone reaches no rank"),
        ("exclusive = 1", 'slurm.exclusive: expected true, false, "user", "mcs" or "topo", got 1'),
        ("wait_all_nodes = 2", "slurm.wait_all_nodes: expected true, false, 0 or 1, got 2"),
        ("requeue = 'yes'", 'slurm.requeue: expected true or false, got "yes"'),
        ("ntasks_per_node = 8", "slurm.ntasks_per_node: 8 contradicts launch.kind torchrun, which needs 1"),
        ("ntasks = 8", "slurm.ntasks: 8 contradicts launch.kind torchrun, which needs 4"),
        ("[slurm.extra]\npartition = 'a'", "slurm.extra.partition: trainsub knows this option"),
        ("[slurm.extra]\nwrap = 'a'", "slurm.extra.wrap: trainsub sends a script"),
        ("[slurm.extra]\n--wrap = 'a'", "slurm.extra.--wrap: trainsub sends a script"),
        ("[slurm.extra]\narra = '0-2'", "slurm.extra.arra: short for array, and trainsub knows this option"),
        ("[slurm.extra]\njob_nam = 'a'", "slurm.extra.job_nam: short for job_name: trainsub sets it to the run id"),
        ("[slurm.extra]\noutpu = 'a'", "slurm.extra.outpu: short for output: trainsub keeps one log"),
        ("[slurm.extra]\ndependenc = 'a'", "slurm.extra.dependenc: short for dependency: links that"),
        ("[slurm.extra]\ncluster = 'a'", "slurm.extra.cluster: short for clusters: the cluster is chosen by"),
        ("[slurm.extra]\ntasks_per_node = 2", "slurm.extra.tasks_per_node: short for ntasks_per_node, and trainsub"),
        ("[slurm.extra]\ntasks_per = 2", "slurm.extra.tasks_per: short for ntasks_per_node, and trainsub"),
        ("[slurm.extra]\nno = 2", "slurm.extra.no: short for one of no_requeue, nodelist, nodes"),
        ("[slurm.extra]\nwra-p = 'a'", "slurm.extra.wra-p: written with underscores: wra_p"),
        ("[slurm.extra]\n-- = 'a'", "slurm.extra.--: expected a long option of sbatch"),
        ("[slurm.extra]\nget-me = 'a'", "slurm.extra.get-me: written with underscores: get_me"),
        ("[slurm.extra]\nN = 4", "slurm.extra.N: expected a long option of sbatch, in small letters and with"),
        ("[slurm.extra]\nlr = 0.1", "slurm.extra.lr: expected true, text, an integer, or a list of them, got 0.1"),
        (
            "[slurm.extra]\nlr = []",
            "slurm.extra.lr: expected true, text, an integer, or a list of them, got an empty list",
        ),
        ('[slurm.extra]\nlr = "a\\nb"', "slurm.extra.lr: expected true"),
    ],
)
def test_a_wrong_option(line: str, message: str) -> None:
    """What Slurm would refuse, or trainsub owns, is found here, with the reason."""
    assert wrong(f"{HEAD}{SLURM}{line}").message.startswith(f"spec.toml: {message}")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("A-B = 1", "env.A-B: not a name that a variable can have", None),
        ("1A = 1", "env.1A: not a name that a variable can have", None),
        ("TRAINSUB_RUN = 1", "env.TRAINSUB_RUN: reserved: trainsub sets it", None),
        ("MASTER_ADDR = 'x'", "env.MASTER_ADDR: reserved", None),
        ("LOCAL_WORLD_SIZE = 1", "env.LOCAL_WORLD_SIZE: reserved", None),
        ("SLURM_JOB_ID = 1", "env.SLURM_JOB_ID: reserved: Slurm sets it", None),
        ("SBATCH_QOS = 1", "env.SBATCH_QOS: reserved", None),
        ("UID = 1", "env.UID: reserved: bash", None),
        ("TS_FILES = 1", "env.TS_FILES: reserved: trainsub's own programs on the cluster use it", None),
        ("IFS = ','", "env.IFS: reserved: the job's script splits words by it", None),
        ("HF_TOKEN = 'x'", "env.HF_TOKEN: looks like a secret", '[secrets] names = ["HF_TOKEN"]'),
        ("wandb_api_key = 'x'", "env.wandb_api_key: looks like a secret", "[secrets]"),
        ("PGPASSWORD = 'x'", "env.PGPASSWORD: looks like a secret", "[secrets]"),
        ("X = true", "env.X: a variable has no true or false", '"1" or "true"'),
        ("X = false", "env.X: a variable has no true or false", '"0" or "false"'),
        ("X = inf", "env.X: inf is not a number that every program reads", "quotes"),
        ("X = 9223372036854775808", "env.X: a number beyond 64 bits", "quotes"),
        ("X = []", "env.X: expected text, an integer or a float, got an empty list", None),
        ('X = "a\\u0000"', "env.X: must not contain NUL", None),
    ],
)
def test_a_wrong_variable(line: str, message: str, hint: str | None) -> None:
    """Names that are taken or secret and values that have no text are refused."""
    error = wrong(f"{HEAD}{SLURM}[env]\n{line}")
    assert error.message.startswith(f"spec.toml: {message}")
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("command = 'a \"b c\"'", "command: expected a list of text", 'command = ["a", "b c"]'),
        ("command = '\"'", "command: expected a list of text", 'command = ["python", "train.py"]'),
        ("command = ''", "command: expected a list of text", 'command = ["python", "train.py"]'),
        ("command = []", "command: expected a list of text, a program first, got an empty list", None),
        ("command = ['a', 4]", "command: item 2: expected text in quotes, got 4", None),
        ('command = ["a", "\\u0000"]', "command: item 2: must not contain NUL", None),
        ("command = ['-c']", "command: item 1: a program comes first", None),
        ("command = [' ']", "command: item 1: a program comes first", None),
        (
            "command = ['python3 a.py']",
            'command: item 1: "python3 a.py" would be the name of one program',
            'Write each word as an item: command = ["python3", "a.py"]',
        ),
        (
            "command = ['bash  -c \"', 'x']",
            'command: item 1: "bash  -c \\"" would be the name of one program',
            'Write each word as an item: command = ["python", "train.py"]',
        ),
        (
            "command = ['torchrun a.py', '--b c']",
            "command: item 1",
            (
                'command = ["torchrun", "a.py", "--b c"] with launch.kind = "command"; any other kind starts the ranks itself, '
                'and takes the program alone: command = ["python", "train.py"]'
            ),
        ),
        (
            "command = 'accelerate launch a.py'",
            "command: expected a list of text",
            'command = ["accelerate", "launch", "a.py"] with launch.kind = "accelerate"; any other kind starts the ranks',
        ),
        (
            "command = 'deepspeed a.py'",
            "command: expected",
            'command = ["deepspeed", "a.py"] with launch.kind = "deepspeed"',
        ),
        ("template = 'x.sbatch'\ncommand = 'a b'", "command: expected a list of text", 'command = ["a", "b"]'),
        ("template = 'x.sbatch'\ncommand = [4]", "command: item 1: expected text in quotes, got 4", None),
        (
            "template = './x'\nlaunch.kind = 'srun'",
            "launch: a script of your own starts its ranks",
            "Leave [launch] out.",
        ),
        ("command = ['a']\ntemplate = 'my template'", "template: expected the name of a template", None),
        (
            "command = ['a']\nlaunch = { kind = 'srun', rendezvous = 'static' }",
            "launch.rendezvous: is for agents",
            "Leave it out.",
        ),
        (
            "command = ['a']\nlaunch = { kind = 'command', nproc_per_node = 2 }",
            "launch.nproc_per_node: counts ranks, and kind command has none",
            "Set slurm.ntasks_per_node.",
        ),
        ("command = ['a']\ncontainer = { runtime = 'docker', image = 'x' }", "container.runtime: expected", None),
        ("command = ['a']\ncontainer = { runtime = 'pyxis' }", "container.image: is required", None),
        (
            "command = ['a']\ncontainer = { runtime = 'pyxis', image = 'x', mounts = ['/a b'] }",
            "container.mounts: item 1: expected",
            None,
        ),
        (
            "command = ['a']\ncontainer = { runtime = 'apptainer', image = 'docker://x' }",
            "container.image: expected the path of a .sif file",
            "Pull it once, on a login node: apptainer pull image.sif docker://…; then give the file's path.",
        ),
        (
            "command = ['a']\ncontainer = { runtime = 'pyxis', image = 'x' }\nsetup.venv = '/v'",
            "setup.venv: is outside of the container",
            "Install its packages in the image, or name the image's own Python in command.",
        ),
        ("command = ['a']\nlaunch.kind = 'x'", 'launch.kind: expected "torchrun", "srun",', None),
        ("command = ['a']\nsetup.modules = ['a b']", "setup.modules: item 1: expected a module's name", None),
        (
            "command = ['a']\nchain = { links = 2, checkpoint = '$SCRATCH/ck' }",
            'chain.checkpoint: expected a path on the cluster: absolute, relative, or beginning with "~/", got "$SCRATCH/ck"',
            "No shell reads it: write the path out, as `echo` shows it on the cluster.",
        ),
        (
            "command = ['a']\nchain = { links = 2, finished = '/scratch/${USER}/F' }",
            "chain.finished: expected",
            "No shell",
        ),
        ("command = ['a']\nchain = { links = 2, finished = '~me/F' }", "chain.finished: expected", "No shell"),
        ("command = ['a']\nchain = { links = 2, finished = '~' }", "chain.finished: expected", "No shell"),
        ("command = ['a']\nsetup.venv = 'venv'", "setup.venv: expected a path on the cluster", None),
        ("command = ['a']\ncode.max_size = '5'", "code.max_size: expected a size with its unit", None),
    ],
)
def test_a_wrong_value_elsewhere(line: str, message: str, hint: str | None) -> None:
    """The message says what is expected, and the hint how to write it."""
    error = wrong(f"name = 'x'\n{line}\n{SLURM}")
    assert error.message.startswith(f"spec.toml: {message}")
    assert (hint or "") in (error.hint or "")


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", "a/b", "ä", "x" * 41, "a\n"])
def test_a_wrong_name(name: str) -> None:
    """A name becomes a directory, a job's name and an argument."""
    assert "spec.toml: name: " in wrong(HEAD + SLURM, f"name={name!r}").message.replace("--set", "spec.toml")


def test_a_value_that_is_no_unicode() -> None:
    """Bytes of an argument that are no text do not travel."""
    assert "is not valid Unicode" in wrong(HEAD + SLURM, "env.X=a\udcff").message


@pytest.mark.parametrize("path", ["FINISHED", "/a/b c", "~/ck", "a~/$/b$", "./~x"])
def test_paths_of_a_chain(path: str) -> None:
    """Whatever no shell would make another path of."""
    spec = parse_spec(f"{HEAD}{SLURM}[chain]\nlinks = 2\ncheckpoint = '{path}'")
    assert spec.chain is not None
    assert spec.chain.checkpoint == path


def test_srun_and_gpus() -> None:
    """A contradiction that needs no cluster's defaults is found with the spec."""
    text = HEAD + SLURM + "gpus_per_node = 8\nntasks_per_node = 4\n[launch]\nkind = 'srun'"
    assert "slurm.ntasks_per_node: 4 contradicts launch.kind srun, which needs 8" in wrong(text).message
    assert parse_spec(text + "\nnproc_per_node = 4", origin="x").slurm.ntasks_per_node == 4


def test_a_spec_does_not_change() -> None:
    """A spec is a value."""
    spec = parse_spec(HEAD + SLURM, origin="spec.toml")
    with pytest.raises(ValueError, match="frozen"):
        spec.name = "other"  # type: ignore[misc]


def test_a_value_from_python_is_checked_too() -> None:
    """Who makes a spec in Python meets the same rules."""
    with pytest.raises(ValueError, match="got a set"):
        JobSpec.model_validate({"name": {1}, "command": ["a"], "slurm": {"nodes": 1, "time": "1"}})


def test_variables_that_steer_programs_may_be_given() -> None:
    """A PATH for the ranks is a common wish; only as a secret it makes no sense."""
    text = f"{HEAD}{SLURM}[env]\nPATH = '/opt/bin:/bin'\nLD_LIBRARY_PATH = '/opt/lib'\nTSV = 1\n"
    assert list(parse_spec(text).env) == ["PATH", "LD_LIBRARY_PATH", "TSV"]


def test_whole_options_that_begin_others() -> None:
    """They mean themselves to sbatch, and abbreviations of what trainsub does not know are sbatch's to read."""
    text = f"{HEAD}{SLURM}[slurm.extra]\nbb = 'a'\ncpu_freq = 'high'\nswitch = 1\nextr = 'x'\n"
    assert list(parse_spec(text).slurm.extra) == ["bb", "cpu_freq", "switch", "extr"]
