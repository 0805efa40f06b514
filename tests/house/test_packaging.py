"""The installed package has all that it needs beside its code."""

import subprocess
import sys
import zipfile
from importlib import metadata, resources
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def test_installed_templates_and_containers_are_the_repositorys() -> None:
    """The wheel carries the very files; a checkout without them installed uses its own."""
    for ours, packed in (("templates", "_templates"), ("containers", "_containers")):
        installed = Path(str(resources.files("trainsub") / packed))
        if not installed.exists():
            pytest.skip("trainsub is not installed from a wheel here")
        for path in sorted((REPOSITORY / ours).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                assert (installed / path.relative_to(REPOSITORY / ours)).read_bytes() == path.read_bytes()


def test_wheel_holds_everything(tmp_path: Path) -> None:
    """A wheel built now has templates, containers, shell programs and the type marker."""
    built = sorted((REPOSITORY / "build" / "wheel").glob("trainsub-*.whl"))
    if not built:
        subprocess.run(
            [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, REPOSITORY], check=True
        )
        built = sorted(tmp_path.glob("trainsub-*.whl"))
    names = set(zipfile.ZipFile(built[-1]).namelist())
    wanted = {
        "trainsub/py.typed",
        "trainsub/remote/submit.sh",
        "trainsub/minislurm/__main__.py",
        "trainsub/_templates/torchrun.sbatch.j2",
        "trainsub/_templates/srun.sbatch.j2",
        "trainsub/_containers/Dockerfile",
        "trainsub/_containers/start.sh",
        "trainsub/_containers/prepare",
    }
    assert wanted <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/", "docs/"))]


def test_version_is_one() -> None:
    """The package and its metadata agree."""
    import trainsub  # noqa: PLC0415 -- what is tested

    try:
        assert metadata.version("trainsub") == trainsub.__version__
    except metadata.PackageNotFoundError:
        pytest.skip("trainsub is not installed here")
