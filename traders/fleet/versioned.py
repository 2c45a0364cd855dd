"""The admin of a versioned configuration: routes its pages to their views, reads and writes nothing itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.admin import ModelAdmin

from traders.pages.desk import Desk
from traders.pages.guarded import fleet_refusals
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.edit.admin import edit_view
from traders.versions.history.admin import compare_view, history_view, version_view, whole_page
from traders.versions.past.admin import past_view
from traders.versions.restore.admin import restore_view

View = Callable[..., HttpResponse]


class VersionedAdmin(ModelAdmin):
    """Edit, history, compare, one version and restore. Nothing is ever deleted.

    The permission asked is the one of this admin's model, so a page takes only ids of that model.
    """

    def config_id(self, object_id: str) -> str | None:
        """The configuration that an address names; None for an id that no object of this model can have.

        A subclass accepts the ids of its model. Without one, no id is accepted.
        """
        return None

    def get_urls(self) -> list[URLPattern]:
        return [
            self._path("<str:object_id>/compare/", self.compare_view, "compare"),
            self._path("<str:object_id>/past/", self.past_view, "past"),
            self._path("<str:object_id>/versions/<int:number>/", self.version_view, "version"),
            self._path("<str:object_id>/versions/<int:number>/restore/", self.restore_view, "restore"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; an account that may only look sees the current version instead."""
        if not self.has_change_permission(request):
            if request.method == "POST":
                raise PermissionDenied
            return self._page(request, object_id, lambda desk, current: whole_page(desk, current, current, tab="edit"))
        return self._page(request, object_id, edit_view)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return edit_view(Desk(self, request, ""), None)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._page(request, object_id, history_view)

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, compare_view)

    def past_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, past_view)

    def version_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        return self._page(request, object_id, lambda desk, current: version_view(desk, current, number))

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        return self._page(request, object_id, lambda desk, current: restore_view(desk, current, number))

    def _page(
        self, request: HttpRequest, object_id: str, view: Callable[[Desk, StoredConfig], HttpResponse]
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        config_id = self.config_id(object_id)
        if config_id is None:
            return self.no_such_object(request, object_id)
        desk = Desk(self, request, config_id)
        current = configs.stored(desk.config_id)
        with fleet_refusals():
            return view(desk, current) if current else self.missing(desk)

    def missing(self, desk: Desk) -> HttpResponse:
        return desk.gone()

    def no_such_object(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The admin's own answer to an id that its model does not have: a message, on another page."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]
            request, self.opts, object_id
        )
        return answer

    def _path(self, route: str, view: View, name: str) -> URLPattern:
        full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(route, self.admin_site.admin_view(view), name=full)
