"""A fault that stays, said once a minute: programs that ask every second would fill the log with it."""

from __future__ import annotations

import time

SAY_AGAIN_SECONDS = 60.0


class Complaints:
    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def is_due(self, words: str) -> bool:
        """Whether to say it: it was not said within the last minute. It counts as said from now on."""
        now = time.monotonic()
        self._said = {said: at for said, at in self._said.items() if now - at < SAY_AGAIN_SECONDS}
        if words in self._said:
            return False
        self._said[words] = now
        return True
