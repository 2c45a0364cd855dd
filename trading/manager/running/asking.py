"""Asks models: so many at once and no more, each within its time, and without holding a database connection."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TooLate

from django.db import connection

from trading.manager.protocols import Decider, DeciderAnswer, DeciderFailed, DecisionRequest


class Asker:
    """A call that does not come back keeps its place among those at once until it ends: a provider that hangs is not
    asked more often than that."""

    def __init__(self, at_once: int) -> None:
        self._places = threading.BoundedSemaphore(at_once)
        self._at_once = at_once

    def ask(self, decider: Decider, request: DecisionRequest) -> DeciderAnswer:
        """Raises DeciderFailed, also for an answer that comes too late and for a place that does not become free."""
        if not connection.in_atomic_block:
            connection.close()
        seconds = request.timeout_seconds
        if not self._places.acquire(timeout=seconds):
            raise DeciderFailed(f"all {self._at_once} calls at once were in use for {seconds:g} s")
        answer: Future[DeciderAnswer] = Future()
        # A thread of its own: one that hangs must hold up neither the pool nor the end of this process.
        threading.Thread(target=self._call, args=(decider, request, answer), daemon=True).start()
        try:
            return answer.result(timeout=seconds)
        except TooLate:
            raise DeciderFailed(f"no answer within {seconds:g} s") from None

    def _call(self, decider: Decider, request: DecisionRequest, answer: Future[DeciderAnswer]) -> None:
        try:
            answer.set_result(decider.decide(request))
        except DeciderFailed as error:
            answer.set_exception(error)
        except Exception as error:
            answer.set_exception(DeciderFailed(f"{type(error).__name__}: {error}"))
        finally:
            connection.close()
            self._places.release()
