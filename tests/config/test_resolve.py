from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.config import Cluster, Fabric, Layer, Price, Settings, env_layer, parse_toml, resolve
from trainsub.errors import ConfigError

BASES = {"site": "/etc/xdg/trainsub", "user": "/home/me/.config/trainsub", "project": "/work/p"}


def layer(name: str, text: str) -> Layer:
    """A layer from a file."""
    origin = f"{BASES[name]}/{name}.toml"
    return Layer(name=name, origin=origin, data=parse_toml(text, origin), base=BASES[name])


def settings(*layers: Layer) -> Settings:
    """What layers resolve to."""
    return resolve(layers, home="/home/me")


def wrong(*layers: Layer) -> ConfigError:
    """The error of layers."""
    with pytest.raises(ConfigError) as caught:
        settings(*layers)
    return caught.value


def user(text: str) -> Cluster:
    """The only cluster of a user's file."""
    return next(iter(settings(layer("user", text)).config.clusters.values()))


HPC = '[clusters.hpc]\nhost = "hpc"\n'


def test_nothing_is_configured() -> None:
    """No file at all is fine."""
    assert settings().config.clusters == {}
    assert settings().origin == {}


def test_defaults_of_a_cluster() -> None:
    """A host is enough."""
    cluster = user(HPC)
    assert (cluster.transport, cluster.host, cluster.remote_root) == ("paramiko", "hpc", "~/.trainsub")
    assert (cluster.slurm_bin, cluster.connect_timeout, cluster.defaults, cluster.price) == ("", 15, {}, None)


def test_a_later_layer_wins_value_by_value() -> None:
    """What a layer does not say is left, and each value knows its origin."""
    found = settings(
        layer("site", HPC + 'user = "u"\n[clusters.hpc.defaults]\npartition = "gpu"\nqos = "a"\n'),
        layer("user", 'default_cluster = "hpc"\n[clusters.hpc]\nuser = "me"\n[clusters.hpc.defaults]\nqos = "b"\n'),
        layer("project", '[clusters.hpc.defaults]\naccount = "research"\n'),
        env_layer({"TRAINSUB_CLUSTERS__HPC__PORT": "2222"}),
        Layer("flags", "command line", {"default_cluster": "other"}, "/work"),
    )
    cluster = found.config.clusters["hpc"]
    assert (cluster.user, cluster.port, found.config.default_cluster) == ("me", 2222, "other")
    assert cluster.defaults == {"partition": "gpu", "qos": "b", "account": "research"}
    assert found.origin == {
        "clusters.hpc.host": "site (/etc/xdg/trainsub/site.toml)",
        "clusters.hpc.user": "user (/home/me/.config/trainsub/user.toml)",
        "clusters.hpc.defaults.partition": "site (/etc/xdg/trainsub/site.toml)",
        "clusters.hpc.defaults.qos": "user (/home/me/.config/trainsub/user.toml)",
        "clusters.hpc.defaults.account": "project (/work/p/project.toml)",
        "clusters.hpc.port": "environment (TRAINSUB_CLUSTERS__HPC__PORT)",
        "default_cluster": "flags (command line)",
    }


def test_a_table_and_a_value_replace_each_other() -> None:
    """No rest of a lower layer's table is left, and an empty table takes nothing away."""
    table = layer("site", HPC + '[clusters.hpc.fabric]\nkind = "efa"\ninterface = "x"\n')
    plain = layer("user", '[clusters.hpc]\nfabric = "tcp"\n')
    assert settings(table, plain).config.clusters["hpc"].fabric == Fabric(kind="tcp")
    other = Layer("user", "u", table.data, "/")
    first = layer("site", '[clusters.hpc]\nfabric = "tcp"\n')
    assert settings(first, other).config.clusters["hpc"].fabric == Fabric(kind="efa", interface="x")
    assert settings(table, layer("user", "[clusters.hpc]\n[clusters.hpc.fabric]\n")).config == settings(table).config
    assert settings(layer("site", "[clusters.hpc]\n"), layer("user", HPC)).config.clusters["hpc"].host == "hpc"


def test_paths_of_this_machine() -> None:
    """They are relative to their file, and a tilde is the home directory."""
    cluster = user(HPC + 'identity_file = "keys/../id"\nssh_config = "~/.ssh/other"\n')
    assert cluster.identity_file == "/home/me/.config/trainsub/id"
    assert cluster.ssh_config == "/home/me/.ssh/other"
    assert user(HPC + 'identity_file = "/k/id"\n').identity_file == "/k/id"
    assert "is relative, but a variable has no directory" in str(
        wrong(layer("user", HPC), env_layer({"TRAINSUB_CLUSTERS__HPC__IDENTITY_FILE": "id"}))
    )
    assert "the home directory of somebody else: ~bob/id" in str(
        wrong(layer("user", HPC + 'identity_file = "~bob/id"'))
    )
    assert "clusters.hpc.identity_file: expected a path" in str(wrong(layer("user", HPC + "identity_file = 3")))


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ('[clusters.hpc]\nhost = "evil"', "clusters.hpc.host"),
        ('[clusters.hpc]\nidentity_file = "x"', "clusters.hpc.identity_file"),
        ('[clusters.hpc.price]\ngpu_hour = "0"', "clusters.hpc.price.gpu_hour"),
        ('[clusters."x/defaults"]\nhost = "x"', 'clusters."x/defaults".host'),
        ("receivers = 1", "receivers"),
    ],
)
def test_what_a_project_may_not_set(line: str, where: str) -> None:
    """A clone does not decide which machine is talked to, and as whom."""
    error = wrong(layer("user", HPC), layer("project", line))
    assert error.message == f"/work/p/project.toml: {where}: a project's configuration may not set this"
    assert "comes with a clone" in str(error.hint)


def test_a_project_speaks_of_configured_clusters_only() -> None:
    """It carries defaults for every place where it may run, and not everybody has all of them."""
    project = layer("project", '[clusters]\n[clusters.hpc.defaults]\nqos = "x"\n[clusters.far.defaults]\nqos = "y"\n')
    found = settings(layer("user", HPC), project).config.clusters
    assert {name: cluster.defaults for name, cluster in found.items()} == {"hpc": {"qos": "x"}}
    far = settings(project, env_layer({"TRAINSUB_CLUSTERS__FAR__HOST": "h"})).config.clusters
    assert {name: cluster.defaults for name, cluster in far.items()} == {"far": {"qos": "y"}}


@pytest.mark.parametrize("name", ["hpc", "HPC", "Hpc", "my-hpc", "My.Hpc"])
def test_the_environment_finds_its_cluster(name: str) -> None:
    """Capital letters and underscores mean the cluster that they spell."""
    variable = "TRAINSUB_CLUSTERS__" + name.upper().replace("-", "_").replace(".", "_") + "__DEFAULTS__QOS"
    found = settings(layer("user", f'[clusters."{name}"]\nhost = "h"'), env_layer({variable: "x"}))
    assert found.config.clusters[name].defaults == {"qos": "x"}
    assert f"environment ({variable})" in found.origin.values()


def test_the_environment_makes_a_cluster() -> None:
    """A pipeline needs no file; the name is in small letters."""
    found = settings(env_layer({"TRAINSUB_CLUSTERS__CI__TRANSPORT": "local", "TRAINSUB_DEFAULT_CLUSTER": "ci"}))
    assert found.config.clusters["ci"].transport == "local"


def test_the_environment_is_ambiguous() -> None:
    """Two clusters that are spelled alike; an exact name is still clear."""
    both = '[clusters."a-b"]\nhost = "h"\n[clusters."a.b"]\nhost = "h"\n'
    variable = env_layer({"TRAINSUB_CLUSTERS__A_B__QOS": "1", "TRAINSUB_DEFAULT_CLUSTER": "x"})
    assert "TRAINSUB_CLUSTERS__A_B__QOS: could mean each of the clusters a-b, a.b" in str(
        wrong(layer("user", both), variable)
    )
    exact = settings(
        layer("user", both + '[clusters.a_b]\nhost = "h"'), env_layer({"TRAINSUB_CLUSTERS__A_B__USER": "me"})
    )
    assert exact.config.clusters["a_b"].user == "me"


def test_errors_name_their_origin() -> None:
    """Each is blamed on the layer that said it, all at once."""
    error = wrong(
        layer("site", "[clusters.hpc]\nhots = 'x'\n"),
        layer("user", "[clusters.hpc.defaults]\ntime = '1'\npartion = 'x'\n[clusters.hpc.price]\ncurrency = 'EUR'\n"),
        env_layer({"TRAINSUB_CLUSTERS__HPC__PORT": "high", "TRAINSUB_CLUSTERS__HPC__PRICE": '{ gpu_hour = "x" }'}),
    )
    site, user = "/etc/xdg/trainsub/site.toml", "/home/me/.config/trainsub/user.toml"
    assert error.message.splitlines() == [
        'TRAINSUB_CLUSTERS__HPC__PORT: clusters.hpc.port: expected an integer from 1 to 65535, got "high"',
        f"{user}: clusters.hpc.defaults.time: every spec says it, so a default would never count",
        f"{user}: clusters.hpc.defaults.partion: unknown key; did you mean partition?",
        'TRAINSUB_CLUSTERS__HPC__PRICE: clusters.hpc.price.gpu_hour: expected a decimal in quotes, such as "8.50", got "x"',
        f"{site}: clusters.hpc.hots: unknown key; did you mean host?",
    ]
    assert error.hint == "[clusters.NAME.defaults.extra] takes options that trainsub does not know."


def test_a_missing_value_is_blamed_on_its_neighbour() -> None:
    """The file that began the cluster is where its host belongs."""
    error = wrong(layer("user", "[clusters.hpc]\nuser = 'me'\n"), layer("site", "[clusters.x]\nhost = 'x'"))
    assert error.message.startswith("/home/me/.config/trainsub/user.toml: clusters.hpc.host: is required")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("host = 'x'", "host: unknown key; did you mean clusters.NAME.host?"),
        ("cluster = 1", "cluster: unknown key; did you mean clusters?"),
        ("clusters = 1", "clusters: expected a table, got 1"),
        ("clusters.hpc = 1", "clusters.hpc: expected a table, got 1"),
        ("default_cluster = 1", "default_cluster: expected a cluster's name"),
        ("[clusters.MiniSlurm]\nhost = 'h'", "clusters.MiniSlurm: the name minislurm is taken by the embedded cluster"),
        ("[clusters.'a b']\nhost = 'h'", 'clusters."a b": expected a cluster\'s name'),
        ("[clusters.price]\nhost = 'h'\ngpu_hours = 1", "clusters.price.gpu_hours: unknown key"),
        ("[clusters.hpc]\ntransport = 'openssh'", "clusters.hpc.host: is required"),
        (HPC + "transport = 'ssh'", 'clusters.hpc.transport: expected "paramiko", "openssh" or "local", got "ssh"'),
        ("[clusters.hpc]\nhost = 'me@hpc'", "clusters.hpc.host: me@hpc has a user in it"),
        ("[clusters.hpc]\nhost = '-oProxyCommand=x'", "clusters.hpc.host: expected a host"),
        (HPC + "user = '-x'", "clusters.hpc.user: expected a user's name"),
        (HPC + "port = 0", "clusters.hpc.port: expected an integer from 1 to 65535, got 0"),
        (HPC + "remote_root = 'x'", "clusters.hpc.remote_root: expected a path on the cluster"),
        (HPC + "remote_root = '~bob/x'", "clusters.hpc.remote_root: expected a path on the cluster"),
        (HPC + 'remote_root = "/a\\nb"', "clusters.hpc.remote_root: must be one line"),
        (HPC + "remote_root = '/'", "clusters.hpc.remote_root: / itself is no place for it"),
        (HPC + "remote_root = '~/'", "clusters.hpc.remote_root: ~/ itself is no place for it"),
        (HPC + "remote_root = '/a/../b'", 'clusters.hpc.remote_root: must not go up by ".."'),
        (HPC + "slurm_bin = 'bin'", "clusters.hpc.slurm_bin: expected an absolute path on the cluster"),
        (HPC + "fabric = 'x'", 'clusters.hpc.fabric.kind: expected "infiniband", "roce"'),
        (HPC + "fabric = {}", "clusters.hpc.fabric.kind: is required"),
        (HPC + "fabric = { kind = 'x' }", "clusters.hpc.fabric.kind: expected"),
        (HPC + "fabric = { kind = 'tcp', mtu = 1.5 }", "clusters.hpc.fabric.mtu: unknown key"),
        (HPC + "fabric = { kind = 'tcp', env.RANK = 1 }", "clusters.hpc.fabric.env.RANK: reserved"),
        (HPC + "fabric = 3", "clusters.hpc.fabric: expected a table, got 3"),
        (HPC + "price.currency = 'euro'\nprice.gpu_hour = '1'", "clusters.hpc.price.currency: expected three capital"),
        (HPC + "price.currency = 'EUR'", "clusters.hpc.price.gpu_hour: is required: a decimal in quotes"),
        (
            HPC + "price = { currency = 'EUR', gpu_hour = 8.5 }",
            "clusters.hpc.price.gpu_hour: money is a decimal in quo",
        ),
        (HPC + "price = { currency = 'EUR', gpu_hour = true }", "clusters.hpc.price.gpu_hour: expected a decimal in"),
        (HPC + "price = { currency = 'EUR', gpu_hour = '-1' }", "clusters.hpc.price.gpu_hour: expected a decimal in"),
        (HPC + "defaults.ntasks = 3", "clusters.hpc.defaults.ntasks: the spec's launch kind sets it"),
        (HPC + "defaults.gpus = 3", "clusters.hpc.defaults.gpus: trainsub counts GPUs per node"),
        (HPC + "defaults.extra.qos = 'x'", "clusters.hpc.defaults.extra.qos: trainsub knows this option"),
        (HPC + "defaults = { gres = 'gpu:1', gpus_per_node = 1 }", "clusters.hpc.defaults.gres: asks for GPUs, and so"),
    ],
)
def test_a_wrong_value(text: str, message: str) -> None:
    """The key is named, and what belongs there."""
    assert wrong(layer("user", text)).message.startswith(f"/home/me/.config/trainsub/user.toml: {message}")


def test_values_that_are_right() -> None:
    """Paths lose their last slash, and tables keep what was given."""
    cluster = user(
        HPC
        + "remote_root = '/scratch/me/'\nslurm_bin = '/opt/slurm/bin/'\nfabric = { kind = 'efa', interface = 'x' }\n"
        "[clusters.hpc.defaults]\nexclusive = true\nrequeue = false\nextra.switches = 1\n"
    )
    assert (cluster.remote_root, cluster.slurm_bin) == ("/scratch/me", "/opt/slurm/bin")
    assert cluster.fabric == Fabric(kind="efa", interface="x")
    assert cluster.defaults == {"exclusive": True, "requeue": False, "extra": {"switches": 1}}
    assert user(HPC + "slurm_bin = ''").slurm_bin == ""
    assert user(HPC + "slurm_bin = '/'").slurm_bin == "/"
    assert user("[clusters.hpc]\ntransport = 'local'").host is None


def test_a_configuration_is_written_without_surprises() -> None:
    """It can be shown as JSON: paths and prices as text, the defaults as they were given."""
    found = settings(layer("user", HPC + "defaults.qos = 'x'\nprice = { currency = 'EUR', gpu_hour = '8.50' }"))
    cluster = found.config.model_dump(mode="json", exclude_none=True)["clusters"]["hpc"]
    assert cluster["defaults"] == {"qos": "x"}
    assert cluster["price"] == {"currency": "EUR", "gpu_hour": "8.50", "partitions": {}}


def test_prices() -> None:
    """A partition has its own price or the cluster's; of several the dearest counts."""
    price = Price(currency="CNY", gpu_hour=Decimal("8.50"), partitions={"debug": Decimal(0), "big": Decimal("1E+1")})
    assert price.for_partition("gpu") == Decimal("8.50")
    assert price.for_partition("") == Decimal("8.50")
    assert price.for_partition("debug") == 0
    assert price.for_partition("debug, big") == 10
    assert user(HPC + "price = { currency = 'EUR', gpu_hour = '8.50' }").price == Price(
        currency="EUR", gpu_hour=Decimal("8.50")
    )


KEYS = st.sampled_from(
    ["host", "user", "port", "fabric", "defaults", "kind", "qos", "clusters", "default_cluster", "x"]
)
DATA: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.text(max_size=3), st.integers(), st.booleans(), st.floats()),
    lambda inner: st.one_of(st.dictionaries(KEYS, inner), st.lists(inner)),
    max_leaves=8,
)


@given(st.lists(st.tuples(st.sampled_from(sorted(BASES)), st.dictionaries(KEYS, DATA)), max_size=4))
def test_any_layers_are_settings_or_an_error(layers: list[tuple[str, dict[str, Any]]]) -> None:
    """No data raises anything else, and every value has an origin."""
    try:
        found = settings(*(Layer(name, f"/{name}", data, "/") for name, data in layers))
    except ConfigError:
        return
    assert all(origin.startswith(tuple(BASES)) for origin in found.origin.values())
