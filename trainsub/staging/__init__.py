"""The code snapshot: one immutable, content-addressed archive of what travels. A door: reads the disk and calls git.

It owns which files travel, and the archive's format. It knows no cluster and sends nothing.
"""

from trainsub.staging.take import Snapshot, snapshot

__all__ = ["Snapshot", "snapshot"]
