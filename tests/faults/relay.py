"""A TCP relay that breaks connections after a byte: reset, closed, or swallowed without a word."""

import contextlib
import selectors
import socket
import struct
import threading
from types import TracebackType
from typing import Self

from faults.broken import CUT, DOWN, UP, Fault

RESET = "reset"
"""A cut by RST; ``cut`` is one by FIN, as an orderly close looks like."""
_LINGER_NONE = struct.pack("ii", 1, 0)


class Relay:
    """Listens on a port of 127.0.0.1 in a thread of its own.

    Attributes:
        port: Where it listens.
        passed: Bytes in each direction over the newest connection.

    Args:
        port: Of the server on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.passed = {UP: 0, DOWN: 0}
        self._fault: Fault | None = None
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._closing.set()
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(10)
        self._listener.close()
        self.drop()

    def breaks(self, fault: Fault | None) -> None:
        """Let the next connection break; the ones after it are whole."""
        self._fault = fault

    def drop(self) -> None:
        """Reset every connection, those too that were swallowed: both sides hear of it now."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for side in pair:
                _end(side, reset=True)

    def _accept(self) -> None:
        while True:
            client, _ = self._listener.accept()
            if self._closing.is_set():
                client.close()
                return
            fault, self._fault = self._fault, None
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            self._pairs.append((client, server))
            threading.Thread(target=self._carry, args=(client, server, fault), daemon=True).start()

    def _carry(self, client: socket.socket, server: socket.socket, fault: Fault | None) -> None:
        self.passed = passed = {UP: 0, DOWN: 0}
        with selectors.DefaultSelector() as chooser, contextlib.suppress(OSError, ValueError):
            for side, other, direction in ((client, server, UP), (server, client, DOWN)):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                chooser.register(side, selectors.EVENT_READ, (side, other, direction))
            while True:
                for key, _ in chooser.select():
                    side, other, direction = key.data
                    data = side.recv(1 << 16)
                    if not data:
                        _end(client, reset=False)
                        _end(server, reset=False)
                        return
                    room = len(data)
                    if fault is not None and fault.direction == direction:
                        room = max(0, fault.after - passed[direction])
                    other.sendall(data[:room])
                    passed[direction] += len(data[:room])
                    if fault is not None and room < len(data):
                        if fault.kind in {CUT, RESET}:
                            _end(client, reset=fault.kind == RESET)
                            _end(server, reset=fault.kind == RESET)
                        return  # else nobody reads any more, and nobody is told


def _end(side: socket.socket, *, reset: bool) -> None:
    with contextlib.suppress(OSError):
        if reset:
            side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
        else:
            side.shutdown(socket.SHUT_RDWR)
    side.close()
