"""Changes, controls and cooldowns of one trader in one order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.controls.words import control_words
from traders.models import TraderConfigVersion, TraderSymbolCooldown
from traders.pages.config_page import ConfigPage
from traders.schema.controls.rows import GUARD_PREFIX, Control
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.trader_page import queries
from traders.words import settings as words
from traders.words.messages import listed, with_value
from traders.words.reasons import cooldown_words
from traders.words.zones import to_the_minute

SHOWN = 15
_NAMED = 2


@dataclass(frozen=True)
class TimelineLine:
    """`changed_by` and `account_id` as a version has them; `icon` names the kind beside its word."""

    at: datetime
    kind: str
    icon: str
    what: str
    changed_by: str
    account_id: int | None
    why: str
    url: str = ""


def timeline(page: ConfigPage) -> list[TimelineLine]:
    """The newest lines, newest first. Three statements."""
    trader_id = page.config_id
    found = [
        *(_version(page, row) for row in queries.newest_versions(trader_id, SHOWN)),
        *(_control(row) for row in queries.newest_controls(trader_id, SHOWN)),
        *(_cooldown(row) for row in queries.newest_cooldowns(trader_id, SHOWN)),
    ]
    found.sort(key=lambda line: line.at, reverse=True)
    return found[:SHOWN]


def _version(page: ConfigPage, row: TraderConfigVersion) -> TimelineLine:
    paths = [words.place(TRADER_SETTINGS, path) for path in row.changed_fields[:_NAMED]]
    more = len(row.changed_fields) - _NAMED
    if more > 0:
        paths.append(ngettext("%(n)d more", "%(n)d more", more) % {"n": more})
    changed = listed(paths) or (_("first version") if row.version == 1 else _("nothing"))
    return TimelineLine(
        at=row.history_date,
        kind=_("change"),
        icon="edit",
        what=with_value(f"v{row.version}", changed),
        changed_by=row.history_user_id,
        account_id=row.account_id,
        why=row.history_change_reason,
        url=reverse(page.version_name, args=[page.object_id, row.version]),
    )


def _control(row: Control) -> TimelineLine:
    is_of_guard = row.actor.startswith(GUARD_PREFIX)
    said = control_words(row)
    return TimelineLine(
        at=row.at,
        kind=_("guard") if is_of_guard else _("control"),
        icon="shield" if is_of_guard else "front_hand",
        what=said if row.trader_id else with_value(_("the fleet"), said),
        changed_by=row.actor,
        account_id=None,
        why=row.reason,
    )


def _cooldown(row: TraderSymbolCooldown) -> TimelineLine:
    detail: Any = row.detail if isinstance(row.detail, dict) else {}
    reason = detail.get("reason")
    return TimelineLine(
        at=row.created_at,
        kind=_("cooldown"),
        icon="timer",
        what=_("no new entry in %(symbol)s until %(moment)s")
        % {"symbol": row.symbol, "moment": to_the_minute(row.cooldown_until)},
        changed_by="",
        account_id=None,
        why=cooldown_words(str(reason)) if reason else "",
    )
