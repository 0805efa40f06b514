from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from trainsub.errors import SandboxError
from trainsub.sandbox.layout import RELEASES, Layout, SandboxSpec, base_image, image_tag, plan, run_arguments

SPEC = SandboxSpec("lab", nodes=3, gpus_per_node=4)


def _plan(spec: SandboxSpec = SPEC, **changes: Any) -> Layout:
    return plan(spec, **{"image": "image:1", "authorized_key": "ssh-ed25519 AAAA x", "ssh_port": 2200, **changes})


def _options(arguments: list[str], name: str) -> list[str]:
    return [value for option, value in pairwise(arguments) if option == name]


def test_a_cluster_is_its_compute_nodes_and_one_controller() -> None:
    """N nodes are N + 1 containers."""
    layout = _plan()
    assert [container.hostname for container in layout.compute] == ["n1", "n2", "n3"]
    assert layout.controller.hostname == "controller"
    assert {container.command for container in layout.compute} == {("compute",)}
    assert layout.controller.command == ("controller",)


def test_clusters_of_different_names_share_nothing() -> None:
    """Neither containers, nor volumes, nor networks."""
    one, two = _plan(), _plan(replace(SPEC, name="other"))
    names = [{layout.network, *layout.volumes, *(c.name for c in layout.compute)} for layout in (one, two)]
    assert not names[0] & names[1]


def test_all_containers_write_the_same_slurm_conf() -> None:
    """Each gets the same parameters; Slurm refuses nodes whose file differs."""
    layout = _plan()
    controller = dict(layout.controller.env)
    assert controller.pop("AUTHORIZED_KEY") == "ssh-ed25519 AAAA x"
    assert all(dict(container.env) == controller for container in layout.compute)
    assert controller["NODES"] == "3"
    assert controller["GPUS_PER_NODE"] == "4"


@pytest.mark.parametrize(("accounting", "lua"), [(True, False), (False, True)])
def test_variants_reach_the_start_script(*, accounting: bool, lua: bool) -> None:
    """Accounting and the submit plugin are switched by environment."""
    env = dict(_plan(replace(SPEC, accounting=accounting, lua=lua)).controller.env)
    assert (env["ACCOUNTING"], env["LUA"]) == (str(int(accounting)), str(int(lua)))


def test_only_ssh_is_published_and_only_on_this_machine() -> None:
    """One port, on the loopback address."""
    layout = _plan()
    assert _options(run_arguments(layout.controller, layout.network), "--publish") == ["127.0.0.1:2200:22"]
    for container in layout.compute:
        assert "--publish" not in run_arguments(container, layout.network)


def test_no_container_is_privileged() -> None:
    """Continuous integration refuses privileged containers."""
    layout = _plan()
    for container in (*layout.compute, layout.controller):
        arguments = " ".join(run_arguments(container, layout.network))
        assert "--privileged" not in arguments
        assert "--cap-add" not in arguments


def test_host_directories_are_mounted_read_only_and_volumes_writable() -> None:
    """A user's folder is safe from what runs in the sandbox."""
    layout = _plan(replace(SPEC, mounts=(("/srv/py", "/opt/python"),)))
    for container in (*layout.compute, layout.controller):
        assert _options(run_arguments(container, layout.network), "--mount") == [
            "type=volume,source=lab-home,target=/home",
            "type=volume,source=lab-state,target=/var/lib/trainsub",
            "type=bind,source=/srv/py,target=/opt/python,readonly",
        ]


def test_labels_are_on_everything() -> None:
    """What carries the label can be found and removed."""
    layout = _plan(labels=(("trainsub.state", "/a b"),))
    assert layout.labels == (("trainsub.state", "/a b"),)
    for container in (*layout.compute, layout.controller):
        assert _options(run_arguments(container, layout.network), "--label") == ["trainsub.state=/a b"]


def test_the_image_and_its_command_come_last() -> None:
    """docker takes everything behind the image for its command."""
    layout = _plan()
    assert run_arguments(layout.controller, layout.network)[-2:] == ["image:1", "controller"]


def test_an_image_is_named_for_its_content() -> None:
    """Another Dockerfile is another image; the same one is built once."""
    files = [("Dockerfile", b"FROM x"), ("start.sh", b"echo")]
    tag = image_tag("24.11", files)
    assert tag.startswith("trainsub-slurm:24.11-")
    assert tag == image_tag("24.11", reversed(files))
    assert tag != image_tag("24.11", [("Dockerfile", b"FROM y"), ("start.sh", b"echo")])
    assert image_tag("24.11", [("ab", b"c")]) != image_tag("24.11", [("a", b"bc")])


def test_each_version_has_its_debian() -> None:
    """Each Slurm comes from one Debian release."""
    assert {version: base_image(version) for version in RELEASES} == {
        "22.05": "debian:bookworm",
        "24.11": "debian:trixie",
        "26.05": "debian:forky",
    }


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"name": "Not OK"}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a", "slurm": "19.05"}, "19.05"),
        ({"name": "a", "nodes": 0}, "nodes"),
        ({"name": "a", "nodes": 1000}, "nodes"),
        ({"name": "a", "gpus_per_node": -1}, "GPUs"),
        ({"name": "a", "gpus_per_node": 99}, "GPUs"),
    ],
)
def test_impossible_clusters_are_refused(values: dict[str, Any], word: str) -> None:
    """No nodes, too many, or a Slurm that there is none of."""
    with pytest.raises(SandboxError, match=word):
        SandboxSpec(**values)
