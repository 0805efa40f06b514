"""Connects in the background, while the caller does something else.  Knows nothing of how it is done."""

import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from trainsub.errors import TransportError
from trainsub.transport.base import Ask


class Closes(Protocol):
    """What is prepared: it can be closed."""

    def close(self) -> None:
        """Close it."""


C = TypeVar("C", bound=Closes)


class Preparation(Generic[C]):
    """A connection that is being made.

    What it has to ask the user is asked by the thread that waits for the result.  Asked in the background, a question
    would mix with what the program prints meanwhile, and would leave the terminal without echo if the program ended.

    Args:
        connect: Makes the connection, and asks by the function that it is given.
        ask: Asks the user; None where there is no terminal.
    """

    def __init__(self, connect: Callable[[Ask | None], C], ask: Ask | None) -> None:
        self._connect = connect
        self._ask = ask
        self._connection: C | None = None
        self._error: BaseException | None = None
        self._abandoned = False
        self._lock = threading.Lock()
        self._questions: queue.SimpleQueue[tuple[str, bool] | None] = queue.SimpleQueue()
        """Prompts, each with whether the answer may be seen; then None when it has ended."""
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._run, name="trainsub-connect", daemon=True).start()

    def result(self) -> C:
        """Wait for the connection, and ask meanwhile what there is to ask.

        Raises:
            TransportError: It could not be made.
        """
        while (question := self._questions.get()) is not None:
            prompt, echo = question
            self._answers.put(None if self._ask is None else self._ask(prompt, echo=echo))
        if self._connection is None:
            raise self._error or RuntimeError("connecting in the background ended without a result")
        return self._connection

    def abandon(self) -> None:
        """Nobody wants the connection any more: it is closed, now or as soon as it has been made."""
        with self._lock:
            self._abandoned = True
            connection, self._connection = self._connection, None
        self._answers.put(None)
        if connection is not None:
            connection.close()

    def _question(self, prompt: str, *, echo: bool = False) -> str:
        """Hand a question over, and wait for the answer."""
        self._questions.put((prompt, echo))
        answer = self._answers.get()
        if answer is None:
            raise TransportError("nobody waits for the connection any more")
        return answer

    def _run(self) -> None:
        try:
            connection = self._connect(None if self._ask is None else self._question)
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        else:
            with self._lock:
                if not self._abandoned:
                    self._connection = connection
            if self._connection is not connection:
                connection.close()
        self._questions.put(None)
