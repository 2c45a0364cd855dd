"""Checks foreign keys now: at commit it is not known any more which record broke one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, connection

from traders.database import sql
from traders.models import TraderConfig
from traders.schema.messages import _
from trading.record.rules.errors import RecordError, UnknownTrader
from trading.record.stored.spread.form import HELD

_VERSION = "SELECT count(*) FROM trader_config_versions WHERE id = %s AND version = %s"


@contextmanager
def checked(trader_id: str, config_version: int | None = None) -> Iterator[None]:
    """What is written inside is checked at its end. Raises UnknownTrader, and RecordError for a version that the
    trader never had."""
    try:
        yield
        with connection.cursor() as cursor:
            # One way to the server and back for three statements.
            cursor.execute(f"SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; {HELD}")
            while cursor.nextset():
                pass
            _lock, is_spread = cursor.fetchone()
        if is_spread:
            _require(trader_id, config_version)
    except IntegrityError as error:
        if "decision_journal_version_fk" in str(error):
            raise _no_version(trader_id, config_version) from error
        if "fk_trader_config" in str(error):
            raise UnknownTrader(trader_id) from error
        raise


def _require(trader_id: str, config_version: int | None) -> None:
    """What the foreign keys hold where the record is not spread: traders are never deleted, and versions neither."""
    if not TraderConfig.objects.filter(pk=trader_id).exists():
        raise UnknownTrader(trader_id)
    if config_version is not None and not sql.value(_VERSION, [trader_id, config_version]):
        raise _no_version(trader_id, config_version)


def _no_version(trader_id: str, config_version: int | None) -> RecordError:
    return RecordError(
        _("%(trader_id)s has no version %(config_version)s", trader_id=trader_id, config_version=config_version)
    )
