"""The bodies of answers that are no success, read to a bound: the package reads them whole, however long they are."""

from __future__ import annotations

import time
from collections.abc import Iterator

from httpx2 import Response, SyncByteStream

LARGEST_ERROR = 64 * 1024
LONGEST_READING = 5.0
"""Seconds from the head of the answer on."""
_LOWEST_REDIRECT = 300


class BoundedStream(SyncByteStream):
    """Ends where the bound is: what came until then is the body."""

    def __init__(self, stream: SyncByteStream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        left, ends = LARGEST_ERROR, time.monotonic() + LONGEST_READING
        for chunk in self._stream:
            yield chunk[:left]
            left -= len(chunk)
            if left <= 0 or time.monotonic() > ends:
                return

    def close(self) -> None:
        self._stream.close()


def bound(response: Response) -> None:
    """For the hook of a client that is called before a body is read."""
    if response.status_code >= _LOWEST_REDIRECT and isinstance(response.stream, SyncByteStream):
        response.stream = BoundedStream(response.stream)
        # A few bytes may unpack to gigabytes. No encoding was asked for.
        response.headers.pop("content-encoding", None)
