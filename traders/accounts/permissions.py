"""Permissions of a group as a table: what they are about, and view, add, change and delete."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from traders.accounts.words import permission_words, table_words

ACTIONS = ("view", "add", "change", "delete")


@dataclass
class PermissionRow:
    """`cells` are in the order of ACTIONS, None where there is no such permission; `more` are all others. Each is a
    permission with its words, and whether the group has it."""

    what: str
    cells: list[tuple[Permission, str, bool] | None]
    more: list[tuple[Permission, str, bool]] = field(default_factory=list)


def rows(permissions: Iterable[Permission], held: Collection[int]) -> list[PermissionRow]:
    found: dict[int, PermissionRow] = {}
    for one in permissions:
        what = capfirst(table_words(one.content_type))
        row = found.setdefault(one.content_type_id, PermissionRow(what, [None] * len(ACTIONS)))
        action, cell = one.codename.partition("_")[0], (one, permission_words(one), one.pk in held)
        if action in ACTIONS and one.codename.endswith(f"_{one.content_type.model}"):
            row.cells[ACTIONS.index(action)] = cell
        else:
            row.more.append(cell)
    return sorted(found.values(), key=lambda row: row.what)


def permission_table(permissions: Iterable[Permission], held: Collection[int], *, name: str = "") -> SafeString:
    """`name` is that of the boxes; without one the table is to be read."""
    context = {"rows": rows(permissions, held), "actions": ACTIONS, "name": name}
    return render_to_string("traders/parts/permissions.html", context)


class PermissionTable(forms.CheckboxSelectMultiple):
    """Draws the boxes of the field's permissions as the table."""

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        held = {int(one) for one in value or () if str(one).isdecimal()}
        choices: Any = self.choices
        return permission_table(choices.queryset, held, name=name)
