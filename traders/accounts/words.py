"""Roles, groups and permissions in the language of the page."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from traders.accounts.rules import ROLE_WORDS
from traders.words.messages import translated, with_value

# Names of our own permissions; Django's are made of a verb and a model.
_OWN = (
    gettext_noop("Can acknowledge alarms"),
    gettext_noop("Can settle differences with exchanges"),
    gettext_noop("Can set rows of the record aside"),
)
# Tables without pages, which roles may read; their own names are for developers.
_TABLES = {
    "guardpeak": gettext_noop("peaks of guards"),
    "managerconfigversion": gettext_noop("versions of the fleet settings"),
    "managercycle": gettext_noop("cycles of the manager"),
    "managerorder": gettext_noop("orders of the manager"),
    "traderconfigversion": gettext_noop("versions of traders"),
}


def group_words(name: str) -> str:
    """The word of a role; the name of any other group."""
    return translated(ROLE_WORDS.get(name, name))


def offered_permissions(group: Group | None) -> QuerySet[Permission]:
    """Those of the models that have pages, and those that the group holds already."""
    models = ContentType.objects.get_for_models(*admin.site._registry).values()
    offered = Q(content_type__in=[model.pk for model in models])
    if group is not None and group.pk:
        offered |= Q(pk__in=group.permissions.values("pk"))
    order = ("content_type__app_label", "content_type__model", "codename")
    return Permission.objects.filter(offered).select_related("content_type").order_by(*order)


def table_words(table: ContentType) -> str:
    """What rows of the table are called."""
    model = table.model_class()
    if table.model in _TABLES:
        return _(_TABLES[table.model])
    return str(model._meta.verbose_name_plural if model else table.model)


def permission_words(permission: Permission) -> str:
    """`trader: change`, where Django says what it stores, in English."""
    verbs = {"add": _("add"), "change": _("change"), "delete": _("delete"), "view": _("view")}
    verb = verbs.get(permission.codename.partition("_")[0])
    table = permission.content_type
    subject = table_words(table) if table.model in _TABLES else str(table.name)
    return with_value(subject, verb) if verb else _(permission.name)
