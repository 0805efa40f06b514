"""Fixtures of this folder; what they are made of is in tests_remote.py."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from tests_remote import archive, cluster, shell  # noqa: F401
