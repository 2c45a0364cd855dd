"""The curves of a family as one chart, 100 at the start of each."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from traders.charts import Line, TimeChart
from trading.family.rules import FamilyCurve


def chart_of(curves: Sequence[FamilyCurve]) -> TimeChart | None:
    """None without a curve of two points. The traders report at moments of their own: between two of its points a
    trader keeps its last value, and after its last one it has none."""
    drawn = [curve for curve in curves if curve.points]
    if not drawn:
        return None
    times = sorted({at for curve in drawn for at, _value in curve.points})
    return TimeChart(
        id="family-index",
        title=_("Return of each trader"),
        unit=_("index, 100 at the start"),
        times=[at / 1000 for at in times],
        lines=[Line(curve.trader_id, _at_times(curve, times), style="step") for curve in drawn],
        summary=" ".join(_said(curve) for curve in drawn),
    )


def _said(curve: FamilyCurve) -> str:
    values = [value for _at, value in curve.points]
    return _("%(trader)s ends at %(last).2f; lowest %(low).2f, highest %(high).2f.") % {
        "trader": curve.trader_id,
        "last": values[-1],
        "low": min(values),
        "high": max(values),
    }


def _at_times(curve: FamilyCurve, times: Sequence[int]) -> list[float | None]:
    known, last_ms = dict(curve.points), curve.points[-1][0]
    found: list[float | None] = []
    latest: float | None = None
    for at in times:
        latest = known.get(at, latest)
        found.append(latest if at <= last_ms else None)
    return found
