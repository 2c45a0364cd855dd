"""The page that corrects a row of the record."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.drafts import pages as drafts
from traders.schema.problems import InvalidConfig
from traders.words import messages as words
from trading.record.corrections import services as corrections
from trading.record.corrections.forms import CorrectionForm
from trading.record.exclusions.admin import TICKETS
from trading.record.exclusions.forms import KIND_WORDS
from trading.record.pages import RecordPage
from trading.record.rules.errors import RecordError
from trading.schema.exclusion import RecordKey


def correct_view(page: RecordPage, key: RecordKey) -> HttpResponse:
    request = page.request
    try:
        row = corrections.stored(key)
    except RecordError as unreadable:
        messages.error(request, words.why(unreadable))
        row = None
    if row is None:
        return page.gone(key.id)
    form = CorrectionForm(request.POST if request.method == "POST" else None, key.kind, row.figures)
    if form.is_bound and form.is_valid():
        user: Any = request.user
        try:
            made = corrections.correct(
                key,
                form.changes(),
                reason=form.cleaned_data["reason"],
                actor=user.get_username(),
                account_id=user.pk,
            )
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        except RecordError as refused:
            form.add_error(None, _("Not done: %(why)s.") % {"why": words.why(refused)})
        else:
            messages.success(request, _("Corrected: this row counts in place of the old one."))
            there = HttpResponseRedirect(_ticket(RecordKey(key.kind, made.id, made.trader_id)))
            return drafts.ended(request, there)
    return page.render(
        "correct.html",
        _("Correct a %(kind)s") % {"kind": KIND_WORDS[key.kind]},
        form=form,
        row=row,
        ticket=_ticket(key),
        kind_words=KIND_WORDS[key.kind],
    )


def _ticket(key: RecordKey) -> str:
    return reverse(TICKETS[key.kind], args=[key.name])
