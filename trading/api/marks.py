"""How an answer says that a row of the record was set aside."""

from __future__ import annotations

from pydantic import AwareDatetime

from traders.api.wire import Answer
from trading.record.exclusions import services as exclusions
from trading.schema.exclusion import RecordKey


class AsideMark(Answer):
    """The row was set aside by an operator: it is stored and counts nowhere. What is sent again changes nothing."""

    by: str
    at: AwareDatetime
    reason: str

    @classmethod
    def of(cls, key: RecordKey) -> AsideMark | None:
        """None while the row counts."""
        entry = exclusions.mark(key)
        return cls(by=entry.actor, at=entry.at, reason=entry.reason) if entry else None
