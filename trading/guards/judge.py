"""Each guard as a function of a look at a trader."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from decimal import Decimal

from django.conf import settings

from traders.manager_yaml import declared
from traders.manager_yaml.budget import model_budget
from traders.manager_yaml.file import InvalidFile
from trading.guards import queries
from trading.guards.look import TraderLook
from trading.guards.rules.names import GuardName
from trading.guards.rules.standing import GuardStanding
from trading.guards.rules.streaks import Outcome, errors_in_a_row, losses_in_a_row
from trading.record.results.queries import drawdowns

# Beyond this nothing changes: a row of losses that long is over every limit.
_LONGEST_ROW = 1000
# Failures of other traders within it are of the same outage.
_PROVIDER_WINDOW = timedelta(minutes=10)


def has_equity_guard(look: TraderLook) -> bool:
    limits = look.limits
    return any(
        (limits.max_daily_loss_usd, limits.max_daily_loss_pct, limits.max_drawdown_pct, limits.max_version_drawdown_pct)
    )


def of_equity(look: TraderLook, *, with_marks: bool = False) -> list[GuardStanding]:
    daily = look.limits.max_daily_loss_usd or look.limits.max_daily_loss_pct
    return [
        *(daily_losses(look, with_marks=with_marks) if daily else ()),
        drawdown(look),
        version_drawdown(look),
    ]


def of_decisions(look: TraderLook, over_share: Decimal) -> list[GuardStanding]:
    return [errors(look), *budgets(look, over_share)]


def all_of(look: TraderLook, over_share: Decimal) -> list[GuardStanding]:
    """In the order of their declaration, those that are off included."""
    return [
        _nearest_losses(look),
        *daily_losses(look, with_marks=True),
        drawdown(look),
        version_drawdown(look),
        *of_decisions(look, over_share),
    ]


def _nearest_losses(look: TraderLook) -> GuardStanding:
    """Of the symbol with the most losses in a row, among the trader's last trades."""
    limit = look.limits.loss_cooldown_after
    rows = queries.nets_lately(look.trader_id, _LONGEST_ROW) if limit else {}
    found = [_losses(limit, symbol, nets) for symbol, nets in rows.items()]
    return max(found, key=lambda one: one.used or 0, default=GuardStanding(GuardName.LOSSES_IN_A_ROW, Decimal(limit)))


def daily_losses(look: TraderLook, *, with_marks: bool = False) -> list[GuardStanding]:
    """Of both limits. A breach is two successive points at or over the limit, or one that realized P&L confirms.

    `with_marks`: the equity at the prices of now is the second point.
    """
    points = [point for point in look.tail if point.ts_ms > look.day.start_ms]
    if with_marks and look.marked is not None:
        points.append(look.marked)
    losses = [loss for point in points[-2:] if (loss := look.loss_at(point)) is not None]
    realized = look.realized_today if losses else None
    found = []
    for name, limit in (
        (GuardName.DAILY_LOSS_USD, look.limits.max_daily_loss_usd),
        (GuardName.DAILY_LOSS_PCT, look.limits.max_daily_loss_pct),
    ):
        is_usd = name is GuardName.DAILY_LOSS_USD
        before = look.loss_at_resume
        forgiven = max((before.usd if is_usd else before.pct) or Decimal(0), Decimal(0)) if before else Decimal(0)
        figures = [loss.usd if is_usd else loss.pct for loss in losses]
        used = figures[-1] if figures else None
        base = losses[-1].capital if losses else Decimal(0)
        confirmed = None if realized is None else -realized if is_usd else -realized / base * 100 if base > 0 else None
        reached = [figure is not None and limit > 0 and figure >= limit + forgiven for figure in figures]
        is_confirmed = confirmed is not None and confirmed >= limit + forgiven
        resumed = look.resumed_today
        found.append(
            GuardStanding(
                name,
                limit + forgiven if limit else limit,
                used,
                bool(reached) and reached[-1] and ((len(reached) > 1 and all(reached)) or is_confirmed),
                look.day.name + (f"|{int(resumed.timestamp())}" if resumed else ""),
                look.day.end,
            )
        )
    return found


def drawdown(look: TraderLook) -> GuardStanding:
    """Of the index of returns since the last resume. Two successive points in breach."""
    limit = look.limits.max_drawdown_pct
    peak = look.peak if limit else None
    if peak is None:
        return GuardStanding(GuardName.DRAWDOWN, limit)
    is_breached = peak.fall_pct >= limit and peak.before_pct >= limit
    return GuardStanding(GuardName.DRAWDOWN, limit, peak.fall_pct, is_breached, str(peak.peak_ms))


def version_drawdown(look: TraderLook) -> GuardStanding:
    """The deepest fall of what the positions that the running version opened have earned, at the prices of now. An old
    fall, such as an import tells of, is no breach while the version neither holds nor has closed anything since."""
    name, limit, version = GuardName.VERSION_DRAWDOWN, look.limits.max_version_drawdown_pct, look.config.version
    fall = drawdowns(look.trader_id, [version]).get(version) if limit else None
    if fall is None or fall.pct is None:
        return GuardStanding(name, limit)
    is_breached = fall.pct >= limit and queries.version_moved(look.trader_id, version, look.since_ms)
    return GuardStanding(name, limit, fall.pct, is_breached, f"v{version}")


def errors(look: TraderLook) -> GuardStanding:
    """Model, parse and exchange errors since the last start or resume."""
    limit = look.limits.max_errors_in_a_row
    if not limit:
        return GuardStanding(GuardName.ERRORS_IN_A_ROW, Decimal(0))
    rows = list(queries.outcomes(look.trader_id, since=look.acts_since, most=max(50, 2 * limit)))
    count = errors_in_a_row(outcome for _number, outcome in rows)
    first = [number for number, outcome in rows if outcome is Outcome.ERROR][:count][-1:]
    return GuardStanding(
        GuardName.ERRORS_IN_A_ROW, Decimal(limit), Decimal(count), count >= limit, str(first[0] if first else 0)
    )


def is_shared_error(look: TraderLook) -> bool:
    """Whether another trader of the same provider of models fails too: then the provider is at fault, and no trader is
    paused."""
    models = _of_its_provider(look.spec.detail.llm.model)
    return queries.others_failing(look.trader_id, models, look.now - _PROVIDER_WINDOW) > 0


def _of_its_provider(model: str) -> Collection[str]:
    """The model alone while llm.yaml cannot be read."""
    try:
        return declared.of_one_provider(settings.MANAGER_YAML.parent, model)
    except InvalidFile:
        return [model]


def losses(look: TraderLook, symbol: str) -> tuple[GuardStanding, int, Decimal | None]:
    """Of a symbol, with the last close in ms and its net P&L."""
    limit = look.limits.loss_cooldown_after
    rows = queries.nets_of_symbol(look.trader_id, symbol, _LONGEST_ROW if limit else 1)
    _trade_id, closed_ms, net = rows[0] if rows else ("", 0, None)
    return _losses(limit, symbol, rows), closed_ms, net


def _losses(limit: int, symbol: str, rows: Sequence[tuple[str, int, Decimal | None]]) -> GuardStanding:
    """`rows` are (id, close in ms, net P&L) of the symbol's trades, the newest first."""
    count = losses_in_a_row(net for _id, _ms, net in rows)
    trade_id, _closed_ms, net = rows[0] if rows else ("", 0, None)
    return GuardStanding(
        GuardName.LOSSES_IN_A_ROW,
        Decimal(limit),
        Decimal(count),
        bool(limit) and count >= limit and net is not None and net < 0,
        f"{symbol}|{trade_id}",
    )


def budgets(look: TraderLook, over_share: Decimal) -> list[GuardStanding]:
    """Of the day. A flat trader is held at the limit, one with a position at `over_share` of it. A cost that the engine
    did not report is that of llm.yaml's prices."""
    limits = (
        (GuardName.BUDGET_USD, look.limits.llm_daily_budget_usd),
        (GuardName.BUDGET_TOKENS, Decimal(look.limits.llm_daily_budget_tokens)),
    )
    if not any(limit for _name, limit in limits):
        return [GuardStanding(name, limit) for name, limit in limits]
    spent = queries.used(look.trader_id, look.day.start, look.day.end)
    prices = model_budget(settings.MANAGER_YAML.parent)
    own_model = look.spec.detail.llm.model
    cost = sum(
        (row.cost_usd + (prices.cost_usd(row.model or own_model, row.tokens_without_cost) or 0) for row in spent),
        Decimal(0),
    )
    factor = Decimal(1) if queries.is_flat(look.trader_id) else over_share
    found = []
    for name, limit in limits:
        used = cost if name is GuardName.BUDGET_USD else Decimal(sum(row.tokens for row in spent))
        found.append(
            GuardStanding(name, limit, used, bool(limit) and used >= limit * factor, look.day.name, look.day.end)
        )
    return found
