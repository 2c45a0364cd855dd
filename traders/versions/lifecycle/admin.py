"""A trader's beginning and end in the browser: cloned, retired, brought back."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.desk import Desk
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import InvalidConfig
from traders.templatetags.desk import pct
from traders.versions import services as configs
from traders.versions.bulk.chosen import chosen_ids, nobody_chosen, seen_versions
from traders.versions.bulk.many import ChangedMeanwhile, FleetProposal
from traders.versions.bulk.many_page import Contested, preview_of, saved_page
from traders.versions.lifecycle import services as lifecycle
from traders.versions.lifecycle.forms import CloneForm
from traders.versions.rules.errors import AlreadyExists, UnknownConfig, UnknownVersion


def retire_view(desk: Desk, *, retired: bool) -> HttpResponse:
    """The traders of `chosen.chosen_ids` retired, or brought back."""
    trader_ids = chosen_ids(desk)
    if not trader_ids:
        return nobody_chosen(desk)
    if desk.request.method != "POST":
        return _page(desk, trader_ids, ReasonForm(), retired=retired)
    form = ReasonForm(desk.request.POST)
    if desk.request.POST.get("step") != "save":
        return _page(desk, trader_ids, ReasonForm(), retired=retired)
    if not form.is_valid():
        return _page(desk, trader_ids, form, retired=retired)
    try:
        saved = lifecycle.set_retired(
            trader_ids=trader_ids,
            retired=retired,
            seen=seen_versions(desk),
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
        )
    except ChangedMeanwhile as changed:
        return _page(desk, trader_ids, form, retired=retired, contested=changed.contested)
    except InvalidConfig as invalid:
        form.add_problems(problem for problem in invalid.problems if problem.path == "reason")
        return _page(desk, trader_ids, form, retired=retired)
    except UnknownConfig as unknown:
        return _gone(desk, unknown)
    if retired:
        said = ngettext("Retired %(n)d trader.", "Retired %(n)d traders.", len(saved))
    else:
        said = ngettext("Brought %(n)d trader back.", "Brought %(n)d traders back.", len(saved))
    return saved_page(desk, saved, said % {"n": len(saved)})


retiring_view = partial(retire_view, retired=True)
bringing_back_view = partial(retire_view, retired=False)


def _page(
    desk: Desk, trader_ids: Sequence[str], form: ReasonForm, *, retired: bool, contested: Contested | None = None
) -> HttpResponse:
    try:
        proposal = lifecycle.propose_retirement(trader_ids=trader_ids, retired=retired)
    except UnknownConfig as unknown:
        return _gone(desk, unknown)
    return desk.render(
        "retire.html",
        _("Retire") if retired else _("Bring back"),
        **preview_of(desk, proposal, contested),
        retired=retired,
        says=_in_numbers(proposal, retired=retired),
        chosen=" ".join(trader_ids),
        chosen_count=len(trader_ids),
        form=form,
    )


def _in_numbers(proposal: FleetProposal, *, retired: bool) -> str:
    """`Retires 3 traders, frees 25 % allocation`."""
    count, moved = len(proposal.parts), proposal.after.free_pct - proposal.before.free_pct
    if retired:
        who = ngettext("Retires %(n)d trader", "Retires %(n)d traders", count)
        return (who + _(", frees %(pct)s %% allocation")) % {"n": count, "pct": pct(moved)}
    who = ngettext("Brings %(n)d trader back", "Brings %(n)d traders back", count)
    return (who + _(", takes %(pct)s %% allocation")) % {"n": count, "pct": pct(Decimal(0) - moved)}


def _gone(desk: Desk, unknown: UnknownConfig) -> HttpResponse:
    messages.warning(desk.request, _("There is no trader “%(id)s”.") % {"id": unknown.config_id})
    return HttpResponseRedirect(desk.list_url)


def clone_view(desk: Desk) -> HttpResponse:
    """`?version=`, the latest without: its settings under a new id."""
    current = configs.stored(desk.config_id)
    if current is None:
        return desk.gone()
    try:
        source = configs.version(desk.config_id, _version(desk, current.version))
    except (ValueError, UnknownVersion):
        messages.warning(desk.request, _("There is no such version: choose one of these."))
        return HttpResponseRedirect(desk.history_url)
    name = _("%(name)s (copy)") % {"name": desk.name(source)}
    form = CloneForm(desk.request.POST if desk.request.method == "POST" else None, display_name=name)
    if form.is_valid():
        try:
            lifecycle.clone(trader_id=desk.config_id, version=source.version, actor=desk.actor, **form.cleaned_data)
        except AlreadyExists as taken:
            form.add_error("new_id", _("The trader %(id)s exists already.") % {"id": taken.existing})
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        else:
            made = Desk(desk.admin, desk.request, form.cleaned_data["new_id"])
            messages.success(desk.request, _("Made %(id)s, version 1.") % {"id": made.config_id})
            return HttpResponseRedirect(made.change_url)
    return desk.render("clone.html", desk.name(current), tab="clone", form=form, source=source, current=current)


def _version(desk: Desk, latest: int) -> int:
    """Raises ValueError for what is no number that a version could have."""
    number = int(desk.request.GET.get("version") or latest)
    if not 0 < number < 2**31:
        raise ValueError(number)
    return number
