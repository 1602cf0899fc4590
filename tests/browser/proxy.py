"""A line between browser and server that can be slow, still or cut: what a remote kernel is behind."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

CHUNK = 1 << 16


class Proxy:
    """Passes TCP on from `port` to the port of a server on this machine, in a thread of its own."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._delay = 0.0
        self._rate = float("inf")
        self._refusing = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="proxy")

    def slow(self, round_trip: float, rate: float) -> None:
        """From now on an answer takes at least `round_trip` seconds, and `rate` bytes pass in a second each way."""
        self._delay, self._rate = round_trip / 2, rate

    def hold(self) -> None:
        """Keep back all that comes until `release`."""
        self._ask(self._passing.clear)

    def release(self) -> None:
        self._ask(self._passing.set)

    def cut(self) -> None:
        """End every connection, and refuse new ones until `mend`."""
        self._refusing = True
        self._ask(self._end_all)

    def mend(self) -> None:
        self._refusing = False

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()

    def _ask(self, action: Callable[[], None]) -> None:
        """Act in the other thread, and return once it is done."""
        done = threading.Event()

        def act() -> None:
            action()
            done.set()

        self._loop.call_soon_threadsafe(act)
        done.wait()

    def _end_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._passing, self._stopping = asyncio.Event(), asyncio.Event()
        self._passing.set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        await self._stopping.wait()
        server.close()
        self._passing.set()
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self._target)
        ends = {writer, back}
        self._writers |= ends
        await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
        self._writers -= ends
        for end in ends:
            end.transport.abort()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """What is read leaves in order, each piece once its time has come; nothing at all is the end."""
        due: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        leaving = asyncio.create_task(self._leave(due, writer))
        free, data = 0.0, b"begin"
        while data:
            try:
                data = await reader.read(CHUNK)
            except OSError:
                data = b""
            free = max(self._loop.time(), free) + len(data) / self._rate
            due.put_nowait((free + self._delay, data))
        await leaving

    async def _leave(self, due: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while True:
                time, data = await due.get()
                await asyncio.sleep(time - self._loop.time())
                await self._passing.wait()
                if not data:
                    break
                writer.write(data)
                await writer.drain()
        # The other side ends then, too.
        writer.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    proxy = Proxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
