"""Entries of Django's own admin log for what is saved on pages.

One entry for a saved object, one for a change set of many. A sync and the engine API write none: the change log has
them, and everything that is here, with its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType

from traders.models import ManagerConfig, TraderConfig
from traders.pages.config_page import ConfigPage
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion

NAMED = 20
"""Configurations that an entry of a change set names."""


def log_version(page: ConfigPage, saved: SavedVersion, reason: str, *, added: bool = False) -> None:
    row: Any = ManagerConfig() if saved.config_id == FLEET_ID else TraderConfig(pk=saved.config_id)
    write = page.admin.log_addition if added else page.admin.log_change
    write(page.request, row, f"v{saved.version}: {reason}")


def log_change_set(page: ConfigPage, saved: Sequence[SavedVersion], reason: str) -> None:
    """`saved` has at least one version; all are of one change set."""
    names = ", ".join(version.config_id for version in saved[:NAMED]) + (", …" if len(saved) > NAMED else "")
    LogEntry.objects.create(
        user_id=int(str(page.request.user.pk)),
        content_type=ContentType.objects.get_for_model(TraderConfig),
        object_repr=f"Change set {saved[0].change_set}",
        action_flag=CHANGE,
        change_message=f"{reason} ({names})",
    )
