"""A TCP relay that is as far away as a cluster: each byte arrives a while after it was sent.  Counts what passes.

The system accepts a connection to the relay at once, where a distant server needs a round trip, and one half more
until it knows that the client is there.  So nothing reaches the server before that time, and its greeting is as late
as it would be.  Bandwidth is not limited: what is compared here is waiting.
"""

import asyncio
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from concurrent.futures import Future

_PIECE = 1 << 16
_CLIENT, _SERVER = ">", "<"


@dataclass(slots=True)
class Traffic:
    """What has passed since it was last taken.

    Attributes:
        connections: Accepted connections.
        up: Bytes from clients to the server.
        down: Bytes from the server to clients.
        pieces: When a piece was sent (seconds since the first connection), by whom, and its size.
    """

    connections: int = 0
    up: int = 0
    down: int = 0
    pieces: list[tuple[float, str, int]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Bytes both ways."""
        return self.up + self.down

    def timeline(self) -> list[str]:
        """One line for each flight: pieces that one side sent without hearing anything in between."""
        flights: list[tuple[float, str, int]] = []
        for at, who, size in self.pieces:
            if flights and flights[-1][1] == who:
                flights[-1] = (flights[-1][0], who, flights[-1][2] + size)
            else:
                flights.append((at, who, size))
        names = {_CLIENT: "client →", _SERVER: "       ← server"}
        return [f"{at * 1000:7.0f} ms  {names[who]:16} {size:8d} bytes" for at, who, size in flights]


class Relay:
    """Listens on a port of 127.0.0.1, in a thread of its own.

    Args:
        port: The server's port on 127.0.0.1.
        delay: Seconds each way.
    """

    def __init__(self, port: int, delay: float) -> None:
        self.delay = delay
        self.port = 0
        self._server_port = port
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._traffic = Traffic()
        self._began = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        server = self._call(asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_PIECE)).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def take(self) -> Traffic:
        """What has passed since the last call.  Nothing should be under way."""
        taken, self._traffic = self._traffic, Traffic()
        return taken

    def _call(self, work: Coroutine[Any, Any, asyncio.Server]) -> "Future[asyncio.Server]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _accept(self, client_in: asyncio.StreamReader, client_out: asyncio.StreamWriter) -> None:
        accepted = time.monotonic()
        if not self._traffic.connections:
            self._began = accepted
        self._traffic.connections += 1
        opened = accepted + 3 * self.delay
        upwards: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._start(self._listen(client_in, upwards, _CLIENT))
        await asyncio.sleep(opened - time.monotonic())
        server_in, server_out = await asyncio.open_connection("127.0.0.1", self._server_port, limit=_PIECE)
        downwards: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        self._start(self._listen(server_in, downwards, _SERVER))
        self._start(self._deliver(upwards, server_out))
        self._start(self._deliver(downwards, client_out))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(
        self, reader: asyncio.StreamReader, queue: "asyncio.Queue[tuple[float, bytes]]", who: str
    ) -> None:
        data = b"-"
        while data:
            try:
                data = await reader.read(_PIECE)
            except OSError:
                data = b""
            now = time.monotonic()
            self._count(now, who, len(data))
            queue.put_nowait((now + self.delay, data))

    async def _deliver(self, queue: "asyncio.Queue[tuple[float, bytes]]", writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                due, data = await queue.get()
                await asyncio.sleep(due - time.monotonic())
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        writer.close()

    def _count(self, now: float, who: str, size: int) -> None:
        traffic = self._traffic
        if who == _CLIENT:
            traffic.up += size
        else:
            traffic.down += size
        if size:
            traffic.pieces.append((now - self._began, who, size))
