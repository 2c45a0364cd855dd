"""Django's database router: reads of the record and of configurations may go to the replica, all else goes to the
primary."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Model

from traders.database import reading
from traders.models import TraderConfig
from trading.models import Trade

# Of others, such as accounts, sessions and tokens, only the primary says what holds now.
_APPS = frozenset({TraderConfig._meta.app_label, Trade._meta.app_label})
_NOT_OF_THE_FLEET = frozenset(
    f"traders.{name}_models" for name in ("audit", "draft", "factor", "preference", "session", "token")
)


class ReplicaRouter:
    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        if other := _other_database(hints.get("instance")):
            return other
        may_be_late = model._meta.app_label in _APPS and model.__module__ not in _NOT_OF_THE_FLEET
        return reading.alias() if may_be_late else DEFAULT_DB_ALIAS

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return _other_database(hints.get("instance")) or DEFAULT_DB_ALIAS

    def allow_relation(self, first: Model, second: Model, **hints: Any) -> bool:
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if db == reading.REPLICA else None


def _other_database(instance: Model | None) -> str:
    """That of a row which is neither of the primary nor of the replica, such as one that is being migrated: what refers
    to the row is there too. Empty for all others."""
    alias = instance._state.db if instance is not None else None
    return "" if alias in (None, DEFAULT_DB_ALIAS, reading.REPLICA) else str(alias)
