import pytest

from trainsub.config import Cluster, Layer, Settings, built_in_layer, env_layer, parse_toml, resolve
from trainsub.errors import ConfigError

HOME = "/home/me/state/minislurm"
TAKEN = "the name minislurm is taken by the embedded cluster"


def settings(text: str = "", *, name: str = "user", environ: dict[str, str] | None = None) -> Settings:
    """The built-in layer, one file above it, and the environment."""
    file = Layer(name=name, origin=f"/c/{name}.toml", data=parse_toml(text, "f"), base="/c")
    return resolve([built_in_layer(HOME), file, env_layer(environ or {})], home="/home/me")


def wrong(text: str = "", **given: object) -> ConfigError:
    """The error of that."""
    with pytest.raises(ConfigError) as caught:
        settings(text, **given)  # type: ignore[arg-type]
    return caught.value


def test_it_is_there_without_any_file() -> None:
    """Local, with its own commands, its runs in its own directory; and the origin says so."""
    found = settings()
    assert found.config.clusters["minislurm"] == Cluster(
        transport="local", slurm_bin=f"{HOME}/bin", remote_root=f"{HOME}/trainsub"
    )
    assert set(found.origin.values()) == {"built in"}


def test_it_takes_a_price_and_defaults() -> None:
    """From any layer that may say so for other clusters; a project's file gives defaults only."""
    price = '[clusters.minislurm.price]\ncurrency = "EUR"\ngpu_hour = "2.50"\n'
    defaults = '[clusters.minislurm.defaults]\npartition = "debug"\n'
    found = settings(price + defaults).config.clusters["minislurm"]
    assert found.price is not None
    assert (found.price.currency, found.defaults, found.transport) == ("EUR", {"partition": "debug"}, "local")
    assert settings(defaults, name="project").config.clusters["minislurm"].defaults == {"partition": "debug"}
    assert "may not set this" in wrong(price, name="project").message
    variable = {"TRAINSUB_CLUSTERS__MINISLURM__DEFAULTS__QOS": "x"}
    assert settings(environ=variable).config.clusters["minislurm"].defaults == {"qos": "x"}
    assert settings("[clusters.minislurm]\nmax_array_size = 3").config.clusters["minislurm"].max_array_size == 3
    assert settings("[clusters.minislurm]").config.clusters["minislurm"].transport == "local"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('host = "h"', ".host"),
        ('transport = "paramiko"', ".transport"),
        ('slurm_bin = "/usr/bin"', ".slurm_bin"),
        ('remote_root = "/x"', ".remote_root"),
        ("gpus_per_node = 8", ".gpus_per_node"),
    ],
)
def test_nobody_makes_another_cluster_of_it(line: str, key: str) -> None:
    """The file or the variable is named."""
    error = wrong(f"[clusters.minislurm]\n{line}\n")
    assert error.message == f"/c/user.toml: clusters.minislurm{key}: {TAKEN}"
    assert "[minislurm]" in str(error.hint)


def test_nor_by_another_way() -> None:
    """As a plain value, by a variable, or in other letters."""
    assert wrong("clusters.minislurm = 3").message == f"/c/user.toml: clusters.minislurm: {TAKEN}"
    variable = "TRAINSUB_CLUSTERS__MINISLURM__HOST"
    assert wrong(environ={variable: "h"}).message == f"{variable}: clusters.minislurm.host: {TAKEN}"
    assert TAKEN in wrong('[clusters.MiniSlurm]\nhost = "h"').message
    assert TAKEN in wrong('default_cluster = "MINISLURM"').message


def test_a_typing_mistake_is_one() -> None:
    """An unknown key is told as anywhere."""
    assert (
        "clusters.minislurm.prise: unknown key; did you mean price?" in wrong("[clusters.minislurm]\nprise = 1").message
    )


def test_how_large_it_pretends_to_be() -> None:
    """From files and variables, but not from a clone."""
    found = settings("[minislurm]\nnodes = 2\n", environ={"TRAINSUB_MINISLURM__GPUS_PER_NODE": "0"})
    assert (found.config.minislurm.nodes, found.config.minislurm.gpus_per_node) == (2, 0)
    assert found.origin["minislurm.gpus_per_node"] == "environment (TRAINSUB_MINISLURM__GPUS_PER_NODE)"
    assert "may not set this" in wrong("[minislurm]\nnodes = 2\n", name="project").message
    assert "minislurm.nodes: expected an integer from 1 to 254, got 0" in wrong("[minislurm]\nnodes = 0").message
    assert "minislurm.node: unknown key; did you mean nodes?" in wrong("[minislurm]\nnode = 1").message
    for variable in ("TRAINSUB_MINISLURM", "TRAINSUB_MINISLURM__", "TRAINSUB_MINISLURM__NODES__X"):
        assert "no setting of trainsub" in wrong(environ={variable: "1"}).message
