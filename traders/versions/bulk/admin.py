"""Bulk edit: the same operations on many traders, previewed for each, saved as one change set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.desk import Desk
from traders.schema.problems import InvalidConfig
from traders.versions import services as configs
from traders.versions.bulk import services as bulk
from traders.versions.bulk.chosen import CHOSEN, LEAVE, SEEN, chosen_ids, nobody_chosen, seen_versions
from traders.versions.bulk.forms import ADD, BulkForm, setting_groups
from traders.versions.bulk.many import ChangedMeanwhile, FleetProposal
from traders.versions.bulk.many_page import Contested, preview_of, saved_page
from traders.versions.edit.names import choices
from traders.versions.reason import required_reason
from traders.versions.rules.errors import UnknownConfig

NAMED = 12
NOT_CARRIED = ("csrfmiddlewaretoken", "step", ADD, CHOSEN, SEEN, LEAVE)


def bulk_view(desk: Desk) -> HttpResponse:
    """Opened with the traders of `chosen.chosen_ids`; steps: add, remove-N, preview, back, save."""
    trader_ids = chosen_ids(desk)
    if not trader_ids:
        return nobody_chosen(desk)
    step = desk.request.POST.get("step", "")
    data = (
        _without(desk.request.POST, step.removeprefix("remove-")) if step.startswith("remove-") else desk.request.POST
    )
    is_asked = step in ("preview", "save")
    add = desk.request.POST.get(ADD, "") if step == "add" else ""
    form = BulkForm(data, known=choices(), is_asked=is_asked, add=add)
    try:
        if is_asked and _is_valid(form, trader_ids):
            return _save(desk, trader_ids, form) if step == "save" else _preview(desk, trader_ids, form)
    except UnknownConfig as unknown:
        form.add_error(None, _("%(error)s: leave it out.") % {"error": str(unknown).capitalize()})
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
    return _form_page(desk, trader_ids, form)


def _is_valid(form: BulkForm, trader_ids: Sequence[str]) -> bool:
    """The values are held to what one of the traders could take, so that a slip is told once, at its field."""
    if form.is_valid():
        problems = bulk.value_problems(operations=form.operations, sample=configs.existing_trader(trader_ids[0]))
        form.add_problems(problems)
        required_reason(form.cleaned_data.get("reason", ""))
    return form.is_valid()


def _save(desk: Desk, trader_ids: Sequence[str], form: BulkForm) -> HttpResponse:
    try:
        saved = bulk.save_bulk(
            trader_ids=trader_ids,
            operations=form.operations,
            seen=seen_versions(desk),
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
        )
    except ChangedMeanwhile as changed:
        return _preview(desk, trader_ids, form, contested=changed.contested)
    except InvalidConfig:
        return _preview(desk, trader_ids, form, propose=bulk.propose_one_by_one)
    said = ngettext("Changed %(n)d trader in one change set.", "Changed %(n)d traders in one change set.", len(saved))
    return saved_page(desk, saved, said % {"n": len(saved)})


def _preview(
    desk: Desk,
    trader_ids: Sequence[str],
    form: BulkForm,
    *,
    contested: Contested | None = None,
    propose: Callable[..., FleetProposal] = bulk.propose_bulk,
) -> HttpResponse:
    """Raises InvalidConfig for names that nothing defines."""
    proposal = propose(trader_ids=trader_ids, operations=form.operations)
    return desk.render(
        "bulk_preview.html",
        _("Bulk edit"),
        **preview_of(desk, proposal, contested),
        chosen=" ".join(trader_ids),
        chosen_count=len(trader_ids),
        form=form,
        reason=form.cleaned_data["reason"],
        carried=_carried(desk),
    )


def _form_page(desk: Desk, trader_ids: Sequence[str], form: BulkForm) -> HttpResponse:
    return desk.render(
        "bulk.html",
        _("Bulk edit"),
        form=form,
        chosen=" ".join(trader_ids),
        chosen_count=len(trader_ids),
        named=trader_ids[:NAMED],
        unnamed=max(0, len(trader_ids) - NAMED),
        groups=setting_groups(),
        known_models=choices().models,
    )


def _carried(desk: Desk) -> list[tuple[str, Any]]:
    """The operations and the reason, to be posted again from the preview."""
    return [(name, value) for name, value in desk.request.POST.items() if name not in NOT_CARRIED]


def _without(posted: QueryDict, number: str) -> QueryDict:
    """What was posted but for one operation."""
    data = posted.copy()
    for part in ("path", "do", "value"):
        data.pop(f"op-{number}-{part}", None)
    return data
