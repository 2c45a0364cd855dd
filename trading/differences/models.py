"""The table of differences between the record and an exchange. `trading.models` imports it, so that Django finds it."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema.symbols import SYMBOL_FORM
from trading.columns import SIDES, detail_column, trader_column

UNSETTLED = models.Q(settled_at__isnull=True)
# Dismissed ones stay at the exchange until a report comes without them.
STANDING_SECOND_SIDE = models.Q(kind="second_side", agreed_at__isnull=True)


class ExchangeDifference(models.Model):
    """One difference that a report of an engine found. While it is not settled, the trader opens nothing.

    `subject` tells those of one trader and kind apart: a symbol and side, an order. `detail` has `ours` (of the record)
    and `theirs` (of the exchange), and what else the exchange said. `agreed_at` is when a report first came without it.
    """

    trader = trader_column("exchange_differences")
    kind = models.TextField(_("kind"))
    subject = models.TextField(_("subject"))
    symbol = models.TextField(_("symbol"), null=True, blank=True)
    side = models.TextField(_("side"), null=True, blank=True)
    detail = detail_column()
    reported_by = models.TextField(_("reported by"))
    found_at = models.DateTimeField(_("found"), db_default=Now())
    seen_at = models.DateTimeField(_("last seen"), db_default=Now())
    agreed_at = models.DateTimeField(null=True, blank=True)
    # taken: the record was brought to what the exchange says; dismissed: it was left as it is.
    settlement = models.TextField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.TextField(null=True, blank=True)
    account_id = models.BigIntegerField(null=True, blank=True)
    reason = models.TextField(null=True, blank=True)

    class Meta:
        db_table = "exchange_differences"
        verbose_name = _("difference with an exchange")
        verbose_name_plural = _("differences with exchanges")
        default_permissions = ("view",)
        permissions = [("settle_exchangedifference", "Can settle differences with exchanges")]
        indexes = [
            # The last one of a cause, settled or not: WHERE trader_id = ? ORDER BY id DESC
            models.Index(fields=["trader", "-id"], name="idx_differences_trader"),
        ]
        constraints = [
            # Those that ban entries: WHERE settled_at IS NULL AND trader_id = ?
            models.UniqueConstraint(
                fields=["trader", "kind", "subject"], condition=UNSETTLED, name="exchange_differences_one_unsettled"
            ),
            models.CheckConstraint(
                condition=models.Q(side__isnull=True) | models.Q(side__in=SIDES), name="exchange_differences_side_known"
            ),
            models.CheckConstraint(
                # One that is settled may name what was stored before the rule.
                condition=models.Q(symbol__isnull=True)
                | models.Q(settled_at__isnull=False)
                | models.Q(symbol__regex=SYMBOL_FORM),
                name="exchange_differences_symbol_form",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    settlement__isnull=True, settled_at__isnull=True, settled_by__isnull=True, reason__isnull=True
                )
                | models.Q(
                    settlement__in=["taken", "dismissed"],
                    settled_at__isnull=False,
                    settled_by__isnull=False,
                    reason__isnull=False,
                ),
                name="exchange_differences_settled_by_somebody",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind="") & ~models.Q(subject="") & ~models.Q(reported_by=""),
                name="exchange_differences_named",
            ),
            *(moment("exchange_differences", column) for column in ("found_at", "seen_at", "agreed_at", "settled_at")),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.symbol}"
