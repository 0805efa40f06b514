import ast
import sys
from pathlib import Path

import pytest

import trainsub

ROOT = Path(trainsub.__file__).parent

# What runs inside the allocation, on the Python that the compute nodes have.
PACKED = [
    ROOT / "errors.py",
    *sorted((ROOT / "record").glob("*.py")),
    *(ROOT / "slurm" / f"{name}.py" for name in ("__init__", "states", "units", "hostlist")),
]

# Neither is in Python 3.6.
MISSING = {"dataclasses", "contextvars", "zoneinfo", "graphlib", "tomllib"}


@pytest.mark.parametrize("path", PACKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_syntax_is_that_of_python_3_6(path: Path) -> None:
    """The supervisor packs these modules."""
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("path", PACKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_standard_library_and_each_other_are_imported(path: Path) -> None:
    """Nothing is installed on the nodes."""
    packed = {"trainsub." + ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in PACKED}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            assert module in packed or (top in sys.stdlib_module_names - MISSING), f"{path} imports {module}"


@pytest.mark.parametrize("path", PACKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_newer_is_used(path: Path) -> None:
    """Annotations are evaluated there: no ``X | None``, no ``list[int]``; and no method that came later."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    annotations = [
        annotation
        for node in ast.walk(tree)
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None))
        if annotation is not None
    ]
    for annotation in annotations:
        for node in ast.walk(annotation):
            assert not isinstance(node, ast.BinOp), f"{path}:{node.lineno} uses X | Y"
            if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
                assert node.value.id[0].isupper(), f"{path}:{node.lineno} subscripts a builtin"
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    assert not used & {"removeprefix", "removesuffix", "fromisoformat", "isascii"}
