"""Calls that may take long, in threads of their own: nobody is held up by one, and none outlives the process."""

import threading
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class Call(Generic[T]):
    """A call that runs in the background.

    Args:
        call: What to call.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._value: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value.append(self._call())
        except BaseException as error:  # noqa: BLE001 -- it is raised where the result is asked for
            self._error = error

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for the end, for so long at the most; whether it has come."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> T:
        """Wait for the end; what came of it, or its error raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value[0]


def together(names: Iterable[str], do: Callable[[str], object]) -> None:
    """Do something for several clusters at the same time; for a single one, here and now.

    Args:
        names: Their names.
        do: What to do for each; what it raises is raised, when all have been waited for.
    """
    ordered = sorted(names)
    if len(ordered) == 1:
        do(ordered[0])
        return
    calls = [Call(lambda name=name: do(name)) for name in ordered]  # type: ignore[misc]
    for call in calls:
        call.wait()
    for call in calls:
        call.result()
