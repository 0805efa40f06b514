import pytest

from trainsub.errors import SpecError
from trainsub.render.launcher import torchrun, words


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


@pytest.mark.parametrize(
    ("kind", "command", "python", "target"),
    [
        ("deepspeed", "deepspeed train.py --deepspeed", "python3", "train.py --deepspeed"),
        ("deepspeed", "python3.12 train.py", "python3.12", "train.py"),
        ("accelerate", "python train.py -x", "python", "--multi_gpu train.py -x"),
        ("accelerate", "python -m pkg", "python", "--multi_gpu -m pkg"),
        ("accelerate", "./train --no-python", "python3", "--multi_gpu --no_python ./train --no-python"),
        ("accelerate", "accelerate launch --config_file c.yaml train.py", "python3", "--config_file c.yaml train.py"),
        ("accelerate", "accelerate test", "python3", "--multi_gpu --no_python accelerate test"),
        ("megatron", "python train.py", "python", "train.py"),
    ],
)
def test_each_kind_has_its_words(kind: str, command: str, python: str, target: str) -> None:
    """What the agent starts, in the agent's own options."""
    assert words(kind, command.split(), 8) == (python, target.split())


def test_one_rank_is_not_several() -> None:
    """Accelerate refuses --multi_gpu with one process."""
    assert words("accelerate", ["python", "train.py"], 1) == ("python", ["train.py"])


def test_a_script_of_ones_own_has_no_target() -> None:
    """Its command may be empty."""
    assert words("torchrun", (), 1) == ("python3", [])


@pytest.mark.parametrize("command", ["deepspeed", "deepspeed --num_gpus 8 train.py"])
def test_the_deepspeed_launchers_options_are_refused(command: str) -> None:
    """They would count nodes and GPUs a second time."""
    with pytest.raises(SpecError, match="options of the deepspeed launcher have no meaning here") as caught:
        words("deepspeed", command.split(), 8)
    assert 'command = ["python", "train.py"]' in str(caught.value.hint)
