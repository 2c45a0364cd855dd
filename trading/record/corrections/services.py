"""Wrong values of a row replaced by right ones: a new row that names the old one, which is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from traders.versions.reason import required_reason
from trading.live import services as live
from trading.record.corrections import rules, writer
from trading.record.corrections.writer import RowToCorrect
from trading.record.rules.errors import UnknownRecord
from trading.schema.exclusion import RecordKey


def correct(
    key: RecordKey,
    changes: Mapping[str, Any],
    *,
    reason: str,
    actor: str,
    account_id: int | None = None,
    trader_id: str | None = None,
) -> RowToCorrect:
    """The new row. `changes` are right values by path, as `rules.corrected` takes them. `trader_id`: the trader whose
    row it must be.

    Raises InvalidRecord, InvalidConfig for the reason, UnknownRecord, RecordBusy, RecordConflict for a row that cannot
    be read, RecordError for a version that the trader never had.
    """
    said = required_reason(reason)
    key = key if trader_id is None else replace(key, trader_id=trader_id)

    def right(old: RowToCorrect) -> rules.RowFigures:
        if trader_id is not None and old.trader_id != trader_id:
            raise UnknownRecord([key])
        return rules.corrected(key.kind, old.figures, changes)

    made = writer.write(key, right, reason=said, actor=actor, account_id=account_id)
    live.changed(made.trader_id)
    return made


def stored(key: RecordKey) -> RowToCorrect | None:
    """None where there is none. Raises RecordConflict or CannotBeRead for one that cannot be read."""
    return writer.stored(key)
