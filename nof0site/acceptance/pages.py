"""The page Acceptance: the lists, and the lines that it is asked to measure. For admins; it reads only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from nof0site.acceptance import services
from nof0site.acceptance.lines import LINES, TITLES
from nof0site.acceptance.rules import WORDS, AcceptanceLine, LineResult, LineVerdict, UnknownLine, chosen, counted
from traders.pages.config_page import may_change_fleet
from traders.words import messages as words

ALL = "all"
# Of each statement of a line, and of the whole page: the others wait for the same threads.
LIMIT_SECONDS, PAGE_SECONDS = 5.0, 25.0
TONES = {LineVerdict.FAIL: "wrong", LineVerdict.PASS: "good", LineVerdict.CORRECTED: "warn"}


@dataclass(frozen=True, slots=True)
class MeasuredLine:
    """`result` None: the page was not asked to measure it."""

    line: AcceptanceLine
    result: LineResult | None

    @property
    def verdict(self) -> str:
        return words.translated(WORDS[self.result.measured.verdict]) if self.result else ""

    @property
    def tone(self) -> str:
        return TONES.get(self.result.measured.verdict, "") if self.result else ""


@dataclass(frozen=True, slots=True)
class MeasuredPhase:
    id: str
    title: str
    lines: tuple[MeasuredLine, ...]


def acceptance_view(request: HttpRequest) -> HttpResponse:
    """`?only=P3`, `?only=P3.1` or `?only=all` measures; without it nothing is measured."""
    if not may_change_fleet(request):
        raise PermissionDenied
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(["GET", "HEAD"])
    results = _results(request)
    counts = counted(results)
    context = {
        **admin.site.each_context(request),
        "title": _("Acceptance"),
        "phases": [
            MeasuredPhase(
                phase, words.translated(TITLES[phase]), tuple(MeasuredLine(line, _of(line, results)) for line in some)
            )
            for phase, some in groupby(LINES, key=lambda line: line.phase)
        ],
        "counts": [(words.translated(WORDS[verdict]), counts[verdict]) for verdict in LineVerdict] if results else [],
        "failed": [result for result in results if result.is_fail],
        "seconds": sum(result.seconds for result in results),
    }
    return TemplateResponse(request, "nof0site/acceptance.html", context)


def _results(request: HttpRequest) -> list[LineResult]:
    asked = request.GET.get("only", "")
    if not asked:
        return []
    try:
        lines = chosen(LINES, [] if asked == ALL else [asked])
    except UnknownLine as error:
        messages.error(request, words.why(error))
        return []
    return list(services.measured(lines, limit_seconds=LIMIT_SECONDS, within_seconds=PAGE_SECONDS))


def _of(line: AcceptanceLine, results: list[LineResult]) -> LineResult | None:
    return next((result for result in results if result.line is line), None)
