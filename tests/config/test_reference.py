from trainsub.config.fabric import Fabric
from trainsub.config.model import Cluster, Config, MiniSlurm, Price
from trainsub.config.reference import config_reference


def test_every_key_is_on_the_page() -> None:
    """A key that a user can write is described; tables have their own heading."""
    page = config_reference()
    tables = {"clusters", "defaults", "price", "minislurm", "fabric"}
    for key in {name for table in (Config, Cluster, Fabric, Price, MiniSlurm) for name in table.model_fields} - tables:
        assert f"| `{key}` |" in page
    for table in (
        "clusters.NAME",
        "clusters.NAME.defaults",
        "clusters.NAME.price",
        "clusters.NAME.fabric",
        "minislurm",
    ):
        assert f"## `[{table}]`" in page
