"""What a page answers, on its way from the page's thread to the event loop.

The thread is free as soon as the page is finished, however slowly the client reads: what is not sent yet is kept, in
memory while it is little and else in a temporary file.
"""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from typing import IO, Any

Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any], Iterable[bytes]]
# Kept in memory of what the client has not taken yet, and sent at once.
MEMORY_BYTES = 1024 * 1024
PIECE_BYTES = 256 * 1024


class ReplyAborted(Exception):
    """The answer has begun and cannot go on: the connection is cut, so that no client mistakes a part for the whole."""


class Backlog:
    """Bytes that were written and are not taken yet, in order. Not thread-safe."""

    def __init__(self) -> None:
        self._memory: deque[bytes] = deque()
        self._in_memory = 0
        self._file: IO[bytes] | None = None
        self._read_at = self._write_at = 0

    def put(self, chunk: bytes) -> None:
        if self._file is None and self._in_memory + len(chunk) <= MEMORY_BYTES:
            self._memory.append(chunk)
            self._in_memory += len(chunk)
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it was sent)
        self._file.seek(self._write_at)
        self._file.write(chunk)
        self._write_at += len(chunk)

    def take(self) -> bytes:
        """Some of it; empty when there is nothing."""
        if self._memory:
            taken = [self._memory.popleft()]
            length = len(taken[0])
            while self._memory and length + len(self._memory[0]) <= PIECE_BYTES:
                taken.append(self._memory.popleft())
                length += len(taken[-1])
            self._in_memory -= length
            return b"".join(taken) if len(taken) > 1 else taken[0]
        if self._file is None:
            return b""
        self._file.seek(self._read_at)
        piece = self._file.read(PIECE_BYTES)
        self._read_at += len(piece)
        if self._read_at == self._write_at:
            # Nothing is left: back to memory, so that a long stream does not keep a growing file.
            self.close()
        return piece

    @property
    def is_empty(self) -> bool:
        return not self._memory and self._file is None

    def close(self) -> None:
        """Forgets all that was not taken."""
        self._memory.clear()
        self._in_memory = 0
        if self._file is not None:
            self._file.close()
            self._file = None
        self._read_at = self._write_at = 0


class PageReply:
    """One answer. `run` belongs to the page's thread, `send` to the event loop, `abandon` to either."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()
        self._lock = threading.Lock()
        # The fields below are guarded by the lock.
        self._backlog = Backlog()
        self._start: dict[str, Any] | None = None
        self._is_start_sent = False
        # Bytes left of the answer's Content-Length; None without one.
        self._promised: int | None = None
        self._is_finished = self._is_failed = self._is_abandoned = False

    @property
    def is_begun(self) -> bool:
        """Whether a part of it was sent."""
        return self._is_start_sent

    def run(self, application: Application, environ: dict[str, Any]) -> None:
        """Calls the application and stores its answer. Raises what the application raises."""
        try:
            result = application(environ, self._start_response)
            try:
                for chunk in result:
                    if self._is_abandoned:
                        break
                    self._write(chunk)
            finally:
                if hasattr(result, "close"):
                    result.close()
        except BaseException:
            self._is_failed = True
            raise
        finally:
            self._is_finished = True
            self._tell()

    async def send(self, send: Send) -> None:
        """All of it, as fast as the client takes it. Raises ReplyAborted if the page failed or the client is gone."""
        while True:
            await self._news.wait()
            self._news.clear()
            while messages := self._next_messages():
                for message in messages:
                    await send(message)
                if not messages[-1]["more_body"]:
                    return

    def abandon(self) -> None:
        """The client is gone: what is written from now on is lost, and the page ends at its next chunk."""
        with self._lock:
            self._is_abandoned = True
            self._backlog.close()
        self._tell()

    def _start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        length = next((value for name, value in lines if name == b"content-length"), b"")
        with self._lock:
            if self._is_start_sent:
                # By the rules of WSGI: too late for another status.
                raise exc_info[1] if exc_info else RuntimeError("The answer has begun already.")
            self._start = {"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": lines}
            self._promised = int(length) if length.isdigit() else None
        return self._write

    def _write(self, chunk: bytes) -> None:
        if not chunk:
            return
        with self._lock:
            if self._is_abandoned:
                return
            self._backlog.put(chunk)
            if self._promised is not None:
                self._promised -= len(chunk)
            # A short answer of known length goes out in one piece, when it is whole.
            is_short_part = self._promised is not None and 0 < self._promised <= PIECE_BYTES
        if not is_short_part:
            self._tell()

    def _next_messages(self) -> list[dict[str, Any]]:
        """What can be sent now; empty when the page must go on first."""
        with self._lock:
            if self._is_abandoned or self._is_failed:
                raise ReplyAborted
            if self._start is None:
                if self._is_finished:
                    raise ReplyAborted
                return []
            piece = self._backlog.take()
            is_last = self._is_finished and self._backlog.is_empty
            if not piece and not is_last:
                return []
            messages = [] if self._is_start_sent else [self._start]
            self._is_start_sent = True
        return [*messages, {"type": "http.response.body", "body": piece, "more_body": not is_last}]

    def _tell(self) -> None:
        # The loop is closed when the server ends while a page is still at work.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)


async def send_whole(send: Send, status: str, headers: list[tuple[str, str]], content: bytes) -> None:
    lines = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": int(status.split(" ", 1)[0]), "headers": lines})
    await send({"type": "http.response.body", "body": content})
