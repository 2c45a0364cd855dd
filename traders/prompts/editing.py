"""Pages that write prompt texts: a new text, or a replacement for a text that traders use."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.manager_yaml.prompts import CheckedPrompt
from traders.models import PromptText
from traders.pages.changes import line_diff
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.prompt_texts import writer as stored
from traders.prompts import services as prompts
from traders.prompts.forms import PromptForm
from traders.prompts.pages import missing
from traders.schema.prompts import PromptFile
from traders.schema.settings.stored import SavedVersion
from traders.versions.bulk.chosen import LEAVE, TRADER, seen_versions
from traders.versions.bulk.proposal_page import Contested, FleetProposalFlow, preview_of
from traders.versions.reason import required_reason
from traders.words.messages import ended, translated

SHOWN = 200
"""The most traders with a tick box each; further ones are always included."""
USERS, PATH = "users", "as"


def create_view(page: ConfigPage) -> HttpResponse:
    return PromptCreateFlow(page).answer()


def edit_view(page: ConfigPage) -> HttpResponse:
    """Of the text `object_id` as the prompt `?as=path`."""
    old = prompts.existing(page.config_id)
    if old is None:
        return missing(page.request, page.config_id)
    return PromptEditFlow(page, replace(old, path=page.request.GET.get(PATH) or old.path)).answer()


class PromptCreateFlow(PreviewFlow):
    """A text that no trader uses yet, so it has no preview."""

    first_step = SAVE

    def make_form(self, data: QueryDict | None) -> PromptForm:
        return PromptForm(data, initial={"path": self.request.GET.get("path", "")} if data is None else None)

    def save(self) -> CheckedPrompt:
        given = self.form.cleaned_data
        found = prompts.written(path=given["path"], body=given["body"])
        prompts.create(text=found.prompt, reason=self.reason)
        return found

    def saved(self, result: CheckedPrompt) -> HttpResponse:
        _note(self.page, result.prompt, self.reason)
        messages.success(self.request, _("Stored the text. Choose it in a trader's form, under Prompts."))
        if result.doubt:
            messages.warning(self.request, ended(f"{result.prompt.path}{translated(result.doubt)}"))
        return HttpResponseRedirect(_url(result.prompt.sha256))

    def form_page(self) -> HttpResponse:
        return self.page.render("prompt_form.html", _("New prompt text"), form=self.form)


class PromptEditFlow(FleetProposalFlow):
    """Replaces `old` for the ticked traders. Steps: preview, back, save."""

    def __init__(self, page: ConfigPage, old: PromptFile) -> None:
        super().__init__(page)
        self.old = old
        users = _posted_users(page) if self.is_posted else stored.users(old.path, old.sha256)
        self.users = users
        self.trader_ids = _chosen(page, users) if self.is_posted else users

    def make_form(self, data: QueryDict | None) -> PromptForm:
        return PromptForm(data, initial=None if data else {"body": self.old.body}, fixed_path=True)

    def is_valid(self) -> bool:
        """Raises InvalidConfig for a text that breaks the rules of prompt files."""
        if not super().is_valid():
            return False
        self.new = prompts.written(path=self.old.path, body=self.form.cleaned_data["body"], like=self.old)
        required_reason(self.reason)
        return True

    def save(self) -> list[SavedVersion] | None:
        """None for a text that is the old one."""
        if self.new.prompt.sha256 == self.old.sha256:
            return None
        return prompts.save(
            old=self.old,
            new=self.new.prompt,
            trader_ids=self.trader_ids,
            seen=seen_versions(self.page),
            reason=self.reason,
            actor=self.page.actor,
        )

    def saved(self, result: list[SavedVersion] | None) -> HttpResponse:
        if result is None:
            return self.preview_page()
        _note(self.page, self.new.prompt, self.reason)
        if not result:
            messages.success(self.request, _("Stored the text. No trader was moved to it."))
            return HttpResponseRedirect(_url(self.new.prompt.sha256))
        return super().saved(result)

    def words_of(self, count: int) -> str:
        return ngettext("Moved %(n)d trader to the new text.", "Moved %(n)d traders to the new text.", count)

    def form_page(self) -> HttpResponse:
        ticked = set(self.trader_ids)
        return self.page.render(
            "prompt_form.html",
            _("Edit %(path)s") % {"path": self.old.path},
            old=self.old,
            form=self.form,
            users=" ".join(self.users),
            shown=[(name, name in ticked) for name in self.users[:SHOWN]],
            more=max(0, len(self.users) - SHOWN),
        )

    def preview_page(self, *, contested: Contested | None = None) -> HttpResponse:
        """Raises UnknownConfig. Traders that were given another text meanwhile are named and left out."""
        gone = contested or {}
        proposal = prompts.propose(old=self.old, new=self.new.prompt, trader_ids=self.trader_ids)
        return self.page.render(
            "prompt_preview.html",
            _("Edit %(path)s") % {"path": self.old.path},
            **preview_of(self.page, proposal),
            old=self.old,
            new=self.new.prompt,
            doubt=ended(f"{self.old.path}{translated(self.new.doubt)}") if self.new.doubt else "",
            lines=list(line_diff(self.old.body, self.new.prompt.body)),
            is_stored=prompts.existing(self.new.prompt.sha256) is not None,
            gone=[name for name in self.trader_ids if name in gone],
            reason=self.reason,
            carried=self._carried_users(proposal.seen if gone else self.trader_ids, without=gone),
        )

    def _carried_users(self, chosen: Collection[str], *, without: Collection[str]) -> list[tuple[str, str]]:
        users = [name for name in self.users if name not in without]
        ticked = [name for name in users[:SHOWN] if name in set(chosen)]
        return [*self.carried(TRADER, USERS), (USERS, " ".join(users)), *((TRADER, name) for name in ticked)]


def _chosen(page: ConfigPage, users: Sequence[str]) -> list[str]:
    """The ticked traders, and those beyond SHOWN, without those that the preview left out."""
    ticked = {*page.request.POST.getlist(TRADER), *users[SHOWN:]} - set(page.request.POST.getlist(LEAVE))
    return [name for name in users if name in ticked]


def _posted_users(page: ConfigPage) -> list[str]:
    return list(dict.fromkeys(page.request.POST.get(USERS, "").split()))


def _note(page: ConfigPage, text: PromptFile, reason: str) -> None:
    """Logs who wrote a text and why in Django's log, because a text that no trader uses has no version."""
    row = PromptText.objects.filter(pk=text.sha256)
    LogEntry.objects.log_actions(str(page.request.user.pk), row, ADDITION, change_message=reason, single_object=True)


def _url(sha256: str) -> str:
    return reverse("admin:traders_prompttext_change", args=[sha256])
