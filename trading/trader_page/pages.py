"""The parts of the record on the page of a trader. Each looks at the account's rights, and fails alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.charts import Line, Mark, TimeChart
from traders.models import TraderConfigVersion
from traders.pages import seams
from traders.pages.config_page import ConfigPage
from traders.pages.seams import TraderPart
from traders.words import settings as words
from traders.words.messages import with_value
from traders.words.reasons import reason_words
from traders.words.zones import exact
from trading.alarms import presentation as alarms
from trading.analytics.today.days import day_of
from trading.live.page.queries import trader_days
from trading.models import Alarm
from trading.record.browse.queries import NO_FUNDING
from trading.record.results.beside_traders import SMALL_SAMPLE
from trading.templatetags.record import moment_of, version_url
from trading.trader_page.effects import effects_of
from trading.trader_page.positions import held_now
from trading.trader_page.results import Curve, ResultRange, TraderResults, results_of
from trading.trader_page.thoughts import thoughts_of

RANGE, VERSIONS = "range", "versions"
MOST_MARKS = 100


def alarms_part(page: ConfigPage) -> SafeString | str:
    """Those that are open."""
    request, trader_id = page.request, page.config_id
    if not request.user.has_perm("trading.view_alarm"):
        return ""
    rows = list(Alarm.objects.filter(ended_at=None, traders__contains=[trader_id]).order_by("severity", "first_at"))
    now = timezone.now()
    lines = [
        (row, alarms.state_mark(row, now), alarms.severity_mark(row.severity), alarms.message_words(row))
        for row in rows
    ]
    return _rendered("alarms.html", request, lines=lines) if lines else ""


def positions_part(page: ConfigPage) -> SafeString | str:
    request, trader_id = page.request, page.config_id
    if not request.user.has_perm("trading.view_position"):
        return ""
    zone = settings.DESK_TIMEZONE
    days = trader_days([trader_id], day_of(timezone.now(), zone))
    return _rendered(
        "positions.html",
        request,
        trader_id=trader_id,
        held=held_now(trader_id),
        day=days[0] if days else None,
        zone=zone.key,
    )


def results_part(page: ConfigPage) -> SafeString | str:
    request, trader_id = page.request, page.config_id
    if not request.user.has_perm("trading.view_trade"):
        return ""
    given = request.GET.get(RANGE, "")
    asked = ResultRange(given) if given in list(ResultRange) else ResultRange.WEEK
    found = results_of(trader_id, asked)
    marks = _marks(trader_id, found) if found.curve else []
    return _rendered(
        "results.html",
        request,
        found=found,
        charts=_charts(found.curve, marks) if found.curve else [],
        ranges=[(one, _range_words(one), f"?{_kept(request, RANGE, one)}#results") for one in ResultRange],
        words=_range_words(asked),
        no_funding_url=_trades_url(trader=trader_id, outcome=NO_FUNDING),
        small_sample=SMALL_SAMPLE,
    )


def versions_part(page: ConfigPage) -> SafeString | str:
    request, trader_id = page.request, page.config_id
    if not request.user.has_perm("trading.view_trade"):
        return ""
    assert page.trader is not None
    found = effects_of(trader_id, request.GET.get(VERSIONS), current=page.trader.version)
    pages = found.page.paginator.get_elided_page_range(found.page.number)
    return _rendered(
        "versions.html",
        request,
        config_page=page,
        found=found,
        pages=[(number, f"?{_kept(request, VERSIONS, number)}#versions") for number in pages],
        small_sample=SMALL_SAMPLE,
    )


def decisions_part(page: ConfigPage) -> SafeString | str:
    request, trader_id = page.request, page.config_id
    if not request.user.has_perm("trading.view_decisionjournal"):
        return ""
    url = f"{reverse('admin:trading_decisionjournal_changelist')}?{urlencode({'trader': trader_id})}"
    return _rendered("decisions.html", request, thoughts=thoughts_of(trader_id), url=url)


def _trades_url(**asked: str) -> str:
    return f"{reverse('admin:trading_trade_changelist')}?{urlencode(asked)}"


def _charts(curve: Curve, marks: Sequence[Mark]) -> list[TimeChart]:
    times = [point.ts_ms / 1000 for point in curve.points]
    equity = [point.equity for point in curve.points]
    charts = [
        TimeChart(
            id="trader-equity",
            title=_("Equity"),
            unit="USD",
            times=times,
            lines=[Line(_("Equity"), equity)],
            marks=marks,
            summary=_equity_words(curve),
        )
    ]
    if curve.falls is not None:
        charts.append(
            TimeChart(
                id="trader-drawdown",
                title=_("Drawdown") if curve.is_whole else _("Drawdown between the points shown"),
                unit="%",
                times=times,
                lines=[Line(_("Drawdown"), [None if fall is None else -fall for fall in curve.falls], style="area")],
                summary=_drawdown_words(curve),
            )
        )
    return charts


def _equity_words(curve: Curve) -> str:
    if not curve.points:
        return ""
    lowest, highest = min(curve.points, key=lambda one: one.equity), max(curve.points, key=lambda one: one.equity)
    return _("From %(first)s to %(last)s USD; lowest %(low)s on %(low_at)s, highest %(high)s on %(high_at)s.") % {
        "first": f"{curve.points[0].equity:,.2f}",
        "last": f"{curve.points[-1].equity:,.2f}",
        "low": f"{lowest.equity:,.2f}",
        "low_at": exact(moment_of(lowest.ts_ms)),
        "high": f"{highest.equity:,.2f}",
        "high_at": exact(moment_of(highest.ts_ms)),
    }


def _drawdown_words(curve: Curve) -> str:
    known = [fall for fall in curve.falls or () if fall is not None]
    if not known:
        return ""
    said = {"pct": f"{max(known):.2f}"}
    if curve.is_whole:
        return _("Below the highest of this range; deepest %(pct)s %%.") % said
    return _("Deepest %(pct)s %% between the points shown; what lies between them may be deeper.") % said


def _marks(trader_id: str, found: TraderResults) -> list[Mark]:
    """The newest versions of the range."""
    since, until = moment_of(found.period.from_ms), moment_of(found.period.to_ms)
    rows = TraderConfigVersion.objects.filter(id=trader_id, history_date__gte=since, history_date__lte=until)
    names = ("version", "history_date", "history_user_id", "history_change_reason")
    newest = rows.order_by("-version").values_list(*names)[:MOST_MARKS]
    return [
        Mark(
            at=at.timestamp(),
            label=f"v{version}",
            text=with_value(who, reason_words(why)),
            url=version_url(trader_id, version),
        )
        for version, at, who, why in reversed(newest)
    ]


def _range_words(asked: ResultRange) -> str:
    days = asked.days
    return _("all") if days is None else words.duration(days * 86_400)


def _kept(request: HttpRequest, name: str, value: object) -> str:
    """The address of the page with one part of it asked otherwise."""
    given = {key: request.GET[key] for key in (RANGE, VERSIONS) if key in request.GET}
    return urlencode({**given, name: str(value)})


def _rendered(name: str, request: HttpRequest, **context: Any) -> SafeString:
    return render_to_string(f"trading/trader/{name}", context, request)


seams.trader_parts += [
    TraderPart("alarms", gettext_lazy("Open alarms"), 5, alarms_part, is_live=True),
    TraderPart("positions", gettext_lazy("What it holds"), 20, positions_part, is_live=True),
    TraderPart("results", gettext_lazy("How it does"), 30, results_part, is_live=True),
    TraderPart("versions", gettext_lazy("What each change did"), 40, versions_part, is_live=True),
    TraderPart("decisions", gettext_lazy("What it thought"), 50, decisions_part, is_live=True),
]
