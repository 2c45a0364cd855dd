"""What was moved in from the database of an earlier program, and its prices. `trading.models` imports them, so that
Django finds them."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema.symbols import SYMBOL_FORM


class MoveIn(models.Model):
    """One run of `manage.py adopt` that wrote something, or nothing new. Rows are only added.

    `report` has the counts of each table and what was left behind, `rejects` the first refused rows with their reasons;
    `refused` counts all of them.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(db_default=Now())
    actor = models.TextField()
    source = models.TextField()
    generation = models.TextField()
    refused = models.IntegerField()
    report = models.JSONField(encoder=DjangoJSONEncoder)
    rejects = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        db_table = "move_ins"
        verbose_name = _("move")
        verbose_name_plural = _("moving in")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=~models.Q(actor=""), name="move_ins_actor_given"),
            moment("move_ins", "at"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.at:%Y-%m-%d %H:%M}"


class PriceHistory(models.Model):
    """The prices of one symbol on one day (UTC) as the earlier program kept them, in order of time.

    The arrays have one item a price: its moment (ms), the price (USD), the volume, and of a candle its open, high and
    low; NULL where the source names none. `interval` is that of a candle, "" of a tick. Digits are those of the
    source's floats.
    """

    pk = models.CompositePrimaryKey("provider", "symbol", "interval", "day")
    provider = models.TextField()
    symbol = models.TextField()
    interval = models.TextField()
    day = models.DateField()
    moments_ms = ArrayField(models.BigIntegerField())
    prices = ArrayField(models.FloatField())
    volumes = ArrayField(models.FloatField(null=True))
    opens = ArrayField(models.FloatField(null=True))
    highs = ArrayField(models.FloatField(null=True))
    lows = ArrayField(models.FloatField(null=True))

    class Meta:
        db_table = "price_history"
        verbose_name = _("price history")
        verbose_name_plural = _("price history")
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=models.Q(symbol__regex=SYMBOL_FORM), name="price_history_symbol_form")
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.symbol} {self.day}"
