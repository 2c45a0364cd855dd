"""Undo and restore of many: one page that chooses, previews and saves as one change set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from traders.pages.changes import Row, digests_in, rows
from traders.pages.desk import Desk
from traders.pages.versions import prompt_bodies
from traders.schema import jsonio
from traders.schema.paths import Change
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion
from traders.versions.bulk.many import ChangedMeanwhile
from traders.versions.rules.merge import unit_of
from traders.versions.rules.proposal import settings_of
from traders.versions.undo.forms import TakingBackForm
from traders.versions.undo.services import Extent, Scope, UndoProposal
from traders.words import settings as words
from traders.words.messages import line as problem_line

SHOWN = 50


@dataclass(frozen=True)
class Task:
    """What is taken back: how it is proposed and saved, and the words of its page."""

    template: str
    title: str
    extent: Callable[[], Extent]
    propose: Callable[[Scope], UndoProposal]
    save: Callable[..., list[SavedVersion]]
    context: Mapping[str, Any]


@dataclass(frozen=True)
class Contested:
    """A setting touched since. `value` is what its box posts, empty where another line's box decides it."""

    row: Row
    value: str
    taken: bool


@dataclass(frozen=True)
class Block:
    """What would happen to one configuration."""

    desk: Desk
    title: str
    version: int
    rows: list[Row]
    contested: list[Contested]
    problems: list[str]
    retires: bool = field(default=False)


def take_back_view(desk: Desk, task: Task) -> HttpResponse:
    posted = desk.request.POST if desk.request.method == "POST" else None
    form = TakingBackForm(task.extent(), posted, may_change_fleet=desk.may_change_fleet)
    if form.without_fleet and not form.config_ids:
        raise PermissionDenied
    if posted is None or posted.get("step") != "save":
        # A new preview asks for no reason yet; an impossible choice is reported all the same.
        return _page(desk, task, form)
    if not form.is_valid():
        return _page(desk, task, form)
    if not form.as_previewed:
        return _page(desk, task, form, notice=_("The choice is another than the one shown: look again, then save."))
    return _saved(desk, task, form)


def _saved(desk: Desk, task: Task, form: TakingBackForm) -> HttpResponse:
    seen = form.seen()
    if seen is None:
        raise BadRequest("the versions seen are missing")
    try:
        saved = task.save(
            scope=form.scope,
            seen=seen,
            reason=form.cleaned_data["reason"],
            actor=desk.actor,
            may_change_fleet=desk.may_change_fleet,
        )
    except ChangedMeanwhile as changed:
        return _page(desk, task, form, notice=_meanwhile(changed))
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
        return _page(desk, task, form)
    if not saved:
        messages.info(desk.request, _("Nothing differs: no version was made."))
        return HttpResponseRedirect(reverse("admin:traders_changelog"))
    made = ngettext(
        "Made %(n)d new version in this change set.", "Made %(n)d new versions in this change set.", len(saved)
    )
    messages.success(desk.request, made % {"n": len(saved)})
    return HttpResponseRedirect(reverse("admin:traders_changeset", args=[saved[0].change_set]))


def _meanwhile(changed: ChangedMeanwhile) -> str:
    named = [
        f"{_name(config_id)}: {', '.join(words.place(settings_of(config_id), path) for path in paths)}"
        for config_id, paths in changed.contested.items()
    ]
    shown = "; ".join(named[:5]) + ("; …" if len(named) > 5 else "")
    return _("Another change was saved meanwhile (%(where)s). Nothing was changed; these are the values now.") % {
        "where": shown
    }


def _page(desk: Desk, task: Task, form: TakingBackForm, *, notice: str = "") -> HttpResponse:
    proposal = task.propose(form.scope)
    blocks = _blocks(desk, proposal, form)
    fleet = proposal.fleet
    parts = [part.config_id for part in fleet.parts]
    return desk.render(
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
        boxes=[(name, _name(name), name in form.ticked) for name in form.config_ids] if form.few else [],
        path_boxes=[(path, *_words(path), path in form.ticked_paths) for path in form.paths],
        seen=jsonio.dumps(fleet.seen),
        **task.context,
    )


def _blocks(desk: Desk, proposal: UndoProposal, form: TakingBackForm) -> list[Block]:
    """The first of those that change or are contested."""
    parts = {part.config_id: part for part in proposal.fleet.parts}
    names = [*parts, *(name for name in proposal.contested if name not in parts)]
    names = sorted(names, key=lambda name: (name != FLEET_ID, name))[:SHOWN]
    shown = [change for name in names if name in parts for change in parts[name].changes]
    texts = prompt_bodies(digests_in(shown))
    blocks = []
    for name in names:
        part, contested = parts.get(name), proposal.contested.get(name, ())
        going = {line.path for line in contested}
        changes = [change for change in part.changes if change.path not in going] if part else []
        block = Block(
            desk=Desk(desk.admin, desk.request, name),
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


def _contested(config_id: str, changes: Sequence[Change], scope: Scope) -> list[Contested]:
    """A prompt's paths are decided by the box of the first of them."""
    lines, decided, taken = [], set[str](), scope.chosen_of(config_id)
    for change, row in zip(changes, rows(config_id, changes), strict=True):
        unit = unit_of(change.path)
        value = "" if change.path in decided else f"{config_id} {change.path}"
        decided.update(unit)
        lines.append(Contested(row, value, bool(taken.intersection(unit))))
    return lines


def _words(path: str) -> tuple[str, str]:
    owner = FLEET_ID if path in settings_of(FLEET_ID) else ""
    return words.place(settings_of(owner), path), path


def _name(config_id: str) -> str:
    return _("Fleet settings") if config_id == FLEET_ID else config_id
