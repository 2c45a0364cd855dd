"""Reading prompts: all texts, one of them with its file, and two line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.models import PromptText
from traders.pages.changes import TextLine, line_diff
from traders.pages.desk import Desk
from traders.prompt_texts import writer as stored
from traders.prompt_texts.writer import Use
from traders.prompts import services as prompts
from traders.prompts.rules import Fate
from traders.prompts.services import OnDisk
from traders.schema.messages import TranslatableText

PER_PAGE = 50
USERS_SHOWN = 100


@dataclass(frozen=True)
class ListRow:
    text: PromptText
    traders: int
    differs: bool
    refused: TranslatableText | None


@dataclass(frozen=True)
class FileState:
    """How the file of one path compares with the text that its traders use."""

    file: OnDisk
    traders: int
    fates: list[tuple[Fate, int]]
    lines: list[TextLine]

    @property
    def differs(self) -> bool:
        return bool(self.file.problem) or any(fate is not Fate.SAME for fate, _traders in self.fates)


def list_view(desk: Desk) -> HttpResponse:
    asked, only_used = desk.request.GET.get("q", "").strip(), "used" in desk.request.GET
    every_use = stored.uses()
    used = {use.sha256 for use in every_use}
    texts = PromptText.objects.defer("body").order_by("path", "-first_seen_at", "sha256")
    total = texts.count()
    if asked:
        texts = texts.filter(Q(path__icontains=asked) | Q(version__icontains=asked) | Q(sha256__startswith=asked))
    if only_used:
        texts = texts.filter(pk__in=used)
    page = Paginator(texts, PER_PAGE).get_page(desk.request.GET.get("page"))
    return desk.render(
        "prompts.html",
        _("Prompt texts"),
        rows=_rows(list(page.object_list), every_use),
        page=page,
        pages=page.paginator.get_elided_page_range(page.number),
        asked=asked,
        only_used=only_used,
        total=total,
        may_add=desk.admin.has_add_permission(desk.request),
    )


def text_view(desk: Desk) -> HttpResponse:
    text = PromptText.objects.filter(pk=desk.config_id).first()
    if text is None:
        return missing(desk)
    uses = stored.uses([text.sha256])
    names = list(dict.fromkeys(use.path for use in uses)) or [text.path]
    others = PromptText.objects.defer("body").filter(path=text.path).exclude(pk=text.pk).order_by("-first_seen_at")
    return desk.render(
        "prompt.html",
        _("Prompt text"),
        text=text,
        names=[(name, stored.users(name, text.sha256)) for name in names],
        shown=USERS_SHOWN,
        states=_states(text, uses),
        others=others[:PER_PAGE],
        written=LogEntry.objects.filter(
            content_type__app_label="traders", content_type__model="prompttext", object_id=text.pk
        ).first(),
        may_edit=may_edit(desk),
    )


def compare_view(desk: Desk) -> HttpResponse:
    """`?a=digest&b=digest`; without them the two that were stored last."""
    known = list(PromptText.objects.defer("body").order_by("path", "-first_seen_at"))
    newest = sorted(known, key=lambda text: text.first_seen_at)[-2:]
    chosen = [desk.request.GET.get(name) or "" for name in ("a", "b")]
    if not any(chosen):
        chosen = [text.sha256 for text in newest]
    found = PromptText.objects.in_bulk(chosen)
    sides = [found.get(digest) for digest in chosen]
    both = len(sides) == 2 and all(sides)
    return desk.render(
        "prompt_compare.html",
        _("Compare two prompt texts"),
        known=known,
        sides=sides,
        both=both,
        lines=list(line_diff(sides[0].body, sides[1].body)) if both else [],  # type: ignore[union-attr]
        equal=both and sides[0] == sides[1],
    )


def may_edit(desk: Desk) -> bool:
    user = desk.request.user
    return user.has_perms(("traders.add_prompttext", "traders.change_traderconfig"))


def missing(desk: Desk) -> HttpResponse:
    messages.warning(desk.request, _("There is no prompt text “%(id)s”.") % {"id": desk.config_id[:64]})
    return HttpResponseRedirect(reverse("admin:traders_prompttext_changelist"))


def _rows(texts: Sequence[PromptText], every_use: Sequence[Use]) -> list[ListRow]:
    by_digest: dict[str, list[Use]] = {}
    for use in every_use:
        by_digest.setdefault(use.sha256, []).append(use)
    files = prompts.on_disk([use.path for text in texts for use in by_digest.get(text.sha256, ())])
    return [_row(text, by_digest.get(text.sha256, []), files) for text in texts]


def _row(text: PromptText, uses: Sequence[Use], files: Mapping[str, OnDisk]) -> ListRow:
    fates = prompts.fates(uses, files)
    return ListRow(
        text=text,
        traders=sum(use.traders for use in uses),
        differs=any(fate is not Fate.SAME for fate in fates),
        refused=next((files[use.path].problem for use in uses if files[use.path].problem), None),
    )


def _states(text: PromptText, uses: Sequence[Use]) -> list[FileState]:
    files = prompts.on_disk([use.path for use in uses])
    return [_state(text, file, [use for use in uses if use.path == path]) for path, file in files.items()]


def _state(text: PromptText, file: OnDisk, uses: Sequence[Use]) -> FileState:
    fates: Any = prompts.fates(uses, {file.path: file})
    return FileState(
        file=file,
        traders=sum(use.traders for use in uses),
        fates=sorted(fates.items()),
        lines=list(line_diff(text.body, file.text.body)) if file.text else [],
    )
