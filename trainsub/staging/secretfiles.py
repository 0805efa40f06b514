"""Which files look like secrets: by their names, and by how they begin. Pure."""

import re
from fnmatch import fnmatchcase

LOOKED_AT = 64 * 1024
"""Files up to this size are looked into; keys are small."""

_NAMES = (
    ".env",
    ".env.*",
    "secrets.env",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".pgpass",
    ".git-credentials",
    "credentials.json",
    "application_default_credentials.json",
    "kubeconfig",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.kdbx",
)
_PATHS = (
    ".aws/credentials",
    ".kube/config",
    ".docker/config.json",
    ".config/gcloud/*",
    ".gnupg/*",
    ".huggingface/token",
)
_HARMLESS = ("*.pub", ".env.example", ".env.sample", ".env.template", ".env.dist")

_KEY = re.compile(
    rb"^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----\s*$"
    rb'|"private_key"\s*:\s*"-----BEGIN',
    re.MULTILINE,
)
_NPM_TOKEN = re.compile(rb"_(?:authToken|auth|password)\s*=\s*\S")


def secret_name(path: str) -> bool:
    """Return whether a file's name alone says that it is a secret."""
    path = path.lower()
    name = path.rpartition("/")[2]
    if any(fnmatchcase(name, pattern) for pattern in _HARMLESS):
        return False
    return any(fnmatchcase(name, pattern) for pattern in _NAMES) or any(
        fnmatchcase(f"/{path}", f"*/{pattern}") for pattern in _PATHS
    )


def secret_content(path: str, content: bytes) -> bool:
    """Return whether a small file's content is a private key or a token."""
    if path.rpartition("/")[2] == ".npmrc" and _NPM_TOKEN.search(content):
        return True
    return bool(_KEY.search(content)) or content.startswith(b"PuTTY-User-Key-File-")
