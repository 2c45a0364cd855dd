"""How large an entry may be: leverage, size, bound margin, and the band of its value over the equity."""

from __future__ import annotations

import re
from decimal import Decimal

from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, Moment, number, ratio, unknown
from trading.schema.decision import Decision

SIZE, MARGIN = "detail.risk.max_position_size_usd", "detail.risk.max_margin_usage_pct"
NO_EQUITY = "the account's equity is not known"
NO_SIZE = "the decision names no position_size_usd"
# BTC, BTCUSDT, BTC-PERP, BTC/USDC; not BTCDOM.
_MAJOR = re.compile(r"(BTC|ETH)(USD[CT]?)?([-_./:].*)?")


def is_major(symbol: str) -> bool:
    return _MAJOR.fullmatch(symbol) is not None


def max_leverage(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    name = "major_coin_leverage" if is_major(decision.symbol) else "altcoin_leverage"
    limit, path = getattr(settings.risk, name), f"detail.risk.{name}"
    if decision.leverage is None:
        return unknown("max_leverage", "the decision names no leverage", path, limit)
    if decision.leverage <= limit:
        return None
    message = f"{number(decision.leverage)}x in {decision.symbol} is more than {limit}x"
    return CheckRefusal("max_leverage", message, path, limit, decision.leverage)


def max_position_size_usd(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    size, limit = decision.position_size_usd, settings.risk.max_position_size_usd
    if size is None:
        return unknown("max_position_size_usd", NO_SIZE, SIZE, limit)
    if size <= limit + TOLERANCE:
        return None
    return CheckRefusal(
        "max_position_size_usd", f"{number(size)} USD is more than {number(limit)} USD", SIZE, limit, size
    )


def max_margin_usage_pct(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """Margin bound already and by this entry (size over leverage), over the equity. A limit of 0 sets none."""
    limit = settings.risk.max_margin_usage_pct
    if not decision.action.opens or not settings.exec_guards.enable_margin_usage_guard or not limit:
        return None
    margins = [_margin(entry) for entry in (*moment.opened, decision)]
    used, equity = _used_margin(moment), moment.equity
    if equity is None:
        return unknown("max_margin_usage_pct", NO_EQUITY, MARGIN, limit)
    if used is None:
        return unknown("max_margin_usage_pct", "the margin in use is not known", MARGIN, limit)
    if None in margins:
        return unknown("max_margin_usage_pct", "the decision names no position_size_usd and leverage", MARGIN, limit)
    bound = used + sum(margin for margin in margins if margin is not None)
    if equity > 0 and bound * 100 <= (limit + TOLERANCE) * equity:
        return None
    message = f"{number(bound)} USD of margin at {number(equity)} USD of equity is more than {number(limit)} %"
    return CheckRefusal("max_margin_usage_pct", message, MARGIN, limit, ratio(bound * 100, equity))


def value_band(decision: Decision, settings: TraderDetail, moment: Moment) -> CheckRefusal | None:
    """The position's value over the equity lies in the band of its kind of coin; an end at 0 sets none."""
    coins = "btceth" if is_major(decision.symbol) else "alt"
    guards = settings.exec_guards
    low, high = (getattr(guards, f"{coins}_position_value_{end}_equity_multiple") for end in ("min", "max"))
    if not decision.action.opens or not guards.enable_value_band_guard or not (low or high):
        return None
    size, equity = decision.position_size_usd, moment.equity
    path = f"detail.exec_guards.{coins}_position_value_{{}}_equity_multiple"
    asked = (path.format("min"), low) if low else (path.format("max"), high)
    if equity is None:
        return unknown("value_band", NO_EQUITY, *asked)
    if size is None:
        return unknown("value_band", NO_SIZE, *asked)
    if equity <= 0:
        return CheckRefusal("value_band", f"the equity is {number(equity)} USD", *asked, size)
    if low and size + TOLERANCE < low * equity:
        message = f"{number(size)} USD is less than {number(low)} x {number(equity)} USD of equity"
        return CheckRefusal("value_band", message, path.format("min"), low, size)
    if high and size > high * equity + TOLERANCE:
        message = f"{number(size)} USD is more than {number(high)} x {number(equity)} USD of equity"
        return CheckRefusal("value_band", message, path.format("max"), high, size)
    return None


def _margin(entry: Decision) -> Decimal | None:
    if entry.position_size_usd is None or not entry.leverage:
        return None
    # Below one, leverage would bind more than the position is worth.
    return entry.position_size_usd / max(entry.leverage, Decimal(1))


def _used_margin(moment: Moment) -> Decimal | None:
    account = moment.account
    if account is None or account.used_margin_usd is not None:
        return account.used_margin_usd if account else None
    if account.used_margin_pct is None or account.equity_usd is None:
        return None
    return account.used_margin_pct * account.equity_usd / 100
