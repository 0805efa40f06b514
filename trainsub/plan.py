"""Spec to Plan: all that a submission would send, and the most that it can cost. ``submit`` takes only a plan."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TypedDict, Unpack

from trainsub.config import Cluster
from trainsub.errors import SpecError
from trainsub.record import names
from trainsub.render import Template, Templates, built_in, render, template_of
from trainsub.slurm import arrays, units
from trainsub.slurm.sbatch import directive
from trainsub.spec import JobSpec, OwnScript, Shape, options, parse_spec, shape
from trainsub.spec.parts import split
from trainsub.spec.sources import sources
from trainsub.staging import Snapshot, snapshot
from trainsub.tracker.values import Code, Run


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be submitted.

    Attributes:
        run: Run id.
        key: What makes two submissions the same.
        key_drawn: Whether the key was drawn for this plan, so that the same content means the same wish.
        cluster: The cluster's name.
        spec: The spec, with ``--set`` applied.
        script: The batch script.
        shape: Nodes, GPUs and ranks.
        snapshot: The code that travels; None without code.
        time_limit: Seconds; None for no limit.
        tasks: Number of tasks of an array; 1 for a plain job.
        ceiling_gpu_seconds: nodes × GPUs × time limit × tasks; None without a limit.
        ceiling: Its cost, not rounded; None without a price or a limit.
        currency: Of the ceiling.
        plan_hash: Of everything that would be sent except the key.
        sources: The key path that each option of sbatch comes from, for what is told of a refusal.
        template: The template of the script; for a script of the user's own, the one that wraps it.
        own: The user's own script, which travels beside the batch script.
        parts: How many plans there are of the spec, this one among them: its sweep may need several arrays.
    """

    run: str
    key: str
    key_drawn: bool
    cluster: str
    spec: JobSpec
    script: str
    shape: Shape
    snapshot: Snapshot | None
    time_limit: int | None
    tasks: int
    ceiling_gpu_seconds: int | None
    ceiling: Decimal | None
    currency: str | None
    plan_hash: str
    sources: Mapping[str, str]
    template: Template
    own: OwnScript | None
    parts: int = 1

    def renewed(self, number: int) -> "Plan":
        """The same plan for the next run of its key, where the earlier ones were given up."""
        return replace(self, run=names.run_id(self.spec.name, self.key, number))

    def keyed(self, key: str) -> "Plan":
        """The same plan with a key that is known: whatever was submitted with it is this run."""
        return replace(self, key=key, key_drawn=False, run=names.run_id(self.spec.name, key))

    @property
    def waits(self) -> bool:
        """Whether it must not run beside another part: what may run at a time is counted in each array."""
        sweep = self.spec.sweep
        return self.parts > 1 and sweep is not None and sweep.max_running is not None

    def after(self, job_id: int) -> "Plan":
        """The same plan, whose job begins when another one has ended, however that ends.

        Slurm's ``afterany`` of an array waits for all its tasks, and takes a job that it has forgotten for ended.
        """
        first, end, rest = self.script.partition("\n")
        waits = f"# What may run at a time is counted in each array: this one begins when job {job_id} has ended.\n"
        waits += directive("dependency", f"afterany:{job_id}")
        return replace(self, script=f"{first}{end}{waits}{end}{rest}")

    @property
    def code(self) -> Code | None:
        """What is kept of the snapshot with the run."""
        packed = self.snapshot
        if packed is None:
            return None
        return Code(packed.sha256, packed.size, packed.files, packed.commit, packed.dirty, packed.untracked)


@dataclass(frozen=True, slots=True)
class Sources:
    """What a plan is made from, beside spec and cluster.

    Attributes:
        base: The folder that relative paths in the spec are relative to.
        archives: Where packed snapshots are kept.
        templates: All templates; the built-in ones if None.
        own: The user's own script, where the spec names one.
    """

    base: Path
    archives: Path
    templates: Templates | None = None
    own: OwnScript | None = None


def make_plans(
    spec: JobSpec, name: str, cluster: Cluster, given: Sources, *, key: str | None = None
) -> tuple[Plan, ...]:
    """Make the plans of a submission: one, or one for each part of a large sweep. Packs the code; asks no network.

    Args:
        spec: What to train.
        name: The cluster's name.
        cluster: The cluster.
        given: Folders, templates and the user's own script.
        key: What makes two submissions the same; drawn anew if None.

    Raises:
        SpecError: Spec and cluster do not fit.
        TemplateError: The template is wrong.
        SnapshotError: The code cannot travel.
    """
    templates, own = given.templates or built_in(), given.own
    specs = split(spec, cluster.max_array_size)
    scripts = [render(one, cluster, templates, own) for one in specs]
    packed = None
    if spec.code is not None:
        packed = snapshot(
            given.base / spec.code.path, cache=given.archives, max_bytes=spec.code.max_bytes, include=spec.code.include
        )
    sent = [packed.sha256 if packed else "", *([own.text] if own else [])]
    if len(specs) > 1:  # the same points in another sweep, or beside other parts, are another wish
        sent += [spec.to_toml(), str(cluster.max_array_size)]
    drawn = key if key is not None else secrets.token_hex(16)
    return tuple(
        _priced(
            cluster,
            run=names.run_id(spec.name, part_key(drawn, number)),
            key=part_key(drawn, number),
            key_drawn=key is None,
            cluster=name,
            spec=one,
            script=script,
            snapshot=packed,
            plan_hash=_hash(name, one.to_toml(), script, *sent),
            sources={**sources(one, cluster.defaults, name), **(own.origins(spec.slurm.given()) if own else {})},
            template=template_of(spec, templates),
            own=own,
            parts=len(specs),
        )
        for number, (one, script) in enumerate(zip(specs, scripts, strict=True), start=1)
    )


def part_key(key: str, number: int) -> str:
    """Return the key of a part of a sweep, from 1; the first part's is that of the sweep."""
    return key if number == 1 else f"{key}:part:{number}"


def repeat_plan(run: Run, indices: Sequence[int], cluster: Cluster, *, archives: Path) -> Plan:
    """Make the plan that trains some tasks of a run once more: its script and its code, but for the indices.

    The key follows from the run and the indices: whoever asks for the same again, from wherever, means the same run.

    Args:
        run: A run that is an array and no chain.
        indices: Which of its tasks.
        cluster: The run's cluster.
        archives: Where packed snapshots are kept.

    Raises:
        SpecError: The run was made by another version, whose spec or script is not understood, or its script is the
            user's own, of which the store has no copy.
    """
    origin = f"the spec of run {run.run}"
    before = parse_spec(run.spec, origin=origin)
    text = arrays.text(indices)
    if before.sweep is not None:
        change = f'sweep.indices="{text}"'
    else:
        change = f'slurm.array="{arrays.text(indices, arrays.parse(before.array or "").at_once)}"'
    if before.own_script:
        raise SpecError(
            f"run {run.run} has a script of your own, {before.template}, of which no copy is kept here",
            hint=f"These tasks failed; submit the spec again for them: trainsub submit SPEC --set '{change}'",
        )
    spec = parse_spec(run.spec, origin=origin, sets=[change])
    old, new = (f"\n{directive('array', one.array or '')}\n" for one in (before, spec))
    if run.script.count(old) != 1:
        raise SpecError(
            f"the script of run {run.run} does not say {old.strip()!r} in one place",
            hint="Submit the tasks that failed as a run of their own, with other indices.",
        )
    script = run.script.replace(old, new)
    code = run.code
    packed = None
    if code is not None:
        kept = archives / f"{code.sha256}.tar.gz"
        packed = Snapshot(code.sha256, code.size, kept, code.files, code.commit, code.dirty, code.untracked)
    key = f"{run.key or run.run}:retry:{text}"
    return _priced(
        cluster,
        run=names.run_id(spec.name, key),
        key=key,
        key_drawn=False,
        cluster=run.cluster,
        spec=spec,
        script=script,
        snapshot=packed,
        plan_hash=_hash(run.cluster, spec.to_toml(), script, packed.sha256 if packed else ""),
        sources=sources(spec, cluster.defaults, run.cluster),
        template=Template(spec.template or spec.launch.kind, "spec", f"run {run.run}", run.script),
        own=None,
        parts=1,
    )


class _Parts(TypedDict):
    """What a plan says beside its size and its price."""

    run: str
    key: str
    key_drawn: bool
    cluster: str
    spec: JobSpec
    script: str
    snapshot: Snapshot | None
    plan_hash: str
    sources: Mapping[str, str]
    template: Template
    own: OwnScript | None
    parts: int


def _priced(cluster: Cluster, /, **parts: Unpack[_Parts]) -> Plan:
    """The plan with these parts, its size, and the most that it can cost."""
    spec = parts["spec"]
    merged = options(spec, cluster.defaults)
    wanted = shape(spec, merged)
    limit = units.parse_time(str(merged["time"]))
    held = _gpus_held(wanted, cluster, exclusive=merged.get("exclusive") is True)
    tasks = len(arrays.parse(spec.array).indices) if spec.array else 1
    gpu_seconds = None if limit is None or held is None else wanted.nodes * held * limit * tasks
    price = cluster.price
    cost = None
    if price is not None and gpu_seconds is not None:
        # The site chooses the partition where none is named: then the dearest is the most that it can cost.
        partition = str(merged.get("partition") or ",".join(("", *price.partitions)))
        cost = price.for_partition(partition) * gpu_seconds / 3600
    return Plan(
        **parts,
        shape=wanted,
        time_limit=limit,
        tasks=tasks,
        ceiling_gpu_seconds=gpu_seconds,
        ceiling=cost,
        currency=price.currency if price else None,
    )


def _gpus_held(wanted: Shape, cluster: Cluster, *, exclusive: bool) -> int | None:
    """GPUs of a node that are paid for: whoever takes whole nodes pays for all of theirs; None if that is not known."""
    if not exclusive:
        return wanted.gpus_per_node
    if cluster.gpus_per_node is not None:
        return max(wanted.gpus_per_node, cluster.gpus_per_node)
    return wanted.gpus_per_node or None


def _hash(*parts: str) -> str:
    """One hash of several texts; lengths keep them apart."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()
