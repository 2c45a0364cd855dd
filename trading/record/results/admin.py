"""Changes by outcome: what versions of the fleet earned while they were active, beside what stood before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.versions.changelog import services as changelog
from traders.versions.changelog.admin import filter_of
from traders.words import settings as words
from trading.record.pages import RecordPage
from trading.record.results import outcomes
from trading.record.results.beside_traders import SMALL_SAMPLE
from trading.record.results.forms import OutcomeFilterForm, place_text
from trading.record.results.outcomes import ChangeOutcome, OutcomePlace, OutcomeSum
from trading.record.stored.bounded import TookTooLong


@dataclass(frozen=True)
class OutcomeLine:
    """`settings` are (in words, path) of what the version changed."""

    outcome: ChangeOutcome
    settings: list[tuple[str, str]]


def outcome_view(page: RecordPage) -> HttpResponse:
    form = OutcomeFilterForm(page.request.GET, actors=changelog.actors(), sources=changelog.sources())
    where = filter_of(form) if form.is_valid() else None
    lines: list[ChangeOutcome] = []
    sums: OutcomeSum | None = None
    following: OutcomePlace | None = None
    too_long = False
    if where:
        try:
            lines, following = outcomes.ranked(where, best_first=form.best_first, after=form.cleaned_data["after"])
            sums = outcomes.summed(where) if lines else None
        except TookTooLong:
            too_long = True
    asked = form.asked()
    return page.render(
        "outcomes.html",
        _("Changes by outcome"),
        form=form,
        lines=[OutcomeLine(line, _settings(line)) for line in lines],
        sums=sums,
        too_long=too_long,
        filtered=bool(set(asked) - {"order"}),
        first=f"?{urlencode(asked)}" if form.cleaned_data.get("after") else "",
        following=f"?{urlencode({**asked, 'after': place_text(following)})}" if following else "",
        change_set=where.change_set if where else None,
        small_sample=SMALL_SAMPLE,
    )


def _settings(line: ChangeOutcome) -> list[tuple[str, Any]]:
    return [(words.place(TRADER_SETTINGS, path), path) for path in line.changed_fields]
