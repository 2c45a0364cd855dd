"""Trades, positions and decisions by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages.found import Found, FoundKind
from traders.words.messages import translated
from trading.models import DecisionJournal, Position, Trade
from trading.schema.common import Side
from trading.schema.ids import LARGEST_ID, decision_name, read_decision_name


def find_records(request: HttpRequest, text: str) -> Iterator[FoundKind]:
    """A few statements, each by a primary key. Only what the account may look at."""
    if request.user.has_perm("trading.view_trade"):
        yield FoundKind(_("Trades"), "swap_vert", list(_by_id(Trade, text)))
    if request.user.has_perm("trading.view_position"):
        yield FoundKind(_("Positions"), "stacks", list(_by_id(Position, text)))
    if request.user.has_perm("trading.view_decisionjournal"):
        yield FoundKind(_("Decisions"), "psychology", list(_decisions(text)))


def _by_id(model: Any, text: str) -> Iterator[Found]:
    for row in model.objects.named([text]).only("id", "trader_id", "symbol", "side"):
        url = reverse(f"admin:trading_{model._meta.model_name}_change", args=[row.pk])
        yield Found(row.pk, f"{row.trader_id} · {row.symbol} · {translated(Side(row.side).words)}", url)


def _decisions(text: str) -> Iterator[Found]:
    try:
        trader_id, number = read_decision_name(text.removeprefix("#"))
    except ValueError:
        return
    if number > LARGEST_ID:
        return
    rows = DecisionJournal.objects.named([number], None if trader_id is None else [trader_id])
    for row in rows.only("id", "trader_id", "cycle_number"):
        name = decision_name(row.trader_id, row.pk)
        url = reverse("admin:trading_decisionjournal_change", args=[name])
        yield Found(name, _("cycle %(n)d") % {"n": row.cycle_number}, url)
