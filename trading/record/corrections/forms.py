"""The figures of a trade that a person corrects."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from traders.pages.reason_form import ReasonForm
from trading.schema.common import Side
from trading.schema.trade import TradeRecord

# {field: path below `detail`}
PATHS = {
    "quantity_total": "quantity.total",
    "prices_avg_entry": "prices.avg_entry",
    "prices_avg_exit": "prices.avg_exit",
    "pnl_gross": "pnl.gross",
    "pnl_commission": "pnl.commission",
    "pnl_funding": "pnl.funding",
    "pnl_net": "pnl.net",
}


def _figure(label: Any, *, required: bool = True) -> forms.DecimalField:
    widget = forms.TextInput(attrs={"class": "figure", "inputmode": "decimal", "autocomplete": "off"})
    return forms.DecimalField(label=label, required=required, widget=widget)


class TradeCorrectionForm(ReasonForm):
    side = forms.ChoiceField(choices=[(Side.LONG.value, _("long")), (Side.SHORT.value, _("short"))], label=_("Side"))
    quantity_total = _figure(_("Quantity"))
    prices_avg_entry = _figure(_("Entry price, USD"))
    prices_avg_exit = _figure(_("Exit price, USD"))
    pnl_gross = _figure(_("Gross P&L, USD"))
    pnl_commission = _figure(_("Commission, USD"))
    pnl_funding = _figure(_("Funding, USD"), required=False)
    pnl_net = _figure(_("Net P&L, USD"))

    def __init__(self, data: Any = None, *, initial: dict[str, Any]) -> None:
        super().__init__(data)
        self.initial = initial

    @staticmethod
    def initial_of(trade: TradeRecord) -> dict[str, Any]:
        detail = trade.detail
        return {
            "side": trade.side.value,
            **{name: attrgetter(path)(detail) for name, path in PATHS.items()},
        }

    def changes(self, trade: TradeRecord) -> dict[str, Any]:
        """What differs from the trade."""
        before, given = self.initial_of(trade), self.cleaned_data
        found: dict[str, Any] = {path: given[name] for name, path in PATHS.items() if given[name] != before[name]}
        return found | ({"side": given["side"]} if given["side"] != before["side"] else {})
