"""The form of an undo: configurations, settings, contested settings and the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _

from traders.pages.reason_form import ReasonForm
from traders.schema import jsonio
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.rules.merge import unit_of
from traders.versions.undo.choice import ConfigChoice, choice_of
from traders.versions.undo.services import UndoExtent, UndoScope

TICK_ALL, TICK_NONE, TICK_ALL_PATHS, TICK_NO_PATHS = "all", "none", "all-paths", "no-paths"
LONGEST_FIND = 2_000


class UndoForm(ReasonForm):
    """A scope from ticked boxes; all, or those of `chosen`, are ticked until something is posted.

    Fields: `config` and `path` (boxes), `find` (words of ids), `shown` and `others` (the ids with a box, and the chosen
    ones without), `take` (`config_id path` of contested settings), `seen` (JSON) and `previewed` (a digest). The steps
    `all`, `none`, `all-paths` and `no-paths` tick boxes, also those that the page does not show.
    """

    def __init__(
        self,
        extent: UndoExtent,
        posted: QueryDict | None,
        *,
        may_change_fleet: bool,
        chosen: Collection[str] | None = None,
    ) -> None:
        # Only saving asks for the reason; looking again keeps what was typed.
        self.step = posted.get("step", "") if posted is not None else ""
        super().__init__(posted if self.step == "save" else None)
        self.initial = {"reason": posted.get("reason", "") if posted is not None else ""}
        self.posted = posted
        self.config_ids = [name for name in extent.config_ids if name != FLEET_ID or may_change_fleet]
        self.without_fleet = len(self.config_ids) < len(extent.config_ids)
        # A prompt's paths are one choice.
        self.paths = list(dict.fromkeys(unit_of(path)[0] for path in extent.paths))
        self.wrong: list[str] = []
        self.choice = self._choice(chosen)
        self.ticked_paths = self._ticked_paths()
        self.scope = self._scope()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is chosen, so that there is nothing to propose."""
        return not self.choice.chosen or bool(self.paths and not self.ticked_paths)

    @property
    def as_previewed(self) -> bool:
        """Whether what is posted is what was shown."""
        return self.posted is not None and self.posted.get("previewed") == self.previewed

    @property
    def previewed(self) -> str:
        scope = self.scope
        told = [sorted(scope.config_ids), sorted(scope.paths), sorted(map(list, scope.chosen))]
        return hashlib.sha256(jsonio.dumps(told).encode()).hexdigest()

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

    def _choice(self, chosen: Collection[str] | None) -> ConfigChoice:
        if self.posted is None:
            named = self.config_ids if chosen is None else set(chosen).intersection(self.config_ids)
            return ConfigChoice(tuple(self.config_ids), frozenset(named))
        choice, unknown = choice_of(
            self.config_ids,
            ticked=self.posted.getlist("config"),
            shown=self.posted.get("shown", ""),
            carried=self.posted.get("others", ""),
            find=self.posted.get("find", "")[:LONGEST_FIND],
        )
        self._note_unknown(unknown)
        if self.step in (TICK_ALL, TICK_NONE):
            return choice.with_matching(ticked=self.step == TICK_ALL)
        if self.config_ids and not choice.chosen:
            self.wrong.append(_("Choose at least one configuration."))
        return choice

    def _ticked_paths(self) -> set[str]:
        if self.posted is None or self.step == TICK_ALL_PATHS:
            return set(self.paths)
        if self.step == TICK_NO_PATHS:
            return set()
        asked = set(self.posted.getlist("path"))
        self._note_unknown(sorted(asked.difference(self.paths)))
        if self.paths and not asked:
            self.wrong.append(_("Choose at least one setting."))
        return asked.intersection(self.paths)

    def _note_unknown(self, unknown: Sequence[str]) -> None:
        if unknown:
            self.wrong.append(_("%(name)s is not in this list.") % {"name": unknown[0][:200]})

    def _scope(self) -> UndoScope:
        """Empty stands for all of them."""
        every = self.choice.is_all and not self.without_fleet
        configs = frozenset() if every else self.choice.chosen
        paths = frozenset() if len(self.ticked_paths) == len(self.paths) else frozenset(self.ticked_paths)
        taken = (text.partition(" ") for text in (self.posted.getlist("take") if self.posted is not None else ()))
        return UndoScope(configs, paths, frozenset((name, path) for name, _space, path in taken if name and path))
