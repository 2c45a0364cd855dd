"""The two messages to the model: the rendered system template, and the rendered template of the executor."""

from __future__ import annotations

from typing import Any

from traders.schema.messages import _
from trading.manager.prompts import PromptPair
from trading.manager.queries import TraderNow
from trading.manager.rules.prompt_data import prompt_data
from trading.manager.rules.templates import TemplateFailed, render
from trading.manager.sight import CannotDecide, Sight


def rendered(pair: PromptPair, trader: TraderNow, sight: Sight) -> tuple[str, str]:
    """(system message, user message). Raises CannotDecide for a template that asks for what there is not."""
    account, named = sight.account, trader.spec.detail.prompts
    data = prompt_data(
        trader.spec,
        sight.moment,
        running_since=trader.running_since,
        performance={
            "realized_pnl_usd": account.realized,
            "unrealized_pnl_usd": account.unrealized,
            "total_pnl_usd": None if account.unrealized is None else account.realized + account.unrealized,
        },
    )
    system = _rendered(named.system_template, pair.system, data)
    return system, _rendered(named.executor_template, pair.executor, data)


def _rendered(path: str, template: str, data: dict[str, Any]) -> str:
    try:
        return render(template, data)
    except TemplateFailed as error:
        raise CannotDecide(_("the prompt %(path)s cannot be rendered: %(error)s", path=path, error=error)) from error
