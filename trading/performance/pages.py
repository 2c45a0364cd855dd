"""The page Performance, and its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.database.apart import TookTooLong
from traders.pages.csv_text import download, harmless
from traders.pages.csv_text import line as csv_line
from traders.words.trader_field import offered_traders
from trading.analytics.groups.keys import UNITS, GroupBy
from trading.analytics.summary import SMALL_SAMPLE
from trading.models import Symbol
from trading.performance.charts import net_bars, pnl_chart
from trading.performance.columns import COLUMNS, Figure, FigureColumn, Needs, PerformanceLine
from trading.performance.forms import GROUPINGS, PERIODS, PerformanceForm
from trading.performance.services import PER_PAGE, PerformanceReport, report
from trading.record.pages import RecordPage
from trading.templatetags.record import NONE, money, side, signed, trader_link, version_mark

OFFERED = 500
# What a new filter keeps of the address.
_KEPT = ("by", "period", "order")
HASH_DIGITS = 12
# More columns of a breakdown cannot be read side by side.
MOST_BROKEN_DOWN = 6


@dataclass(frozen=True)
class ShownColumn:
    """`sort` is the address that sorts by it, "" where that cannot be; `direction` what aria-sort says."""

    column: FigureColumn
    sort: str
    direction: str


@dataclass(frozen=True)
class ShownLine:
    """`cells` are (column, what stands in it)."""

    line: PerformanceLine
    group: SafeString | str
    cells: list[tuple[FigureColumn, SafeString | str]]


@dataclass(frozen=True)
class Breakdown:
    """A table of the read API: `rows` are (name of the figure, its values of the groups)."""

    title: str | Promise
    name: str
    heads: list[str]
    rows: list[tuple[str, list[str]]]


_TABLES: dict[str, str | Promise] = {
    "fee_pnl_moves_breakdown_table": gettext_lazy("P&L and commission"),
    "winners_losers_breakdown_table": gettext_lazy("Winners and losers"),
    "longs_shorts_breakdown_table": gettext_lazy("Longs and shorts"),
    "overall_trades_overview_table": gettext_lazy("Size, leverage and plan of trades"),
    "signals_breakdown_table": gettext_lazy("Signals"),
    "invocation_breakdown_table": gettext_lazy("Calls of the model"),
}


def performance_view(page: RecordPage) -> HttpResponse:
    form = _form(page)
    found: PerformanceReport | None = None
    too_long = False
    if form.is_valid():
        try:
            found = report(form.question(), page=form.page_number)
        except TookTooLong:
            too_long = True
    asked = form.asked()
    return page.render(
        "performance.html",
        _("Performance"),
        form=form,
        kept=[(name, asked[name]) for name in _KEPT if name in asked],
        cleared=_address({name: asked[name] for name in _KEPT if name in asked}),
        too_long=too_long,
        zone=settings.DESK_TIMEZONE.key,
        traders=offered_traders(),
        groupings=_choices(asked, "by", GROUPINGS, form.grouping if form.is_valid() else ""),
        periods=_choices(
            {name: text for name, text in asked.items() if name not in ("since", "until")},
            *("period", PERIODS, form.period_named if form.is_valid() else ""),
        ),
        filtered=bool(set(asked) & {"trader", "symbol", "side", "since", "until"}),
        small_sample=SMALL_SAMPLE,
        **(_shown(page, form, found, asked) if found else {}),
    )


def performance_csv(page: RecordPage) -> HttpResponseBase:
    """The table with all its rows, at full precision. A question that cannot be answered leads back to the page."""
    form = _form(page)
    try:
        found = report(form.question(), has_chart=False) if form.is_valid() else None
    except TookTooLong:
        found = None
    if found is None:
        return HttpResponseRedirect(f"{page.url('performance')}?{urlencode(form.asked())}")
    answer = StreamingHttpResponse(download(_csv_lines(form.grouping, found)), content_type="text/csv; charset=utf-8")
    name = f"performance-by-{form.grouping}-{timezone.now():%Y-%m-%d}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _form(page: RecordPage) -> PerformanceForm:
    symbols = Symbol.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED]
    return PerformanceForm(page.request.GET, symbols=list(symbols))


def _shown(
    page: RecordPage, form: PerformanceForm, found: PerformanceReport, asked: Mapping[str, str]
) -> dict[str, Any]:
    first = (form.page_number - 1) * PER_PAGE
    lines = found.lines[first : first + PER_PAGE]
    columns = [column for column in COLUMNS if column.needs in found.computed]
    by = form.grouping
    names = [_name(by, line) for line in found.lines]
    return {
        "found": found,
        "columns": [_column(column, found, asked) for column in columns],
        "lines": [
            ShownLine(line, _group(by, line), [(column, cell(column, line.figure(column))) for column in columns])
            for line in lines
        ],
        "by_trader": by is GroupBy.VERSION,
        "by_words": GROUPINGS[by],
        "charts": [chart for chart in [pnl_chart(found)] if chart],
        "chart_url": "" if found.has_chart else _address(asked, by=GroupBy.DAY.value),
        "bars": net_bars(found, by, names),
        "breakdowns": _breakdowns(by, lines),
        "marks_small": by not in UNITS,
        "first": _address(asked) if form.page_number > 1 else "",
        "following": _address(asked, page=str(form.page_number + 1)) if len(found.lines) > first + PER_PAGE else "",
        "csv_url": f"{page.url('performance_csv')}?{urlencode(asked)}",
        "about": COLUMNS,
        "left_out": [column.label for column in found.left_out],
    }


def cell(column: FigureColumn, figure: Figure) -> SafeString | str:
    """The figure with the column's decimals; a gain or a loss with its sign, arrow and word."""
    if figure is None:
        return NONE
    amount = Decimal(str(figure)) if isinstance(figure, float) else Decimal(figure)
    size = f"{abs(amount) if column.is_gain else amount:,.{column.decimals}f}"
    return signed(amount, size) if column.is_gain else size.replace("-", "−")


def _column(column: FigureColumn, found: PerformanceReport, asked: Mapping[str, str]) -> ShownColumn:
    order = asked.get("order", "")
    is_last = order.removeprefix("-") == column.name
    direction = ("descending" if order.startswith("-") else "ascending") if is_last else ""
    may_sort = column.needs is not Needs.EQUITY or not found.is_equity_of_page
    turned = column.name if order == f"-{column.name}" else f"-{column.name}"
    return ShownColumn(column, _address({**asked, "order": turned}) if may_sort else "", direction)


def _choices(asked: Mapping[str, str], name: str, words: Mapping[str, Any], chosen: str) -> list[tuple[Any, str, bool]]:
    """(words, address, whether it is the present one)."""
    return [(said, _address({**asked, name: str(key)}), str(key) == str(chosen)) for key, said in words.items()]


def _address(asked: Mapping[str, str], **more: str) -> str:
    return f"?{urlencode({**asked, **more})}"


def _group(by: GroupBy, line: PerformanceLine) -> SafeString | str:
    if by is GroupBy.TRADER:
        return trader_link(line.trader_id)
    if by is GroupBy.VERSION:
        return version_mark(line.trader_id, int(line.value) if line.value is not None else None)
    if line.value is None:
        return format_html('<span class="faint">{}</span>', _("unknown"))
    if by is GroupBy.SIDE:
        return side(str(line.value))
    if by is GroupBy.PROMPT:
        address = reverse("admin:traders_prompttext_change", args=[line.value])
        return format_html('<a href="{}"><code>{}</code></a>', address, str(line.value)[:HASH_DIGITS])
    return str(line.value)


def _name(by: GroupBy, line: PerformanceLine) -> str:
    """Of a bar: plain text."""
    if by is GroupBy.VERSION:
        version = _("before v1") if line.value is None else f"v{line.value}"
        return f"{line.trader_id} {version}"
    if line.value is None:
        return _("unknown")
    return str(line.value)[:HASH_DIGITS] if by is GroupBy.PROMPT else str(line.value)


def _breakdowns(by: GroupBy, lines: list[PerformanceLine]) -> list[Breakdown]:
    """Each of the six tables, the first groups of the page side by side."""
    shown = [line for line in lines if line.tables][:MOST_BROKEN_DOWN]
    if not shown:
        return []
    heads = [_name(by, line) for line in shown]
    tables = [line.tables or {} for line in shown]
    return [
        Breakdown(
            title, name, heads, [(row, [_plain(table[name][row]) for table in tables]) for row in tables[0][name]]
        )
        for name, title in _TABLES.items()
    ]


def _plain(figure: Figure) -> str:
    if figure is None:
        return NONE
    return f"{figure:,}" if isinstance(figure, int) else money(Decimal(str(figure)))


def _csv_lines(by: GroupBy, found: PerformanceReport) -> Iterator[str]:
    columns = [column for column in COLUMNS if column.needs in found.computed and not _is_of_page(column, found)]
    yield csv_line(["trader_id", by.value, *(column.name for column in columns)])
    for line in found.lines:
        value = "" if line.value is None else harmless(str(line.value))
        yield csv_line([harmless(line.trader_id), value, *(_digits(line.figure(column)) for column in columns)])


def _is_of_page(column: FigureColumn, found: PerformanceReport) -> bool:
    return column.needs is Needs.EQUITY and found.is_equity_of_page


def _digits(figure: Figure) -> str:
    if figure is None:
        return ""
    return f"{figure:f}" if isinstance(figure, Decimal) else str(figure)
