import re

from trainsub.spec.model import JobSpec
from trainsub.spec.problems import tables
from trainsub.spec.reference import spec_reference


def test_every_key_is_on_the_page() -> None:
    """A key that a user can write is described, and nothing is described by nothing."""
    page = spec_reference()
    for name, field in JobSpec.model_fields.items():
        for table in tables(field):
            assert f"## `[{name}]`" in page
            for key in table.model_fields:
                assert f"| `{key}` |" in page
    rows = re.findall(r"^\| `.*$", page, re.MULTILINE)
    assert all(not row.endswith("|  |") for row in rows)


def test_required_and_defaults() -> None:
    """The page tells what must be given and what is taken otherwise."""
    page = spec_reference()
    assert re.search(r"^\| `nodes` \| an integer ≥ 1 \| required \|", page, re.MULTILINE)
    assert re.search(r"^\| `max_size` \| .* \| `\"256M\"` \|", page, re.MULTILINE)
