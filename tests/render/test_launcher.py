import pytest

from trainsub.render.launcher import torchrun


@pytest.mark.parametrize(
    ("command", "python", "target"),
    [
        ("python train.py --lr 1", "python", "train.py --lr 1"),
        ("python3.12 -u train.py -m x", "python3.12", "train.py -m x"),
        ("/opt/x/bin/python3 -m pkg.train --a", "/opt/x/bin/python3", "-m pkg.train --a"),
        ("python -u -m pkg", "python", "-m pkg"),
        ("python -X dev train.py", "python", "--no-python python -X dev train.py"),
        ("python -O -m pkg", "python", "--no-python python -O -m pkg"),
        ("python -c print(1)", "python", "--no-python python -c print(1)"),
        ("python -", "python", "--no-python python -"),
        ("python -m", "python", "--no-python python -m"),
        ("python -m -x", "python", "--no-python python -m -x"),
        ("python", "python", "--no-python python"),
        ("./train.sh a", "python3", "--no-python ./train.sh a"),
        ("pythonic train.py", "python3", "--no-python pythonic train.py"),
        ("python3-config", "python3", "--no-python python3-config"),
    ],
)
def test_a_command_becomes_torchruns_arguments(command: str, python: str, target: str) -> None:
    """Scripts and modules take torchrun's own forms, all else is started as it is."""
    assert torchrun(command.split()) == (python, target.split())
