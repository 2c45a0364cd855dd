"""The base class of all admins: the change page of an object changes that object."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from unfold.admin import ModelAdmin

SAVE_AS_NEW = "_saveasnew"


class InPlaceAdmin(ModelAdmin):
    """Leaves out the field by which a change page adds another object: Django heeds it even where `save_as` is off."""

    change_form_template = "traders/form_page.html"

    def changeform_view(  # type: ignore[override]
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if SAVE_AS_NEW in request.POST:
            posted = request.POST.copy()
            del posted[SAVE_AS_NEW]
            request.POST = posted  # type: ignore[assignment]
        answer: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
        return answer
