"""Whether Megatron can share its ranks out as its command says. Pure."""

from collections.abc import Sequence

from trainsub.errors import SpecError

_TENSOR = "--tensor-model-parallel-size"
_PIPELINE = "--pipeline-model-parallel-size"
_CONTEXT = "--context-parallel-size"
_EXPERT = "--expert-model-parallel-size"
_EXPERT_TENSOR = "--expert-tensor-parallel-size"


def check_sizes(command: Sequence[str], world_size: int) -> None:
    """Refuse what Megatron itself would refuse on the nodes, after minutes in which all of them are paid for.

    Its own rule (Megatron-Core, ``parallel_state.py``): the ranks are a multiple of tensor × pipeline × context, and
    those of a mixture of experts of expert tensor × expert × pipeline. What is no number is left to Megatron.

    Args:
        command: The command of the job spec.
        world_size: Ranks in all.

    Raises:
        SpecError: The ranks are no such multiple.
    """
    tensor = _size(command, _TENSOR)
    _check(command, (_TENSOR, _PIPELINE, _CONTEXT), (tensor, 1, 1), world_size)
    if _size(command, _EXPERT) > 1:
        _check(command, (_EXPERT_TENSOR, _EXPERT, _PIPELINE), (tensor, 1, 1), world_size)


def _check(command: Sequence[str], options: Sequence[str], defaults: Sequence[int], world_size: int) -> None:
    sizes = {option: _size(command, option, default) for option, default in zip(options, defaults, strict=True)}
    product = 1
    for size in sizes.values():
        product *= size
    if product and world_size % product:
        named = ", ".join(f"{option} {size}" for option, size in sizes.items() if size > 1)
        raise SpecError(
            f"command: {world_size} ranks are no multiple of {product} ({named})",
            hint="Change slurm.nodes, or the sizes: Megatron would stop on all nodes for it.",
        )


def _size(command: Sequence[str], option: str, default: int = 1) -> int:
    """The value of an option; the last one counts, as for argparse."""
    found = default
    for word, following in zip(command, [*command[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        text = value if equals else following
        if name == option and text.isascii() and text.isdecimal():
            found = int(text)
    return found
