from trainsub.config.model import Cluster, Config, Price
from trainsub.config.reference import config_reference


def test_every_key_is_on_the_page() -> None:
    """A key that a user can write is described; tables have their own heading."""
    page = config_reference()
    for key in {*Config.model_fields, *Cluster.model_fields, *Price.model_fields} - {"clusters", "defaults", "price"}:
        assert f"| `{key}` |" in page
    for table in ("clusters.NAME", "clusters.NAME.defaults", "clusters.NAME.price"):
        assert f"## `[{table}]`" in page
