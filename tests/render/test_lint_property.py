"""A template that passes the lint gives a value no way out of its word, whatever stands round it."""

import subprocess
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainsub.render import lint
from trainsub.render.engine import quote

PIECES = [
    *(
        "'",
        '"',
        "`",
        "\\",
        "$'",
        '$"',
        "$(",
        ")",
        "(",
        "((",
        "))",
        "$((",
        "# ",
        "\n",
        " ",
        ";",
        "a",
        "x=",
        "echo ",
        "!",
    ),
    *(
        "cat <<A\n",
        "\nA\n",
        "cat <<-'A'\n",
        "\tA\n",
        "<<<",
        "${a:-",
        "}",
        "[[ a = ",
        " ]]",
        "case a in a) ",
        ";; esac",
        "&& ",
    ),
]
ROUND = st.lists(st.sampled_from(PIECES), max_size=6).map("".join)
VALUES = st.sampled_from(
    [
        "$(touch pwned)",
        "'; touch pwned; '",
        '"; touch pwned; "',
        "`touch pwned`",
        "'\ntouch pwned\n'",
        "\\'; touch pwned #",
    ]
)


def bash(folder: Path, script: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Let bash read a script."""
    (folder / "script").write_text(script)
    return subprocess.run(["bash", *options, "script"], cwd=folder, capture_output=True, timeout=10, check=False)


@given(ROUND, ROUND, VALUES)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_value_becomes_a_command(tmp_path: Path, before: str, after: str, value: str) -> None:
    """Where bash would read it as anything but a word, the lint has said so."""
    if lint(f"{before}{{{{ name }}}}{after}\n", "x"):
        return
    if bash(tmp_path, f"{before}x{after}\n", "-n").stderr:  # no shell at all, whatever the value
        return
    (tmp_path / "pwned").unlink(missing_ok=True)
    script = f"{before}{quote(value)}{after}\n"
    bash(tmp_path, script)
    assert not (tmp_path / "pwned").exists(), script
