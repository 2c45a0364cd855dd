"""The tables of the trading record, one model each.

Core columns and one JSONB `detail`, whose schema is `trading.schema`. Columns that hot queries need beside the core
are generated and stored, so that covering indexes can carry them: an index cannot include a JSON path. Triggers and
the roll-up of results are in `migrations/trading`. `trading.record` writes their rows.
"""

from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment, moment_ms
from traders.schema.symbols import SYMBOL_FORM
from trading.alarms.models import Alarm as Alarm
from trading.alarms.models import AlarmChannel as AlarmChannel
from trading.alarms.models import AlarmDelivery as AlarmDelivery
from trading.alarms.models import AlarmRuleChange as AlarmRuleChange
from trading.columns import COUNTED as COUNTED
from trading.columns import DID_SOMETHING as DID_SOMETHING
from trading.columns import FUNDING_UNKNOWN as FUNDING_UNKNOWN
from trading.columns import OPEN_AND_COUNTED as OPEN_AND_COUNTED
from trading.columns import SET_ASIDE as SET_ASIDE
from trading.columns import (
    SIDES,
    detail_column,
    exclusion_column,
    generated_column,
    generated_flag,
    generated_number,
    generated_texts,
    trader_column,
)
from trading.differences.models import ExchangeDifference as ExchangeDifference
from trading.equity_models import EquitySnapshot as EquitySnapshot
from trading.equity_models import EquityTransfer as EquityTransfer
from trading.fields import NumericField
from trading.filter_models import SavedFilter as SavedFilter
from trading.guards.models import GuardPeak as GuardPeak
from trading.imports.models import MoveIn as MoveIn
from trading.imports.models import PriceHistory as PriceHistory
from trading.manager_models import ManagerCycle as ManagerCycle
from trading.manager_models import ManagerOrder as ManagerOrder
from trading.managers import RecordManager
from trading.schema.ids import decision_name
from trading.symbol_models import ProviderSymbol as ProviderSymbol
from trading.symbol_models import Symbol as Symbol

_IS_ORDER = '@.action != "hold" && @.action != "wait"'
"""Of an action or a decision, as a condition of a JSON path."""


class Position(models.Model):
    """What a trader holds, or held, in a symbol. At most one that counts is open per trader and symbol.

    An open position that is set aside moves from the id `{trader_id}|{symbol}` to `{trader_id}|{symbol}|{opened
    ms}|{side}`, so that the symbol can be opened again; a position that is set aside cannot be changed.
    """

    id = models.TextField(primary_key=True)
    trader = trader_column("positions")
    symbol = models.TextField()
    side = models.TextField()
    status = models.TextField()
    detail = detail_column()
    created_at = models.DateTimeField(db_default=TransactionNow())
    updated_at = models.DateTimeField(db_default=TransactionNow())
    quantity = generated_column("detail__entry__quantity", NumericField())
    entry_price = generated_column("detail__entry__price", NumericField())
    leverage = generated_column("detail__entry__leverage", NumericField())
    opened_ms = generated_column("detail__entry__time_ms", models.BigIntegerField())
    entry_version = generated_column("detail__versions__entry", models.IntegerField())
    closed_pnl = generated_number("close.pnl")
    exclusion = exclusion_column()
    objects = RecordManager["Position"]()

    class Meta:
        db_table = "positions"
        verbose_name = _("position")
        verbose_name_plural = _("positions")
        indexes = [
            # Positions of a trader by status: WHERE trader_id = ? AND status = ?
            models.Index(fields=["trader", "status"], name="idx_positions_trader_status"),
            # Who holds a symbol: WHERE symbol = ? AND status = 'open' AND exclusion_id IS NULL
            models.Index(fields=["symbol"], condition=OPEN_AND_COUNTED, name="idx_positions_symbol_open"),
            # Open positions of a trader with their size, from the index alone:
            # WHERE trader_id = ? AND status = 'open' AND exclusion_id IS NULL
            models.Index(
                fields=["trader", "symbol"],
                include=["side", "quantity", "entry_price", "leverage"],
                condition=OPEN_AND_COUNTED,
                name="idx_positions_open_covering",
            ),
            # The positions list, newest first, a page at a time: ORDER BY opened_ms DESC, id
            # Its sums from the index alone: WHERE exclusion_id IS NULL ORDER BY opened_ms DESC LIMIT ?
            models.Index(
                fields=["-opened_ms", "id"],
                include=["status", "closed_pnl", "exclusion"],
                name="idx_positions_opened",
            ),
            # Positions by what they earned, of all traders and of one: [WHERE trader_id = ?] ORDER BY closed_pnl, id
            # The second column is tested in the index: an index that begins with it would be one more.
            models.Index(fields=["closed_pnl", "trader"], name="idx_positions_pnl"),
            # How many were set aside, and the list of them: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "opened_ms"], condition=SET_ASIDE, name="idx_positions_set_aside"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["trader", "symbol"], condition=OPEN_AND_COUNTED, name="positions_one_open"),
            models.CheckConstraint(condition=models.Q(side__in=SIDES), name="positions_side_known"),
            models.CheckConstraint(condition=models.Q(status__in=["open", "closed"]), name="positions_status_known"),
            models.CheckConstraint(
                condition=SET_ASIDE | models.Q(symbol__regex=SYMBOL_FORM), name="positions_symbol_form"
            ),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def name(self) -> str:
        """As addresses name it: the id, which begins with its trader."""
        return self.id


class Trade(models.Model):
    """A closed position with its fills and its result. Never changed, never deleted; it can be set aside."""

    id = models.TextField(primary_key=True)
    trader = trader_column("trades")
    symbol = models.TextField()
    side = models.TextField()
    close_ts_ms = models.BigIntegerField()
    detail = detail_column()
    created_at = models.DateTimeField(db_default=TransactionNow())
    net_pnl = generated_column("detail__pnl__net", NumericField())
    quantity = generated_column("detail__quantity__total", NumericField())
    leverage = generated_column("detail__risk__leverage", NumericField())
    confidence = generated_column("detail__risk__confidence", NumericField())
    entry_version = generated_column("detail__versions__entry", models.IntegerField())
    exclusion = exclusion_column()
    objects = RecordManager["Trade"]()

    class Meta:
        db_table = "trades"
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        indexes = [
            # Trades of a trader, those set aside too: WHERE trader_id = ? ORDER BY close_ts_ms DESC LIMIT ?
            # The last N with what a list shows, from the index alone:
            # WHERE trader_id = ? AND exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT ?
            # It holds the mark instead of leaving rows out: one index for both.
            # Ascending, as trades come, and read backwards: an index that grows at its beginning fills half its pages.
            models.Index(
                fields=["trader", "close_ts_ms"],
                include=["symbol", "side", "net_pnl", "confidence", "leverage", "quantity", "exclusion"],
                name="idx_trades_recent_covering",
            ),
            # The result of each version of a trader, in order of time, from the index alone:
            # WHERE trader_id = ? [AND entry_version = ?] AND exclusion_id IS NULL ORDER BY entry_version, close_ts_ms
            models.Index(
                fields=["trader", "entry_version", "close_ts_ms"],
                include=["net_pnl"],
                condition=COUNTED,
                name="idx_trades_version_results",
            ),
            # The trades list of the fleet, newest first, a page at a time: ORDER BY close_ts_ms DESC, id
            # Without the id, which is long: those of one millisecond are sorted when they are read.
            models.Index(fields=["close_ts_ms"], name="idx_trades_time"),
            # Trades in a symbol, newest first: WHERE symbol = ? ORDER BY close_ts_ms DESC
            # Their sums from the index alone: WHERE symbol = ? AND exclusion_id IS NULL ORDER BY close_ts_ms DESC
            models.Index(
                fields=["symbol", "close_ts_ms"],
                include=["net_pnl", "exclusion"],
                name="idx_trades_symbol_time",
            ),
            # Trades by what they earned, of all traders and of one: [WHERE trader_id = ?] ORDER BY net_pnl, id
            # The second column is tested in the index: an index that begins with it would be one more.
            models.Index(fields=["net_pnl", "trader"], name="idx_trades_pnl"),
            # How many were set aside, and the list of them: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "close_ts_ms"], condition=SET_ASIDE, name="idx_trades_set_aside"),
            # How many are without funding that was due, and the list of them; of real venues hardly any.
            models.Index(
                fields=["trader", "close_ts_ms"], condition=FUNDING_UNKNOWN & COUNTED, name="idx_trades_funding_unknown"
            ),
            # In SQL (migration 0014), since Django has no lookup for a path of JSON: idx_trades_in_parts, of the trades
            # with an exit before their close.
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(side__in=SIDES), name="trades_side_known"),
            models.CheckConstraint(
                condition=SET_ASIDE | models.Q(symbol__regex=SYMBOL_FORM), name="trades_symbol_form"
            ),
            moment_ms("trades", "close_ts_ms", unless=SET_ASIDE),
            moment("trades", "created_at", unless=SET_ASIDE),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def name(self) -> str:
        """As addresses name it: the id, which begins with its trader."""
        return self.id


class VersionResult(models.Model):
    """The sums of a trader's trades by the version that opened them (0: before its first), kept by the database.

    A roll-up of the `trades` that count, so that a page need not read fifty thousand of them; a trade belongs to its
    entry version. Setting a trade aside takes it out in the same transaction; a version without trades has no row.
    """

    pk = models.CompositePrimaryKey("trader_id", "entry_version")
    trader = trader_column("version_results")
    entry_version = models.IntegerField()
    trades = models.BigIntegerField()
    wins = models.BigIntegerField()
    losses = models.BigIntegerField()
    straddling = models.BigIntegerField()
    net_pnl = NumericField()
    gross_pnl = NumericField()
    commission = NumericField()
    funding = NumericField(db_default=Decimal(0))
    first_close_ms = models.BigIntegerField()
    last_close_ms = models.BigIntegerField()

    class Meta:
        db_table = "version_results"
        verbose_name = _("result of a version")
        verbose_name_plural = _("results of versions")
        indexes = [
            # Changes by result: ORDER BY net_pnl
            models.Index(fields=["net_pnl"], name="idx_version_results_net"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} v{self.entry_version}"


class DecisionJournal(models.Model):
    """A decision with the configuration's version that took it. Never changed, never deleted; it can be set aside, and
    its messages with it."""

    id = models.BigAutoField(primary_key=True)
    trader = trader_column("decisions")
    config_version = models.IntegerField(null=True, blank=True)
    cycle_number = models.BigIntegerField()
    decided_at = models.DateTimeField()
    success = models.BooleanField()
    detail = detail_column()
    created_at = models.DateTimeField(db_default=TransactionNow())
    entry_key = models.GeneratedField(
        expression=KT("detail__origin__key"), output_field=models.TextField(), db_persist=True
    )
    # Lists filter, sort and sum by these without unpacking the texts of `detail`. An order was made, or none of the
    # actions is recorded and one was decided; an order was refused, or failed.
    has_order = generated_flag(
        f"$.actions[*] ? (@.ok == true && {_IS_ORDER})", f"$ ? (!exists(@.actions[*])).decisions[*] ? ({_IS_ORDER})"
    )
    has_refusal = generated_flag(f"$.actions[*] ? (@.ok == false && {_IS_ORDER})", "$.actions[*].refused_by[*]")
    asked_symbols = generated_texts("$.decisions[*].symbol")
    asked_actions = generated_texts("$.decisions[*].action")
    prompt_tokens = generated_number("usage.prompt_tokens")
    completion_tokens = generated_number("usage.completion_tokens")
    cost_usd = generated_number("usage.cost_usd")
    exclusion = exclusion_column()
    objects = RecordManager["DecisionJournal"]()

    class Meta:
        db_table = "decision_journal"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            # A trader's decisions, newest first, and those of a period: WHERE trader_id = ? ORDER BY decided_at DESC
            models.Index(fields=["trader", "-decided_at"], name="idx_journal_trader_time"),
            # The journal of the fleet, newest first, a page at a time: ORDER BY decided_at DESC, id DESC
            models.Index(fields=["-decided_at", "-id"], name="idx_journal_time"),
            # Decisions that did something, of the fleet and of one trader:
            # WHERE (has_order OR has_refusal OR NOT success) [AND trader_id = ?] ORDER BY decided_at DESC, id DESC
            # Their sums from the index alone.
            models.Index(
                fields=["decided_at", "trader"],
                include=["success", "prompt_tokens", "completion_tokens", "cost_usd", "exclusion"],
                condition=DID_SOMETHING,
                name="idx_journal_did",
            ),
            # What a version decided, and the foreign key: WHERE trader_id = ? AND config_version = ?
            models.Index(fields=["trader", "config_version"], name="idx_journal_version"),
            # How many were set aside, and whether a message's decision was: WHERE exclusion_id IS NOT NULL
            models.Index(fields=["trader", "decided_at"], condition=SET_ASIDE, name="idx_journal_set_aside"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["trader", "cycle_number"], name="decision_journal_one_cycle"),
            # The same entry that comes again: WHERE trader_id = ? AND entry_key = ?
            models.UniqueConstraint(
                fields=["trader", "entry_key"],
                condition=models.Q(entry_key__isnull=False),
                name="decision_journal_one_entry_a_key",
            ),
            models.CheckConstraint(condition=models.Q(cycle_number__gte=1), name="decision_journal_cycles_from_1"),
            moment("decision_journal", "decided_at", unless=SET_ASIDE),
            moment("decision_journal", "created_at", unless=SET_ASIDE),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} #{self.cycle_number}"

    @property
    def name(self) -> str:
        """As addresses name it: with its trader."""
        return decision_name(self.trader_id, self.pk)


class ConversationMessage(models.Model):
    """A message between an engine and a model. `conversation` groups those of one exchange."""

    id = models.BigAutoField(primary_key=True)
    trader = trader_column("messages")
    decision = models.ForeignKey(
        DecisionJournal, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    conversation = models.TextField()
    sequence = models.IntegerField()
    role = models.TextField()
    content = models.TextField()
    sent_at = models.DateTimeField(null=True, blank=True)
    objects = RecordManager["ConversationMessage"]()

    class Meta:
        db_table = "conversation_messages"
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            # The last conversations of a trader: WHERE trader_id = ? ORDER BY sent_at DESC
            models.Index(fields=["trader", "-sent_at"], name="idx_messages_trader_time"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["trader", "conversation", "sequence"], name="messages_one_a_place"),
            models.CheckConstraint(
                condition=models.Q(role__in=["system", "user", "assistant", "tool"]), name="messages_role_known"
            ),
            moment("conversation_messages", "sent_at"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.conversation} {self.sequence}"


class RecordExclusion(models.Model):
    """A row of the record set aside, or included again. Append-only: the last entry of a row says how it stands.

    `kind` and `record_id` name the row: a trade, position or decision by its id, an equity point by
    `{trader_id}|{ts_ms}`. Inserting an entry marks the row (its `exclusion`) and moves `version_results` in the same
    statement; an entry that changes nothing, or names no row, is refused by the database.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    record_id = models.TextField()
    trader = trader_column("record_exclusions")
    action = models.TextField()
    reason = models.TextField()
    actor = models.TextField()
    # The account may be deleted, the entry stays: no foreign key.
    account_id = models.BigIntegerField(null=True, blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "record_exclusions"
        verbose_name = _("exclusion")
        verbose_name_plural = _("set aside")
        permissions = [("exclude_record", "Can set rows of the record aside")]
        default_permissions = ("view",)
        indexes = [
            # What was said of a row: WHERE kind = ? AND record_id = ? ORDER BY id DESC
            models.Index(fields=["kind", "record_id", "-id"], name="idx_exclusions_record"),
            # What was said of a trader's rows, newest first, and the foreign key: WHERE trader_id = ? ORDER BY id DESC
            models.Index(fields=["trader", "-id"], name="idx_exclusions_trader"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["trade", "position", "decision", "equity"]), name="exclusions_kind_known"
            ),
            models.CheckConstraint(
                condition=models.Q(action__in=["exclude", "include"]), name="exclusions_action_known"
            ),
            models.CheckConstraint(condition=~models.Q(reason=""), name="exclusions_reason_given"),
            models.CheckConstraint(condition=~models.Q(actor=""), name="exclusions_actor_given"),
            moment("record_exclusions", "at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.record_id}"
