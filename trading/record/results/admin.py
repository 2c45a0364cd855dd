"""Changes by result: the results of versions of the fleet, with those of the versions before them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from traders.database.apart import TookTooLong, time_limit
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.versions.changelog import services as changelog
from traders.versions.changelog.admin import filter_of
from traders.versions.changelog.queries import Filter
from traders.words import settings as words
from traders.words.trader_field import offered_traders
from trading.analytics.intervals import Period
from trading.record.pages import RecordPage
from trading.record.results import ranking
from trading.record.results.beside_traders import SMALL_SAMPLE
from trading.record.results.forms import ResultFilterForm, place_text
from trading.record.results.ranking import ChangeResult, ResultPlace, ResultSum
from trading.record.stored.prices import ReferenceReturn, reference_returns


@dataclass(frozen=True)
class ResultLine:
    """`settings` are (label, path) of the changes of the version. `since` and `until`: when it was active in the period
    asked for; `bitcoin` what bitcoin did then, None without a price near the start or the end."""

    result: ChangeResult
    settings: list[tuple[str, str]]
    since: datetime
    until: datetime
    bitcoin: ReferenceReturn | None


def results_view(page: RecordPage) -> HttpResponse:
    form = ResultFilterForm(page.request.GET, actors=changelog.actors(), sources=changelog.sources())
    where = filter_of(form) if form.is_valid() else None
    lines: list[ResultLine] = []
    sums: ResultSum | None = None
    following: ResultPlace | None = None
    too_long = False
    if where:
        try:
            found, following = ranking.ranked(where, best_first=form.best_first, after=form.cleaned_data["after"])
            sums = ranking.summed(where) if found else None
            with time_limit(ranking.LIMIT_MS):
                lines = _lines(found, where)
        except TookTooLong:
            too_long = True
    asked = form.asked()
    return page.render(
        "changes_by_result.html",
        _("Changes by result"),
        form=form,
        traders=offered_traders(),
        lines=lines,
        of_period=bool(where and (where.since or where.until)),
        sums=sums,
        too_long=too_long,
        filtered=bool(set(asked) - {"order"}),
        first=f"?{urlencode(asked)}" if form.cleaned_data.get("after") else "",
        following=f"?{urlencode({**asked, 'after': place_text(following)})}" if following else "",
        change_set=where.change_set if where else None,
        small_sample=SMALL_SAMPLE,
    )


def _lines(found: list[ChangeResult], where: Filter) -> list[ResultLine]:
    """One statement for the prices of all."""
    now = timezone.now()
    periods = []
    for line in found:
        since = max(line.since, where.since or line.since)
        periods.append((since, max(since, min(line.until or now, where.until or now, now))))
    returns = reference_returns([Period(_ms(since), _ms(until)) for since, until in periods])
    return [
        ResultLine(line, _settings(line), since, until, bitcoin)
        for line, (since, until), bitcoin in zip(found, periods, returns, strict=True)
    ]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _settings(line: ChangeResult) -> list[tuple[str, Any]]:
    return [(words.place(TRADER_SETTINGS, path), path) for path in line.changed_fields]
