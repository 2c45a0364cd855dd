"""The lists of the record: what is asked for, a page of it, its totals, and the pages beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.models import TraderConfig
from trading.admin.pages import Room
from trading.forms.record_filter import (
    DecisionFilterForm,
    PositionFilterForm,
    RecordFilterForm,
    TradeFilterForm,
    place_text,
)
from trading.models import Symbol
from trading.repositories import lines, totals
from trading.repositories.bounded import TookTooLong
from trading.repositories.browse import Page
from trading.services import record_export
from trading.services.record_export import Exported

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


TRADES = Listing(
    lambda: _("Trades"), "trades.html", TradeFilterForm, lines.trades, totals.of_trades, record_export.TRADE
)
POSITIONS = Listing(
    *(lambda: _("Positions"), "positions.html", PositionFilterForm),
    *(lines.positions, totals.of_positions, record_export.POSITION),
)
DECISIONS = Listing(
    *(lambda: _("Decisions"), "decisions.html", DecisionFilterForm),
    *(lines.decisions, totals.of_decisions, record_export.DECISION),
)


def list_view(room: Room, listing: Listing) -> HttpResponse:
    form = filter_form(room, listing)
    page, sums, too_long = Page([]), None, False
    if form.is_valid():
        where, given = form.where(), form.cleaned_data
        try:
            page = listing.page(where, older_than=given["older"], newer_than=given["newer"])
            sums = listing.totals(where) if page.rows else None
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
