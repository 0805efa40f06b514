from collections.abc import Callable

import pytest

from trainsub.errors import SpecError
from trainsub.render.megatron import check_sizes

TP, PP, CP = "--tensor-model-parallel-size", "--pipeline-model-parallel-size", "--context-parallel-size"
EP, ETP = "--expert-model-parallel-size", "--expert-tensor-parallel-size"


@pytest.mark.parametrize(
    ("words", "ranks"),
    [
        ([], 3),
        ([TP, "8"], 16),
        ([f"{TP}=4", PP, "2", CP, "2"], 16),
        ([TP, "3", TP, "4"], 4),
        ([TP, "x"], 5),
        ([TP], 5),
        ([TP, "0"], 5),
        ([EP, "8", TP, "1"], 16),
        ([EP, "8", TP, "4", ETP, "1"], 8),
        ([EP, "1", ETP, "3"], 8),
    ],
)
def test_what_megatron_takes(words: list[str], ranks: int) -> None:
    """Nothing is said of it, nor of what is no number."""
    check_sizes(["python", "pretrain_gpt.py", *words], ranks)


@pytest.mark.parametrize(
    ("words", "ranks", "says"),
    [
        ([TP, "8"], 12, f"12 ranks are no multiple of 8 \\({TP} 8\\)"),
        ([f"{TP}=4", PP, "3"], 16, f"16 ranks are no multiple of 12 \\({TP} 4, {PP} 3\\)"),
        ([EP, "8", TP, "4"], 16, f"16 ranks are no multiple of 32 \\({ETP} 4, {EP} 8\\)"),
    ],
)
def test_what_megatron_refuses(words: list[str], ranks: int, says: str) -> None:
    """It is said before anything is paid for, with the options that it comes from."""
    with pytest.raises(SpecError, match=says):
        check_sizes(["python", "pretrain_gpt.py", *words], ranks)


def test_only_megatron_is_asked(rendered: Callable[..., str]) -> None:
    """Another program may call anything by these names."""
    spec = (
        f'name = "x"\ncommand = ["python", "a.py", "{TP}", "3"]\n[slurm]\nnodes = 2\ngpus_per_node = 8\ntime = "5"\n'
        '[launch]\nkind = "{}"\n'
    )
    assert rendered(spec.format("torchrun"))
    with pytest.raises(SpecError, match="16 ranks are no multiple of 3"):
        rendered(spec.format("megatron"))
