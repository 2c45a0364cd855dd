"""The table of guards: how far each trader's index of returns has come."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from traders.models import TraderConfig
from trading.fields import NumericField


class GuardPeak(models.Model):
    """The highest index since `since_ms`, continued by each equity point, so that a drawdown never reads a whole
    series. A copy: it is made again whenever what it was made from has changed."""

    trader = models.OneToOneField(TraderConfig, on_delete=models.PROTECT, primary_key=True, related_name="guard_peak")
    # When the trader was last resumed after a drawdown; 0: never.
    since_ms = models.BigIntegerField()
    upto_ms = models.BigIntegerField()
    equity_usd = NumericField()
    index = NumericField()
    peak = NumericField()
    peak_ms = models.BigIntegerField()
    # The fall at the point before the last: two points in breach make a guard act.
    before_pct = NumericField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "guard_peaks"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return str(self.pk)
