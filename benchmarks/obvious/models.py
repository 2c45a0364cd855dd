from __future__ import annotations

from django.db import models
from django.db.models.functions import Lower
from simple_history.models import HistoricalRecords

from traders.schema.jsonio import ExactDecoder, ExactEncoder


class ObviousTrader(models.Model):
    id = models.TextField(primary_key=True)
    version = models.IntegerField(default=1)
    exchange_provider = models.TextField()
    market_provider = models.TextField()
    allocation_pct = models.DecimalField(max_digits=5, decimal_places=2)
    detail = models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    created_by = models.TextField(null=True)

    history = HistoricalRecords()
    objects: models.Manager[ObviousTrader] = models.Manager()

    class Meta:
        db_table = "obvious_trader"
        indexes = [models.Index(fields=["exchange_provider", "market_provider"], name="idx_obvious_providers")]
        constraints = [
            models.UniqueConstraint(Lower("id"), name="obvious_id_ignoring_case"),
            models.CheckConstraint(
                condition=models.Q(allocation_pct__gte=0, allocation_pct__lte=100), name="obvious_allocation"
            ),
        ]

    def __str__(self) -> str:
        return self.id
