"""The highest index of a trader's returns, continued from where it was left."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction
from django.db.models.functions import Now

from trading.guards import queries
from trading.guards.models import GuardPeak
from trading.guards.rules.equity import Peak, began, continued
from trading.schema.facts import Flow


@contextmanager
def at_once() -> Iterator[None]:
    """All of it or nothing; inside a transaction a savepoint."""
    with transaction.atomic():
        yield


def peak_of(trader_id: str, since_ms: int, flows: Sequence[Flow]) -> Peak | None:
    """From the first point that counts after `since_ms` to the newest one; None without any.

    What was continued before is used unless something behind it has changed since: a transfer that was booked later, a
    point that was set aside, one that came late, or one that was suspect and counts now (then the database deletes what
    was continued). Then the series is read once more, a page at a time.
    """
    row = GuardPeak.objects.select_for_update().filter(pk=trader_id).first()
    peak = None
    if (
        row is not None
        and row.since_ms == since_ms
        and not queries.changed_behind(trader_id, upto_ms=row.upto_ms, since=row.updated_at)
    ):
        peak = Peak(row.upto_ms, row.equity_usd, row.index, row.peak, row.peak_ms, row.before_pct)
    known = peak
    while True:
        after = since_ms if peak is None else peak.upto_ms
        page = queries.points(trader_id, after_ms=after)
        if peak is None and page:
            peak, page = began(page[0]), page[1:]
        if peak is not None and page:
            peak = continued(peak, page, flows)
        if len(page) < queries.PAGE - 1:
            break
    if peak is not None and (peak != known or row is None):
        _keep(trader_id, since_ms, peak)
    return peak


def forget(trader_id: str) -> None:
    """The next look reads the whole series: a point came that is older than the last one."""
    GuardPeak.objects.filter(pk=trader_id).delete()


def upto_ms(trader_id: str) -> int | None:
    found: int | None = GuardPeak.objects.filter(pk=trader_id).values_list("upto_ms", flat=True).first()
    return found


def _keep(trader_id: str, since_ms: int, peak: Peak) -> None:
    GuardPeak.objects.update_or_create(
        trader_id=trader_id,
        defaults={
            "since_ms": since_ms,
            "upto_ms": peak.upto_ms,
            "equity_usd": peak.equity,
            "index": peak.index,
            "peak": peak.peak,
            "peak_ms": peak.peak_ms,
            "before_pct": peak.before_pct,
            "updated_at": Now(),
        },
    )
