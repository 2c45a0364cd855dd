"""Whether Redis answers, and what both pages say of it."""

from __future__ import annotations

from dataclasses import dataclass

from traders.words import messages as words
from trading.live.redis.outage import Unavailable
from trading.live.upkeep import status as live_status
from trading.live.upkeep.status import StoreStatus
from trading.record.rules.errors import RecordError


@dataclass(frozen=True)
class SeenStatus:
    """`status` None: Redis does not answer, or `refused` says why nothing of it is shown. `shared` says what other
    programs do in the same database."""

    status: StoreStatus | None = None
    refused: str | None = None
    shared: str | None = None


def seen_status() -> SeenStatus:
    try:
        status = live_status.status()
    except Unavailable:
        return SeenStatus()
    except RecordError as error:
        return SeenStatus(refused=words.why(error))
    return SeenStatus(status, shared=words.translated(status.sharing.words()) if status.sharing.is_shared else None)
