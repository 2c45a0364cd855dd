"""Checks foreign keys now: at commit it is not known any more which record broke one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection

from traders.schema.messages import _
from trading.record.rules.errors import RecordError, UnknownTrader


@contextmanager
def checked(trader_id: str, config_version: int | None = None) -> Iterator[None]:
    """What is written inside is checked at its end. Raises UnknownTrader, and RecordError for a version that the
    trader never had."""
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError as error:
        if "decision_journal_version_fk" in str(error):
            raise RecordError(
                _("%(trader_id)s has no version %(config_version)s", trader_id=trader_id, config_version=config_version)
            ) from error
        if "fk_trader_config" in str(error):
            raise UnknownTrader(trader_id) from error
        raise
