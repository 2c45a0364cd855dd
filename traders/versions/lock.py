"""The one transaction in which configurations change.

Every change locks the `manager_config` row first, then its traders in order of id: row locks of traders
alone would not hold the fleet's sum, for two raises that fit singly would not see each other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.utils.functional import cached_property

from traders.database import sql
from traders.models import ManagerConfig, TraderConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, SavedVersion, StoredConfig, fleet_spec
from traders.versions import queries as configs
from traders.versions import writer
from traders.versions.rules.errors import FleetNotAllowed

ConfigRow = TypeVar("ConfigRow", TraderConfig, ManagerConfig)

Retired = Callable[[Collection[str], str], None]
_on_retirement: list[Retired] = []


def on_retirement(follow: Retired) -> None:
    """`follow(trader_ids, actor)` is called in the transaction that retires these traders, after it wrote them. Only
    what this site writes is followed: a row of another program is retired, and no more."""
    _on_retirement[:] = [follow]


class LockedFleet:
    """The fleet while no other session can change a configuration. Only `locked_fleet` makes one.

    All versions of one lock are one change set: `change_set`, None until the first.
    """

    def __init__(self, settings_row: ManagerConfig | None, *, may_change_fleet: bool, change_set: int | None) -> None:
        self.may_change_fleet = may_change_fleet
        self.change_set = change_set
        self._rows: dict[str, TraderConfig | ManagerConfig | None] = {FLEET_ID: settings_row}

    @cached_property
    def settings(self) -> StoredConfig | None:
        """The fleet's settings, None until there are some."""
        return configs.current_fleet() if self._rows[FLEET_ID] else None

    @property
    def reserve_pct(self) -> Decimal:
        """0 until the fleet has settings."""
        row = self._rows[FLEET_ID]
        return fleet_spec(row).detail.manager.reserve_equity_pct if row else Decimal(0)

    def row(self, config_id: str) -> TraderConfig | ManagerConfig | None:
        """Locks and reads one configuration; None where there is none."""
        if config_id not in self._rows:
            self._rows[config_id] = _locking(TraderConfig).filter(pk=config_id).first()
        return self._rows[config_id]

    def traders(self, ids: Collection[str]) -> dict[str, StoredConfig]:
        """Locks and reads these traders; ids that do not exist are left out."""
        locked = _locking(TraderConfig).filter(pk__in=ids).order_by("pk")
        return configs.current_traders(list(locked.values_list("pk", flat=True)))

    def one(self, config_id: str) -> StoredConfig | None:
        return self.settings if config_id == FLEET_ID else self.traders([config_id]).get(config_id)

    def write(self, versions: Sequence[NewVersion], *, source: str, actor: str) -> list[SavedVersion]:
        """Writes configs and history, which the database announces.

        Raises FleetNotAllowed for a version of the fleet's settings under a lock that was not taken for them, and
        ConcurrentChange where a program that takes no lock has changed one of them.
        """
        traders = [version for version in versions if version.config_id != FLEET_ID]
        fleet = [version for version in versions if version.config_id == FLEET_ID]
        saved = [self.write_one(version, source=source, actor=actor) for version in fleet]
        if len(traders) == 1:
            saved.append(self.write_one(traders[0], source=source, actor=actor))
        elif traders:
            self.change_set = self.change_set or writer.next_change_set()
            saved += writer.write_traders(traders, change_set=self.change_set, source=source, actor=actor)
            _follow_retirements(traders, actor)
        return saved

    def write_one(
        self, version: NewVersion, *, source: str, actor: str, row: TraderConfig | ManagerConfig | None = None
    ) -> SavedVersion:
        """As `write`. `row` is an instance to be saved, instead of one read here."""
        if version.config_id == FLEET_ID and not self.may_change_fleet:
            raise FleetNotAllowed
        stands = self.row(version.config_id)
        row = row or stands or (ManagerConfig() if version.config_id == FLEET_ID else TraderConfig())
        saved = writer.write_one(row, version, stands=stands, change_set=self.change_set, source=source, actor=actor)
        self.change_set = saved.change_set
        _follow_retirements([version], actor)
        return saved


@contextmanager
def locked_fleet(
    *, may_change_fleet: bool = False, change_set: int | None = None, savepoint: bool = True
) -> Iterator[LockedFleet]:
    """One transaction over any number of configurations; an exception inside leaves nothing written.

    The fleet's settings need a permission of their own, so a caller that may write them says so. `change_set` goes on
    with one that was begun in the same transaction. `savepoint` False: what an exception leaves inside is left by the
    caller's transaction as well.
    """
    with transaction.atomic(savepoint=savepoint):
        yield LockedFleet(lock_fleet(), may_change_fleet=may_change_fleet, change_set=change_set)


def lock_fleet() -> ManagerConfig | None:
    """Locks the fleet's settings, which are returned, until the transaction ends. None where there are none yet."""
    locked = _locking(ManagerConfig).filter(pk=1)
    if (row := locked.first()) is not None:
        return row
    # Nothing to lock before the first settings are stored: the same key as the database's own check.
    sql.execute("SELECT pg_advisory_xact_lock(hashtext('nof0.fleet'))")
    return locked.all().first()


def _follow_retirements(versions: Sequence[NewVersion], actor: str) -> None:
    retired = [
        one.config_id
        for one in versions
        if "detail.retired" in one.changed_fields and one.snapshot["detail"]["retired"]
    ]
    for follow in _on_retirement if retired else ():
        follow(retired, actor)


def _locking(model: type[ConfigRow]) -> QuerySet[ConfigRow]:
    """Keys never change, so rows that refer to these are written meanwhile: a stop waits for no edit and no sync."""
    return _rows_of(model).select_for_update(no_key=True)


def _rows_of(model: type[ConfigRow]) -> QuerySet[ConfigRow]:
    """Without the lock that `model.objects` takes before others: here it is taken already."""
    return QuerySet(model)
