import pytest

from trainsub.errors import SpecError
from trainsub.spec import parse_spec

SPEC = 'name = "x"\ncommand = ["a"]\n[slurm]\nnodes = 1\ntime = "5"\n'


def test_names_are_kept_in_their_order() -> None:
    """A name that looks like a secret's is welcome here; the spec reads back as it is."""
    spec = parse_spec(SPEC + '[secrets]\nnames = ["WANDB_API_KEY", "HF_TOKEN", "PLAIN"]\n')
    assert spec.secret_names == ("WANDB_API_KEY", "HF_TOKEN", "PLAIN")
    assert parse_spec(spec.to_toml()) == spec
    assert parse_spec(SPEC).secret_names == ()
    assert "secrets" not in parse_spec(SPEC).to_toml()


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("names = []", "expected a list of variables' names, got an empty list"),
        ('names = "A"', "expected a list of variables' names"),
        ('names = ["A", "B", "A"]', "A is there twice"),
        ('names = ["A=b"]', "item 1: not a name that a variable can have"),
        ('names = ["RANK"]', "item 1: reserved"),
        *((f'names = ["{name}"]', "item 1: reserved: trainsub's own programs") for name in ("TS_ROOT", "TS_")),
        ('names = ["IFS"]', "item 1: reserved: the job's script splits words by it"),
        *(
            (f'names = ["{name}"]', "item 1: reserved: shells and programs are steered by it")
            for name in ("PATH", "HOME", "USER", "SHELL", "LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "ENV", "PS4")
        ),
        ('names = ["A"]\nvalues = ["b"]', "values"),
        ("", "secrets.names"),
    ],
)
def test_what_is_wrong_is_told(table: str, says: str) -> None:
    """With its place."""
    with pytest.raises(SpecError, match=says):
        parse_spec(SPEC + f"[secrets]\n{table}\n")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("[env]\nTOK = 'x'\n", r"\[env\]"),
        ("[sweep]\nmatrix = { TOK = [1, 2] }\nenv = ['TOK']\n", "sweep.env"),
    ],
)
def test_a_name_has_one_value(more: str, where: str) -> None:
    """Which of two would count is not guessed."""
    with pytest.raises(SpecError, match=f"TOK is in {where}, too"):
        parse_spec(SPEC + "[secrets]\nnames = ['TOK']\n" + more)
