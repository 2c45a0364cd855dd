"""What prompt templates are rendered with: each field that engines give, of one trader at one moment.

The fields of `.Trader` are the keys of a trader in manager.yaml as Go spells them: risk_params.max_position_size_usd is
`.Trader.RiskParams.MaxPositionSizeUSD`. What a template ranges over has a text of its own, for one that only names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.schema import jsonio
from traders.schema.durations import format_duration
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.declare import SettingKind
from traders.schema.settings.stored import flat_of
from traders.schema.settings.trader import TraderSpec
from traders.schema.templates.values import Listing, Overview, written
from trading.replay.rules.checks.moment import DecisionMoment
from trading.schema.decision import Account, HeldPosition, Quote

_SECONDS_PER_MINUTE = 60
_CAPITALS = {"id": "ID", "usd": "USD", "ioc": "IOC", "llm": "LLM", "btceth": "BTCETH"}
_NONE = "none"


def prompt_data(
    spec: TraderSpec,
    moment: DecisionMoment,
    *,
    running_since: datetime | None = None,
    performance: Mapping[str, Decimal | int | None] | None = None,
) -> dict[str, Any]:
    """{field: value} for `templates.render`. `performance`: {name: figure} of the trader so far, None for one that is
    not known. The trader runs since its first decision, or not yet."""
    account, risk = moment.account or Account(), spec.detail.risk
    runs = moment.decided_at - running_since if running_since else None
    return {
        "Trader": _trader(spec),
        "Config": {
            **_fields(risk.model_dump()),
            "MinRiskReward": risk.min_risk_reward_ratio,
            "DecisionInterval": format_duration(spec.detail.llm.decision_interval_seconds),
            "Model": spec.detail.llm.model,
            "CandidateLimit": spec.detail.exec_guards.candidate_limit,
        },
        "ContextJSON": context_json(moment, performance),
        "CurrentTime": f"{moment.decided_at:%Y-%m-%dT%H:%M:%SZ}",
        "RuntimeMinutes": int(runs.total_seconds()) // _SECONDS_PER_MINUTE if runs else 0,
        "SharpeRatio": account.sharpe_ratio,
        "AccountOverview": _account(account),
        "OpenPositions": _listing(map(_position, moment.positions or ())),
        "RiskBudget": _risk_budget(spec, moment, account),
        "PerformanceView": _overview(_fields(performance or {})),
        "CandidateCoins": _candidates(moment),
        "MarketSnapshots": _market(moment),
    }


def context_json(moment: DecisionMoment, performance: Mapping[str, Any] | None = None) -> str:
    """All that is known at the moment, as JSON. Null is what is not known."""
    known = {
        "time": f"{moment.decided_at:%Y-%m-%dT%H:%M:%SZ}",
        "account": moment.account.stored() if moment.account else None,
        "positions": _stored(moment.positions),
        "candidates": None if moment.candidates is None else list(moment.candidates),
        "market": _stored(moment.market),
        "cooldowns": _stored(moment.cooldowns),
        "performance": dict(performance or {}),
    }
    return jsonio.dumps(known)


def _trader(spec: TraderSpec) -> dict[str, Any]:
    flat = flat_of(spec)
    found: dict[str, Any] = {"ID": spec.id}
    for path, setting in TRADER_SETTINGS.items():
        if not setting.yaml_key or setting.kind in (SettingKind.DERIVED, SettingKind.EXTRA):
            continue
        *sections, name = map(_go_name, setting.yaml_key.split("."))
        place = found
        for section in sections:
            place = place.setdefault(section, {})
        value = flat[path]
        place[name] = format_duration(value) if setting.kind is SettingKind.DURATION else value
    return found


def _account(account: Account) -> Overview:
    values = {
        "Equity": account.equity_usd,
        "Available": account.available_usd,
        "UsedMargin": account.used_margin_usd,
        "UsedMarginPct": account.used_margin_pct,
        "Positions": account.positions,
    }
    return Overview(
        values,
        f"equity {written(account.equity_usd)} USD, available {written(account.available_usd)} USD, margin in use "
        f"{written(account.used_margin_usd)} USD ({written(account.used_margin_pct)} %), "
        f"{written(account.positions)} open positions",
    )


def _risk_budget(spec: TraderSpec, moment: DecisionMoment, account: Account) -> Overview:
    """How much more the trader may do by its own settings."""
    risk, held = spec.detail.risk, moment.positions
    left = None if held is None else max(0, risk.max_positions - len(held))
    margin = _margin_left(risk.max_margin_usage_pct, account)
    values = {"PositionsLeft": left, "MaxPositionSizeUSD": risk.max_position_size_usd, "MarginLeftUSD": margin}
    return Overview(
        values,
        f"{written(left)} more positions of at most {written(risk.max_position_size_usd)} USD each, "
        f"{written(margin)} USD more margin",
    )


def _margin_left(limit_pct: Decimal, account: Account) -> Decimal | None:
    if account.equity_usd is None or account.used_margin_usd is None:
        return None
    share = limit_pct or Decimal(100)
    return max(Decimal(0), account.equity_usd * share / 100 - account.used_margin_usd)


def _position(held: HeldPosition) -> Overview:
    return Overview(
        _fields(held.stored()),
        f"{held.symbol} {held.side} {written(held.quantity)} at {written(held.entry_price)} "
        f"({written(held.leverage)}x), mark {written(held.mark_price)}, "
        f"unrealized P&L {written(held.unrealized_pnl)} USD, liquidation at {written(held.liquidation_price)}",
    )


def _candidates(moment: DecisionMoment) -> Listing:
    names = moment.candidates or ()
    coins = [Overview({"Symbol": name, "Name": name, **_quote(moment.quote(name))}, name) for name in names]
    return Listing(coins, ", ".join(names) or _NONE)


def _market(moment: DecisionMoment) -> Listing:
    """Its text is JSON, with the names of the journal."""
    quotes = moment.market or ()
    return Listing([Overview(_quote(one), one.symbol) for one in quotes], jsonio.dumps(_stored(quotes)))


def _quote(quote: Quote | None) -> dict[str, Any]:
    names = [name for name in Quote.model_fields if name != "symbol"]
    values = {name: getattr(quote, name, None) for name in names}
    return _fields({**values, "symbol": quote.symbol} if quote else values)


def _listing(rows: Iterable[Overview]) -> Listing:
    found = list(rows)
    return Listing(found, "\n".join(row.text for row in found) or _NONE)


def _overview(values: Mapping[str, Any]) -> Overview:
    return Overview(values, ", ".join(f"{name} {written(value)}" for name, value in values.items()) or _NONE)


def _stored(rows: Iterable[Any] | None) -> list[dict[str, Any]] | None:
    return None if rows is None else [row.stored() for row in rows]


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    return {_go_name(name): value for name, value in values.items()}


def _go_name(name: str) -> str:
    """max_position_size_usd -> MaxPositionSizeUSD."""
    return "".join(_CAPITALS.get(word, word[:1].upper() + word[1:]) for word in name.split("_"))
