import sys
from pathlib import Path

import pytest
from minislurm.storm import Storm


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc, and only there nothing outlives its job")
def test_kills_at_random_moments_do_no_harm(tmp_path: Path) -> None:
    """No lost job, no false state, no orphan, no corrupt queue; ``storm.py --kills 200`` does more of it."""
    assert Storm(tmp_path, seed=1).run(40) == []
