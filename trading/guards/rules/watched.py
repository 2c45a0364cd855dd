"""Which facts the guards of a trader look at, by its settings: a fact that none looks at need not be told."""

from __future__ import annotations

from traders.schema.settings.guards import ExecGuards


def watches_decisions(guards: ExecGuards) -> bool:
    """Errors in a row and budgets are judged at each decision."""
    return bool(guards.max_errors_in_a_row or guards.llm_daily_budget_usd or guards.llm_daily_budget_tokens)


def watches_equity(guards: ExecGuards) -> bool:
    """Losses of the day and drawdowns are judged at each point of equity."""
    return bool(
        guards.max_daily_loss_usd
        or guards.max_daily_loss_pct
        or guards.max_drawdown_pct
        or guards.max_version_drawdown_pct
    )
