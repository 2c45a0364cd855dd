"""analytics: the six tables of each trader, and one trader's alone as a single object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trading.analytics.stats import Table
from trading.export.documents.wire import closing, document, seconds, seconds_or_none
from trading.schema.contract import TRADER


def analytics_row(
    trader_id: str,
    tables: Mapping[str, Table],
    *,
    updated_ms: int,
    last_exit_ms: int | None,
    last_decision_ms: int | None,
    last_decision_id: str | None,
    last_trade_id: str | None,
) -> dict[str, Any]:
    return {
        "id": trader_id,
        TRADER: trader_id,
        "updated_at": seconds(updated_ms),
        "last_trade_exit_time": seconds_or_none(last_exit_ms),
        "last_convo_timestamp": seconds_or_none(last_decision_ms),
        "last_convo_doc_id": last_decision_id,
        "last_trade_doc_id": last_trade_id,
        **tables,
    }


def analytics_document(rows: Mapping[str, bytes], *, as_of_ms: int) -> bytes:
    return document("analytics", [rows[name] for name in sorted(rows)], serverTime=as_of_ms)


def analytics_of_one(row: bytes, *, as_of_ms: int) -> bytes:
    return b'{"analytics":' + row + closing(serverTime=as_of_ms)[1:]
