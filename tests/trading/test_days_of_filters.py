"""The same day twice in a filter means that day, on each page that has one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django import forms
from django.utils import timezone

from traders.pages.logs import LogForm
from traders.versions.changelog.forms import LogFilterForm
from trading.overview.forms import OverviewForm
from trading.performance.forms import PerformanceForm
from trading.record.browse.forms import DecisionFilterForm, PositionFilterForm, TradeFilterForm
from trading.record.results.forms import ResultFilterForm

pytestmark = pytest.mark.django_db

NEW_YORK = ZoneInfo("America/New_York")


def _performance(data: dict[str, str]) -> forms.Form:
    form: Any = PerformanceForm(data, symbols=[])
    # That of the site, which the field takes where it is declared.
    for name in ("since", "until"):
        form.fields[name].zone = NEW_YORK
    found: forms.Form = form
    return found


FORMS: list[Callable[[dict[str, str]], forms.Form]] = [
    lambda data: TradeFilterForm(data, symbols=[], people=[]),
    lambda data: PositionFilterForm(data, symbols=[], people=[]),
    lambda data: DecisionFilterForm(data, symbols=[], people=[]),
    lambda data: LogFilterForm(data, actors=[], sources=[]),
    lambda data: ResultFilterForm(data, actors=[], sources=[]),
    _performance,
    OverviewForm,
    LogForm,
]
NAMES = ["trades", "positions", "decisions", "changes", "results", "performance", "overview", "log"]
each_form = pytest.mark.parametrize("form_of", FORMS, ids=NAMES)


@pytest.fixture(autouse=True)
def _in_new_york() -> Any:
    """Where days of a changed clock have 23 and 25 hours."""
    with timezone.override(NEW_YORK):
        yield


def period(form_of: Callable[[dict[str, str]], forms.Form], since: str, until: str) -> list[datetime]:
    form = form_of({"since": since, "until": until})
    assert form.is_valid(), form.errors
    found = [form.cleaned_data["since"], form.cleaned_data["until"]]
    # A log's period holds its end.
    return [moment.replace(microsecond=0) for moment in found]


@each_form
@pytest.mark.parametrize(
    ("since", "until", "end"),
    [
        ("2026-06-15", "2026-06-15", datetime(2026, 6, 16, 4, tzinfo=UTC)),
        ("2026/6/15", "2026-06-15", datetime(2026, 6, 16, 4, tzinfo=UTC)),
        ("２０２６-０６-１５", "2026/06/15", datetime(2026, 6, 16, 4, tzinfo=UTC)),
        ("2026-06-15 00:00", " 2026-06-15 ", datetime(2026, 6, 16, 4, tzinfo=UTC)),
        ("2026-03-08", "2026-03-08", datetime(2026, 3, 9, 4, tzinfo=UTC)),
        ("2025-11-02", "2025-11-02", datetime(2025, 11, 3, 5, tzinfo=UTC)),
        ("2024-02-29", "2024-02-29", datetime(2024, 3, 1, 5, tzinfo=UTC)),
        ("2024-12-31", "2024-12-31", datetime(2025, 1, 1, 5, tzinfo=UTC)),
    ],
)
def test_it_is_that_day(form_of: Any, since: str, until: str, end: datetime) -> None:
    first, last = period(form_of, since, until)

    assert first.astimezone(NEW_YORK).strftime("%H:%M") == "00:00"
    assert (end - last).total_seconds() == (1 if form_of is LogForm else 0)


@each_form
def test_two_days_and_two_moments_stay_as_they_are(form_of: Any) -> None:
    assert period(form_of, "2026-06-15", "2026-06-17")[1] == datetime(2026, 6, 17, 4, tzinfo=UTC)
    assert period(form_of, "2026-06-15", "2026-06-15 09:30")[1] == datetime(2026, 6, 15, 13, 30, tzinfo=UTC)


@each_form
@pytest.mark.parametrize("until", ["2026-06-14", "2026-06-15 00:00", "no day"])
def test_what_is_no_day_after_the_beginning_is_refused(form_of: Any, until: str) -> None:
    form = form_of({"since": "2026-06-15", "until": until})
    assert form.is_valid() is (form_of is LogForm and until != "no day")
