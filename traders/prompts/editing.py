"""Writing prompts: a new text in the place of one that traders use, or for none of them yet."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.manager_yaml.prompts import CheckedPrompt
from traders.models import PromptText
from traders.pages.changes import line_diff
from traders.pages.desk import Desk
from traders.prompt_texts import writer as stored
from traders.prompts import services as prompts
from traders.prompts.forms import PromptForm
from traders.prompts.pages import missing
from traders.schema.problems import InvalidConfig
from traders.schema.prompts import PromptFile
from traders.versions.bulk.chosen import LEAVE, SEEN, TRADER, seen_versions
from traders.versions.bulk.many import ChangedMeanwhile
from traders.versions.bulk.many_page import preview_of, saved_page
from traders.versions.reason import required_reason
from traders.versions.rules.errors import UnknownConfig

SHOWN = 200
"""Traders that can be ticked one by one; further ones always come along."""
USERS, PATH = "users", "as"
STEPS = ("preview", "save")


def create_view(desk: Desk) -> HttpResponse:
    if desk.request.method != "POST":
        return _create_page(desk, PromptForm(initial={"path": desk.request.GET.get("path", "")}))
    form = PromptForm(desk.request.POST)
    try:
        if form.is_valid():
            found = prompts.written(path=form.cleaned_data["path"], body=form.cleaned_data["body"])
            prompts.create(text=found.prompt, reason=form.cleaned_data["reason"])
            return _created(desk, found, form.cleaned_data["reason"])
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
    return _create_page(desk, form)


def edit_view(desk: Desk) -> HttpResponse:
    """Of the text `object_id` as the prompt `?as=path`. Steps: preview, back, save."""
    old = prompts.existing(desk.config_id)
    if old is None:
        return missing(desk.request, desk.config_id)
    old = replace(old, path=desk.request.GET.get(PATH) or old.path)
    if desk.request.method != "POST":
        users = stored.users(old.path, old.sha256)
        return _form_page(desk, old, PromptForm(initial={"body": old.body}, fixed_path=True), users, users)
    form = PromptForm(desk.request.POST, fixed_path=True)
    step = desk.request.POST.get("step", "preview")
    if step in STEPS and form.is_valid():
        try:
            return _step(desk, old, form, saving=step == "save")
        except InvalidConfig as invalid:
            form.add_problems(invalid.problems)
        except UnknownConfig as unknown:
            form.add_error(None, _("%(error)s: leave it out.") % {"error": str(unknown).capitalize()})
    return _form_page(desk, old, form, _posted_users(desk), _chosen(desk))


def _step(desk: Desk, old: PromptFile, form: PromptForm, *, saving: bool) -> HttpResponse:
    """Raises InvalidConfig and UnknownConfig."""
    new = prompts.written(path=old.path, body=form.cleaned_data["body"], like=old)
    reason = required_reason(form.cleaned_data["reason"])
    if not saving or new.prompt.sha256 == old.sha256:
        return _preview_page(desk, old, new, form)
    try:
        saved = prompts.save(
            old=old,
            new=new.prompt,
            trader_ids=_chosen(desk),
            seen=seen_versions(desk),
            reason=reason,
            actor=desk.actor,
        )
    except ChangedMeanwhile as changed:
        return _preview_page(desk, old, new, form, contested=list(changed.contested))
    _note(desk, new.prompt, reason)
    if not saved:
        messages.success(desk.request, _("Stored the text. No trader was moved to it."))
        return HttpResponseRedirect(_url(new.prompt.sha256))
    said = ngettext("Moved %(n)d trader to the new text.", "Moved %(n)d traders to the new text.", len(saved))
    return saved_page(desk, saved, said % {"n": len(saved)})


def _chosen(desk: Desk) -> list[str]:
    """The ticked ones of those shown, and all that were too many to show, but for those left out after all."""
    users = _posted_users(desk)
    ticked = {*desk.request.POST.getlist(TRADER), *users[SHOWN:]} - set(desk.request.POST.getlist(LEAVE))
    return [name for name in users if name in ticked]


def _posted_users(desk: Desk) -> list[str]:
    return list(dict.fromkeys(desk.request.POST.get(USERS, "").split()))


def _created(desk: Desk, found: CheckedPrompt, reason: str) -> HttpResponse:
    _note(desk, found.prompt, reason)
    messages.success(desk.request, _("Stored the text. Choose it in a trader's form, under Prompts."))
    if found.doubt:
        messages.warning(desk.request, f"{found.prompt.path}{found.doubt}.")
    return HttpResponseRedirect(_url(found.prompt.sha256))


def _note(desk: Desk, text: PromptFile, reason: str) -> None:
    """Who wrote a text, and why, stands in the admin's own log: the text itself may come to serve no trader."""
    row = PromptText.objects.filter(pk=text.sha256)
    LogEntry.objects.log_actions(str(desk.request.user.pk), row, ADDITION, change_message=reason, single_object=True)


def _url(sha256: str) -> str:
    return reverse("admin:traders_prompttext_change", args=[sha256])


def _create_page(desk: Desk, form: PromptForm) -> HttpResponse:
    return desk.render("prompt_form.html", _("New prompt text"), form=form)


def _form_page(
    desk: Desk, old: PromptFile, form: PromptForm, users: Sequence[str], chosen: Sequence[str]
) -> HttpResponse:
    ticked = set(chosen)
    return desk.render(
        "prompt_form.html",
        _("Edit %(path)s") % {"path": old.path},
        old=old,
        form=form,
        users=" ".join(users),
        shown=[(name, name in ticked) for name in users[:SHOWN]],
        more=max(0, len(users) - SHOWN),
    )


def _preview_page(
    desk: Desk, old: PromptFile, new: CheckedPrompt, form: PromptForm, *, contested: Sequence[str] = ()
) -> HttpResponse:
    """Raises UnknownConfig."""
    chosen = _chosen(desk)
    proposal = prompts.propose(old=old, new=new.prompt, trader_ids=chosen)
    return desk.render(
        "prompt_preview.html",
        _("Edit %(path)s") % {"path": old.path},
        **preview_of(desk, proposal),
        old=old,
        new=new.prompt,
        doubt=new.doubt,
        lines=list(line_diff(old.body, new.prompt.body)),
        is_stored=prompts.existing(new.prompt.sha256) is not None,
        gone=[name for name in chosen if name in contested],
        reason=form.cleaned_data["reason"],
        carried=_carried(desk, proposal.seen if contested else chosen, without=contested),
    )


def _carried(desk: Desk, chosen: Collection[str], *, without: Collection[str]) -> list[tuple[str, str]]:
    """What was posted, to be posted again from the preview."""
    own = ("csrfmiddlewaretoken", "step", SEEN, LEAVE, TRADER, USERS)
    posted = [(name, str(value)) for name, value in desk.request.POST.items() if name not in own]
    users = [name for name in _posted_users(desk) if name not in without]
    ticked = [name for name in users[:SHOWN] if name in set(chosen)]
    return [*posted, (USERS, " ".join(users)), *((TRADER, name) for name in ticked)]
