"""Rules of the house that no linter knows."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import trainsub

HOUSE = Path(__file__).resolve().parents[2] / "trainsub"
LONGEST_MODULE = 300
LONGEST_FUNCTION = 50
BANNED_NAMES = {"utils.py", "helpers.py", "common.py", "manager.py"}
HEAVY = {"pydantic", "paramiko", "jinja2", "rich", "sqlite3", "platformdirs", "pathspec", "cryptography"}


def modules() -> Iterator[Path]:
    """All modules of the package."""
    yield from sorted(HOUSE.rglob("*.py"))


def test_modules_are_short_and_named_for_what_they_hold() -> None:
    """A reader guesses which file holds what, and reads it in one go."""
    too_long = {str(path): len(path.read_text().splitlines()) for path in modules()}
    assert {path: lines for path, lines in too_long.items() if lines > LONGEST_MODULE} == {}
    assert [path for path in modules() if path.name in BANNED_NAMES] == []


def test_functions_are_short() -> None:
    """Fifty lines, the docstring aside."""
    found = []
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                docstring = ast.get_docstring(node)
                length = (node.end_lineno or 0) - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
                if length > LONGEST_FUNCTION:
                    found.append(f"{path.name}:{node.lineno} {node.name}: {length}")
    assert found == []


def test_help_loads_nothing_heavy() -> None:
    """What `--help` does not need is not imported."""
    code = "import sys, runpy; sys.argv = ['trainsub', '--help']\ntry: runpy.run_module('trainsub', run_name='__main__')\nexcept SystemExit: pass\nprint('LOADED', *sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80"}
    )
    loaded = set(done.stdout.rpartition("LOADED ")[2].split())
    assert "typer" in loaded
    assert loaded & HEAVY == set()


def test_the_library_does_not_load_what_it_may_not_need() -> None:
    """`import trainsub` in a notebook is quick; Client comes when it is named."""
    code = "import trainsub, sys; print(*sorted(sys.modules)); trainsub.Client"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_public_names_are_there() -> None:
    """Each name in __all__ can be had, and dir() shows it."""
    for name in trainsub.__all__:
        assert getattr(trainsub, name) is not None
        assert name in dir(trainsub)
