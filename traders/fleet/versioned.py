"""The base class of the admins of versioned configurations: the stock edit page, and routes to the other pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib.admin.utils import quote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from traders.drafts.pages import answer_of_draft
from traders.pages.config_page import ConfigPage
from traders.pages.guarded import fleet_refusals
from traders.pages.in_place import InPlaceAdmin
from traders.pages.preview_flow import is_save
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.edit.admin import EditFlow, opened_on
from traders.versions.edit.forms.config import fieldsets
from traders.versions.history.admin import compare_view, history_view, version_view, whole_page
from traders.versions.past.admin import past_view
from traders.versions.restore.admin import restore_view
from traders.versions.rules.proposal import settings_of

View = Callable[..., HttpResponse]


class VersionedAdmin(InPlaceAdmin):
    """Edit, history, compare, one version and restore. Nothing is ever deleted.

    The permission asked is the one of this admin's model, so a page takes only ids of that model.
    """

    def config_id(self, object_id: str) -> str | None:
        """The configuration that an address names; None for an id that no object of this model can have.

        A subclass accepts the ids of its model. Without one, no id is accepted.
        """
        return None

    edit_flow: ClassVar[type[EditFlow]] = EditFlow

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

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; an account that may only look sees the current version instead."""
        if self.has_change_permission(request):
            if drafted := answer_of_draft(request):
                return drafted
            if saved := self._save_view(request, object_id):
                return saved
            return self._page(request, object_id, lambda page, current: self._form_view(page, current, object_id))
        if request.method == "POST":
            raise PermissionDenied
        return self._page(request, object_id, lambda page, current: whole_page(page, current, current, tab="edit"))

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if drafted := answer_of_draft(request):
            return drafted
        return self._form_view(ConfigPage(self, request, ""), None, None)

    def _save_view(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The last step of an edit: before the lock it reads the version that the form was opened on, and nothing else.
        None for another request, and where there is no such version."""
        config_id = self.config_id(object_id)
        if config_id is None or not is_save(request):
            return None
        base = opened_on(request, config_id)
        with fleet_refusals():
            return self._form_view(ConfigPage(self, request, config_id), base, object_id) if base else None

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """An instance with its key alone: the steps of an edit work on a version, and a save reads the row under its
        lock. Django reads another column when something asks for it. None for an id that is of another kind."""
        key = self.opts.pk
        try:
            value = key.to_python(object_id)
        except ValidationError:
            return None
        return self.model.from_db(DEFAULT_DB_ALIAS, [key.attname], [value])

    def _form_view(self, page: ConfigPage, current: StoredConfig | None, object_id: str | None) -> HttpResponse:
        """The stock form and save, and the steps between them."""
        flow = self.edit_flow(page, current)
        if flow.is_posted and not flow.saves:
            return flow.answer()
        page.request.edit_flow = flow  # type: ignore[attr-defined]
        # The stock view unquotes the id: an id such as btc_50 would become another one.
        quoted = None if object_id is None else quote(object_id)
        view = super().changeform_view
        return flow.answered(lambda: view(page.request, quoted))

    def get_form(self, request: Any, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A ModelForm made from the declared settings."""
        return request.edit_flow.form_class()

    def get_fieldsets(self, request: Any, obj: Any = None) -> Any:
        config_id = self.config_id(str(obj.pk)) if obj else ""
        return fieldsets(settings_of(config_id or ""), adding=obj is None)

    def render_change_form(self, request: Any, context: dict[str, Any], **kwargs: Any) -> HttpResponse:  # type: ignore[override]
        answer: HttpResponse = request.edit_flow.form_page(adminform=context["adminform"], media=context["media"])
        return answer

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Makes a version. Raises what the service raises, which leads to a page of the flow."""
        flow: EditFlow = request.edit_flow
        obj.pk = obj.pk or flow.config_id
        flow.save()

    def construct_change_message(self, request: Any, form: Any, formsets: Any, add: bool = False) -> str:  # type: ignore[override]
        flow: EditFlow = request.edit_flow
        return f"v{flow.result.version}: {flow.reason}"

    def response_add(self, request: Any, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return self.response_change(request, obj)

    def response_change(self, request: Any, obj: Any) -> HttpResponse:
        flow: EditFlow = request.edit_flow
        return flow.ended(flow.result)

    def history_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._page(request, object_id, history_view)

    def compare_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, compare_view)

    def past_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, past_view)

    def version_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        return self._page(request, object_id, lambda page, current: version_view(page, current, number))

    def restore_view(self, request: HttpRequest, object_id: str, number: int) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if drafted := answer_of_draft(request):
            return drafted
        return self._page(request, object_id, lambda page, current: restore_view(page, current, number))

    def _page(
        self, request: HttpRequest, object_id: str, view: Callable[[ConfigPage, StoredConfig], HttpResponse]
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        config_id = self.config_id(object_id)
        if config_id is None:
            return self.no_such_object(request, object_id)
        page = ConfigPage(self, request, config_id)
        current = configs.stored(page.config_id)
        with fleet_refusals():
            return view(page, current) if current else self.missing(page)

    def missing(self, page: ConfigPage) -> HttpResponse:
        return page.gone()

    def no_such_object(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Django's answer to an unknown id: a redirect with a message."""
        answer: HttpResponse = self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined]
            request, self.opts, object_id
        )
        return answer

    def _path(self, route: str, view: View, name: str) -> URLPattern:
        full = f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        return path(route, self.admin_site.admin_view(view), name=full)
