"""The lists of the record: what is asked for, a page of it, its totals, and the pages beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.models import TraderConfig
from trading.models import Symbol
from trading.record.browse import lines, totals
from trading.record.browse import services as record_export
from trading.record.browse.forms import (
    DecisionFilterForm,
    PositionFilterForm,
    RecordFilterForm,
    TradeFilterForm,
    place_text,
)
from trading.record.browse.queries import ONLY_ASIDE, Page
from trading.record.browse.services import Exported
from trading.record.exclusions import queries as exclusions
from trading.record.exclusions.admin import may_exclude
from trading.record.pages import Room
from trading.record.stored.bounded import TookTooLong
from trading.schema.exclusion import RecordKind

OFFERED = 500
"""Ids and symbols offered; any other trader can be typed as well."""


@dataclass(frozen=True)
class Listing:
    """What makes one list another."""

    title: Callable[[], str]
    template: str
    form: type[RecordFilterForm]
    page: Callable[..., Page]
    totals: Callable[..., Any]
    exported: Exported
    kind: RecordKind


TRADES = Listing(
    title=lambda: _("Trades"),
    template="trades.html",
    form=TradeFilterForm,
    page=lines.trades,
    totals=totals.of_trades,
    exported=record_export.TRADE,
    kind=RecordKind.TRADE,
)
POSITIONS = Listing(
    title=lambda: _("Positions"),
    template="positions.html",
    form=PositionFilterForm,
    page=lines.positions,
    totals=totals.of_positions,
    exported=record_export.POSITION,
    kind=RecordKind.POSITION,
)
DECISIONS = Listing(
    title=lambda: _("Decisions"),
    template="decisions.html",
    form=DecisionFilterForm,
    page=lines.decisions,
    totals=totals.of_decisions,
    exported=record_export.DECISION,
    kind=RecordKind.DECISION,
)


def list_view(room: Room, listing: Listing) -> HttpResponse:
    form = filter_form(room, listing)
    page, sums, too_long = Page([]), None, False
    if form.is_valid():
        where, given = form.where(), form.cleaned_data
        try:
            page = listing.page(where, older_than=given["older"], newer_than=given["newer"])
            sums = listing.totals(where)
        except TookTooLong:
            too_long = True
    asked = form.asked()
    return room.render(
        listing.template,
        listing.title(),
        form=form,
        rows=page.rows,
        ticket_url=room.ticket_url,
        totals=sums,
        has_sums=bool(page.rows or (sums and sums.set_aside)),
        asides=exclusions.by_ids(row.exclusion_id for row in page.rows),
        kind=listing.kind,
        may_exclude=may_exclude(room.request),
        undo=asked.get("aside") == ONLY_ASIDE,
        aside_query=urlencode({**asked, "aside": ONLY_ASIDE}),
        too_long=too_long,
        unreadable=sum(getattr(row, "is_unreadable", False) for row in page.rows),
        filtered=bool(asked),
        older=_query(asked, older=page.older),
        newer=_query(asked, newer=page.newer),
        asked=urlencode(asked),
        exports=[(_("Download CSV"), room.export_url("csv")), (_("Download JSON"), room.export_url("json"))],
        trader=asked.get("trader", ""),
        traders=TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED],
    )


def filter_form(room: Room, listing: Listing) -> RecordFilterForm:
    symbols = Symbol.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED]
    return listing.form(room.request.GET, symbols=list(symbols))


def _query(asked: dict[str, str], **places: Any) -> str:
    """The address of the page that begins there, empty where there is none."""
    begins = {name: place_text(place) for name, place in places.items() if place}
    return f"?{urlencode({**asked, **begins})}" if begins else ""
