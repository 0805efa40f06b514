"""A refusal names the field of the spec that caused it: on what each version of Slurm really says."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slurm.refused_options import CASES

from trainsub.slurm.refusals import Explanation, explain

DATA = Path(__file__).parents[1] / "data" / "slurm"
VERSIONS = ("22.05", "24.11", "26.05")
USUAL = {"nodes": "slurm.nodes", "time": "slurm.time"}
"""What every spec gives."""
FAILED = "sbatch: error: Batch job submission failed: "
POLICY = FAILED + "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"


def recorded(version: str) -> list[dict[str, Any]]:
    """What a version answered to each case; see record_refusals.py."""
    answers: list[dict[str, Any]] = json.loads((DATA / version / "refusals.json").read_text())
    assert [answer["options"] for answer in answers] == [options for options, _ in CASES]
    return answers


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_version_refused_names_the_options(version: str) -> None:
    """Those that were given and are at fault, and no others."""
    wrong, refused = [], 0
    for answer, (options, fields) in zip(recorded(version), CASES, strict=True):
        if answer["said"] is None:
            continue  # another version refuses it
        refused += 1
        sources = {**USUAL, **{name: f"slurm.{name}" for name in options}}
        found = explain(answer["said"], sources)
        expected = [", ".join(f"slurm.{one}" for one in each.split(", ") if one) for each in fields.split(" | ")]
        if found is None or found.field not in expected:
            wrong.append((options, answer["said"], found))
    assert wrong == []
    assert refused >= 55


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("Requested time limit is invalid (missing or exceeds some limit)", "slurm.time"),
        ("Time limit specification required, but not provided", "slurm.time"),
        ("Job dependency problem", "slurm.dependency"),
        ("Circular job dependency", "slurm.dependency"),
        ("Rate limit exceeded, please retry momentarily", ""),
        ("Slurm temporarily unable to accept job, sleeping and retrying", ""),
        ("Unable to create job record, try again", ""),
        ("Incompatible versions of client and server code", ""),
        ("Protocol authentication error", ""),
        ("Invalid authentication credential", ""),
        ("System submissions disabled", ""),
        ("Requested operation is presently disabled", ""),
        ("Unable to contact slurm controller (connect failure)", ""),
        ("MaxJobCount limit reached", ""),
        ("Invalid partition name specified", "slurm.partition"),
        ("No partition specified or system default partition", "slurm.partition"),
        ("Partition in DOWN state", "slurm.partition"),
        ("Required partition not available (inactive or drain)", "slurm.partition"),
        ("Requested partition configuration not available now", "slurm.partition"),
        ("User's group not permitted to use this partition", "slurm.partition"),
        ("Invalid account or account/partition combination specified", "slurm.account"),
        ("Invalid or unknown association", "slurm.account"),
        ("Invalid qos specification", "slurm.qos"),
        ("Requested account has breached requested QOS usage threshold", "slurm.qos"),
        ("Access denied to requested reservation", "slurm.reservation"),
        ("Requested reservation is invalid", "slurm.reservation"),
        ("Requested reservation not usable now", "slurm.reservation"),
        ("Requested node configuration is not available", "slurm.nodes"),
        ("Node count specification invalid", "slurm.nodes"),
        ("Invalid node name specified", "slurm.nodelist"),
        ("Requested nodes not in this partition", "slurm.nodelist"),
        ("Required node not available (down, drained or reserved)", "slurm.nodelist"),
        ("Invalid feature specification", "slurm.constraint"),
        ("Invalid preferred feature specification", "slurm.prefer"),
        ("Invalid generic resource (gres) specification", "slurm.gres"),
        ("Invalid GRES specification (with and without type identification)", "slurm.gres"),
        ("Invalid Trackable RESource (TRES) specification", "slurm.gres"),
        ("Memory required by task is not available", "slurm.mem"),
        ("More processors requested than permitted", "slurm.cpus_per_task"),
        ("CPU count specification invalid", "slurm.cpus_per_task"),
        ("Task count specification invalid", "slurm.ntasks_per_node"),
        ("Task distribution specification invalid", "slurm.distribution"),
        ("Invalid time-min specification (exceeds job's time or other limits)", "slurm.time_min"),
        ("Invalid license specification", "slurm.licenses"),
        ("Invalid job array specification", "slurm.array"),
        ("Invalid wckey specification", "slurm.wckey"),
        ("Burst Buffer request invalid", "slurm.bb"),
        ("Invalid mcs_label specified", "slurm.mcs_label"),
        ("No suitable topology unit found for segment", "slurm.segment"),
        ("Requested topology configuration is not available", "slurm.segment"),
        ("Job --batch option is invalid or not a subset of --constraint", "slurm.constraint"),
        ("Pathname of a file, directory or other parameter too long", ""),
    ],
)
def test_texts_of_the_error_table(text: str, field: str) -> None:
    """Where no option is known to have been given, the likeliest is named."""
    known = {line for version in VERSIONS for line in (DATA / version / "errors.txt").read_text().splitlines()}
    assert text in known or "sleeping and retrying" in text, "no version says so"
    found = explain(FAILED + text)
    assert found is not None
    assert found.field == field
    assert found.hint.endswith(".")


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("sbatch: error: Invalid --nice value", "slurm.nice"),
        ("sbatch: error: Invalid --time specification", "slurm.time"),
        ("sbatch: error: Invalid --mem-per-gpu specification", "slurm.mem_per_gpu"),
        ("sbatch: error: CPU count per node can not be satisfied\n" + FAILED, "slurm.nodes"),
        ('sbatch: error: Invalid numeric value "0" for --cpus-per-task.', "slurm.cpus_per_task"),
        ('sbatch: error: unrecognized --hint argument "abc", see --hint=help', "slurm.hint"),
        ("sbatch: unrecognized option '--bogus'", "slurm.extra"),
        ("sbatch: option '--nodes' requires an argument", "slurm.nodes"),
        ("sbatch: error: AssocMaxSubmitJobLimit\n" + POLICY, ""),
        ("sbatch: error: AssocMaxJobsLimit\n" + POLICY, ""),
        ("sbatch: error: QOSMaxGRESPerUser\n" + POLICY, "slurm.gpus_per_node"),
        ("sbatch: error: QOSMaxCpuPerJobLimit\n" + POLICY, "slurm.nodes"),
        ("sbatch: error: QOSMaxWallDurationPerJobLimit\n" + POLICY, "slurm.time"),
        ("sbatch: error: AssocMaxGRESMinutesPerJob\n" + POLICY, "slurm.time"),
        ("sbatch: error: QOSMinGRES\n" + POLICY, "slurm.gpus_per_node"),
        ("sbatch: error: Moonlight\n" + POLICY, ""),
        (FAILED + "No space left on device", ""),
        ("sbatch: error: /x/queue.sqlite: database or disk is full", ""),
        ("sbatch: error: Batch script contains DOS line breaks (\\r\\n)", "template"),
        ("sbatch: error: This does not look like a batch script.  The first", "template"),
        ("bash: line 1: sbatch: command not found", ""),
        ("timeout: failed to run command 'sbatch': No such file or directory", ""),
    ],
)
def test_other_texts(text: str, field: str) -> None:
    """Those of sbatch itself, of limits, of minislurm, and of a shell that does not find it."""
    found = explain(text)
    assert found is not None
    assert found.field == field
    assert found.hint.endswith((".", "`."))


def test_limits_say_what_to_ask_for() -> None:
    """Which limit it is tells more than that there is one."""
    found = explain("sbatch: error: QOSMaxGRESPerUser\n" + POLICY, {**USUAL, "gpus_per_node": "slurm.gpus_per_node"})
    assert found == Explanation(
        "slurm.gpus_per_node, slurm.nodes",
        "Ask for fewer GPUs (`nodes`, `gpus_per_node`), or use another account or QOS. "
        "`sacctmgr show qos` shows the limits.",
    )
    node = explain("sbatch: error: QOSMaxGRESPerNode\n" + POLICY, {**USUAL, "gpus_per_node": "slurm.gpus_per_node"})
    assert node is not None
    assert node.field == "slurm.gpus_per_node"
    budget = explain("sbatch: error: AssocMaxGRESMinutesPerJob\n" + POLICY, {**USUAL, "gres": "slurm.gres"})
    assert budget is not None
    assert budget.field == "slurm.time, slurm.gres, slurm.nodes"
    assert "a shorter `time`, or fewer GPUs" in budget.hint


def test_a_field_is_named_where_it_was_written() -> None:
    """Tasks come from the launch, and others from the cluster's defaults."""
    text = FAILED + "More processors requested than permitted"
    sources = {
        **USUAL,
        "ntasks_per_node": "launch.nproc_per_node",
        "cpus_per_task": "clusters.hpc.defaults.cpus_per_task",
    }
    found = explain(text, sources)
    assert found is not None
    assert found.field == "launch.nproc_per_node, clusters.hpc.defaults.cpus_per_task"
    extra = explain("sbatch: unrecognized option '--bogus=1'", {"bogus": "slurm.extra.bogus"})
    assert extra is not None
    assert extra.field == "slurm.extra.bogus"


@pytest.mark.parametrize("text", ["", "sbatch: error: The moon is full", "x not found"])
def test_an_unknown_refusal_is_not_explained(text: str) -> None:
    """A wrong hint is worse than none."""
    assert explain(text) is None


@given(st.text())
def test_explaining_never_raises(text: str) -> None:
    """Whatever a plugin says."""
    explain(text)
