"""The money of a trader: what it begins with, and what a version with another allocation moves."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from traders.runtime import writer as runtime
from traders.schema.messages import _
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from trading.live import services as live
from trading.manager import queries
from trading.manager.queries import TraderNow
from trading.manager.rules.account import AccountNow
from trading.manager.rules.capital import capital_of, moved_by
from trading.manager.sight import CannotDecide
from trading.record.followers import RecordedFact, RecordedKind, followed
from trading.record.transfers import writer as transfers
from trading.schema.facts import Transfer, TransferKind

ACTOR = "system"
FIRST = "capital"


def begin_with_capital(trader: TraderNow, now: datetime) -> Decimal:
    """Books the first capital of a trader that has none yet. What it booked, in USD; 0: there was nothing to do."""
    fleet, spec = queries.fleet_settings(), trader.spec
    amount = capital_of(spec, fleet.total_equity_usd if fleet else Decimal(0))
    if not amount or queries.has_capital(spec.id):
        return Decimal(0)
    reason = f"first capital: {spec.allocation_pct:f} % of the fleet's equity"
    if spec.detail.paper_capital_usd:
        reason = "first capital: its own on paper"
    _book(Transfer(FIRST, spec.id, _ms(now), amount, TransferKind.INITIAL, reason, ACTOR), trader.version)
    return amount


def follow_allocation(trader: TraderNow, ran: int, account: AccountNow, now: datetime) -> Decimal:
    """Books what the version in force gives or takes beside the version `ran`, which ran last. The other side is the
    capital that no trader has. What it booked, in USD. Raises CannotDecide where it takes and the margin in use is
    not known."""
    before = configs.version(trader.spec.id, ran)
    fleet = queries.fleet_settings()
    if before is None or fleet is None or ran == trader.version:
        return Decimal(0)
    assert isinstance(before.spec, TraderSpec)  # of a trader
    was, will_be = (capital_of(spec, fleet.total_equity_usd) for spec in (before.spec, trader.spec))
    if will_be < was and account.available is None:
        raise CannotDecide(
            _(
                "v%(version)s has less capital, and without fresh prices it is not known what is bound",
                version=trader.version,
            )
        )
    amount = moved_by(was, will_be, account.available or Decimal(0))
    if not amount:
        return amount
    number = f"{FIRST}|v{trader.version}|{_ms(now)}"
    reason = f"v{trader.version} has {will_be:f} USD of the fleet's equity, v{ran} had {was:f}"
    _book(Transfer(number, trader.spec.id, _ms(now), amount, TransferKind.INTERNAL, reason, ACTOR), trader.version)
    return amount


def _book(made: Transfer, version: int) -> None:
    """With the version that runs from now on, in one transaction: else a manager that ends between both books twice."""
    with followed() as tell:
        transfers.add([made])
        runtime.heartbeat(made.trader_id, version=version, is_running=None)
        tell(RecordedFact(RecordedKind.TRANSFER, made.trader_id, made.ts_ms))
    live.changed(made.trader_id)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
