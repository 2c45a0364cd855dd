"""leaderboard and since-inception-values: one row a trader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from trading.export.documents.wire import amount, document, encode, seconds_or_none
from trading.schema.contract import TRADER
from trading.schema.published import Standing, TraderLabel


def leaderboard_row(standing: Standing, label: TraderLabel) -> dict[str, Any]:
    """`retired` is there for those who are."""
    row = {
        "id": standing.trader_id,
        "num_trades": standing.trades,
        "sharpe": standing.sharpe,
        "win_dollars": amount(standing.won),
        "num_losses": standing.losses,
        "lose_dollars": amount(min(standing.lost, Decimal(0))),
        "return_pct": amount(standing.return_pct),
        "equity": amount(standing.equity),
        "num_wins": standing.wins,
        **label.fields(),
    }
    return row | {"retired": True} if standing.is_retired else row


def leaderboard_document(standings: Iterable[Standing], labels: Mapping[str, TraderLabel]) -> bytes:
    """Best return first; those without one last. The contract has no serverTime here."""
    ordered = sorted(standings, key=_rank)
    return document("leaderboard", [encode(leaderboard_row(one, labels[one.trader_id])) for one in ordered])


def inception_row(standing: Standing, label: TraderLabel) -> dict[str, Any]:
    """`nav_since_inception` is what the trader began with."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"nof0:{standing.trader_id}")),
        "nav_since_inception": amount(standing.start_equity),
        "inception_date": seconds_or_none(standing.inception_ms),
        "num_invocations": standing.invocations,
        TRADER: standing.trader_id,
        **label.fields(),
    }


def inception_document(standings: Iterable[Standing], labels: Mapping[str, TraderLabel], *, as_of_ms: int) -> bytes:
    ordered = sorted(standings, key=lambda one: (one.inception_ms is None, one.inception_ms or 0, one.trader_id))
    rows = [encode(inception_row(one, labels[one.trader_id])) for one in ordered]
    return document("sinceInceptionValues", rows, serverTime=as_of_ms)


def _rank(standing: Standing) -> tuple[bool, Decimal, str]:
    gained = amount(standing.return_pct)
    return gained is None, -(gained or Decimal(0)), standing.trader_id
