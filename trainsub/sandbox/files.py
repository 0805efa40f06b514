"""What lets ssh and trainsub reach a sandbox: the text of the files in its state directory. Pure."""

import json
from pathlib import Path

HOST = "trainsub-sandbox"
"""The alias by which the sandbox's own ssh_config knows its login node."""


def ssh_config_text(alias: str, *, port: int, user: str, key: Path, known_hosts: Path) -> str:
    """Write one ``Host`` block for an OpenSSH configuration that stands alone."""
    return (
        f"Host {alias}\n"
        "    HostName 127.0.0.1\n"
        f"    Port {port}\n"
        f"    User {user}\n"
        f'    IdentityFile "{key}"\n'
        "    IdentitiesOnly yes\n"
        f'    UserKnownHostsFile "{known_hosts}"\n'
        "    GlobalKnownHostsFile /dev/null\n"
        "    StrictHostKeyChecking yes\n"
    )


def known_hosts_text(port: int, public_key: str) -> str:
    """Write the line by which ssh knows the sandbox's login node.

    Args:
        port: The port on 127.0.0.1.
        public_key: The host's public key as its .pub file has it: type, key, comment.
    """
    key_type, key = public_key.split()[:2]
    return f"[127.0.0.1]:{port} {key_type} {key}\n"


def config_text(ssh_config: Path, *, user: str = "alice") -> str:
    """Write a trainsub configuration whose only cluster is the sandbox."""
    return f"""\
[clusters.sandbox]
transport = "paramiko"
host = "{HOST}"
ssh_config = {json.dumps(str(ssh_config))}
remote_root = "/home/{user}/trainsub"
[clusters.sandbox.defaults]
partition = "gpu"
[clusters.sandbox.price]
currency = "EUR"
gpu_hour = "2.50"
"""
