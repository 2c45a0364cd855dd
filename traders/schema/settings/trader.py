"""A trader's configuration: the core columns of `trader_config` and everything inside its `detail`.

Fields, defaults and rules follow manager.yaml as trading engines read it; the ranges' upper ends are ours
and only keep slips of the pen out.
"""

from __future__ import annotations

import re
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from traders.schema.messages import _
from traders.schema.settings.declare import (
    Boolean,
    Integer,
    Line,
    Lines,
    Number,
    Riskier,
    SettingGroup,
    SettingKind,
    SettingsSection,
    setting,
)
from traders.schema.settings.extra import Extra
from traders.schema.settings.guards import ExecGuards

SCHEMA_VERSION: Literal[4] = 4

ID_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
ID_RULE = _("1 to 64 letters, digits, '.', '_' and '-', beginning with a letter or digit")

DEFAULT_EXECUTOR_TEMPLATE = "prompts/executor/default_prompt.tmpl"


def _trader_id(text: str) -> str:
    if not ID_PATTERN.fullmatch(text):
        raise ValueError(_("must be %(right)s", right=ID_RULE))
    return text


TraderId = Annotated[str, AfterValidator(_trader_id)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class OrderStyle(StrEnum):
    LIMIT_IOC = "limit_ioc"
    MARKET_IOC = "market_ioc"


class PromptsSection(SettingsSection):
    group: ClassVar = SettingGroup.PROMPTS

    system_template: Line = setting(
        label=_("System prompt"),
        help=_("The strategy in words: the template rendered for the manager's part of a decision."),
        kind=SettingKind.PROMPT,
        yaml="prompt_template",
        min_length=1,
        max_length=500,
    )
    system_version: Line = setting(
        "", label=_("System prompt version"), kind=SettingKind.DERIVED, yaml="", max_length=100
    )
    system_sha256: Digest | None = setting(None, label=_("System prompt text"), kind=SettingKind.DERIVED, yaml="")
    executor_template: Line = setting(
        DEFAULT_EXECUTOR_TEMPLATE,
        label=_("Executor prompt"),
        help=_("The template that asks the model for one decision."),
        kind=SettingKind.PROMPT,
        yaml="executor_prompt_template",
        min_length=1,
        max_length=500,
    )
    executor_version: Line = setting(
        "", label=_("Executor prompt version"), kind=SettingKind.DERIVED, yaml="", max_length=100
    )
    executor_sha256: Digest | None = setting(None, label=_("Executor prompt text"), kind=SettingKind.DERIVED, yaml="")


class Llm(SettingsSection):
    group: ClassVar = SettingGroup.MODEL

    model: Line = setting(
        "",
        label=_("Model"),
        help=_("A name from llm.yaml or provider/model; empty takes the site's default model."),
        kind=SettingKind.MODEL,
        max_length=200,
    )
    decision_interval_seconds: Integer = setting(
        180,
        label=_("Decision interval"),
        help=_("Time between two decisions."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="decision_interval",
        ge=1,
        le=7 * 86400,
    )


class Order(SettingsSection):
    group: ClassVar = SettingGroup.ORDERS

    style: OrderStyle = setting(
        "limit_ioc",
        label=_("Order style"),
        help=_("limit_ioc fills at the limit or not at all; market_ioc accepts slippage."),
        yaml="order_style",
    )
    slippage_bps: Number = setting(
        50,
        label=_("Market order slippage"),
        help=_("How far from the mark a market_ioc order may fill."),
        unit="bps",
        yaml="market_ioc_slippage_bps",
        riskier=Riskier.HIGHER,
        gt=0,
        le=10_000,
        decimal_places=4,
        validate_default=True,
    )
    paper_slippage_bps: Number = setting(
        2,
        label=_("Paper slippage"),
        help=_("How much worse than the price the paper exchange fills; it fills nothing beyond the order's slippage."),
        unit="bps",
        ge=0,
        le=1000,
        decimal_places=4,
        validate_default=True,
    )
    paper_commission_bps: Number = setting(
        Decimal("4.5"),
        label=_("Paper commission"),
        help=_("What the paper exchange takes of the notional for each fill."),
        unit="bps",
        ge=0,
        le=1000,
        decimal_places=4,
        validate_default=True,
    )
    paper_maintenance_margin_pct: Number = setting(
        Decimal("0.5"),
        label=_("Paper maintenance margin"),
        help=_("Of the notional; at this margin the paper exchange liquidates a position."),
        unit="%",
        ge=0,
        le=50,
        decimal_places=4,
        validate_default=True,
    )


class RiskSection(SettingsSection):
    group: ClassVar = SettingGroup.RISK
    yaml_prefix: ClassVar = "risk_params"

    max_positions: Integer = setting(
        label=_("Max positions"),
        help=_("Open positions at the same time."),
        riskier=Riskier.HIGHER,
        ge=1,
        le=1000,
    )
    max_position_size_usd: Number = setting(
        label=_("Max position size"),
        help=_("Notional of one position."),
        unit="USD",
        riskier=Riskier.HIGHER,
        gt=0,
        le=1_000_000_000,
        decimal_places=8,
    )
    max_margin_usage_pct: Number = setting(
        0,
        label=_("Max margin usage"),
        help=_("Share of the trader's equity that may be bound as margin; 0 sets no limit."),
        unit="%",
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=100,
        decimal_places=4,
        validate_default=True,
    )
    major_coin_leverage: Integer = setting(
        label=_("Major coin leverage"), help=_("For BTC and ETH."), unit="x", riskier=Riskier.HIGHER, ge=1, le=200
    )
    altcoin_leverage: Integer = setting(
        label=_("Altcoin leverage"),
        help=_("For everything but BTC and ETH."),
        unit="x",
        riskier=Riskier.HIGHER,
        ge=1,
        le=200,
    )
    min_risk_reward_ratio: Number = setting(
        label=_("Min risk-reward ratio"),
        help=_("Distance to the take-profit over distance to the stop-loss; a lower one is refused."),
        riskier=Riskier.LOWER,
        gt=0,
        le=1000,
        decimal_places=4,
    )
    min_confidence: Integer = setting(
        0,
        label=_("Min confidence"),
        help=_("Decisions below this confidence are refused."),
        unit="0-100",
        riskier=Riskier.LOWER,
        ge=0,
        le=100,
    )
    stop_loss_enabled: Boolean = setting(
        False, label=_("Stop-loss"), help=_("Every entry carries a stop-loss order."), riskier=Riskier.OFF
    )
    take_profit_enabled: Boolean = setting(
        False, label=_("Take-profit"), help=_("Every entry carries a take-profit order."), riskier=Riskier.OFF
    )
    allow_increase: Boolean = setting(
        False,
        label=_("Allow increases"),
        help=_(
            "An entry in a symbol that is held on the same side increases the position; its limits are checked of the "
            "whole position. Off: such an entry is refused."
        ),
        riskier=Riskier.ON,
    )


class Journal(SettingsSection):
    group: ClassVar = SettingGroup.JOURNAL

    enabled: Boolean = setting(
        False,
        label=_("Cycle files"),
        help=_("The engine writes one file for each decision cycle, beside the decision journal."),
        yaml="journal_enabled",
    )
    dir: Line = setting(
        "",
        label=_("Directory"),
        help=_("Below the journal root: a relative path without “..”. Empty means journal/ and the trader's id."),
        yaml="journal_dir",
        max_length=500,
    )


class ClonedFrom(SettingsSection):
    trader_id: TraderId
    version: Integer = Field(ge=1)


class TraderDetail(SettingsSection):
    """The JSONB `detail` of a trader."""

    group: ClassVar = SettingGroup.IDENTITY

    schema_version: Literal[4] = SCHEMA_VERSION
    display_name: Line = setting(
        label=_("Display name"),
        help=_("The name people see."),
        yaml="name",
        min_length=1,
        max_length=120,
    )
    description: Lines = setting(
        "", label=_("Description"), help=_("What the strategy is for."), kind=SettingKind.LONG_TEXT, max_length=4000
    )
    auto_start: Boolean = setting(
        False, label=_("Auto start"), help=_("The engine starts this trader when it starts itself.")
    )
    retired: Boolean = setting(
        False,
        label=_("Retired"),
        help=_("Stops the trader for good and takes its allocation out of the fleet's sum; history stays."),
        riskier=Riskier.OFF,
    )
    paper_capital_usd: Number = setting(
        0,
        label=_("Paper capital"),
        help=_(
            "Capital of its own on the paper exchange, beside the fleet's; its allocation is 0 then. At 0 the trader "
            "has its allocation of the fleet's equity."
        ),
        unit="USD",
        group=SettingGroup.CAPITAL,
        ge=0,
        le=1_000_000_000,
        decimal_places=8,
        validate_default=True,
    )
    cloned_from: ClonedFrom | None = setting(None, label=_("Cloned from"), kind=SettingKind.DERIVED)
    prompts: PromptsSection
    llm: Llm = Field(default_factory=Llm)
    order: Order = Field(default_factory=Order)
    risk: RiskSection
    exec_guards: ExecGuards = Field(default_factory=ExecGuards)
    journal: Journal = Field(default_factory=Journal)
    extra: Extra = setting(
        default={},
        label=_("Extra"),
        help=_("Extension keys as JSON; nothing here is interpreted."),
        kind=SettingKind.EXTRA,
        group=SettingGroup.EXTRA,
    )


class TraderSpec(SettingsSection):
    """One trader's whole configuration, without its version."""

    group: ClassVar = SettingGroup.CAPITAL

    id: TraderId
    exchange_provider: Line = setting(
        label=_("Exchange provider"),
        help=_("Where orders go; a name from exchange.yaml."),
        kind=SettingKind.EXCHANGE_PROVIDER,
        min_length=1,
        max_length=100,
    )
    market_provider: Line = setting(
        label=_("Market provider"),
        help=_("Where prices come from; a name from market.yaml."),
        kind=SettingKind.MARKET_PROVIDER,
        min_length=1,
        max_length=100,
    )
    allocation_pct: Number = setting(
        0,
        label=_("Allocation"),
        help=_("Share of the fleet's equity; at most two decimals."),
        unit="%",
        riskier=Riskier.HIGHER,
        ge=0,
        le=100,
        decimal_places=2,
        validate_default=True,
    )
    detail: TraderDetail
