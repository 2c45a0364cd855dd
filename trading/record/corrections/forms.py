"""The figures of a trade that a person corrects."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

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


class TradeCorrectionForm(forms.Form):
    side = forms.ChoiceField(choices=[(Side.LONG.value, _("long")), (Side.SHORT.value, _("short"))], label=_("Side"))
    quantity_total = forms.DecimalField(label=_("Quantity"))
    prices_avg_entry = forms.DecimalField(label=_("Entry price, USD"))
    prices_avg_exit = forms.DecimalField(label=_("Exit price, USD"))
    pnl_gross = forms.DecimalField(label=_("Gross P&L, USD"))
    pnl_commission = forms.DecimalField(label=_("Commission, USD"))
    pnl_funding = forms.DecimalField(label=_("Funding, USD"), required=False)
    pnl_net = forms.DecimalField(label=_("Net P&L, USD"))
    reason = forms.CharField(label=_("Reason"), max_length=1000)

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
