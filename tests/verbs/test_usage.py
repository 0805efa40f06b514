from datetime import timedelta

from verbs.desk import SILENT, Desk, stamp, submitted

from trainsub import Client

EUR = 'gpus_per_node = 4\n[clusters.alpha.price]\ncurrency = "EUR"\ngpu_hour = "2.50"\n'
USD = '[clusters.beta.price]\ncurrency = "USD"\ngpu_hour = "1.00"\n'


def money(client: Client) -> list[tuple[str, str]]:
    """The sums."""
    return [(cost.amount, cost.currency) for cost in client.usage().total.cost]


def test_currencies_are_not_added(desk: Desk) -> None:
    """An hour on eight GPUs here and there: two sums."""
    desk.configure(EUR, USD)
    client = desk.client()
    desk.alpha.ended(submitted(client))
    desk.beta.ended(submitted(client, cluster="beta"))
    assert client.usage().total.gpu_seconds == 2 * 8 * 3600
    assert money(client) == [("20.00", "EUR"), ("8.00", "USD")]


def test_without_a_price_the_cost_is_unknown(desk: Desk) -> None:
    """The seconds are told, and the sum says that it is not complete."""
    desk.configure(EUR)
    client = desk.client()
    desk.alpha.ended(submitted(client))
    desk.beta.ended(submitted(client, cluster="beta"))
    assert money(client) == [("20.00", "EUR")]
    total = client.usage().total
    assert (total.gpu_seconds, total.complete) == (2 * 8 * 3600, False)


def test_a_cluster_that_is_no_longer_configured_is_billed_without_a_price(desk: Desk) -> None:
    """Its records are known; what it charged is not."""
    desk.configure(EUR)
    client = desk.client()
    desk.alpha.ended(submitted(client))
    assert money(client) == [("20.00", "EUR")]
    desk.configure(clusters=["beta"])
    later = desk.client().usage()
    assert (later.total.gpu_seconds, later.total.cost, later.unasked) == (8 * 3600, [], {})


def test_gpus_that_are_not_recorded_are_estimated_or_unknown(desk: Desk) -> None:
    """From the configuration where it tells, and marked; else nothing is guessed."""
    desk.configure(EUR)
    client = desk.client()
    for site in (desk.alpha, desk.beta):
        site.slurm.says("scontrol", 'echo "AccountingStorageTRES = cpu"; echo "SLURM_VERSION = 24.11.5"')
    first, second = submitted(client), submitted(client, cluster="beta")
    desk.alpha.ended(first, tres="cpu=1")
    desk.beta.ended(second, tres="cpu=1")
    used = {one.run: one for one in client.usage().document.runs}
    assert (used[first.run].gpu_seconds, used[first.run].estimated) == (4 * 3600, True)
    assert (used[second.run].gpu_seconds, used[second.run].estimated) == (None, False)


def test_since_leaves_older_runs_out_and_does_not_ask_for_them(desk: Desk, client: Client) -> None:
    """By the time of submission."""
    submitted(client)
    desk.clock.skip(days=2)
    new = submitted(client, cluster="beta")
    desk.beta.ended(new)
    execs = desk.alpha.road.execs
    report = client.usage(since=desk.clock.now() - timedelta(days=1))
    assert [run.run for run in report.runs] == [new.run]
    assert desk.alpha.road.execs == execs


def test_cached_asks_nothing(desk: Desk, client: Client) -> None:
    """What is known is told; nothing is known yet."""
    run = submitted(client)
    desk.alpha.ended(run)
    execs = desk.alpha.road.execs
    assert client.usage(cached=True).total.gpu_seconds == 0
    assert desk.alpha.road.execs == execs
    assert client.usage().total.gpu_seconds == 8 * 3600
    assert client.usage(cached=True).total.gpu_seconds == 8 * 3600


def test_a_running_job_is_billed_so_far(desk: Desk, client: Client) -> None:
    """Provisional, from the record that lasts."""
    run = submitted(client)
    desk.alpha.shows(run, "RUNNING", start=stamp(-1800))
    desk.alpha.accounts(run, "RUNNING", start=stamp(-1800), end=None)
    total = client.usage().total
    assert total.provisional
    assert total.gpu_seconds is not None
    assert abs(total.gpu_seconds - 8 * 1800) <= 8 * 60


def test_a_cluster_that_could_not_be_asked_is_named(desk: Desk, client: Client) -> None:
    """With the figures that are known."""
    desk.alpha.ended(submitted(client))
    client.usage()
    submitted(client)
    desk.alpha.slurm.says("squeue", SILENT)
    report = client.usage()
    assert list(report.unasked) == ["alpha"]
    assert report.total.gpu_seconds == 8 * 3600
