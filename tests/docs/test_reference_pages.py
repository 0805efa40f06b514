"""The reference names all that there is, its pages are up to date, and links lead somewhere."""

import importlib.util
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from docs.pages import ROOT, pages

from trainsub import errors
from trainsub.config.model import Cluster, Config, MiniSlurm, Price
from trainsub.documents import models
from trainsub.spec import JobSpec, Launch
from trainsub.spec.model import Code, Setup
from trainsub.spec.slurm_options import SlurmOptions

REFERENCE = ROOT / "docs" / "reference"
README_LINES = 100
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
DOCUMENT = [*pages(), *sorted(REFERENCE.glob("*.md"))]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def test_the_reference_pages_are_up_to_date() -> None:
    """They say what the code says now."""
    program = [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_verb_and_option_is_in_the_reference() -> None:
    """Whatever `--help` shows, at every level."""
    text = _page("cli.md")
    for words in _verbs(()):
        assert f"## `{' '.join(('trainsub', *words))}`" in text
        section = text.split(f"## `{' '.join(('trainsub', *words))}`\n")[1].split("\n## ")[0]
        for option in re.findall(r"(?<=\s)--[a-z-]+", _options(words)):
            assert f"`{option}" in section or option == "--help", (words, option)


def _help(words: tuple[str, ...]) -> str:
    program = [sys.executable, "-m", "trainsub", *words, "--help"]
    return subprocess.run(program, capture_output=True, text=True, check=True).stdout


def _options(words: tuple[str, ...]) -> str:
    """The first column of the options in the help."""
    part = _help(words).partition("\nOptions:\n")[2].partition("\nCommands:")[0]
    return "\n".join(f" {line.strip().split('  ')[0]}" for line in part.splitlines() if line.startswith("  -"))


def _verbs(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield words
    part = _help(words).partition("\nCommands:\n")[2]
    for line in part.splitlines():
        if found := re.match(r"  ([a-z]+) ", line):
            yield from _verbs((*words, found[1]))


@pytest.mark.parametrize(
    ("page", "table"),
    [
        ("spec.md", JobSpec),
        ("spec.md", SlurmOptions),
        ("spec.md", Launch),
        ("spec.md", Setup),
        ("spec.md", Code),
        ("config.md", Config),
        ("config.md", Cluster),
        ("config.md", Price),
        ("config.md", MiniSlurm),
    ],
)
def test_every_key_is_in_the_reference(page: str, table: type) -> None:
    """As a row of a table, or as a table of its own."""
    text = _page(page)
    for name in table.model_fields:  # type: ignore[attr-defined]
        assert f"| `{name}` |" in text or re.search(rf"^## `\[(.*\.)?{name}(\..*)?\]`$", text, re.MULTILINE), name


def test_every_exit_code_and_every_error_is_in_the_reference() -> None:
    """The codes of errors, of runs and of signals."""
    text = _page("exit-codes.md")
    kinds = [one for _, one in inspect.getmembers(errors, inspect.isclass) if issubclass(one, errors.TrainsubError)]
    for one in kinds:
        assert re.search(rf"^\| {one.exit_code} \|", text, re.MULTILINE), one
        assert one is errors.TrainsubError or f"| `{one.kind}` | {one.exit_code} |" in text, one
    for code in (0, 10, 11, 12, 124, 130, 141, 143):
        assert re.search(rf"^\| {code} \|", text, re.MULTILINE), code
    assert not re.search(r"\| *\|", text), "an empty cell"


def test_every_document_is_in_the_reference() -> None:
    """With all its keys, and types that a reader of JSON knows."""
    text = _page("json.md")
    for document in models.Document.__subclasses__():
        for name, field in document.model_fields.items():
            assert f"| `{field.alias or name}` |" in text, (document, name)
    assert not re.search(r"Document|Annotated|NoneType|<class", text)


def test_the_exit_codes_of_the_script_are_those_of_the_templates() -> None:
    """All of the templates' `fail` calls are on the page, and nothing that no template says."""
    templates = "".join(path.read_text() for path in (ROOT / "templates").glob("*.j2"))
    failures = {int(code) for code in re.findall(r"\bfail (\d+) ", templates)}
    ends = {int(code) for code in re.findall(r"\b(?:exit |code=)(\d+)\b", templates)}
    told = {code for code, _ in _generator().JOB_CODES}
    assert failures <= told <= failures | ends


@pytest.mark.parametrize("page", DOCUMENT, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading in it."""
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in {_slug(heading) for heading in HEADING.findall(target.read_text(encoding="utf-8"))}, link


def _slug(heading: str) -> str:
    """The anchor that Markdown makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_page_is_on_the_map() -> None:
    """docs/index.md leads to all of them."""
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "index.md" or f"({name})" in index, name


def test_the_readme_is_short() -> None:
    """Under a hundred lines."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) < README_LINES
