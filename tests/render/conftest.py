from collections.abc import Callable

import pytest

from trainsub.config import Cluster
from trainsub.render import render
from trainsub.spec import parse_spec


@pytest.fixture
def rendered() -> Callable[..., str]:
    """Render a spec given as TOML, for a cluster with these default options."""

    def rendering(toml: str, *, fabric: object = None, **defaults: object) -> str:
        cluster = Cluster.model_validate({"transport": "local", "fabric": fabric, "defaults": defaults})
        return render(parse_spec(toml, origin="job.toml"), cluster)

    return rendering
