"""The known symbols, and how each provider spells them. `trading.models` imports them, so that Django finds them."""

from __future__ import annotations

from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from traders.constraints import moment
from traders.schema.symbols import SYMBOL_FORM


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
