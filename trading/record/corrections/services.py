"""Wrong figures of a trade replaced by right ones: a new row that names the old one, which is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from traders.runtime.redaction import without_secrets
from traders.schema.messages import _, verbatim
from traders.versions.reason import required_reason
from trading.live import services as live
from trading.record.corrections import writer
from trading.record.rules.errors import InvalidRecord, UnknownRecord
from trading.record.stored import versions
from trading.record.writing import trades
from trading.schema.common import Side, Versions
from trading.schema.trade import MS_PER_SECOND, TradeDetail, TradeRecord

# What the record itself keeps.
_KEPT = ("versions", "origin", "corrects")


def correct_trade(
    trade_id: str,
    changes: Mapping[str, Any],
    *,
    reason: str,
    actor: str,
    account_id: int | None = None,
    trader_id: str | None = None,
) -> TradeRecord:
    """The new row. `changes` are right values by dotted path below `detail` (`pnl.net`), and `side`; None takes a leaf
    away. `trader_id`: the trader whose trade it must be.

    Raises InvalidRecord, InvalidConfig for the reason, UnknownRecord, RecordBusy, RecordConflict for a row that cannot
    be read.
    """
    said = required_reason(reason)
    old = trades.stored(trade_id)
    if old is None or (trader_id is not None and old.trader_id != trader_id):
        raise UnknownRecord([f"trade {trade_id}"])
    made, _is_new = writer.write(trade_id, _changed(old, changes), reason=said, actor=actor, account_id=account_id)
    live.changed(made.trader_id)
    return made


def _changed(old: TradeRecord, changes: Mapping[str, Any]) -> TradeRecord:
    given = dict(changes)
    side = given.pop("side", old.side)
    if side not in tuple(Side):
        raise InvalidRecord("side", _("must be long or short"))
    stored = old.stored()
    stored.pop("corrects", None)
    for path, value in given.items():
        if path.split(".")[0] in _KEPT:
            raise InvalidRecord(path, _("is written by the record itself; leave it out"))
        _put(stored, path, value)
    _set_duration(stored, given)
    try:
        detail = TradeDetail.model_validate(stored)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        raise InvalidRecord(
            ".".join(map(str, first["loc"])), verbatim(first["msg"].removeprefix("Value error, "))
        ) from error
    if (detail.time.open_ts_ms, detail.time.close_ts_ms) != (old.detail.time.open_ts_ms, old.close_ts_ms):
        valid = (versions.version_at(old.trader_id, at) for at in (detail.time.open_ts_ms, detail.time.close_ts_ms))
        detail = detail.model_copy(update={"versions": Versions(**dict(zip(("entry", "exit"), valid, strict=True)))})
    detail, _found = without_secrets(detail, f"a correction of {old.trader_id}")
    return replace(old, side=Side(side), detail=detail)


def _set_duration(stored: dict[str, Any], given: Mapping[str, Any]) -> None:
    """Follows the two moments."""
    time = stored.get("time")
    if not isinstance(time, dict) or "time.duration_seconds" in given:
        return
    opened, closed = time.get("open_ts_ms"), time.get("close_ts_ms")
    if isinstance(opened, int) and isinstance(closed, int):
        time["duration_seconds"] = Decimal(closed - opened) / MS_PER_SECOND


def _put(stored: dict[str, Any], path: str, value: Any) -> None:
    *parts, name = path.split(".")
    place: Any = stored
    for part in parts:
        place = place.setdefault(part, {}) if isinstance(place, dict) else None
    if not isinstance(place, dict) or not name:
        raise InvalidRecord(path, _("is no leaf of a trade"))
    if value is None:
        place.pop(name, None)
    else:
        place[name] = value
