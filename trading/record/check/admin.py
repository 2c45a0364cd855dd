"""Rows of the record that cannot be read: the page that lists them, and what stands in the place of a ticket."""

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
from trading.schema.exclusion import KIND_OF_TABLE
from trading.schema.tolerant import Reading
from trading.schema.unreadable import Unreadable

# Of each table; a page must answer, and `check_record` reads the rest.
NEWEST = 300
# Each with its whole text.
MOST_SHOWN = 100
MOST_LEAF_CHARACTERS = 2_000
# The right to see the table; rows without pages of their own need the right to see trades.
_PERMISSIONS = {"positions": "trading.view_position", "decision_journal": "trading.view_decisionjournal"}
_PAGES = {
    "trades": "admin:trading_trade_change",
    "positions": "admin:trading_position_change",
    "decision_journal": "admin:trading_decisionjournal_change",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """`text` is the whole row as indented JSON, empty where it is gone; `url` is its ticket's."""

    row: Unreadable
    text: str
    url: str

    @property
    def aside_query(self) -> str:
        """Empty for a table whose rows are not set aside."""
        kind = KIND_OF_TABLE.get(self.row.table)
        return urlencode({"kind": kind, "id": self.row.id}) if kind else ""


def unreadable_count() -> int:
    """As the exporter last found it."""
    return sum(status.unreadable(settings.EXPORT_DIR).values())


def unreadable_list(page: RecordPage) -> HttpResponse:
    """What the exporter left out of the documents, and what of the newest rows cannot be read now."""
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
    """In the place of a ticket: what is wrong with the row, and its text."""
    (shown,) = _shown([row])
    kind = KIND_OF_TABLE.get(row.table)
    return page.render(
        "unreadable_row.html",
        _("Unreadable row %(id)s") % {"id": row.id},
        shown=shown,
        trader=trader_id,
        mark=mark_of(page.request, kind, row.id) if kind else None,
    )


def unknown_leaves(found: Reading[Any]) -> list[tuple[str, str]]:
    """(path, its JSON) of what is stored and this release does not know."""
    return [(leaf.path, _text(leaf.value)) for leaf in found.unknown]


def _shown(rows: Iterable[Unreadable]) -> list[Shown]:
    wanted = list(rows)
    texts = stored_rows.texts((row.table, row.id) for row in wanted)
    return [Shown(row, texts.get((row.table, row.id), ""), _url(row)) for row in wanted]


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
