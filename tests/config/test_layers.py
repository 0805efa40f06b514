import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainsub.config import env_layer, parse_toml
from trainsub.errors import ConfigError


def test_a_file_with_a_syntax_error() -> None:
    """The place is named."""
    with pytest.raises(ConfigError, match=r"/c/config.toml:1:5: Invalid value"):
        parse_toml(b"a = = 1", "/c/config.toml")


def test_settings_in_the_environment() -> None:
    """Nesting is by two underscores, values are TOML or text, and fractions stay exact."""
    layer = env_layer(
        {
            "TRAINSUB_CLUSTERS__HPC__HOST": "login1",
            "TRAINSUB_CLUSTERS__HPC__PORT": "2222",
            "TRAINSUB_CLUSTERS__HPC__USER": "",
            "TRAINSUB_CLUSTERS__HPC__PRICE": '{ currency = "EUR" }',
            "TRAINSUB_CLUSTERS__HPC__PRICE__GPU_HOUR": "8.50",
            "TRAINSUB_DEFAULT_CLUSTER": "hpc",
            "HOME": "/home/me",
        }
    )
    assert layer.data == {
        "clusters": {"hpc": {"host": "login1", "port": 2222, "price": {"currency": "EUR", "gpu_hour": "8.50"}}},
        "default_cluster": "hpc",
    }
    assert layer.variables["clusters", "hpc", "host"] == "TRAINSUB_CLUSTERS__HPC__HOST"


@pytest.mark.parametrize(("raw", "name"), [("2024", "2024"), ('"2024"', "2024"), ("a.b", "a.b")])
def test_the_default_cluster_is_a_name(raw: str, name: str) -> None:
    """A name of digits is no number."""
    assert env_layer({"TRAINSUB_DEFAULT_CLUSTER": raw}).data == {"default_cluster": name}


@pytest.mark.parametrize(
    "name", ["CONFIG", "STATE_DIR", "CACHE_DIR", "RUNTIME_DIR", "RUN", "TEST_CACHE", "DOCKERD_LOG"]
)
def test_what_is_no_setting_is_left_alone(name: str) -> None:
    """Some variables only move files, or belong to jobs and tests."""
    assert env_layer({f"TRAINSUB_{name}": "x"}).data == {}


@pytest.mark.parametrize(
    ("variable", "suggestion"),
    [
        ("TRAINSUB_DEFAULT_CLUSTERS", "; did you mean TRAINSUB_DEFAULT_CLUSTER?"),
        ("TRAINSUB_CLUSTER__HPC__HOST", "; did you mean TRAINSUB_CLUSTERS?"),
        ("TRAINSUB_STATEDIR", "; did you mean TRAINSUB_STATE_DIR?"),
        ("TRAINSUB_CLUSTERS__HPC", ""),
        ("TRAINSUB_CLUSTERS____HOST", ""),
        ("TRAINSUB_VERBOSITY", ""),
        ("TRAINSUB_", ""),
    ],
)
def test_an_unknown_variable(variable: str, suggestion: str) -> None:
    """A variable that looks like ours and is none would be a setting that does nothing."""
    with pytest.raises(ConfigError) as caught:
        env_layer({variable: "x"})
    assert caught.value.message == f"{variable}: no setting of trainsub{suggestion}"
    assert "TRAINSUB_CLUSTERS__HPC__HOST" in str(caught.value.hint)


def test_variables_that_contradict_each_other() -> None:
    """A value cannot be a table and none."""
    with pytest.raises(ConfigError, match="another variable says that fabric is no table"):
        env_layer({"TRAINSUB_CLUSTERS__HPC__FABRIC": "tcp", "TRAINSUB_CLUSTERS__HPC__FABRIC__KIND": "efa"})


@given(st.dictionaries(st.text(max_size=8).map("TRAINSUB_CLUSTERS__HPC__".__add__), st.text()))
def test_any_environment_is_a_layer_or_an_error(environ: dict[str, str]) -> None:
    """Nothing else is raised."""
    try:
        layer = env_layer(environ)
    except ConfigError:
        return
    assert set(layer.data) <= {"clusters"}
