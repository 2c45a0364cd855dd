"""Limits on the size of an entry: leverage, notional, margin in use, and the notional as a multiple of the equity."""

from __future__ import annotations

import re
from decimal import Decimal

from traders.schema.messages import _
from traders.schema.settings.trader import TraderDetail
from trading.replay.rules.checks.moment import TOLERANCE, CheckRefusal, DecisionMoment, number, ratio, unknown
from trading.schema.decision import Decision

SIZE, MARGIN = "detail.risk.max_position_size_usd", "detail.risk.max_margin_usage_pct"
NO_EQUITY = _("the account's equity is not known")
NO_SIZE = _("the decision names no position_size_usd")
# BTC, BTCUSDT, BTC-PERP, BTC/USDC; not BTCDOM.
_MAJOR = re.compile(r"(BTC|ETH)(USD[CT]?)?([-_./:].*)?")


def is_major(symbol: str) -> bool:
    return _MAJOR.fullmatch(symbol) is not None


def max_leverage(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    name = "major_coin_leverage" if is_major(decision.symbol) else "altcoin_leverage"
    limit, path = getattr(settings.risk, name), f"detail.risk.{name}"
    if decision.leverage is None:
        return unknown("max_leverage", _("the decision names no leverage"), path, limit)
    held = moment.increased(decision, settings)
    leverage = max(decision.leverage, (held.leverage if held else None) or decision.leverage)
    if leverage <= limit:
        return None
    message = _(
        "%(leverage)sx in %(symbol)s is more than %(limit)sx",
        leverage=number(leverage),
        symbol=decision.symbol,
        limit=limit,
    )
    return CheckRefusal("max_leverage", message, path, limit, leverage)


def max_position_size_usd(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    if not decision.action.opens:
        return None
    size, limit = _whole_size(decision, settings, moment), settings.risk.max_position_size_usd
    if size is None:
        return unknown("max_position_size_usd", NO_SIZE, SIZE, limit)
    if size <= limit + TOLERANCE:
        return None
    message = _("%(size)s USD is more than %(limit)s USD", size=number(size), limit=number(limit))
    return CheckRefusal("max_position_size_usd", message, SIZE, limit, size)


def max_margin_usage_pct(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """The margin in use and of this entry (size over leverage), over the equity. 0 is no limit."""
    limit = settings.risk.max_margin_usage_pct
    if not decision.action.opens or not settings.exec_guards.enable_margin_usage_guard or not limit:
        return None
    margins = [_margin(entry) for entry in (*moment.opened, decision)]
    used, equity = _used_margin(moment), moment.equity
    if equity is None:
        return unknown("max_margin_usage_pct", NO_EQUITY, MARGIN, limit)
    if used is None:
        return unknown("max_margin_usage_pct", _("the margin in use is not known"), MARGIN, limit)
    if None in margins:
        missing = _("the decision names no position_size_usd and leverage")
        return unknown("max_margin_usage_pct", missing, MARGIN, limit)
    bound = used + sum(margin for margin in margins if margin is not None)
    if equity > 0 and bound * 100 <= (limit + TOLERANCE) * equity:
        return None
    message = _(
        "%(margin)s USD of margin at %(equity)s USD of equity is more than %(limit)s %%",
        margin=number(bound),
        equity=number(equity),
        limit=number(limit),
    )
    return CheckRefusal("max_margin_usage_pct", message, MARGIN, limit, ratio(bound * 100, equity))


def value_band(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> CheckRefusal | None:
    """The size over the equity lies between two bounds: one pair for BTC and ETH, one for the others. 0: no bound."""
    coins = "btceth" if is_major(decision.symbol) else "alt"
    guards = settings.exec_guards
    low, high = (getattr(guards, f"{coins}_position_value_{end}_equity_multiple") for end in ("min", "max"))
    if not decision.action.opens or not guards.enable_value_band_guard or not (low or high):
        return None
    size, equity = _whole_size(decision, settings, moment), moment.equity
    path = f"detail.exec_guards.{coins}_position_value_{{}}_equity_multiple"
    asked = (path.format("min"), low) if low else (path.format("max"), high)
    if equity is None:
        return unknown("value_band", NO_EQUITY, *asked)
    if size is None:
        return unknown("value_band", NO_SIZE, *asked)
    if equity <= 0:
        return CheckRefusal("value_band", _("the equity is %(equity)s USD", equity=number(equity)), *asked, size)
    if low and size + TOLERANCE < low * equity:
        message = _(
            "%(size)s USD is less than %(multiple)s x %(equity)s USD of equity",
            size=number(size),
            multiple=number(low),
            equity=number(equity),
        )
        return CheckRefusal("value_band", message, path.format("min"), low, size)
    if high and size > high * equity + TOLERANCE:
        message = _(
            "%(size)s USD is more than %(multiple)s x %(equity)s USD of equity",
            size=number(size),
            multiple=number(high),
            equity=number(equity),
        )
        return CheckRefusal("value_band", message, path.format("max"), high, size)
    return None


def _whole_size(decision: Decision, settings: TraderDetail, moment: DecisionMoment) -> Decimal | None:
    """In USD: of the entry, with what it increases at the price of now. None: not known."""
    held = moment.increased(decision, settings)
    if held is None or decision.position_size_usd is None:
        return decision.position_size_usd
    price = held.mark_price or held.entry_price
    return None if price is None else decision.position_size_usd + held.quantity * price


def _margin(entry: Decision) -> Decimal | None:
    if entry.position_size_usd is None or not entry.leverage:
        return None
    # A leverage below 1 would need more margin than the notional.
    return entry.position_size_usd / max(entry.leverage, Decimal(1))


def _used_margin(moment: DecisionMoment) -> Decimal | None:
    account = moment.account
    if account is None or account.used_margin_usd is not None:
        return account.used_margin_usd if account else None
    if account.used_margin_pct is None or account.equity_usd is None:
        return None
    return account.used_margin_pct * account.equity_usd / 100
