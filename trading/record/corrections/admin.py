"""The page that corrects a trade."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.schema.problems import InvalidConfig
from trading.record.corrections import services as corrections
from trading.record.corrections.forms import TradeCorrectionForm
from trading.record.pages import RecordPage
from trading.record.rules.errors import RecordConflict, RecordError
from trading.record.writing import trades


def correct_view(page: RecordPage, trade_id: str) -> HttpResponse:
    request = page.request
    try:
        trade = trades.stored(trade_id)
    except RecordConflict as unreadable:
        messages.error(request, str(unreadable))
        trade = None
    if trade is None:
        return page.gone(trade_id)
    posted = request.POST if request.method == "POST" else None
    form = TradeCorrectionForm(posted, initial=TradeCorrectionForm.initial_of(trade))
    if form.is_bound and form.is_valid():
        user: Any = request.user
        try:
            made = corrections.correct_trade(
                trade_id,
                form.changes(trade),
                reason=form.cleaned_data["reason"],
                actor=user.get_username(),
                account_id=user.pk,
            )
        except (InvalidConfig, RecordError) as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, _("Corrected: this row counts in place of the old one."))
            return HttpResponseRedirect(reverse("admin:trading_trade_change", args=[made.id]))
    return page.render("trade_correct.html", _("Correct a trade"), form=form, trade=trade)
