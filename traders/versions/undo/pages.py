"""The page of undo and of restore to a moment: choice, preview and save in one change set."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.admin_log import log_change_set
from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.preview_flow import SAVE, PreviewFlow
from traders.pages.saved import pinned_words, say_saved, waits_for_unpin
from traders.pages.versions import prompt_bodies
from traders.schema import jsonio
from traders.schema.paths import Change
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion
from traders.versions.bulk.proposal import ChangedMeanwhile, FleetProposal
from traders.versions.rules.allocation import Allocation
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import settings_of
from traders.versions.undo.forms import UndoForm
from traders.versions.undo.services import UndoExtent, UndoProposal, UndoScope
from traders.words import settings as words
from traders.words.messages import clauses, listed, with_value
from traders.words.messages import line as problem_line

SHOWN = 50


@dataclass(frozen=True)
class UndoTask:
    """What is undone: how it is proposed and saved, and the words of its page."""

    template: str
    title: str
    extent: Callable[[], UndoExtent]
    propose: Callable[[UndoScope], UndoProposal]
    save: Callable[..., list[SavedVersion]]
    context: Mapping[str, Any]
    chosen: Collection[str] | None = None
    """The configurations that are ticked at first; None: all."""


@dataclass(frozen=True)
class ContestedRow:
    """A setting that was changed since. `value` is what its box posts, empty where another line's box decides it."""

    row: ChangeLine
    value: str
    taken: bool


@dataclass(frozen=True)
class UndoBlock:
    """What would happen to one configuration."""

    page: ConfigPage
    title: str
    version: int
    rows: list[ChangeLine]
    contested: list[ContestedRow]
    problems: list[str]
    retires: bool = field(default=False)


def undo_answer(page: ConfigPage, task: UndoTask) -> HttpResponse:
    return UndoFlow(page, task).answer()


class UndoFlow(PreviewFlow):
    """Choice, preview and reason on one page; steps: preview (with other choices), save."""

    stale_errors = (ChangedMeanwhile,)

    def __init__(self, page: ConfigPage, task: UndoTask) -> None:
        super().__init__(page)
        self.task = task

    def make_form(self, data: QueryDict | None) -> UndoForm:
        form = UndoForm(self.task.extent(), data, may_change_fleet=self.page.may_change_fleet, chosen=self.task.chosen)
        if form.without_fleet and not form.config_ids:
            raise PermissionDenied
        return form

    def is_valid(self) -> bool:
        """A preview needs no reason. A choice that is not possible is reported."""
        return self.step != SAVE or super().is_valid()

    def save(self) -> list[SavedVersion] | None:
        """None if the choice differs from the one of the preview."""
        if self.form.is_empty or not self.form.as_previewed:
            return None
        seen = self.form.seen()
        if seen is None:
            raise BadRequest("the versions seen are missing")
        return self.task.save(
            scope=self.form.scope,
            seen=seen,
            reason=self.reason,
            actor=self.page.actor,
            may_change_fleet=self.page.may_change_fleet,
        )

    def saved(self, result: list[SavedVersion] | None) -> HttpResponse:
        if result is None:
            said = _("The choice differs from the preview: preview it, then save.")
            return self.form_page(notice=said)
        if not result:
            messages.info(self.request, _("Nothing differs: no version was made."))
            return HttpResponseRedirect(reverse("admin:traders_changelog"))
        log_change_set(self.page, result, self.reason)
        made = ngettext(
            "Made %(n)d new version in this change set.", "Made %(n)d new versions in this change set.", len(result)
        )
        say_saved(self.request, made % {"n": len(result)}, result, is_shown=True)
        return HttpResponseRedirect(reverse("admin:traders_changeset", args=[result[0].change_set]))

    def stale_page(self, stale: ChangedMeanwhile) -> HttpResponse:
        return self.form_page(notice=_meanwhile(stale))

    def form_page(self, *, notice: str = "") -> HttpResponse:
        return _page(self.page, self.task, self.form, notice=notice)


def _meanwhile(changed: ChangedMeanwhile) -> str:
    named = [
        with_value(_name(config_id), listed(words.place(settings_of(config_id), path) for path in paths))
        for config_id, paths in changed.contested.items()
    ]
    shown = clauses([*named[:5], *(["…"] if len(named) > 5 else [])])
    return _("Another change was saved meanwhile (%(where)s). Nothing was changed; these are the values now.") % {
        "where": shown
    }


def _page(page: ConfigPage, task: UndoTask, form: UndoForm, *, notice: str = "") -> HttpResponse:
    proposal = _nothing() if form.is_empty else task.propose(form.scope)
    blocks = _blocks(page, proposal, form)
    fleet = proposal.fleet
    parts = [part.config_id for part in fleet.parts]
    return page.render(
        task.template,
        task.title,
        form=form,
        wrong=form.wrong,
        notice=notice,
        blocks=blocks,
        more=len({*parts, *proposal.contested}) - SHOWN,
        changing=len(fleet.parts),
        settings_count=sum(len(part.changes) for part in fleet.parts),
        contested_count=_choices(proposal),
        allocation=fleet,
        rule=fleet.rule,
        refused=bool(fleet.problems),
        raised_count=sum(len(part.riskier) for part in fleet.parts),
        retires=len({part.config_id for part in fleet.parts}.intersection(proposal.created)),
        boxes=[(name, _name(name), name in form.choice.chosen) for name in form.choice.shown],
        shown=" ".join(form.choice.shown),
        path_boxes=[(path, *_words(path), path in form.ticked_paths) for path in form.paths],
        pinned_words=pinned_words([part.config_id for part in fleet.parts if waits_for_unpin(part.changes)]),
        positions=page.positions_beyond({part.config_id: part.changes for part in fleet.parts}),
        seen=jsonio.dumps(fleet.seen),
        **task.context,
    )


def _nothing() -> UndoProposal:
    """What a choice of nothing does. The allocation of a proposal without parts is shown nowhere."""
    none = Allocation(Decimal(0), Decimal(0))
    return UndoProposal(FleetProposal((), 0, none, none, None), {}, ())


def _blocks(page: ConfigPage, proposal: UndoProposal, form: UndoForm) -> list[UndoBlock]:
    """The first SHOWN configurations that change or have contested settings."""
    parts = {part.config_id: part for part in proposal.fleet.parts}
    names = [*parts, *(name for name in proposal.contested if name not in parts)]
    names = sorted(names, key=lambda name: (name != FLEET_ID, name))[:SHOWN]
    shown = [change for name in names if name in parts for change in parts[name].changes]
    texts = prompt_bodies(digests_in(shown))
    blocks = []
    for name in names:
        part, contested = parts.get(name), proposal.contested.get(name, ())
        contested_paths = {line.path for line in contested}
        changes = [change for change in part.changes if change.path not in contested_paths] if part else []
        block = UndoBlock(
            page=ConfigPage(page.admin, page.request, name),
            title=_name(name),
            version=part.version if part else 0,
            rows=rows(name, changes, texts=texts),
            contested=_contested(name, contested, form.scope),
            problems=[problem_line(problem) for problem in part.problems] if part else [],
            retires=name in proposal.created and part is not None,
        )
        blocks.append(block)
    return blocks


def _choices(proposal: UndoProposal) -> int:
    """How many contested settings there are to decide on; a prompt's paths are one."""
    return sum(len({unit_of(change.path) for change in changes}) for changes in proposal.contested.values())


def _contested(config_id: str, changes: Sequence[Change], scope: UndoScope) -> list[ContestedRow]:
    """The paths of a prompt share one box, which stands at the first of them."""
    lines, decided, taken = [], set[str](), scope.chosen_of(config_id)
    for change, row in zip(changes, rows(config_id, changes), strict=True):
        unit = unit_of(change.path)
        value = "" if change.path in decided else f"{config_id} {change.path}"
        decided.update(unit)
        lines.append(ContestedRow(row, value, bool(taken.intersection(unit))))
    return lines


def _words(path: str) -> tuple[str, str]:
    owner = FLEET_ID if path in settings_of(FLEET_ID) else ""
    return words.place(settings_of(owner), path), path


def _name(config_id: str) -> str:
    return _("Fleet settings") if config_id == FLEET_ID else config_id
