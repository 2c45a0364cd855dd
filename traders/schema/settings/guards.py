"""The execution guards of a trader: what the engine checks before an order leaves."""

from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import AfterValidator, Field, model_validator

from traders.schema.messages import _
from traders.schema.settings.declare import (
    Boolean,
    Integer,
    Number,
    Riskier,
    SettingGroup,
    SettingKind,
    SettingsSection,
    setting,
)
from traders.schema.symbols import Symbol, folded

MOST_SYMBOLS = 1000


def _distinct(symbols: list[str]) -> list[str]:
    """In order, each once: two lists of the same names are no change. Names that differ in case alone are one."""
    by_name = {folded(symbol): symbol for symbol in reversed(symbols)}
    return sorted(by_name.values())


SymbolList = Annotated[list[Symbol], Field(max_length=MOST_SYMBOLS), AfterValidator(_distinct)]


def _multiple(label: str, help: str, riskier: Riskier) -> Number:
    limit: Number = setting(
        0,
        label=label,
        help=help,
        unit=_("x equity"),
        riskier=riskier,
        off_at_zero=True,
        ge=0,
        le=1000,
        decimal_places=4,
        validate_default=True,
    )
    return limit


def _limit(label: str, help: str, unit: str, most: int) -> Number:
    limit: Number = setting(
        0,
        label=label,
        help=help,
        unit=unit,
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=most,
        decimal_places=4,
        validate_default=True,
    )
    return limit


class ExecGuards(SettingsSection):
    group: ClassVar = SettingGroup.GUARDS
    yaml_prefix: ClassVar = "exec_guards"

    max_new_positions_per_cycle: Integer = setting(
        0,
        label=_("Max new positions per cycle"),
        help=_("Entries in one decision cycle; 0 sets no limit."),
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=1000,
    )
    liquidity_threshold_usd: Number = setting(
        0,
        label=_("Liquidity threshold"),
        help=_("Symbols with less open interest are left out; 0 leaves none out."),
        unit="USD",
        riskier=Riskier.LOWER,
        off_at_zero=True,
        ge=0,
        le=1_000_000_000_000,
        decimal_places=8,
        validate_default=True,
    )
    max_margin_usage_pct: Number = setting(
        0,
        label=_("Guard's max margin usage"),
        help=_("Kept for engines that read it; the margin guard itself takes Risk - max margin usage."),
        unit="%",
        riskier=Riskier.HIGHER,
        ge=0,
        le=100,
        decimal_places=4,
        validate_default=True,
    )
    btceth_position_value_min_equity_multiple: Number = _multiple(
        _("BTC and ETH position value, min"), _("Lower end of the value band; 0 sets none."), Riskier.LOWER
    )
    btceth_position_value_max_equity_multiple: Number = _multiple(
        _("BTC and ETH position value, max"), _("Upper end of the value band; 0 sets none."), Riskier.HIGHER
    )
    alt_position_value_min_equity_multiple: Number = _multiple(
        _("Altcoin position value, min"), _("Lower end of the value band; 0 sets none."), Riskier.LOWER
    )
    alt_position_value_max_equity_multiple: Number = _multiple(
        _("Altcoin position value, max"), _("Upper end of the value band; 0 sets none."), Riskier.HIGHER
    )
    cooldown_after_close_seconds: Integer = setting(
        0,
        label=_("Cooldown after close"),
        help=_("No new entry in a symbol for this long after its position closed."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="cooldown_after_close",
        riskier=Riskier.LOWER,
        ge=0,
        le=30 * 86400,
    )
    pause_duration_on_breach_seconds: Integer = setting(
        0,
        label=_("Pause on breach"),
        help=_("How long the trader opens nothing after the Sharpe ratio fell below the threshold."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="pause_duration_on_breach",
        riskier=Riskier.LOWER,
        ge=0,
        le=30 * 86400,
    )
    enable_liquidity_guard: Boolean = setting(
        True, label=_("Liquidity guard"), help=_("Checks the liquidity threshold."), riskier=Riskier.OFF
    )
    enable_margin_usage_guard: Boolean = setting(
        True, label=_("Margin usage guard"), help=_("Checks the margin usage."), riskier=Riskier.OFF
    )
    enable_value_band_guard: Boolean = setting(
        True, label=_("Value band guard"), help=_("Checks the position value bands."), riskier=Riskier.OFF
    )
    enable_cooldown_guard: Boolean = setting(
        True, label=_("Cooldown guard"), help=_("Checks the cooldowns of symbols."), riskier=Riskier.OFF
    )
    candidate_limit: Integer = setting(
        10,
        label=_("Candidate limit"),
        help=_("Symbols offered to the model in one cycle."),
        riskier=Riskier.HIGHER,
        ge=1,
        le=1000,
    )
    sharpe_pause_threshold: Number = setting(
        0,
        label=_("Sharpe pause threshold"),
        help=_("The trader pauses while its Sharpe ratio is below this; 0 switches the pause off."),
        riskier=Riskier.LOWER,
        off_at_zero=True,
        ge=-100,
        le=100,
        decimal_places=4,
        validate_default=True,
    )

    loss_cooldown_after: Integer = setting(
        0,
        label=_("Losses in a row"),
        help=_("After so many lost trades in a row in one symbol, the symbol cools down; 0 switches the guard off."),
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=1000,
    )
    loss_cooldown_seconds: Integer = setting(
        3600,
        label=_("Cooldown after losses"),
        help=_("No new entry in a symbol for this long after its losses in a row."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="loss_cooldown",
        riskier=Riskier.LOWER,
        ge=1,
        le=30 * 86400,
    )
    max_daily_loss_usd: Number = _limit(
        _("Max daily loss"),
        _("At this loss within the site's day the trader opens nothing until the next day; 0 sets no limit."),
        "USD",
        1_000_000_000,
    )
    max_daily_loss_pct: Number = _limit(
        _("Max daily loss, share"),
        _("As the max daily loss, as a percentage of the equity at the day's start; 0 sets no limit."),
        "%",
        100,
    )
    max_drawdown_pct: Number = _limit(
        _("Max drawdown"),
        _(
            "At this fall from the highest equity, transfers aside, the trader opens nothing until a person resumes "
            "it; 0 sets no limit."
        ),
        "%",
        100,
    )
    max_version_drawdown_pct: Number = _limit(
        _("Max drawdown of a version"),
        _("As the max drawdown, of the positions that the running version opened; 0 sets no limit."),
        "%",
        100,
    )
    max_errors_in_a_row: Integer = setting(
        0,
        label=_("Max errors in a row"),
        help=_(
            "After so many failed decisions in a row the trader opens nothing until a person resumes it; 0 sets no "
            "limit."
        ),
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=10_000,
    )
    allowed_symbols: SymbolList = setting(
        [],
        label=_("Allowed symbols"),
        help=_("The trader opens positions in these symbols only; empty allows all."),
        kind=SettingKind.SYMBOLS,
        riskier=Riskier.WIDER,
    )
    llm_daily_budget_usd: Number = _limit(
        _("Daily model budget"),
        _("What the trader's model may cost within the site's day; 0 leaves the fleet's budget alone to count."),
        "USD",
        1_000_000,
    )
    llm_daily_budget_tokens: Integer = setting(
        0,
        label=_("Daily model budget, tokens"),
        help=_("Tokens that the trader's model may use within the site's day; 0 sets no limit."),
        unit=_("tokens"),
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=1_000_000_000_000,
    )

    @model_validator(mode="after")
    def _bands_are_ordered(self) -> Self:
        for coins in ("btceth", "alt"):
            low = getattr(self, f"{coins}_position_value_min_equity_multiple")
            high = getattr(self, f"{coins}_position_value_max_equity_multiple")
            if high and low > high:
                raise ValueError(
                    _(
                        "%(coins)s_position_value_min_equity_multiple (%(low)s) must not exceed "
                        "%(coins)s_position_value_max_equity_multiple (%(high)s)",
                        coins=coins,
                        low=low,
                        high=high,
                    )
                )
        return self
