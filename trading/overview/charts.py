"""The curve of the fleet page, with the change sets of its period marked on it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.charts import Line, Mark, TimeChart
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.changelog.queries import ChangeSetLine
from traders.words.reasons import reason_words
from traders.words.zones import to_the_minute
from trading.overview.services import Curve
from trading.templatetags.record import moment_of, money

CHART_ID = "fleet-equity"


def equity_chart(curve: Curve, changes: Sequence[ChangeSetLine], trader_id: str) -> TimeChart:
    """`trader_id` empty: of the fleet."""
    moments, values = curve
    title = _("Equity of %(trader)s") % {"trader": trader_id} if trader_id else _("Equity of the fleet")
    return TimeChart(
        id=CHART_ID,
        title=title,
        unit="USD",
        times=[at / 1000 for at in moments],
        lines=[Line(trader_id or _("fleet"), list(values), "area")],
        marks=[_mark(line, trader_id) for line in reversed(changes)] if moments else (),
        summary=_summary(curve),
    )


def _mark(line: ChangeSetLine, trader_id: str) -> Mark:
    told = {"who": line.changed_by, "why": reason_words(line.reason)}
    return Mark(
        at=line.changed_at.timestamp(),
        label=trader_id or _whose(line),
        text=_("%(who)s: %(why)s") % told,
        url=reverse("admin:traders_changeset", args=[line.change_set]),
    )


def _whose(line: ChangeSetLine) -> str:
    if line.configs > 1:
        return ngettext("%(n)d configuration", "%(n)d configurations", line.configs) % {"n": line.configs}
    name = line.config_ids[0] if line.config_ids else ""
    return _("Fleet settings") if name == FLEET_ID else name


def _summary(curve: Curve) -> str:
    known = [(at, Decimal(str(value))) for at, value in zip(*curve, strict=True) if value is not None]
    if not known:
        return ""
    amounts = [amount for _at, amount in known]
    told = {
        "first": money(amounts[0]),
        "last": money(amounts[-1]),
        "low": money(min(amounts)),
        "high": money(max(amounts)),
        "since": to_the_minute(moment_of(known[0][0])),
    }
    return _("Since %(since)s from %(first)s to %(last)s, lowest %(low)s, highest %(high)s USD.") % told
