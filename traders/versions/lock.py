"""The one transaction in which configurations change.

Every change locks the `manager_config` row first, then its traders in order of id: row locks of traders
alone would not hold the fleet's sum, for two raises that fit singly would not see each other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from django.db import connection, transaction

from traders.models import ManagerConfig, TraderConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import NewVersion, SavedVersion, StoredConfig
from traders.versions import queries as configs
from traders.versions import writer
from traders.versions.rules.errors import FleetNotAllowed


class LockedFleet:
    """The fleet while nobody else can change any configuration. Only `locked_fleet` makes one."""

    def __init__(self, settings: StoredConfig | None, *, may_change_fleet: bool) -> None:
        self.settings = settings
        self.may_change_fleet = may_change_fleet
        self.change_set: int | None = None

    def traders(self, ids: Collection[str]) -> dict[str, StoredConfig]:
        """Locks and reads these traders; ids that do not exist are left out."""
        locked = TraderConfig.objects.filter(pk__in=ids).order_by("pk").select_for_update()
        return configs.current_traders(list(locked.values_list("pk", flat=True)))

    def one(self, config_id: str) -> StoredConfig | None:
        return self.settings if config_id == FLEET_ID else self.traders([config_id]).get(config_id)

    def write(self, versions: Sequence[NewVersion], *, source: str, actor: str) -> list[SavedVersion]:
        """Writes configs and history, which the database announces. All versions of one lock are one change set.

        Raises FleetNotAllowed for a version of the fleet's settings under a lock that was not taken for them.
        """
        if not versions:
            return []
        if not self.may_change_fleet and any(version.config_id == FLEET_ID for version in versions):
            raise FleetNotAllowed
        if self.change_set is None:
            self.change_set = writer.next_change_set()
        traders = [version for version in versions if version.config_id != FLEET_ID]
        saved = [
            writer.write_fleet(version, change_set=self.change_set, source=source, actor=actor)
            for version in versions
            if version.config_id == FLEET_ID
        ]
        if traders:
            saved += writer.write_traders(traders, change_set=self.change_set, source=source, actor=actor)
        return saved


@contextmanager
def locked_fleet(*, may_change_fleet: bool = False) -> Iterator[LockedFleet]:
    """One transaction over any number of configurations; an exception inside leaves nothing written.

    The fleet's settings need a permission of their own, so a caller that may write them says so.
    """
    with transaction.atomic():
        yield LockedFleet(_lock_settings(), may_change_fleet=may_change_fleet)


def _lock_settings() -> StoredConfig | None:
    if not _lock_settings_row():
        # Nothing to lock before the first settings are stored: the same key as the database's own check.
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('nof0.fleet'))")
        _lock_settings_row()
    return configs.current_fleet()


def _lock_settings_row() -> bool:
    return ManagerConfig.objects.select_for_update().filter(pk=1).values_list("pk").first() is not None
