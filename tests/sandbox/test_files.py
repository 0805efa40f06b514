import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from trainsub.sandbox.files import HOST, config_text, known_hosts_text, ssh_config_text


def test_the_configuration_is_toml_that_names_the_sandbox() -> None:
    """What `up` writes is a configuration with one cluster."""
    path = Path('/home/me/it\'s "here"/ssh_config')
    cluster = tomllib.loads(config_text(path))["clusters"]["sandbox"]
    assert cluster == {
        "transport": "paramiko",
        "host": HOST,
        "ssh_config": str(path),
        "remote_root": "/home/alice/trainsub",
        "defaults": {"partition": "gpu"},
        "price": {"currency": "EUR", "gpu_hour": "2.50"},
    }


def test_known_hosts_names_the_port_and_drops_the_comment() -> None:
    """The line is in the form that OpenSSH writes for other ports than 22."""
    assert known_hosts_text(2200, "ssh-ed25519 AAAA root@controller\n") == "[127.0.0.1]:2200 ssh-ed25519 AAAA\n"


@pytest.mark.skipif(shutil.which("ssh") is None, reason="needs the OpenSSH client")
def test_openssh_reads_the_configuration_as_meant(tmp_path: Path) -> None:
    """`ssh -G` resolves the alias to what was written."""
    home = tmp_path / "with blank"
    home.mkdir()
    text = ssh_config_text(HOST, port=2200, user="alice", key=home / "key", known_hosts=home / "known_hosts")
    (home / "ssh_config").write_text(text)
    argv = ["ssh", "-G", "-F", str(home / "ssh_config"), HOST]
    said = subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
    settings = dict(line.split(" ", 1) for line in said)
    assert settings["hostname"] == "127.0.0.1"
    assert settings["port"] == "2200"
    assert settings["user"] == "alice"
    assert settings["stricthostkeychecking"] == "true"
    assert settings["userknownhostsfile"] == str(home / "known_hosts")
    assert settings["identityfile"].strip('"') == str(home / "key")
