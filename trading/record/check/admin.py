"""Unreadable rows of the record: the page that lists them, and the page that replaces their ticket."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.schema import jsonio
from trading.export.status import file as status
from trading.record.check import services as check_record
from trading.record.exclusions.admin import mark_of, may_exclude
from trading.record.pages import RecordPage
from trading.record.stored import stored_rows
from trading.schema.exclusion import KIND_OF_TABLE, RecordKey
from trading.schema.tolerant import DetailReading
from trading.schema.unreadable import Unreadable

# Rows of each table. A page must answer soon; `check_record` reads all rows.
NEWEST = 300
# Each row is shown with its whole text.
MOST_SHOWN = 100
MOST_LEAF_CHARACTERS = 2_000
# The permission to see the table; for rows without pages of their own, the permission to see trades.
_PERMISSIONS = {"positions": "trading.view_position", "decision_journal": "trading.view_decisionjournal"}
_PAGES = {
    "trades": "admin:trading_trade_change",
    "positions": "admin:trading_position_change",
    "decision_journal": "admin:trading_decisionjournal_change",
}


@dataclass(frozen=True, slots=True)
class UnreadableRowLine:
    """`text` is the whole row as indented JSON, empty if it does not exist; `url` is the address of its ticket."""

    row: Unreadable
    text: str
    url: str

    @property
    def aside_query(self) -> str:
        """The query that sets the row aside; empty for a table whose rows cannot be set aside."""
        kind = KIND_OF_TABLE.get(self.row.table)
        return urlencode({"kind": kind, "id": self.row.id}) if kind else ""


def unreadable_count() -> int:
    """The numbers of the last export."""
    return sum(status.unreadable(settings.EXPORT_DIR).values())


def unreadable_list(page: RecordPage) -> HttpResponse:
    """The rows that the last export left out, and the unreadable rows among the newest."""
    seen = status.read(settings.EXPORT_DIR)
    found = {(row.table, row.id): row for row in (seen.unreadable_rows if seen else ())}
    for one in check_record.newest_unreadable(NEWEST):
        found[one.table, one.id] = Unreadable(one.table, one.id, one.path, one.reason)
    rows = [row for key, row in sorted(found.items()) if _may_look(page, row.table)]
    named = len(seen.unreadable_rows) if seen else 0
    return page.render(
        "unreadable_rows.html",
        _("Unreadable rows"),
        rows=_shown(rows[:MOST_SHOWN]),
        more=max(0, len(rows) - MOST_SHOWN) + max(0, unreadable_count() - named),
        newest=NEWEST,
        exported_at=seen.at if seen else None,
        may_exclude=may_exclude(page.request),
    )


def unreadable_view(page: RecordPage, row: Unreadable, trader_id: str = "") -> HttpResponse:
    """The page instead of a ticket: the problem of the row, and its text."""
    (shown,) = _shown([row])
    kind = KIND_OF_TABLE.get(row.table)
    return page.render(
        "unreadable_row.html",
        _("Unreadable row %(id)s") % {"id": row.id},
        shown=shown,
        trader=trader_id,
        mark=mark_of(page.request, RecordKey(kind, row.id, trader_id or None)) if kind else None,
    )


def unknown_leaves(found: DetailReading[Any]) -> list[tuple[str, str]]:
    """(path, JSON) of stored leaves that this release does not know."""
    return [(leaf.path, _text(leaf.value)) for leaf in found.unknown]


def _shown(rows: Iterable[Unreadable]) -> list[UnreadableRowLine]:
    wanted = list(rows)
    texts = stored_rows.texts((row.table, row.id) for row in wanted)
    return [UnreadableRowLine(row, texts.get((row.table, row.id), ""), _url(row)) for row in wanted]


def _url(row: Unreadable) -> str:
    return reverse(_PAGES[row.table], args=[row.id]) if row.table in _PAGES and row.id else ""


def _may_look(page: RecordPage, table: str) -> bool:
    return bool(page.request.user.has_perm(_PERMISSIONS.get(table, "trading.view_trade")))


def _text(value: Any) -> str:
    try:
        text = jsonio.dumps(value)
    except (ValueError, RecursionError):
        text = _("nested too deep, or too long")
    return text if len(text) <= MOST_LEAF_CHARACTERS else text[: MOST_LEAF_CHARACTERS - 1] + "…"
