"""The base class of pages that change something in steps: a form, a preview, the save."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from typing import Any, ClassVar

from django.core.exceptions import BadRequest
from django.http import HttpResponse, QueryDict
from django.utils.translation import gettext as _

from traders.pages.config_page import ConfigPage
from traders.schema.problems import InvalidConfig
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownConfig

STEP = "step"
PREVIEW, BACK, SAVE = "preview", "back", "save"


class PreviewFlow(ABC):
    """One request of a change. `answer` shows the form, the preview or the stale answer, or saves and redirects.

    The preview carries what the form posted, so that the save does what was shown. A subclass defines `make_form`,
    `form_page`, `save` and `saved`; `preview_page` where the preview is a page of its own, and `stale_page`.
    A save by somebody else between preview and save is never overwritten: the service raises one of `stale_errors`.
    """

    stale_errors: ClassVar[tuple[type[Exception], ...]] = (StaleEdit,)
    not_carried: ClassVar[Collection[str]] = ("csrfmiddlewaretoken", STEP)
    preview_step: ClassVar[str] = PREVIEW
    save_step: ClassVar[str] = SAVE
    first_step: ClassVar[str] = PREVIEW
    """The step of a posted form that names none."""

    def __init__(self, page: ConfigPage) -> None:
        self.page = page
        self.request = page.request
        self.form: Any = None

    @property
    def is_posted(self) -> bool:
        return self.request.method == "POST"

    @property
    def step(self) -> str:
        return self.request.POST.get(STEP, self.first_step)

    @property
    def reason(self) -> str:
        """Only of a valid form."""
        return str(self.form.cleaned_data["reason"])

    def answer(self) -> HttpResponse:
        self.form = self.make_form(self.request.POST if self.is_posted else None)
        if not self.is_posted or self.step not in (self.preview_step, self.save_step):
            return self.form_page()
        return self.answered(self._take_step)

    def answered(self, take_step: Callable[[], HttpResponse]) -> HttpResponse:
        """The page of a step, or the page of the error that the step raises."""
        try:
            try:
                return take_step()
            except self.stale_errors as stale:
                return self.stale_page(stale)
        except InvalidConfig as invalid:
            return self.refused_page(invalid)
        except AlreadyExists as taken:
            return self.taken_page(taken)
        except UnknownConfig as unknown:
            return self.unknown_page(unknown)

    def _take_step(self) -> HttpResponse:
        if not self.is_valid():
            return self.form_page()
        return self.preview_page() if self.step == self.preview_step else self.saved(self.save())

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
        self.form.add_error(None, _("%(error)s: leave it out.") % {"error": str(unknown).capitalize()})
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
