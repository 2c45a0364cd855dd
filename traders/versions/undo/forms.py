"""The form of an undo: configurations, settings, contested settings and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from traders.pages.reason_form import ReasonForm
from traders.schema import jsonio
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.rules.merge import unit_of
from traders.versions.undo.services import Extent, UndoScope

MOST_BOXES = 100
"""More traders than this are named in a field instead of ticked."""


class TakingBackForm(ReasonForm):
    """A scope from ticked boxes; all are ticked until something is posted.

    Fields: `config` and `path` (boxes), `only` (ids, where there are too many for boxes), `take` (`config_id path`
    of contested settings), `seen` and `previewed` (JSON).
    """

    def __init__(self, extent: Extent, posted: QueryDict | None, *, may_change_fleet: bool) -> None:
        # Only saving asks for the reason; looking again keeps what was typed.
        super().__init__(posted if posted is not None and posted.get("step") == "save" else None)
        self.initial = {"reason": posted.get("reason", "") if posted is not None else ""}
        self.posted = posted
        self.config_ids = [name for name in extent.config_ids if name != FLEET_ID or may_change_fleet]
        self.without_fleet = len(self.config_ids) < len(extent.config_ids)
        # A prompt's paths are one choice.
        self.paths = list(dict.fromkeys(unit_of(path)[0] for path in extent.paths))
        self.few = len(self.config_ids) <= MOST_BOXES
        self.wrong: list[str] = []
        self.scope = self._scope()

    @property
    def only(self) -> str:
        return self.posted.get("only", "") if self.posted is not None else ""

    @property
    def ticked(self) -> set[str]:
        return set(self.scope.config_ids or self.config_ids)

    @property
    def ticked_paths(self) -> set[str]:
        return set(self.scope.paths or self.paths)

    @property
    def as_previewed(self) -> bool:
        """Whether what is posted is what was shown."""
        return self.posted is not None and self.posted.get("previewed") == self.previewed

    @property
    def previewed(self) -> str:
        scope = self.scope
        return jsonio.dumps([sorted(scope.config_ids), sorted(scope.paths), sorted(map(list, scope.chosen))])

    def seen(self) -> dict[str, int] | None:
        """The versions of the preview; None where the field is not what the page wrote."""
        try:
            found: Any = jsonio.loads(self.posted.get("seen", "") if self.posted is not None else "")
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or not all(type(version) is int for version in found.values()):
            return None
        return found

    def is_valid(self) -> bool:
        valid = super().is_valid()
        for wrong in self.wrong:
            self.add_error(None, wrong)
        return valid and not self.wrong

    def _scope(self) -> UndoScope:
        if self.posted is None:
            return UndoScope(frozenset(self.config_ids) if self.without_fleet else frozenset())
        configs = self._chosen(self._asked(), self.config_ids, _("Choose at least one configuration."))
        paths = self._chosen(self.posted.getlist("path"), self.paths, _("Choose at least one setting."))
        if self.without_fleet:
            configs = configs or frozenset(self.config_ids)
        taken = (text.partition(" ") for text in self.posted.getlist("take"))
        return UndoScope(configs, paths, frozenset((name, path) for name, _space, path in taken if name and path))

    def _asked(self) -> list[str]:
        if self.few or self.posted is None:
            return self.posted.getlist("config") if self.posted is not None else []
        return [name for name in re.split(r"[\s,;]+", self.only) if name] or self.config_ids

    def _chosen(self, asked: Sequence[str], offered: Sequence[str], none: str) -> frozenset[str]:
        """Empty for all of them."""
        if offered and not asked:
            self.wrong.append(none)
        if unknown := sorted(set(asked) - set(offered)):
            self.wrong.append(_("%(name)s is not in this list.") % {"name": unknown[0][:200]})
        chosen = frozenset(asked) & frozenset(offered)
        return frozenset() if len(chosen) == len(set(offered)) else chosen
