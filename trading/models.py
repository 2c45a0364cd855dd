"""The tables of the trading record, one model each.

Core columns and one JSONB `detail`, whose schema is `trading.schema`. Columns that hot queries need beside the core
are generated and stored, so that covering indexes can carry them: an index cannot include a JSON path. Triggers and
the roll-up of results are in `migrations/trading`. Rows are written by `trading.repositories` only.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Lower, Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment, moment_ms, number
from traders.models import TraderConfig
from traders.schema.jsonio import ExactDecoder, ExactEncoder
from traders.schema.symbols import SYMBOL_FORM
from trading.fields import NumericField
from trading.schema.leaf import LARGEST

SIDES = ["long", "short"]


def _detail() -> models.JSONField[Any, Any]:
    return models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)


def _trader(related_name: str) -> models.ForeignKey[Any, Any]:
    """Every index that begins with the trader serves the foreign key as well."""
    return models.ForeignKey(TraderConfig, on_delete=models.PROTECT, related_name=related_name, db_index=False)


def _generated(path: str, output: models.Field[Any, Any]) -> models.GeneratedField:
    """A stored column over a path of `detail`. Plain numeric: with digits given, it would round."""
    return models.GeneratedField(expression=Cast(KT(path), output), output_field=output, db_persist=True)


def _exclusion() -> models.ForeignKey[Any, Any]:
    """The entry of `record_exclusions` that set the row aside; NULL: the row counts.

    Written by the database alone, when the entry is inserted (`migrations/trading`). No constraint: it would cost a
    check for each of the millions of rows that are copied in.
    """
    return models.ForeignKey(
        "RecordExclusion",
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


COUNTED = models.Q(exclusion__isnull=True)
SET_ASIDE = models.Q(exclusion__isnull=False)
TRANSFER_SIGNS = (
    models.Q(kind__in=["initial", "deposit"], amount_usd__gt=0)
    | models.Q(kind="withdrawal", amount_usd__lt=0)
    | (models.Q(kind__in=["internal", "correction"]) & ~models.Q(amount_usd=0))
)
OPEN_AND_COUNTED = models.Q(status="open") & COUNTED


class Symbol(models.Model):
    """The symbols that records may name: the choices of filters, and the decimals of prices and quantities.

    `base_asset` groups the names of one underlying (`traders.schema.symbols.base_asset`).
    """

    symbol = models.TextField(primary_key=True)
    base_asset = models.TextField(null=True, blank=True)
    price_decimals = models.SmallIntegerField(null=True, blank=True)
    quantity_decimals = models.SmallIntegerField(null=True, blank=True)
    first_seen_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "symbols"
        verbose_name = _("symbol")
        verbose_name_plural = _("symbols")
        constraints = [
            models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name="symbols_symbol_form"),
            models.CheckConstraint(
                condition=models.Q(price_decimals__gte=0) & models.Q(quantity_decimals__gte=0),
                name="symbols_decimals_from_0",
            ),
            moment("symbols", "first_seen_at"),
        ]

    def __str__(self) -> str:
        return self.symbol


class ProviderSymbol(models.Model):
    """How a provider spells its symbols: a provider lists no two names that differ in case alone."""

    pk = models.CompositePrimaryKey("provider", "symbol")
    provider = models.TextField()
    symbol = models.TextField()
    first_seen_at = models.DateTimeField(db_default=TransactionNow())

    class Meta:
        db_table = "provider_symbols"
        verbose_name = _("symbol of a provider")
        verbose_name_plural = _("symbols of providers")
        constraints = [
            # A name in another spelling: WHERE provider = ? AND lower(symbol) = ?
            models.UniqueConstraint("provider", Lower("symbol"), name="provider_symbols_one_spelling"),
            models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name="provider_symbols_symbol_form"),
            moment("provider_symbols", "first_seen_at"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.symbol}"


class Position(models.Model):
    """What a trader holds, or held, in a symbol. At most one that counts is open per trader and symbol.

    An open position that is set aside moves from the id `{trader_id}|{symbol}` to `{trader_id}|{symbol}|{opened
    ms}|{side}`, so that the symbol can be opened again; a position that is set aside cannot be changed.
    """

    id = models.TextField(primary_key=True)
    trader = _trader("positions")
    symbol = models.TextField()
    side = models.TextField()
    status = models.TextField()
    detail = _detail()
    created_at = models.DateTimeField(db_default=TransactionNow())
    updated_at = models.DateTimeField(db_default=TransactionNow())
    quantity = _generated("detail__entry__quantity", NumericField())
    entry_price = _generated("detail__entry__price", NumericField())
    leverage = _generated("detail__entry__leverage", NumericField())
    opened_ms = _generated("detail__entry__time_ms", models.BigIntegerField())
    entry_version = _generated("detail__versions__entry", models.IntegerField())
    exclusion = _exclusion()

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
            models.Index(fields=["-opened_ms", "id"], name="idx_positions_opened"),
            # How many were set aside, and the list of them: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "opened_ms"], condition=SET_ASIDE, name="idx_positions_set_aside"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["trader", "symbol"], condition=OPEN_AND_COUNTED, name="positions_one_open"),
            models.CheckConstraint(condition=models.Q(side__in=SIDES), name="positions_side_known"),
            models.CheckConstraint(condition=models.Q(status__in=["open", "closed"]), name="positions_status_known"),
            models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name="positions_symbol_form"),
        ]

    def __str__(self) -> str:
        return self.id


class Trade(models.Model):
    """A closed position with its fills and its result. Never changed, never deleted; it can be set aside."""

    id = models.TextField(primary_key=True)
    trader = _trader("trades")
    symbol = models.TextField()
    side = models.TextField()
    close_ts_ms = models.BigIntegerField()
    detail = _detail()
    created_at = models.DateTimeField(db_default=TransactionNow())
    net_pnl = _generated("detail__pnl__net", NumericField())
    quantity = _generated("detail__quantity__total", NumericField())
    leverage = _generated("detail__risk__leverage", NumericField())
    confidence = _generated("detail__risk__confidence", NumericField())
    entry_version = _generated("detail__versions__entry", models.IntegerField())
    exclusion = _exclusion()

    class Meta:
        db_table = "trades"
        verbose_name = _("trade")
        verbose_name_plural = _("trades")
        indexes = [
            # Trades of a trader with all their detail: WHERE trader_id = ? ORDER BY close_ts_ms DESC LIMIT ?
            models.Index(fields=["trader", "-close_ts_ms"], name="idx_trades_trader_time"),
            # The last N trades of a trader with what a list shows, from the index alone:
            # WHERE trader_id = ? AND exclusion_id IS NULL ORDER BY close_ts_ms DESC LIMIT ?
            models.Index(
                "trader",
                models.F("close_ts_ms").desc(),
                include=["symbol", "side", "net_pnl", "confidence", "leverage", "quantity"],
                condition=COUNTED,
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
            models.Index(fields=["-close_ts_ms", "id"], name="idx_trades_time"),
            # Trades in a symbol, newest first: WHERE symbol = ? ORDER BY close_ts_ms DESC
            models.Index(fields=["symbol", "-close_ts_ms"], name="idx_trades_symbol_time"),
            # How many were set aside, and the list of them: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "close_ts_ms"], condition=SET_ASIDE, name="idx_trades_set_aside"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(side__in=SIDES), name="trades_side_known"),
            models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name="trades_symbol_form"),
            moment_ms("trades", "close_ts_ms", unless=SET_ASIDE),
            moment("trades", "created_at", unless=SET_ASIDE),
        ]

    def __str__(self) -> str:
        return self.id


class VersionResult(models.Model):
    """The sums of a trader's trades by the version that opened them (0: before its first), kept by the database.

    A roll-up of the `trades` that count, so that a page need not read fifty thousand of them; a trade belongs to its
    entry version. Setting a trade aside takes it out in the same transaction; a version without trades has no row.
    """

    pk = models.CompositePrimaryKey("trader_id", "entry_version")
    trader = _trader("version_results")
    entry_version = models.IntegerField()
    trades = models.BigIntegerField()
    wins = models.BigIntegerField()
    losses = models.BigIntegerField()
    straddling = models.BigIntegerField()
    net_pnl = NumericField()
    gross_pnl = NumericField()
    commission = NumericField()
    first_close_ms = models.BigIntegerField()
    last_close_ms = models.BigIntegerField()

    class Meta:
        db_table = "version_results"
        verbose_name = _("result of a version")
        verbose_name_plural = _("results of versions")
        indexes = [
            # Changes by outcome: ORDER BY net_pnl
            models.Index(fields=["net_pnl"], name="idx_version_results_net"),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} v{self.entry_version}"


class DecisionJournal(models.Model):
    """A decision with the configuration's version that took it. Never changed, never deleted; it can be set aside, and
    its messages with it."""

    id = models.BigAutoField(primary_key=True)
    trader = _trader("decisions")
    config_version = models.IntegerField(null=True, blank=True)
    cycle_number = models.BigIntegerField()
    decided_at = models.DateTimeField()
    success = models.BooleanField()
    detail = _detail()
    created_at = models.DateTimeField(db_default=TransactionNow())
    entry_key = models.GeneratedField(
        expression=KT("detail__origin__key"), output_field=models.TextField(), db_persist=True
    )
    exclusion = _exclusion()

    class Meta:
        db_table = "decision_journal"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        indexes = [
            # A trader's decisions, newest first, and those of a period: WHERE trader_id = ? ORDER BY decided_at DESC
            models.Index(fields=["trader", "-decided_at"], name="idx_journal_trader_time"),
            # The journal of the fleet, newest first, a page at a time: ORDER BY decided_at DESC, id DESC
            models.Index(fields=["-decided_at", "-id"], name="idx_journal_time"),
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


class ConversationMessage(models.Model):
    """A message between the desk and a model. `conversation` groups those of one exchange."""

    id = models.BigAutoField(primary_key=True)
    trader = _trader("messages")
    decision = models.ForeignKey(
        DecisionJournal, on_delete=models.PROTECT, null=True, blank=True, related_name="messages"
    )
    conversation = models.TextField()
    sequence = models.IntegerField()
    role = models.TextField()
    content = models.TextField()
    sent_at = models.DateTimeField(null=True, blank=True)

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


class EquitySnapshot(models.Model):
    """A trader's equity at a moment, as often as it was reported. Not thinned; the public documents are."""

    pk = models.CompositePrimaryKey("trader_id", "ts_ms")
    trader = _trader("equity")
    ts_ms = models.BigIntegerField()
    equity_usd = NumericField()
    realized_pnl_usd = NumericField(null=True, blank=True)
    unrealized_pnl_usd = NumericField(null=True, blank=True)
    source = models.TextField(db_default="engine")
    exclusion = _exclusion()

    class Meta:
        db_table = "equity_snapshots"
        verbose_name = _("equity")
        verbose_name_plural = _("equity")
        indexes = [
            # The fleet's equity since a moment, and what thinning looks at: WHERE ts_ms >= ?
            models.Index(fields=["ts_ms"], name="idx_equity_time"),
            # How many were set aside: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "ts_ms"], condition=SET_ASIDE, name="idx_equity_set_aside"),
        ]
        constraints = [
            moment_ms("equity_snapshots", "ts_ms", unless=SET_ASIDE),
            *(
                number("equity_snapshots", column, -LARGEST, LARGEST, unless=SET_ASIDE)
                for column in ("equity_usd", "realized_pnl_usd", "unrealized_pnl_usd")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.ts_ms}"


class EquityTransfer(models.Model):
    """Money moved into or out of a trader's account. Append-only. An internal transfer is two rows with one
    `transfer_id`, which together are zero."""

    id = models.BigAutoField(primary_key=True)
    transfer_id = models.TextField()
    trader = _trader("transfers")
    ts_ms = models.BigIntegerField()
    # USD; positive into the account, negative out of it.
    amount_usd = NumericField()
    kind = models.TextField()
    reason = models.TextField()
    actor = models.TextField()
    # The account may be deleted, the row stays: no foreign key.
    account_id = models.BigIntegerField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "equity_transfers"
        verbose_name = _("transfer")
        verbose_name_plural = _("transfers")
        default_permissions = ("view", "add")
        indexes = [
            # A trader's transfers in order of time: WHERE trader_id = ? ORDER BY ts_ms
            models.Index(fields=["trader", "ts_ms"], name="idx_transfers_trader_time"),
        ]
        constraints = [
            # The same transfer that comes again: WHERE trader_id = ? AND transfer_id = ?
            models.UniqueConstraint(fields=["trader", "transfer_id"], name="transfers_one_an_id"),
            models.UniqueConstraint(
                fields=["trader"], condition=models.Q(kind="initial"), name="transfers_one_initial_a_trader"
            ),
            models.CheckConstraint(condition=TRANSFER_SIGNS, name="transfers_kind_and_sign"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="transfers_reason_given"),
            models.CheckConstraint(condition=~models.Q(actor=""), name="transfers_actor_given"),
            moment_ms("equity_transfers", "ts_ms"),
            number("equity_transfers", "amount_usd", -LARGEST, LARGEST),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.transfer_id}"


class RecordExclusion(models.Model):
    """A row of the record set aside, or taken back in. Append-only: the last entry of a row says how it stands.

    `kind` and `record_id` name the row: a trade, position or decision by its id, an equity point by
    `{trader_id}|{ts_ms}`. Inserting an entry marks the row (its `exclusion`) and moves `version_results` in the same
    statement; an entry that changes nothing, or names no row, is refused by the database.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.TextField()
    record_id = models.TextField()
    trader = _trader("record_exclusions")
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
