"""Drops indexes that no statement needs, and makes them again on the way back."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import migrations


def dropped(indexes: Mapping[str, str]) -> migrations.RunSQL:
    """{name: what stands behind ON when it is made}. One at a time, as Citus wants it."""
    return migrations.RunSQL(
        [f"DROP INDEX IF EXISTS {name}" for name in indexes],
        [f"CREATE INDEX {name} ON {where}" for name, where in indexes.items()],
    )
