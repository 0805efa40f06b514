"""The reference page of the configuration, written from its model, so that it cannot be out of date. Pure."""

from trainsub.config.fabric import Fabric
from trainsub.config.model import Cluster, Config, MiniSlurm, Price
from trainsub.spec.reference import table_rows

_INTRODUCTION = """\
# Configuration

TOML files, lowest first; a later one wins, value by value:

| layer | from |
|---|---|
| built in | trainsub itself: the cluster [`minislurm`](#minislurm) |
| site | `/etc/xdg/trainsub/config.toml` |
| sandbox | written by `trainsub sandbox up` |
| user | `config.toml` in the user's configuration directory, `$TRAINSUB_CONFIG`, or `--config` |
| project | the nearest `trainsub.toml` in the working directory or above it |
| environment | `TRAINSUB_DEFAULT_CLUSTER`, `TRAINSUB_CLUSTERS__NAME__KEY`, `TRAINSUB_MINISLURM__KEY` |
| flags | the command line |

`trainsub config show --origin` tells where each value came from. A key that is not listed here is an error.

A project's file comes with a clone. It may set `default_cluster` and the `defaults` of clusters that are configured
elsewhere, and nothing else.

In the environment, `__` separates keys: `TRAINSUB_CLUSTERS__HPC__HOST=login1`. A cluster is named in capital letters,
with `_` for each sign that is no letter or digit; one that no file names gets its name in small letters. A value is a
TOML value, otherwise text; an empty one counts as not set. `TRAINSUB_CONFIG`, `TRAINSUB_STATE_DIR`,
`TRAINSUB_CACHE_DIR` and `TRAINSUB_RUNTIME_DIR` move files and are no settings.

Relative paths are relative to the file that names them, and `~/` is the home directory. Paths on the cluster are not
touched.

Without `--cluster` and `default_cluster`, the only configured cluster is meant. `sandbox` and `minislurm` do not count:
the sandbox is meant where no other cluster is configured, and `minislurm` where there is no sandbox either, and no
`sbatch` on the PATH. On a machine with a Slurm of its own, `--cluster minislurm` has to be said.
"""

_DEFAULTS = """\
The options that [`[slurm]`](spec.md#slurm) of a spec takes, without `nodes`, `time`, `ntasks` and `ntasks_per_node`.
"""
_MINISLURM = """\
The cluster `minislurm` is always there, on this machine; [what it is](../explanation/minislurm.md). Its own
`[clusters.minislurm]` takes `price`, `defaults`, `max_array_size` and `poll_seconds`, and nothing else. How large it
pretends to be:

"""


def config_reference() -> str:
    """Return the Markdown page that lists every key of the configuration."""
    parts = [_INTRODUCTION, "\n## Above all tables\n\n", *table_rows(Config)]
    parts += [f"\n## `[clusters.NAME]`\n\n{Cluster.__doc__}\n\n", *table_rows(Cluster)]
    parts += ["\n## `[clusters.NAME.defaults]`\n\n", _DEFAULTS]
    parts += [f"\n## `[clusters.NAME.price]`\n\n{Price.__doc__}\n\n", *table_rows(Price)]
    parts += [f"\n## `[clusters.NAME.fabric]`\n\n{Fabric.__doc__}\n\n", *table_rows(Fabric)]
    parts += ["\n## `[minislurm]`\n\n", _MINISLURM, *table_rows(MiniSlurm)]
    return "".join(parts)
