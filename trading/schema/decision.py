"""A decision as the journal keeps it: what the model saw, what it answered, and what was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from traders.schema.messages import _
from traders.schema.settings.trader import Digest
from traders.schema.symbols import Symbol
from trading.schema.common import Extra, Origin, Side
from trading.schema.ids import decision_name
from trading.schema.leaf import Amount, Boolean, Identifier, Integer, LeafKind, Line, MomentMs, Part, Text, leaf

LONGEST_WORD = 64


def is_word(text: str) -> bool:
    """Whether it can name an action."""
    return 0 < len(text) <= LONGEST_WORD and text.isprintable()


class Action(StrEnum):
    OPEN_LONG = "open_long"
    OPEN_SHORT = "open_short"
    CLOSE_LONG = "close_long"
    CLOSE_SHORT = "close_short"
    HOLD = "hold"
    WAIT = "wait"

    @classmethod
    def unknown(cls, word: str) -> Action:
        """An action that this release does not know, as a stored decision names it: it neither opens nor closes."""
        made = str.__new__(cls, word)
        made._name_, made._value_ = word, word
        return made

    @classmethod
    def named(cls, word: str) -> Action:
        """As a program names it, known or not."""
        known = word.strip().lower()
        return cls(known) if known in cls._value2member_map_ else cls.unknown(word.strip())

    @property
    def is_known(self) -> bool:
        return self.value in Action._value2member_map_

    @property
    def opens(self) -> bool:
        return self in (Action.OPEN_LONG, Action.OPEN_SHORT)

    @property
    def closes(self) -> bool:
        return self in (Action.CLOSE_LONG, Action.CLOSE_SHORT)

    @property
    def side(self) -> Side | None:
        """Of the position it opens or closes."""
        if self in (Action.OPEN_LONG, Action.CLOSE_LONG):
            return Side.LONG
        return Side.SHORT if self in (Action.OPEN_SHORT, Action.CLOSE_SHORT) else None


class Prompt(Part):
    """The text that was sent: whole, or as the digest of a template in `prompt_texts` and what was rendered into it."""

    template_sha256: Digest | None = leaf(None, label=_("Template"), kind=LeafKind.IDENTIFIER)
    system_text: Text | None = leaf(None, label=_("System prompt sent"), kind=LeafKind.LONG_TEXT)
    user_text: Text | None = leaf(None, label=_("User prompt sent"), kind=LeafKind.LONG_TEXT)
    digest: Text | None = leaf(
        None, label=_("Digest of the prompt"), kind=LeafKind.IDENTIFIER, help=_("SHA-256 of the rendered prompt.")
    )


class ModelAnswer(Part):
    model: Line | None = leaf(None, label=_("Model"), kind=LeafKind.TEXT, max_length=200)
    text: Text | None = leaf(None, label=_("Raw answer"), kind=LeafKind.LONG_TEXT)
    reasoning: Text | None = leaf(None, label=_("Reasoning"), kind=LeafKind.LONG_TEXT)


class Usage(Part):
    prompt_tokens: Integer | None = leaf(None, label=_("Prompt tokens"), kind=LeafKind.COUNT, ge=0)
    completion_tokens: Integer | None = leaf(None, label=_("Completion tokens"), kind=LeafKind.COUNT, ge=0)
    cost_usd: Amount | None = leaf(None, label=_("Cost"), kind=LeafKind.MONEY, unit="USD", ge=0)
    latency_ms: Integer | None = leaf(None, label=_("Latency"), kind=LeafKind.COUNT, unit="ms", ge=0)
    attempts: Integer | None = leaf(
        None,
        label=_("Attempts"),
        kind=LeafKind.COUNT,
        ge=1,
        help=_("How often the model was asked until it answered, or until nothing more was tried."),
    )


class AskedOrder(Part):
    """What was asked of one symbol."""

    symbol: Symbol = leaf(label=_("Symbol"), kind=LeafKind.TEXT)
    action: Action = leaf(label=_("Action"), kind=LeafKind.TEXT)
    leverage: Amount | None = leaf(None, label=_("Leverage"), kind=LeafKind.NUMBER, unit="x", ge=0)
    position_size_usd: Amount | None = leaf(None, label=_("Position size"), kind=LeafKind.MONEY, unit="USD", ge=0)
    entry_price: Amount | None = leaf(None, label=_("Entry price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    stop_loss: Amount | None = leaf(None, label=_("Stop-loss"), kind=LeafKind.PRICE, unit="USD", ge=0)
    take_profit: Amount | None = leaf(None, label=_("Take-profit"), kind=LeafKind.PRICE, unit="USD", ge=0)
    confidence: Amount | None = leaf(None, label=_("Confidence"), kind=LeafKind.NUMBER, unit="0-100", ge=0, le=100)


class Decision(AskedOrder):
    """What the model decided about one symbol."""

    risk_usd: Amount | None = leaf(None, label=_("At risk"), kind=LeafKind.MONEY, unit="USD", ge=0)
    reasoning: Text | None = leaf(None, label=_("Reasoning"), kind=LeafKind.LONG_TEXT)
    invalidation_condition: Text | None = leaf(None, label=_("Invalidation"), kind=LeafKind.LONG_TEXT)


class Account(Part):
    equity_usd: Amount | None = leaf(None, label=_("Equity"), kind=LeafKind.MONEY, unit="USD")
    available_usd: Amount | None = leaf(None, label=_("Available"), kind=LeafKind.MONEY, unit="USD")
    used_margin_usd: Amount | None = leaf(None, label=_("Used margin"), kind=LeafKind.MONEY, unit="USD")
    used_margin_pct: Amount | None = leaf(None, label=_("Margin usage"), kind=LeafKind.PERCENT, unit="%")
    positions: Integer | None = leaf(None, label=_("Open positions"), kind=LeafKind.COUNT, ge=0)
    sharpe_ratio: Amount | None = leaf(None, label=_("Sharpe ratio"), kind=LeafKind.NUMBER)


class HeldPosition(Part):
    """A position as the model saw it."""

    symbol: Symbol = leaf(label=_("Symbol"), kind=LeafKind.TEXT)
    side: Side = leaf(label=_("Side"), kind=LeafKind.TEXT)
    quantity: Amount = leaf(label=_("Quantity"), kind=LeafKind.QUANTITY, ge=0)
    leverage: Amount | None = leaf(None, label=_("Leverage"), kind=LeafKind.NUMBER, unit="x", ge=0)
    entry_price: Amount | None = leaf(None, label=_("Entry price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    mark_price: Amount | None = leaf(None, label=_("Mark price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    unrealized_pnl: Amount | None = leaf(None, label=_("Unrealized P&L"), kind=LeafKind.MONEY, unit="USD")
    liquidation_price: Amount | None = leaf(None, label=_("Liquidation price"), kind=LeafKind.PRICE, unit="USD", ge=0)


class Quote(Part):
    """The market of one symbol as the model saw it. Changes are fractions: 0.01 is one per cent."""

    symbol: Symbol = leaf(label=_("Symbol"), kind=LeafKind.TEXT)
    price: Amount | None = leaf(None, label=_("Price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    change_1h: Amount | None = leaf(None, label=_("Change in 1 h"), kind=LeafKind.NUMBER)
    change_4h: Amount | None = leaf(None, label=_("Change in 4 h"), kind=LeafKind.NUMBER)
    open_interest: Amount | None = leaf(None, label=_("Open interest"), kind=LeafKind.QUANTITY, ge=0)
    funding: Amount | None = leaf(None, label=_("Funding rate"), kind=LeafKind.NUMBER)


class JournalCooldown(Part):
    symbol: Symbol = leaf(label=_("Symbol"), kind=LeafKind.TEXT)
    until_ms: MomentMs = leaf(label=_("Cooling down until"), kind=LeafKind.MOMENT_MS)


class Withheld(StrEnum):
    """Why a manager sent no order, or an exchange took none, although every rule let it through. It stands where the
    name of a rule does; no replay can check it."""

    SUPERSEDED = "superseded"  # a control, a newer version, a lost lock, or the position is another one by now
    STALE_PRICES = "stale_prices"  # or none
    FLEET_EXPOSURE = "fleet_exposure"  # a limit of the whole fleet
    INTERRUPTED = "interrupted"
    EXCHANGE = "exchange"  # it took no order
    NO_ANSWER = "no_answer"  # of the exchange: an error, as one of the model is


class ActionTaken(AskedOrder):
    """What was done about one decision. `refused_by` names the rules that held it back."""

    order_id: Identifier | None = leaf(None, label=_("Order"), kind=LeafKind.IDENTIFIER)
    ok: Boolean = leaf(label=_("Done"), kind=LeafKind.FLAG)
    refused_by: tuple[str, ...] | None = leaf(None, label=_("Refused by"), kind=LeafKind.TEXT)
    error: Text | None = leaf(None, label=_("Error"), kind=LeafKind.LONG_TEXT)


class Engine(Part):
    """What only the engine that wrote the entry knows."""

    cycle: Integer | None = leaf(
        None, label=_("Engine's cycle"), kind=LeafKind.COUNT, help=_("Restarts at each start of the engine.")
    )
    written_at: Text | None = leaf(None, label=_("Written"), kind=LeafKind.TEXT)


class DecisionDetail(Part):
    """`market` and `candidates` None: not recorded; empty: there were none."""

    prompt: Prompt | None = None
    answer: ModelAnswer | None = None
    decisions: tuple[Decision, ...] = ()
    account: Account | None = None
    positions: tuple[HeldPosition, ...] | None = None
    candidates: tuple[str, ...] | None = leaf(None, label=_("Candidates"), kind=LeafKind.TEXT)
    market: tuple[Quote, ...] | None = None
    cooldowns: tuple[JournalCooldown, ...] | None = None
    actions: tuple[ActionTaken, ...] = ()
    usage: Usage | None = None
    error: Text | None = leaf(None, label=_("Error"), kind=LeafKind.LONG_TEXT)
    engine: Engine | None = None
    origin: Origin | None = None
    extra: Extra | None = leaf(None, label=_("Unknown fields"), kind=LeafKind.TEXT)
    corrects: Integer | None = leaf(
        None,
        label=_("Corrects"),
        kind=LeafKind.IDENTIFIER,
        help=_("The wrong decision; this decision counts instead."),
        ge=1,
    )


@dataclass(frozen=True)
class JournalEntry:
    """A decision about to be recorded. `config_version` None: taken before the trader's first version.

    `cycle_number` is given by the journal: it goes on across restarts of the engine.
    """

    trader_id: str
    config_version: int | None
    decided_at: datetime
    success: bool
    detail: DecisionDetail


@dataclass(frozen=True)
class RecordedDecision:
    """A row of `decision_journal`. `unknown` are the places in its detail that this release does not know."""

    id: int
    cycle_number: int
    entry: JournalEntry
    unknown: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As addresses and commands name it: with its trader."""
        return decision_name(self.entry.trader_id, self.id)
