"""A log that is only added to: filters, the list with the newest entry first, and all entries that match as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from traders.pages import csv_text
from traders.pages.config_page import ConfigPage
from traders.pages.grid import ReadOnlyAdmin
from traders.pages.guarded import guarded_path
from traders.pages.keyset import KeysetChangeList
from traders.words.moments import MomentField, end_of_period


class LogForm(forms.Form):
    """The period, in which an entry has its moment `at`. A subclass adds fields, and `chosen` for them. `typed` names
    those that are filled in by hand: their label stands in them."""

    since = MomentField(label=_("From"), required=False)
    until = MomentField(label=_("To"), required=False)
    typed: Sequence[str] = ()

    def __init__(self, data: Any) -> None:
        super().__init__(data, auto_id="f-%s")
        self.order_fields([name for name in self.fields if name not in LogForm.base_fields])
        for name in self.typed:
            self.fields[name].widget.attrs |= {"placeholder": self.fields[name].label, "autocomplete": "off"}

    @property
    def asked(self) -> dict[str, str]:
        return {name: text for name in self.fields if (text := str(self.data.get(name, "")).strip())}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        end = end_of_period(since, until, self.data.get("until"))
        if end != until:
            # The period holds its end, and this one is the beginning of the next day.
            cleaned["until"] = end - timedelta(microseconds=1)
        return cleaned

    def narrowed(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """None of the rows for a form that is not valid: its page says why."""
        if not self.is_valid():
            return rows.none()
        wanted = {"at__gte": self.cleaned_data["since"], "at__lte": self.cleaned_data["until"]}
        return self.chosen(rows).filter(**{name: value for name, value in wanted.items() if value})

    def chosen(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows that the fields of a subclass leave."""
        return rows


class LogChangeList(KeysetChangeList):
    """The filters are those of the form, not the theme's."""

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        form: type[LogForm] = self.model_admin.filter_form  # type: ignore[attr-defined]
        for name in form.base_fields:
            self.params.pop(name, None)
            self.filter_params.pop(name, None)
        return form(request.GET).narrowed(super().get_queryset(request, exclude_parameters))


class LogAdmin(ReadOnlyAdmin):
    """A subclass names its `filter_form`, and of the CSV the first word of the file, the name of its address and its
    columns."""

    change_list = LogChangeList
    change_form_template = "traders/log_entry.html"
    filter_form: type[LogForm]
    csv_file: str
    csv_route: str
    csv_columns: Sequence[str]
    list_display_links = ("when",)

    def cells(self, row: Any) -> Iterable[str]:
        """What the CSV says of a row; a subclass writes what is more than the text of a column."""
        return [csv_text.harmless(str(getattr(row, name))) for name in self.csv_columns]

    def all_rows(self) -> QuerySet[Any]:
        """Those of the CSV before they are filtered, newest first."""
        rows: QuerySet[Any] = self.model._default_manager.order_by("-pk")
        return rows

    def get_urls(self) -> list[URLPattern]:
        csv = guarded_path(self, "csv/", self.csv_view, self.csv_route, self.has_view_permission)
        return [csv, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return ["-id"]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        form = self.filter_form(request.GET)
        csv = "?".join(filter(None, (reverse(f"admin:{self.csv_route}"), urlencode(form.asked))))
        shown = {"filter_form": form, "csv": csv if form.is_valid() else ""}
        return super().changelist_view(request, {**shown, **(extra_context or {})})

    def csv_view(self, page: ConfigPage) -> HttpResponse | StreamingHttpResponse:
        """The rows that match, newest first, as they are read."""
        form = self.filter_form(page.request.GET)
        if not form.is_valid():
            listed = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
            return HttpResponseRedirect(f"{listed}?{urlencode(form.asked)}")
        rows = form.narrowed(self.all_rows()).iterator(chunk_size=1000)
        lines = csv_text.download(self._lines(rows))
        response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.csv_file}-{timezone.now():%Y-%m-%d}.csv"'
        return response

    def _lines(self, rows: Iterator[Any]) -> Iterator[str]:
        yield csv_text.line(self.csv_columns)
        for row in rows:
            yield csv_text.line(self.cells(row))
