"""What the pages of prompt texts show beside the text itself, and two texts line by line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.models import PromptText
from traders.pages.changes import TextLine, line_diff
from traders.pages.config_page import ConfigPage
from traders.prompt_texts import writer as stored
from traders.prompt_texts.writer import PromptUse
from traders.prompts import services as prompts
from traders.prompts.rules import PromptFileFate
from traders.prompts.services import PromptOnDisk
from traders.schema.messages import TranslatableText

OTHERS_SHOWN = 50
USERS_SHOWN = 100


@dataclass(frozen=True)
class PromptSummary:
    """What the list shows of a text. `place` counts from 1; `refused` says why a sync would refuse the file."""

    place: int
    traders: int
    differs: bool
    refused: TranslatableText | None


@dataclass(frozen=True)
class FileState:
    """How the file of one path compares with the text that its traders use."""

    file: PromptOnDisk
    traders: int
    fates: list[tuple[PromptFileFate, int]]
    lines: list[TextLine]

    @property
    def differs(self) -> bool:
        return bool(self.file.problem) or any(fate is not PromptFileFate.SAME for fate, _traders in self.fates)


def summaries(texts: Sequence[PromptText]) -> list[PromptSummary]:
    """One for each text of a page, from one query and one reading of each file."""
    by_digest: dict[str, list[PromptUse]] = {}
    for use in stored.uses():
        by_digest.setdefault(use.sha256, []).append(use)
    files = prompts.on_disk([use.path for text in texts for use in by_digest.get(text.sha256, ())])
    return [_summary(place, by_digest.get(text.sha256, []), files) for place, text in enumerate(texts, start=1)]


def cell_part(name: str, text: PromptText) -> SafeString:
    return SafeString(render_to_string(f"traders/parts/{name}", {"text": text}).strip())


def beside_text(request: HttpRequest, text: PromptText) -> dict[str, Any]:
    """Who uses it, how its file compares, who wrote it, and the other texts of its path."""
    uses = stored.uses([text.sha256])
    names = list(dict.fromkeys(use.path for use in uses)) or [text.path]
    others = PromptText.objects.defer("body").filter(path=text.path).exclude(pk=text.pk).order_by("-first_seen_at")
    return {
        "names": [(name, stored.users(name, text.sha256)) for name in names],
        "shown": USERS_SHOWN,
        "states": _states(text, uses),
        "others": others[:OTHERS_SHOWN],
        "written": LogEntry.objects.filter(
            content_type__app_label="traders", content_type__model="prompttext", object_id=text.pk
        ).first(),
        "may_edit": may_edit(request),
    }


def compare_view(page: ConfigPage) -> HttpResponse:
    """`?a=digest&b=digest`; without them the two that were stored last."""
    known = list(PromptText.objects.defer("body").order_by("path", "-first_seen_at"))
    newest = sorted(known, key=lambda text: text.first_seen_at)[-2:]
    chosen = [page.request.GET.get(name) or "" for name in ("a", "b")]
    if not any(chosen):
        chosen = [text.sha256 for text in newest]
    found = PromptText.objects.in_bulk(chosen)
    sides = [found.get(digest) for digest in chosen]
    both = len(sides) == 2 and all(sides)
    return page.render(
        "prompt_compare.html",
        _("Compare two prompt texts"),
        known=known,
        sides=sides,
        both=both,
        lines=list(line_diff(sides[0].body, sides[1].body)) if both else [],  # type: ignore[union-attr]
        equal=both and sides[0] == sides[1],
    )


def may_edit(request: HttpRequest) -> bool:
    return request.user.has_perms(("traders.add_prompttext", "traders.change_traderconfig"))


def missing(request: HttpRequest, sha256: str) -> HttpResponse:
    messages.warning(request, _("There is no prompt text “%(id)s”.") % {"id": sha256[:64]})
    return HttpResponseRedirect(reverse("admin:traders_prompttext_changelist"))


def _summary(place: int, uses: Sequence[PromptUse], files: Mapping[str, PromptOnDisk]) -> PromptSummary:
    fates = prompts.fates(uses, files)
    return PromptSummary(
        place=place,
        traders=sum(use.traders for use in uses),
        differs=any(fate is not PromptFileFate.SAME for fate in fates),
        refused=next((files[use.path].problem for use in uses if files[use.path].problem), None),
    )


def _states(text: PromptText, uses: Sequence[PromptUse]) -> list[FileState]:
    files = prompts.on_disk([use.path for use in uses])
    return [_state(text, file, [use for use in uses if use.path == path]) for path, file in files.items()]


def _state(text: PromptText, file: PromptOnDisk, uses: Sequence[PromptUse]) -> FileState:
    fates: Any = prompts.fates(uses, {file.path: file})
    return FileState(
        file=file,
        traders=sum(use.traders for use in uses),
        fates=sorted(fates.items()),
        lines=list(line_diff(text.body, file.text.body)) if file.text else [],
    )
