"""The guards, declared once: name, limit, what it is compared with, and what lifts its pause."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from traders.schema.messages import TranslatableText, _


class GuardName(StrEnum):
    """The name is the last part of its limit's path, and the cause of its pauses: `guard:max_daily_loss_usd`."""

    LOSSES_IN_A_ROW = "loss_cooldown_after"
    DAILY_LOSS_USD = "max_daily_loss_usd"
    DAILY_LOSS_PCT = "max_daily_loss_pct"
    DRAWDOWN = "max_drawdown_pct"
    VERSION_DRAWDOWN = "max_version_drawdown_pct"
    ERRORS_IN_A_ROW = "max_errors_in_a_row"
    BUDGET_USD = "llm_daily_budget_usd"
    BUDGET_TOKENS = "llm_daily_budget_tokens"
    FLEET_DAILY_LOSS = "fleet_daily_loss"
    FLEET_GROSS_EXPOSURE = "fleet_max_gross_exposure_x"
    FLEET_NET_EXPOSURE = "fleet_max_net_exposure_pct_per_underlying"
    FLEET_BUDGET = "llm_daily_token_limit"
    FAILED = "could_not_be_checked"

    @property
    def cause(self) -> str:
        return f"guard:{self.value}"


class LiftedBy(StrEnum):
    NEXT_DAY = "next_day"
    PERSON = "person"
    ITSELF = "itself"
    COOLDOWN = "cooldown"


LLM_YAML_BUDGET = "llm.yaml: budget.daily_token_limit"
"""Where the fleet's budget of tokens is set; it is no setting of the database."""


@dataclass(frozen=True, slots=True)
class Guard:
    """`path` is that of the limit, `unit` of both the limit and what is compared with it."""

    name: GuardName
    label: TranslatableText
    path: str
    unit: str
    lifted_by: LiftedBy


def _trader(name: GuardName, label: TranslatableText, unit: str, lifted_by: LiftedBy) -> Guard:
    return Guard(name, label, f"detail.exec_guards.{name.value}", unit, lifted_by)


def _fleet(name: GuardName, setting: str, label: TranslatableText, unit: str, lifted_by: LiftedBy) -> Guard:
    return Guard(name, label, f"detail.manager.{setting}", unit, lifted_by)


_ALL = (
    _trader(GuardName.LOSSES_IN_A_ROW, _("Losses in a row"), "", LiftedBy.COOLDOWN),
    _trader(GuardName.DAILY_LOSS_USD, _("Daily loss"), "USD", LiftedBy.NEXT_DAY),
    _trader(GuardName.DAILY_LOSS_PCT, _("Daily loss, share"), "%", LiftedBy.NEXT_DAY),
    _trader(GuardName.DRAWDOWN, _("Drawdown"), "%", LiftedBy.PERSON),
    _trader(GuardName.VERSION_DRAWDOWN, _("Drawdown of the version"), "%", LiftedBy.PERSON),
    _trader(GuardName.ERRORS_IN_A_ROW, _("Errors in a row"), "", LiftedBy.PERSON),
    _trader(GuardName.BUDGET_USD, _("Model cost of the day"), "USD", LiftedBy.NEXT_DAY),
    _trader(GuardName.BUDGET_TOKENS, _("Model tokens of the day"), _("tokens"), LiftedBy.NEXT_DAY),
    _fleet(GuardName.FLEET_DAILY_LOSS, "fleet_max_daily_loss_pct", _("Fleet's daily loss"), "%", LiftedBy.PERSON),
    _fleet(
        GuardName.FLEET_GROSS_EXPOSURE,
        "fleet_max_gross_exposure_x",
        _("Fleet's gross exposure"),
        _("x equity"),
        LiftedBy.ITSELF,
    ),
    _fleet(
        GuardName.FLEET_NET_EXPOSURE,
        "fleet_max_net_exposure_pct_per_underlying",
        _("Fleet's net exposure in an underlying"),
        "%",
        LiftedBy.ITSELF,
    ),
    Guard(GuardName.FLEET_BUDGET, _("Model tokens of the fleet"), LLM_YAML_BUDGET, _("tokens"), LiftedBy.NEXT_DAY),
)
GUARDS: dict[GuardName, Guard] = {guard.name: guard for guard in _ALL}
"""Without FAILED, which has no limit: it says that another one raised an error."""
