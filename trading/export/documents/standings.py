"""leaderboard and since-inception-values: one row a trader."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from trading.export.documents.wire import amount, document, encode, seconds_or_none
from trading.schema.contract import TRADER
from trading.schema.published import Standing


def leaderboard_row(standing: Standing) -> dict[str, Any]:
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
    }
    return row | {"retired": True} if standing.is_retired else row


def leaderboard_document(standings: Iterable[Standing]) -> bytes:
    """Best return first; those without one last. The contract has no serverTime here."""
    return document("leaderboard", [encode(leaderboard_row(one)) for one in sorted(standings, key=_rank)])


def inception_row(standing: Standing) -> dict[str, Any]:
    """`nav_since_inception` is what the trader began with."""
    return {
        "id": str(uuid5(NAMESPACE_URL, f"nof0:{standing.trader_id}")),
        "nav_since_inception": amount(standing.start_equity),
        "inception_date": seconds_or_none(standing.inception_ms),
        "num_invocations": standing.invocations,
        TRADER: standing.trader_id,
    }


def inception_document(standings: Iterable[Standing], *, as_of_ms: int) -> bytes:
    ordered = sorted(standings, key=lambda one: (one.inception_ms is None, one.inception_ms or 0, one.trader_id))
    return document("sinceInceptionValues", [encode(inception_row(one)) for one in ordered], serverTime=as_of_ms)


def _rank(standing: Standing) -> tuple[bool, Decimal, str]:
    gained = amount(standing.return_pct)
    return gained is None, -(gained or Decimal(0)), standing.trader_id
