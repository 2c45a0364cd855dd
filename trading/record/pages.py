"""What the pages of the record share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class RecordPage:
    """One request to the admin of a table of the record."""

    admin: Any
    request: HttpRequest

    @property
    def list_url(self) -> str:
        return self.url("changelist")

    def export_url(self, file_format: str) -> str:
        return self.url("export", file_format)

    def url(self, page: str, *arguments: str) -> str:
        """Of a page of this table, by the last part of its name."""
        return reverse(f"admin:{self.admin.opts.app_label}_{self.admin.opts.model_name}_{page}", args=arguments)

    @property
    def ticket_url(self) -> str:
        """The name of a record's page, for templates."""
        return f"admin:{self.admin.opts.app_label}_{self.admin.opts.model_name}_change"

    def render(self, template: str, title: str, **context: Any) -> HttpResponse:
        shared = {**self.admin.admin_site.each_context(self.request), "title": title, "list_url": self.list_url}
        return TemplateResponse(self.request, f"trading/{template}", shared | context)

    def gone(self, record_id: str) -> HttpResponse:
        """Back to the list, saying that there is no such thing."""
        messages.warning(self.request, _("There is no “%(id)s” in the record.") % {"id": record_id[:200]})
        return HttpResponseRedirect(self.list_url)
