"""What is said of a submission that was interrupted, wherever that happened."""

import pytest
from verbs.desk import Desk, spec
from verbs.test_parts import five

from trainsub.cli.state import State
from trainsub.cli.submit import _submitted


class Interrupted(State):
    """Ctrl-C comes while a line of the talk is written."""

    def __init__(self, line: str) -> None:
        super().__init__()
        self._line = line

    def tell(self, line: str) -> None:
        """Write the line, or be interrupted."""
        if line.startswith(self._line):
            raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (1, "of 3 parts 1 is submitted ({0}); the same command goes on with the next"),
        (2, "of 3 parts 2 are submitted ({0}, {1}); the same command goes on with the next"),
        (3, "of 3 parts 3 are submitted ({0}, {1}, {2})"),
    ],
)
def test_a_part_that_is_submitted_is_counted_before_it_is_told(desk: Desk, part: int, words: str) -> None:
    """Whoever reads of it may interrupt at that very moment."""
    desk.configure(alpha="max_array_size = 2\n")
    client, state = desk.client(), Interrupted(f"part {part} of 3")
    with pytest.raises(KeyboardInterrupt):
        _submitted(state, client, client.plans(five()))
    runs = sorted(client.status(cached=True).runs, key=lambda run: run.jobs[0].job_id)
    assert len(runs) == part
    assert state.interrupted_hint == words.format(*(run.run for run in runs))


def test_a_run_that_is_submitted_is_named(desk: Desk) -> None:
    """Until the verb has said so itself."""
    client, state = desk.client(), State()
    (run,) = _submitted(state, client, client.plans(spec()))
    assert state.interrupted_hint == f"run {run.run} is job {run.jobs[0].job_id} on alpha"
