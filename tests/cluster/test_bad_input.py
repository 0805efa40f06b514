"""Bad input: a clear message, its exit code, and nothing left behind on the cluster."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster.laptop import CLUSTER, Laptop
from clusters import SlurmCluster

from trainsub.sandbox.files import ssh_config_text

SPEC = """\
name = "bad"
command = ["true"]
code = false
[launch]
kind = "srun"
[slurm]
nodes = 1
time = 5
"""


def refused(laptop: Laptop, *words: str | Path, code: int, kind: str, says: str, hint: str = "") -> str:
    """Submit what is wrong, as a person and as a machine; what the person reads."""
    said = laptop.run("submit", *words)
    assert said.code == code, said
    assert said.out == ""
    assert said.err.splitlines()[-2 if "hint: " in said.err else -1]
    assert "error: " in said.err
    assert "Traceback" not in said.err
    assert re.search(says, said.err), said.err
    assert hint in said.err
    told = laptop.run("submit", *words, "--json")
    assert told.code == code
    error = told.document["error"]
    assert (error["code"], error["kind"]) == (code, kind)
    assert error["message"] in said.err or kind in {"refused", "remote_file"}
    assert laptop.nothing_there()
    return said.err


# -- the spec: nothing is sent --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "says", "hint"),
    [
        ("nodes = 1", "nodez = 1", r"slurm\.nodez", "nodes"),
        ("nodes = 1", 'nodes = "four"', r'slurm\.nodes: .*expected an integer ≥ 1, got "four"', ""),
        (
            'command = ["true"]',
            'command = "python train.py"',
            "command: expected a list",
            'command = ["python", "train.py"]',
        ),
        ('name = "bad"', f'name = "{"x" * 41}"', "name: expected at most 40", ""),
        ("time = 5", "time = ", "line 8|:8:", ""),
    ],
)
def test_a_wrong_spec_is_refused_before_anything_is_sent(
    laptop: Laptop, old: str, new: str, says: str, hint: str
) -> None:
    """Unknown key, wrong type, a command that is no list, a name too long, no TOML at all."""
    spec = laptop.project(SPEC.replace(old, new))
    refused(laptop, spec, code=3, kind="spec", says=says, hint=hint)
    assert laptop.audit() == []


def test_a_spec_that_is_not_there_and_a_cluster_that_nobody_knows(laptop: Laptop) -> None:
    """Exit codes 3 and 6; both name what was given."""
    refused(
        laptop, laptop.home / "missing.toml", code=3, kind="spec", says="missing.toml: cannot be read: No such file"
    )
    said = laptop.run("--cluster", "hcp", "submit", laptop.project(SPEC))
    assert said.code == 6
    assert "hcp" in said.err
    assert CLUSTER in said.err
    assert laptop.audit() == []


@pytest.mark.parametrize("name", [".env", "deploy_key"])
def test_secrets_do_not_travel(laptop: Laptop, name: str) -> None:
    """A .env by its name, a private key by its content; the error says how to let it through."""
    spec = laptop.project(SPEC.replace("code = false\n", ""), {"train.py": ""})
    key = laptop.cluster.directory / "id_ed25519"
    (spec.parent / name).write_text("TOKEN=1\n" if name == ".env" else key.read_text())
    refused(laptop, spec, code=3, kind="snapshot", says=re.escape(name), hint="include")
    assert laptop.audit() == []


def test_a_file_of_two_gigabytes_does_not_travel(laptop: Laptop) -> None:
    """Its path and the limit are in the message, and it was not read."""
    spec = laptop.project(SPEC.replace("code = false\n", ""), {"train.py": ""})
    with (spec.parent / "weights.bin").open("wb") as file:
        file.truncate(2 << 30)
    refused(laptop, spec, code=3, kind="snapshot", says=r"weights\.bin", hint="max_size")
    assert "256" in laptop.run("submit", spec).err


# -- the way there --------------------------------------------------------------------------------------------------------


def test_an_unreachable_host_and_a_wrong_key(laptop: Laptop) -> None:
    """Exit code 4: nobody listens there, or nobody there knows the key."""
    spec = laptop.project(SPEC)
    laptop.configure("port = 9\nconnect_timeout = 3")
    refused(laptop, spec, code=4, kind="unreachable", says="127.0.0.1.*(?i:refused)")
    key = laptop.home / "other_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    laptop.configure(f'identity_file = "{key}"')
    text = refused(laptop, spec, code=4, kind="auth", says="accepts none of the keys", hint="ssh -v")
    assert "other_key" in text


@pytest.fixture
def stranger(laptop: Laptop) -> tuple[Laptop, Path]:
    """Alice's machine with an SSH configuration of its own, and its known_hosts file, which is not there yet."""
    known_hosts = laptop.home / "known hosts"
    text = ssh_config_text(
        laptop.cluster.host_alias,
        port=laptop.cluster.ssh_port,
        user="alice",
        key=laptop.cluster.directory / "id_ed25519",
        known_hosts=known_hosts,
    )
    config = laptop.home / "ssh_config"
    config.write_text(text)
    laptop.configure(ssh_config=config)
    return laptop, known_hosts


def test_an_unknown_host_key_is_refused_until_openssh_has_stored_it(
    laptop: Laptop, stranger: tuple[Laptop, Path]
) -> None:
    """The error shows the fingerprint and the command; once that was run, the same submit works."""
    _, known_hosts = stranger
    spec = laptop.project(SPEC)
    public = laptop.cluster.check(["cat", "/var/lib/trainsub/ssh/ssh_host_ed25519_key.pub"])
    listed = subprocess.run(["ssh-keygen", "-lf", "-"], input=public, text=True, capture_output=True, check=True)
    fingerprint = listed.stdout.split()[1]
    text = refused(
        laptop, spec, code=4, kind="host_key", says=re.escape(fingerprint), hint="ssh -o StrictHostKeyChecking=ask"
    )
    assert not known_hosts.exists()

    (command,) = re.findall(r"(ssh -o StrictHostKeyChecking=ask .*)$", text, re.MULTILINE)
    # "ask" needs a person at a terminal; here nobody compares fingerprints.
    words = shlex.split(command.replace("StrictHostKeyChecking=ask", "StrictHostKeyChecking=accept-new"))
    subprocess.run(words, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert laptop.run("submit", spec, "--wait").code == 0


def test_a_changed_host_key_is_refused(laptop: Laptop, stranger: tuple[Laptop, Path]) -> None:
    """Both fingerprints, where the known one is written, and no way on but the administrators."""
    _, known_hosts = stranger
    key = laptop.home / "host_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    kind, blob = key.with_suffix(".pub").read_text().split()[:2]
    before = f"[127.0.0.1]:{laptop.cluster.ssh_port} {kind} {blob}\n"
    known_hosts.write_text(before)
    text = refused(laptop, laptop.project(SPEC), code=4, kind="host_key", says="HAS CHANGED", hint="ssh-keygen -f")
    assert f"{known_hosts}:1" in text
    assert len(set(re.findall(r"SHA256:\S+", text))) == 2
    assert known_hosts.read_text() == before


# -- the cluster says no --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "field"),
    [
        (["partition=nowhere"], "slurm.partition"),
        (["partition=closed"], "slurm."),
        (["account=nobody"], "slurm.account"),
        (["qos=reserved"], "slurm.qos"),
        (["qos=limited", "time=6"], "slurm.time"),
        (["partition=debug", "nodes=3"], "slurm.nodes"),
        (["qos=limited", "gpus_per_node=9"], "slurm.gpus_per_node, slurm.nodes)"),
        (["cpus_per_task=999"], "slurm.cpus_per_task)"),
        (["constraint=nope"], "slurm.constraint)"),
        (["reservation=nope"], "slurm.reservation)"),
        (["nodelist=nope"], "slurm.nodelist)"),
        (["gres=foo:1"], "slurm.gres)"),
        (["array=0-5000"], "slurm.array)"),
    ],
)
def test_what_sbatch_refuses_leaves_nothing(laptop: Laptop, options: list[str], field: str) -> None:
    """Partition, account, QOS and their limits: sbatch's words, the field of the spec, and what to do."""
    sets = [word for option in options for word in ("--set", f"slurm.{option}")]
    text = refused(laptop, laptop.project(SPEC), *sets, code=5, kind="refused", says=re.escape(f"({field}"))
    assert "sbatch: error: " in text
    assert "hint: " in text
    shown = laptop.run("status", "--json").ok().document["runs"]
    assert {(run["phase"], run["job_id"]) for run in shown} == {("refused", None)}
    assert laptop.run("wait", shown[0]["run"]).code == 5
    assert laptop.run("logs", shown[0]["run"]).code == 5


@pytest.mark.parametrize(
    ("option", "field"), [("gpus_per_node=99", "slurm.gpus_per_node"), ("mem=99999G", "slurm.mem")]
)
def test_what_slurm_looks_for_in_vain_is_refused_too(laptop: Laptop, option: str, field: str) -> None:
    """It keeps the record of a failed job for a while; nothing of ours is left, and nothing ran."""
    said = laptop.run("submit", laptop.project(SPEC), "--set", f"slurm.{option}")
    assert said.code == 5
    assert f"({field}): sbatch: error: " in said.err
    assert "compare with `sinfo" in said.err or "`sinfo -o '%P %m'`" in said.err
    assert laptop.there("ls", "-A", f"{laptop.root}/runs") == ""
    shown = laptop.there("squeue", "--noheader", "--states=all", "--format=%Z %T %M")
    ours = [line.split()[1:] for line in shown.splitlines() if line.startswith(f"{laptop.root}/")]
    assert all(one == ["FAILED", "0:00"] for one in ours), ours


def test_ranks_that_are_too_many_are_the_launchs(laptop: Laptop) -> None:
    """Slurm speaks of processors; the spec asks for them by its ranks."""
    sets = ("--set", "launch.nproc_per_node=999", "--set", "slurm.cpus_per_task=2")
    field = re.escape("(launch.nproc_per_node, slurm.cpus_per_task)")
    refused(laptop, laptop.project(SPEC), *sets, code=5, kind="refused", says=field)


def test_a_limit_on_jobs_is_explained(laptop: Laptop) -> None:
    """The account takes two jobs; the third is refused, and works when one has gone."""
    spec = laptop.shell_job("true", name="many", more='account = "small"\nhold = true\n')
    first, _ = laptop.submit(spec), laptop.submit(spec)
    third = laptop.run("submit", spec)
    assert third.code == 5
    assert "wait until some have ended" in third.err
    laptop.run("cancel", first["run"]).ok()
    runs = [laptop.submit(spec)["run"]]
    runs += [run["run"] for run in laptop.run("status", "--cached", "--json").document["runs"] if run["job_id"]]
    laptop.run("cancel", *runs).ok()


# -- its file system says no ----------------------------------------------------------------------------------------------


def test_a_remote_directory_that_cannot_be_written(laptop: Laptop) -> None:
    """The system's own words, and which key to set."""
    laptop.root = "/usr/share/nobody-may"
    laptop.configure()
    refused(laptop, laptop.project(SPEC), code=5, kind="remote_file", says="Permission denied", hint="remote_root")


@pytest.fixture
def small_disk(cluster: SlurmCluster, laptop: Laptop) -> Iterator[Laptop]:
    """A remote root on a file system that is almost full: what is left of /dev/shm."""
    laptop.root = f"/dev/shm/{laptop.root.rpartition('/')[2]}"
    laptop.configure()
    fill = "mkdir -m 700 $1; chown alice $1; avail=$(df -Pk /dev/shm | tail -1 | tr -s ' ' | cut -d' ' -f4)"
    cluster.check(["sh", "-c", f"{fill}; fallocate -l $((avail - 1500))k /dev/shm/filling", "sh", laptop.root])
    yield laptop
    cluster.check(["rm", "-rf", "/dev/shm/filling", "/dev/shm/rest", laptop.root])


def test_a_full_remote_directory(small_disk: Laptop) -> None:
    """Full while the archive is unpacked, while it arrives, and from the beginning: refused, and nothing is left."""
    laptop = small_disk
    says, hint = r"No space left|Wrote only", "Free some space"
    spec = laptop.project(SPEC.replace("code = false\n", ""), {"zeros": "\0" * 3_000_000})
    refused(laptop, spec, code=5, kind="remote_file", says=says, hint=hint)
    (spec.parent / "zeros").write_bytes(os.urandom(3_000_000))
    refused(laptop, spec, code=5, kind="remote_file", says=says, hint=hint)
    assert len(laptop.there("ls", f"{laptop.root}/code").split()) == 1
    laptop.there("sh", "-c", "cat /dev/zero >/dev/shm/rest 2>/dev/null; true")
    refused(laptop, spec, code=5, kind="remote_file", says=says, hint=hint)
