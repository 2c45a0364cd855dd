"""The tables of equity and of the money that was moved. Imported by `trading.models`, which Django reads."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment, moment_ms, number
from trading.columns import SET_ASIDE, exclusion_column, trader_column
from trading.fields import NumericField
from trading.schema.leaf import LARGEST

TRANSFER_SIGNS = (
    models.Q(kind__in=["initial", "deposit"], amount_usd__gt=0)
    | models.Q(kind="withdrawal", amount_usd__lt=0)
    | (models.Q(kind__in=["internal", "correction"]) & ~models.Q(amount_usd=0))
)


class EquitySnapshot(models.Model):
    """A trader's equity at a moment, as often as it was reported. Not thinned; the public documents are.

    A wrong point is set aside, and its correction counts at the next free millisecond: `corrects_ts_ms` names the wrong
    one. Engines insert with ON CONFLICT (trader_id, ts_ms), so the key has these two columns.

    `available_usd` is what no position held as margin, of sources that say it.

    `is_suspect` is written by the database alone (`migrations/trading`), whatever program writes the row: a point of an
    engine at or below zero, or more than 30 % away from the last good one without a fill, funding or transfer between
    them, counts nowhere until the next point is near it.
    """

    pk = models.CompositePrimaryKey("trader_id", "ts_ms")
    trader = trader_column("equity")
    ts_ms = models.BigIntegerField()
    equity_usd = NumericField()
    realized_pnl_usd = NumericField(null=True, blank=True)
    unrealized_pnl_usd = NumericField(null=True, blank=True)
    available_usd = NumericField(null=True, blank=True)
    source = models.TextField(db_default="engine")
    corrects_ts_ms = models.BigIntegerField(null=True, blank=True)
    exclusion = exclusion_column()
    is_suspect = models.BooleanField(db_default=False, editable=False)

    class Meta:
        db_table = "equity_snapshots"
        verbose_name = _("equity")
        verbose_name_plural = _("equity")
        indexes = [
            # The fleet's equity since a moment, and what thinning looks at: WHERE ts_ms >= ?
            models.Index(fields=["ts_ms"], name="idx_equity_time"),
            # How many were set aside: WHERE exclusion_id IS NOT NULL AND trader_id = ?
            models.Index(fields=["trader", "ts_ms"], condition=SET_ASIDE, name="idx_equity_set_aside"),
            # What a fill or a transfer that comes later may explain: WHERE trader_id = ? AND ts_ms >= ? AND is_suspect
            models.Index(fields=["trader", "ts_ms"], condition=models.Q(is_suspect=True), name="idx_equity_suspect"),
            # Whether returns break off: WHERE trader_id = ? AND equity_usd <= 0
            models.Index(
                fields=["trader", "ts_ms"], condition=models.Q(equity_usd__lte=0), name="idx_equity_not_above_zero"
            ),
        ]
        constraints = [
            # The correction of a point: WHERE trader_id = ? AND corrects_ts_ms = ?
            models.UniqueConstraint(
                fields=["trader", "corrects_ts_ms"],
                condition=models.Q(corrects_ts_ms__isnull=False),
                name="equity_snapshots_corrected_once",
            ),
            models.CheckConstraint(
                condition=models.Q(corrects_ts_ms__lt=models.F("ts_ms")), name="equity_snapshots_correction_later"
            ),
            moment_ms("equity_snapshots", "ts_ms", unless=SET_ASIDE),
            *(
                number("equity_snapshots", column, -LARGEST, LARGEST, unless=SET_ASIDE)
                for column in ("equity_usd", "realized_pnl_usd", "unrealized_pnl_usd", "available_usd")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.ts_ms}"


class EquityTransfer(models.Model):
    """Money moved into or out of a trader's account. Append-only. An internal transfer between two traders is
    two rows with one `transfer_id`, which together are zero. Where a version changes a trader's allocation it is one
    row: the other side is the capital that no trader has, which is not an account."""

    id = models.BigAutoField(primary_key=True)
    transfer_id = models.TextField()
    trader = trader_column("transfers")
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
            moment("equity_transfers", "created_at"),
            number("equity_transfers", "amount_usd", -LARGEST, LARGEST),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.transfer_id}"
