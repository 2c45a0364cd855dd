"""Traders, their versions and change sets, by part of an id or name and by number."""

from __future__ import annotations

import re
from collections.abc import Iterator

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.models import ManagerConfigVersion, TraderConfig, TraderConfigVersion
from traders.pages.found import MOST_EACH, Found, FoundKind

LARGEST_VERSION, LARGEST_CHANGE_SET = 2**31 - 1, 2**63 - 1
# `steady_long v7`, `steady 7`, `steady@7`
_VERSION = re.compile(r"(?P<trader>.*\S)\s*(?:[@\s]\s*v?|\bv)(?P<number>[0-9]{1,10})", re.IGNORECASE)


def find_traders(request: HttpRequest, text: str) -> Iterator[FoundKind]:
    """At most four statements. Nothing for an account that may not see traders."""
    if not request.user.has_perm("traders.view_traderconfig"):
        return
    rows = list(_matching(text)[: MOST_EACH + 1])
    yield FoundKind(_("Traders"), "smart_toy", [_trader(row) for row in rows[:MOST_EACH]], len(rows) > MOST_EACH)
    yield FoundKind(_("Versions"), "history", list(_versions(text)))
    yield FoundKind(_("Change sets"), "difference", list(_change_sets(text)))


def _matching(text: str) -> QuerySet[TraderConfig]:
    """The exact id first, then ids that begin so, then the rest; retired ones last."""
    rank = Case(
        When(id__iexact=text, then=Value(0)),
        When(id__istartswith=text, then=Value(1)),
        When(display_name__istartswith=text, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = TraderConfig.objects.filter(Q(id__icontains=text) | Q(display_name__icontains=text))
    return found.only("id", "display_name", "retired", "version").order_by("retired", rank, "id")


def _trader(row: TraderConfig) -> Found:
    note = " · ".join([*([row.id] if row.display_name != row.id else []), *([_("retired")] if row.retired else [])])
    return Found(row.display_name or row.id, note, reverse("admin:traders_traderconfig_overview", args=[row.id]))


def _versions(text: str) -> Iterator[Found]:
    asked = _VERSION.fullmatch(text)
    if asked is None or not 1 <= (number := int(asked["number"])) <= LARGEST_VERSION:
        return
    for row in _matching(asked["trader"]).filter(version__gte=number)[:MOST_EACH]:
        url = reverse("admin:traders_traderconfig_version", args=[row.id, number])
        yield Found(f"{row.id} v{number}", _("latest") if number == row.version else "", url)


def _change_sets(text: str) -> Iterator[Found]:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_CHANGE_SET))):
        return
    number = int(text)
    traders = list(
        TraderConfigVersion.objects.filter(change_set=number)
        .order_by("id")
        .values_list("id", flat=True)[: MOST_EACH + 1]
    )
    is_of_fleet = not traders and ManagerConfigVersion.objects.filter(change_set=number).exists()
    if traders or is_of_fleet:
        note = (
            _("Fleet settings")
            if is_of_fleet
            else ", ".join(traders[:MOST_EACH]) + (", …" * (len(traders) > MOST_EACH))
        )
        yield Found(_("Change set %(n)d") % {"n": number}, note, reverse("admin:traders_changeset", args=[number]))
