"""Plans, clusters, settings and the sandbox as documents. Asks nobody."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from trainsub.check.cluster import Finding
from trainsub.config import EMBEDDED, Settings, select_cluster
from trainsub.documents import models
from trainsub.documents.build import code_document
from trainsub.documents.templates import TemplatePartDocument
from trainsub.errors import UnknownClusterError
from trainsub.ledger.usage import amount
from trainsub.plan import Plan
from trainsub.sandbox import SandboxInfo
from trainsub.spec.problems import dotted

if TYPE_CHECKING:
    from trainsub.verbs.login import Login
    from trainsub.verbs.sync import Synced


def plan_document(plans: Sequence[Plan]) -> models.PlanDocument:
    """What would be submitted: one run, or those of a sweep in parts."""
    first = plans[0]
    seconds = [plan.ceiling_gpu_seconds for plan in plans]
    costs = [plan.ceiling for plan in plans]
    return models.PlanDocument(
        schema=models.SCHEMA,
        run=first.run,
        cluster=first.cluster,
        nodes=first.shape.nodes,
        gpus=first.shape.nodes * first.shape.gpus_per_node,
        time_limit=first.time_limit,
        tasks=sum(plan.tasks for plan in plans),
        ceiling_gpu_seconds=None if None in seconds else sum(filter(None, seconds)),
        ceiling=_money(None if None in costs else sum(filter(None, costs), Decimal(0)), first.currency),
        code=code_document(first.code),
        script=first.script,
        parts=[_part_document(plan, waits=plan.waits and plan is not first) for plan in plans],
        template=_template_of(first),
    )


def _part_document(plan: Plan, *, waits: bool) -> models.PlanPartDocument:
    return models.PlanPartDocument(
        run=plan.run,
        tasks=plan.tasks,
        waits=waits,
        ceiling_gpu_seconds=plan.ceiling_gpu_seconds,
        ceiling=_money(plan.ceiling, plan.currency),
        script=plan.script,
    )


def _money(cost: Decimal | None, currency: str | None) -> models.MoneyDocument | None:
    return None if cost is None or currency is None else models.MoneyDocument(amount=amount(cost), currency=currency)


def _template_of(plan: Plan) -> TemplatePartDocument:
    used = plan.template
    if plan.own is not None:
        return TemplatePartDocument(name=str(plan.spec.template), layer="spec", path=plan.own.path)
    return TemplatePartDocument(name=used.name, layer=used.layer, path=used.path)


def clusters_document(settings: Settings) -> models.ClustersDocument:
    """The configured clusters, by name."""
    try:
        default, _ = select_cluster(settings, None)
    except UnknownClusterError:
        default = ""
    listed = [
        models.ClusterDocument(
            name=name, default=name == default, transport=one.transport, host=one.host, remote_root=one.remote_root
        )
        for name, one in sorted(settings.config.clusters.items(), key=lambda item: (item[0] == EMBEDDED, item[0]))
    ]
    return models.ClustersDocument(schema=models.SCHEMA, clusters=listed)


def check_document(cluster: str, findings: Sequence[Finding]) -> models.CheckDocument:
    """What was checked."""
    listed = [
        models.FindingDocument(level=one.level, field=one.field, message=one.message, remedy=one.remedy)
        for one in findings
    ]
    return models.CheckDocument(schema=models.SCHEMA, cluster=cluster, findings=listed)


def login_document(login: "Login") -> models.LoginDocument:
    """What became of a login."""
    return models.LoginDocument(
        schema=models.SCHEMA,
        cluster=login.cluster,
        where=login.where,
        kept=login.kept,
        new=login.new,
        idle_seconds=login.idle,
    )


def config_document(settings: Settings) -> models.ConfigDocument:
    """The configuration in force, flat, with the origin of each value."""
    given = settings.config.model_dump(mode="json", exclude_none=True, warnings="none")
    embedded = given["clusters"].pop(EMBEDDED, None)
    if embedded is not None:
        given["clusters"][EMBEDDED] = embedded  # what is configured comes first
    values = _flat(given, ())
    return models.ConfigDocument(schema=models.SCHEMA, values=values, origin=dict(settings.origin))


def sandbox_document(info: SandboxInfo | None) -> models.SandboxDocument:
    """The sandbox, if there is one."""
    if info is None or not info.running:
        return models.SandboxDocument(schema=models.SCHEMA, up=False, slurm=None, nodes=None, ssh_config=None)
    return models.SandboxDocument(
        schema=models.SCHEMA, up=True, slurm=info.spec.slurm, nodes=info.spec.nodes, ssh_config=str(info.ssh_config)
    )


def sync_document(done: "Synced") -> models.SyncDocument:
    """What was found on a cluster."""
    unreadable = [models.UnreadableDocument(run=run, reason=why) for run, why in done.unreadable.items()]
    return models.SyncDocument(
        schema=models.SCHEMA,
        cluster=done.cluster,
        root=done.root,
        restored=done.restored,
        updated=done.updated,
        known=done.known,
        gone=done.gone,
        coming=done.coming,
        unreadable=unreadable,
        foreign=done.foreign,
        asked=done.unasked is None,
    )


def _flat(values: dict[str, object], above: tuple[str, ...]) -> dict[str, object]:
    """Nested tables as dotted keys, spelled as in ``Settings.origin``."""
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            found |= _flat(value, (*above, key))
        else:
            found[dotted((*above, key))] = value
    return found
