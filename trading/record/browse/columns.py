"""The columns of the record's lists, as callables of `list_display`.

Each takes a row with its `reading`: the list of unreadable rows calls none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from traders.templatetags.display import ago
from trading.templatetags import record as words

Cell = SafeString | str
REASON = 90
"""Characters of a reason in a row."""
Column = Callable[[Any], Cell]


def column(
    label: str | Promise, css: str = "", *, cell_css: str = "", heads_row: bool = False, order: str | None = None
) -> Callable[[Column], Column]:
    """`css` is of the head and of each cell, `cell_css` of the cells alone; `heads_row`: the cell names its row;
    `order` is the field to sort by."""

    def described(write: Column) -> Column:
        attributes: dict[str, Any] = {"short_description": label, "css": css, "cell_css": f"{css} {cell_css}".strip()}
        attributes |= {"heads_row": heads_row, "admin_order_field": order, "do_not_call_in_templates": True}
        for name, value in attributes.items():
            setattr(write, name, value)
        return write

    return described


class RowWriter:
    """Writes the cells of many rows: in Python, because a template takes several times as long for a page of cells."""

    do_not_call_in_templates = True

    def __init__(self, columns: Sequence[Any]) -> None:
        self._cells = [(column, _opening(column), "</th>" if column.heads_row else "</td>") for column in columns]

    def __call__(self, row: Any) -> SafeString:
        written = (f"{opening}{conditional_escape(column(row))}{closing}" for column, opening, closing in self._cells)
        return mark_safe("".join(written))  # each part is escaped, or markup of `format_html`


def _opening(column: Any) -> SafeString:
    css = format_html(' class="{}"', column.cell_css) if column.cell_css else ""
    if column.heads_row:
        return format_html('<th scope="row"{}>', css)
    return format_html('<td{} data-label="{}">', css, column.short_description)


@column(pgettext_lazy("a moment", "closed"), cell_css="c-when", order="close_ts_ms")
def trade_closed(row: Any) -> Cell:
    return words.ms_ago(row.close_ts_ms)


@column(pgettext_lazy("a moment", "opened"), cell_css="c-when", order="opened_ms")
def position_opened(row: Any) -> Cell:
    return words.ms_ago(row.opened_ms)


@column(gettext_lazy("when"), cell_css="c-when", order="decided_at")
def decided(row: Any) -> Cell:
    return ago(row.decided_at)


@column(gettext_lazy("trader"), cell_css="c-trader", order="trader_id")
def trader(row: Any) -> Cell:
    return words.trader_link(row.trader_id)


@column(gettext_lazy("symbol"), cell_css="c-symbol", heads_row=True, order="symbol")
def symbol(row: Any) -> Cell:
    return str(row.symbol)


@column(gettext_lazy("side"), order="side")
def side(row: Any) -> Cell:
    return words.side(row.side)


@column(gettext_lazy("status"), order="status")
def status(row: Any) -> Cell:
    return words.position_state(row.status)


@column(gettext_lazy("leverage"), "figure c-extra", order="leverage")
def leverage(row: Any) -> Cell:
    return words.leverage(row.leverage)


@column(gettext_lazy("quantity"), "figure c-extra", order="quantity")
def trade_quantity(row: Any) -> Cell:
    return words.quantity(row.quantity)


@column(gettext_lazy("quantity"), "figure", order="quantity")
def position_quantity(row: Any) -> Cell:
    return words.quantity(row.quantity)


@column(gettext_lazy("entry, USD"), "figure", order="entry_price")
def trade_entry(row: Any) -> Cell:
    return words.price(row.reading.detail.prices.avg_entry)


@column(gettext_lazy("exit, USD"), "figure", order="exit_price")
def trade_exit(row: Any) -> Cell:
    return words.price(row.reading.detail.prices.avg_exit)


@column(pgettext_lazy("how long", "held"), "figure c-extra", order="held_ms")
def trade_held(row: Any) -> Cell:
    return words.span(row.close_ts_ms - row.reading.detail.time.open_ts_ms)


@column(gettext_lazy("net P&L, USD"), "figure", cell_css="c-net", order="net_pnl")
def trade_net(row: Any) -> Cell:
    net = words.gain(row.net_pnl)
    if not row.reading.detail.pnl.is_funding_unknown:
        return net
    return format_html('{} <span class="small-note">{}</span>', net, _("without funding"))


@column(gettext_lazy("entry, USD"), "figure", order="entry_price")
def position_entry(row: Any) -> Cell:
    return words.price(row.entry_price)


@column(gettext_lazy("stop, USD"), "figure c-extra", order="stop_loss")
def stop_loss(row: Any) -> Cell:
    plan = row.reading.detail.exit_plan
    return words.price(plan and plan.sl_price)


@column(gettext_lazy("target, USD"), "figure c-extra", order="take_profit")
def take_profit(row: Any) -> Cell:
    plan = row.reading.detail.exit_plan
    return words.price(plan and plan.tp_price)


@column(gettext_lazy("net P&L, USD"), "figure", cell_css="c-net", order="closed_pnl")
def position_net(row: Any) -> Cell:
    close = row.reading.detail.close
    return words.gain(close and close.pnl)


@column(gettext_lazy("version"), cell_css="c-version", order="entry_version")
def trade_versions(row: Any) -> Cell:
    versions = row.reading.detail.versions
    exit_version = versions and versions.exit
    entry = words.version_mark(row.trader_id, row.entry_version)
    if exit_version == row.entry_version:
        return entry
    return format_html("{} → {}", entry, words.version_mark(row.trader_id, exit_version))


@column(gettext_lazy("version"), cell_css="c-version", order="entry_version")
def entry_version(row: Any) -> Cell:
    return words.version_mark(row.trader_id, row.entry_version)


@column(gettext_lazy("version"), cell_css="c-version", order="config_version")
def config_version(row: Any) -> Cell:
    return words.version_mark(row.trader_id, row.config_version)


@column(gettext_lazy("cycle"), "figure", order="cycle_number")
def cycle(row: Any) -> Cell:
    return words.count(row.cycle_number)


@column(gettext_lazy("orders"), cell_css="c-orders")
def orders(row: Any) -> Cell:
    """What the decision asks for beside holding."""
    decisions = row.reading.detail.decisions
    asked = [one for one in decisions if one.action not in ("hold", "wait")]
    if not asked:
        return format_html('<span><span class="faint">{}</span></span>', _("hold") if decisions else _("none"))
    parts = ((words.action_word(str(one.action)), one.symbol) for one in asked)
    return format_html("<span>{}</span>", format_html_join(pgettext("between items", ", "), "<b>{}</b> {}", parts))


@column(gettext_lazy("result"), cell_css="c-result", order="success")
def outcome(row: Any) -> Cell:
    detail = row.reading.detail
    is_refused = any(action.refused_by for action in detail.actions)
    return format_html(
        '<span title="{}">{}</span>', (detail.error or "")[:200], words.decision_state(row.success, is_refused)
    )


@column(gettext_lazy("reason"), cell_css="c-reason")
def reason(row: Any) -> Cell:
    """Why: what refused or failed, else the model's own words on the first order, or on the first symbol it held."""
    detail = row.reading.detail
    refused = [action for action in detail.actions if action.refused_by or action.error]
    asked = sorted(detail.decisions, key=lambda one: one.action in ("hold", "wait"))
    said = [one.reasoning for one in asked if one.reasoning]
    if refused:
        text = f"{', '.join(refused[0].refused_by or ())}: {refused[0].error or ''}".strip(": ")
    else:
        text = detail.error or (said[0] if said else "")
    text = " ".join(text.split())
    short = f"{text[:REASON]}…" if len(text) > REASON else text
    return format_html('<span title="{}">{}</span>', text[: 4 * REASON], short) if text else ""


@column(pgettext_lazy("how many positions", "held"), "figure")
def positions_held(row: Any) -> Cell:
    return str(len(row.reading.detail.positions or ()))


@column(gettext_lazy("equity, USD"), "figure")
def equity(row: Any) -> Cell:
    account = row.reading.detail.account
    return words.money(account and account.equity_usd)


@column(gettext_lazy("model"), "c-extra c-model")
def model(row: Any) -> Cell:
    return str(row.model or words.NONE)


@column(gettext_lazy("tokens in / out"), "figure c-extra", order="prompt_tokens")
def tokens(row: Any) -> Cell:
    usage = row.reading.detail.usage
    return f"{words.count(usage and usage.prompt_tokens)} / {words.count(usage and usage.completion_tokens)}"


TRADE = (
    *(trade_closed, trader, symbol, side, leverage, trade_quantity, trade_entry, trade_exit, trade_held, trade_net),
    trade_versions,
)
POSITION = (
    *(position_opened, trader, symbol, side, status, leverage, position_quantity, position_entry, stop_loss),
    *(take_profit, position_net, entry_version),
)
DECISION = (*(decided, trader, cycle, orders, outcome, reason, positions_held, equity, model, tokens, config_version),)
