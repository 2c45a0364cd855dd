"""The base class of pages that change something in steps: a form, a preview, the save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from traders.drafts import pages as drafts
from traders.drafts import writer
from traders.drafts.rules import DRAFT
from traders.pages.config_page import ConfigPage
from traders.schema.problems import InvalidConfig
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownConfig
from traders.words.messages import why

STEP = "step"
PREVIEW, BACK, SAVE = "preview", "back", "save"


def is_save(request: HttpRequest) -> bool:
    """Whether the request is the last step of a flow."""
    return request.method == "POST" and request.POST.get(STEP) == SAVE


class PreviewFlow(ABC):
    """One request of a change. `answer` shows the form, the preview or the stale answer, or saves and redirects.

    A post that does not save is kept as a draft and answered with a redirect to it, so that a browser may load the
    page again and come back to it. The preview carries what the form posted, so that the save does what was shown; the
    same save sent twice makes one version, and both requests are answered with it. A subclass defines `make_form`,
    `form_page`, `save` and `saved`; `preview_page` where the preview is a page of its own, and `stale_page`.
    A save by somebody else between preview and save is never overwritten: the service raises one of `stale_errors`.
    """

    stale_errors: ClassVar[tuple[type[Exception], ...]] = (StaleEdit,)
    not_carried: ClassVar[Collection[str]] = ("csrfmiddlewaretoken", STEP, DRAFT)
    keeps_drafts: ClassVar[bool] = True
    preview_step: ClassVar[str] = PREVIEW
    save_step: ClassVar[str] = SAVE
    first_step: ClassVar[str] = PREVIEW
    """The step of a posted form that names none."""

    def __init__(self, page: ConfigPage) -> None:
        self.page = page
        self.request = page.request
        self.request.takes_drafts = self.keeps_drafts  # type: ignore[attr-defined]
        self.form: Any = None

    @property
    def is_posted(self) -> bool:
        return drafts.is_posted(self.request)

    @property
    def step(self) -> str:
        return self.request.POST.get(STEP, self.first_step)

    @property
    def reason(self) -> str:
        """Only of a valid form."""
        return str(self.form.cleaned_data["reason"])

    def answer(self) -> HttpResponse:
        if kept := self.kept():
            return kept
        self.form = self.make_form(self.request.POST if self.is_posted else None)
        if not self.is_posted or self.step not in (self.preview_step, self.save_step):
            return self.form_page()
        return self.answered(self._take_step)

    def kept(self) -> HttpResponse | None:
        """Leads to the draft of what was posted; None for a save, and for what no draft may hold."""
        is_kept = self.keeps_drafts and self.request.method == "POST" and self.step != self.save_step
        return drafts.kept_answer(self.request) if is_kept else None

    def answered(self, take_step: Callable[[], HttpResponse]) -> HttpResponse:
        """The page of a step, or the page of the error that the step raises."""
        try:
            try:
                return take_step()
            except self.stale_errors as stale:
                return self.saved_before() or self.stale_page(stale)
        except InvalidConfig as invalid:
            return self.saved_before() or self.refused_page(invalid)
        except AlreadyExists as taken:
            return self.saved_before() or self.taken_page(taken)
        except UnknownConfig as unknown:
            return self.saved_before() or self.unknown_page(unknown)

    def _take_step(self) -> HttpResponse:
        if not self.is_valid():
            return self.saved_before() or self.form_page()
        if self.step == self.preview_step or not self.saves:
            return self.preview_page()
        return writer.saving(lambda: self.ended(self.save()))

    @property
    def saves(self) -> bool:
        """Only a post saves: the page of a draft never does."""
        return self.request.method == "POST" and self.step == self.save_step

    def ended(self, result: Any) -> HttpResponse:
        """What the save leads to, noted with its draft. To be called in the transaction of the save."""
        if not result and (earlier := self.saved_before()):
            return earlier
        answer = self.saved(result)
        if self.keeps_drafts:
            drafts.note_saved(self.request, answer)
        return answer

    def saved_before(self) -> HttpResponse | None:
        return drafts.saved_before(self.request) if self.saves else None

    @abstractmethod
    def make_form(self, data: QueryDict | None) -> Any:
        """The form, unbound for None."""

    def is_valid(self) -> bool:
        return bool(self.form.is_valid())

    @abstractmethod
    def form_page(self) -> HttpResponse:
        """The page of the form."""

    def preview_page(self) -> HttpResponse:
        """On the page of the form, unless a subclass has one."""
        return self.form_page()

    @abstractmethod
    def save(self) -> Any:
        """Calls the service. Raises what the service raises."""

    @abstractmethod
    def saved(self, result: Any) -> HttpResponse:
        """The message and the redirect. `result` is what `save` returned."""

    def stale_page(self, stale: Any) -> HttpResponse:
        """The page after a save by somebody else: what stands now."""
        return self.form_page()

    def refused_page(self, invalid: InvalidConfig) -> HttpResponse:
        self.form.add_problems(invalid.problems)
        return self.form_page()

    def taken_page(self, taken: AlreadyExists) -> HttpResponse:
        self.form.add_error("new_id", _("The trader %(id)s exists already.") % {"id": taken.existing})
        return self.form_page()

    def unknown_page(self, unknown: UnknownConfig) -> HttpResponse:
        """A trader that was chosen does not exist."""
        self.form.add_error(None, _("%(error)s: leave it out.") % {"error": capfirst(why(unknown))})
        return self.form_page()

    def carried(self, *others: str) -> list[tuple[str, str]]:
        """What was posted, but for `not_carried` and `others`, as hidden fields of the next page."""
        left_out = {*self.not_carried, *others}
        return [
            (name, str(value)) for name, values in self.request.POST.lists() if name not in left_out for value in values
        ]

    def posted_version(self, name: str) -> int:
        """Raises BadRequest."""
        try:
            number = int(self.request.POST.get(name, ""))
        except ValueError:
            number = 0
        if number < 1:
            raise BadRequest(f"{name} must be a version")
        return number
