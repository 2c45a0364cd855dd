"""A sync as one would write it first: trader by trader, each in its own transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from benchmarks.obvious.models import ObviousTrader
from traders.manager_yaml.file import ManagerFile

FIELDS = ("exchange_provider", "market_provider", "allocation_pct", "detail")


def sync(file: ManagerFile) -> None:
    for trader_id, spec in file.traders.items():
        _sync_one(trader_id, spec.model_dump())


@transaction.atomic
def _sync_one(trader_id: str, declared: dict[str, Any]) -> None:
    row = ObviousTrader.objects.filter(pk=trader_id).first()
    if row is None:
        row = ObviousTrader(id=trader_id, version=0, created_by="cli")
    elif all(getattr(row, name) == declared[name] for name in FIELDS):
        return
    for name in FIELDS:
        setattr(row, name, declared[name])
    row.version += 1
    row._change_reason = "sync"  # type: ignore[attr-defined]
    row.save()
