"""The symbols that records may name."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from trading.models import Symbol


def known() -> frozenset[str]:
    return frozenset(Symbol.objects.values_list("symbol", flat=True))


def add(symbols: Collection[str]) -> int:
    """How many were new. Takes part in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO symbols (symbol) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING", [sorted(symbols)]
        )
        return int(cursor.rowcount)
