"""Template tags of all pages: states, times, durations, percentages, the fleet's allocation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.runtime.rules import State
from traders.versions import actors as accounts
from traders.versions.rules.allocation import Allocation
from traders.words import settings as words
from traders.words.messages import clauses, ended, line, listed, translated, with_unit, with_value
from traders.words.moments import ago_words, time_element
from traders.words.moments import for_picker as picked
from traders.words.reasons import reason_words
from traders.words.zones import exact

register = template.Library()
register.filter("exact", exact)
register.filter("translated", translated)
register.filter("problem_line", line)
register.filter("ended", ended)
register.filter("with_unit", with_unit)
register.filter("with_value", with_value)
register.filter("listed", listed)
register.filter("reason_words", reason_words)
register.filter("clauses", clauses)

NONE = "–"

ICONS = {
    State.RUNNING: "play_circle",
    State.OVERDUE: "schedule",
    State.PENDING: "hourglass_top",
    State.PAUSED: "pause_circle",
    State.STOPPED: "stop_circle",
    State.STALE: "history_toggle_off",
    State.NOT_REPORTED: "radio_button_unchecked",
    State.RETIRED: "archive",
}


def state_word(state: State) -> str:
    return {
        State.RUNNING: _("running"),
        State.OVERDUE: _("running, report overdue"),
        State.PENDING: _("pending"),
        State.PAUSED: _("paused"),
        State.STOPPED: _("stopped"),
        State.STALE: _("stale"),
        State.NOT_REPORTED: _("not reported"),
        State.RETIRED: _("retired"),
    }[state]


@register.simple_tag
def state_mark(state: State, note: str = "") -> SafeString:
    """One word with its icon and colour; `note` follows in grey."""
    return format_html(
        '<span class="state state-{}"><span class="material-symbols-outlined" aria-hidden="true">{}</span>{}</span>{}',
        state.value,
        ICONS[state],
        state_word(state),
        format_html(' <span class="faint">{}</span>', note) if note else "",
    )


@register.simple_tag(takes_context=True)
def person(context: dict[str, Any], version: Any) -> SafeString:
    """The name that a version was made under, `version` having `changed_by` and `account_id`.

    It leads to the account where that account made it, whatever it is called today. Another account of the same name
    is not the one: that, and an account that was deleted, is said beside the name.
    """
    name, account_id = version.changed_by, version.account_id
    if account_id is None:
        return format_html("<b>{}</b>", name)
    names = _usernames(context["request"])
    today = names.get(account_id)
    if today is None:
        others = name in names.values()
        note = _("an earlier account of this name") if others else _("account deleted")
        return format_html('<b>{}</b> <span class="faint">({})</span>', name, note)
    note = "" if today == name else format_html(' <span class="faint">({})</span>', _("now %(name)s") % {"name": today})
    if not context["request"].user.has_perm("auth.view_user"):
        return format_html("<b>{}</b>{}", name, note)
    return format_html('<b><a href="{}">{}</a></b>{}', reverse("admin:auth_user_change", args=[account_id]), name, note)


def _usernames(request: Any) -> Mapping[int, str]:
    """Read once a page."""
    if not hasattr(request, "usernames"):
        request.usernames = accounts.usernames()
    names: Mapping[int, str] = request.usernames
    return names


@register.simple_tag
def comma() -> str:
    """Between two items of a list."""
    return listed(["", ""])


@register.filter
def source_word(source: str) -> str:
    return words.source(source)


@register.filter
def ago(moment: datetime) -> SafeString:
    """`10:30, 4 min ago` in the viewer's zone, with the exact time on hover."""
    return time_element(moment, timezone.now())


@register.filter
def when(moment: datetime) -> SafeString:
    """As `ago`, of what may lie ahead: `10:37, in 3 min`."""
    return time_element(moment, timezone.now(), may_lie_ahead=True)


@register.filter
def age(moment: datetime) -> str:
    """`4 min ago`, beside a moment that is written whole."""
    return ago_words(moment, timezone.now())


@register.simple_tag
def viewer_zone() -> SafeString:
    """The zone of the times on this page, beside fields that are read in it."""
    return format_html('<span class="faint zone">{}</span>', timezone.get_current_timezone_name())


@register.filter
def moment_text(moment: datetime) -> str:
    """As addresses and commands write it: 2026-11-01T12:00:00Z, with its microseconds where it has some."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


@register.filter
def for_picker(moment: datetime) -> str:
    return picked(moment)


@register.filter
def pct(number: Decimal) -> str:
    """Always two decimals, so that a column of them lines up."""
    return f"{number:.2f}"


@register.filter
def duration(seconds: int) -> str:
    return words.duration(seconds)


@register.filter
def active_for(since: datetime, until: datetime | None) -> str:
    """How long it was in force, by its two largest units; until now where nothing followed. Empty under a minute."""
    seconds = int(((until or timezone.now()) - since).total_seconds())
    return words.rough_duration(seconds) if seconds >= 60 else ""


@register.filter
def cells_of(beside: Any, version: int) -> list[tuple[str, Any]]:
    """(head, cell) of what `beside`, a seams.Beside or None, says of a version; dashes where it knows nothing."""
    if not beside:
        return []
    return list(zip(beside.heads, beside.cells.get(version) or [NONE] * len(beside.heads), strict=True))


@register.filter
def plain(number: Decimal) -> str:
    return words.number(number)


@register.inclusion_tag("traders/parts/allocation.html")
def allocation_bar(allocation: Allocation) -> dict[str, Any]:
    """The fleet's capital as a bar with its numbers; what is over 100 % is cut off the bar, not the numbers."""
    allocated, reserve = float(allocation.allocated_pct), float(allocation.reserve_pct)
    return {
        "allocation": allocation,
        "allocated_width": f"{min(100.0, allocated):.2f}",
        "reserve_x": f"{100 - reserve:.2f}",
        "reserve_width": f"{reserve:.2f}",
    }


@register.inclusion_tag("traders/parts/changes.html")
def changes_table(rows: Any, caption: str = "") -> dict[str, Any]:
    return {"rows": rows, "caption": caption}
