"""The edit of a trader that may be pinned: one that lowers risk can be saved and run at once."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.controls import services as controls
from traders.controls.services import Asked
from traders.controls.wanted import wanted_of_one
from traders.controls.writer import locked_controls
from traders.pages.changes import digests_in, rows
from traders.pages.preview_flow import SAVE
from traders.pages.versions import prompt_bodies
from traders.schema import messages as texts
from traders.schema.controls.rows import ControlKind
from traders.schema.paths import diff
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.stored import SavedVersion, flat_of
from traders.versions import services as configs
from traders.versions.edit.admin import EditFlow
from traders.versions.lock import locked_fleet
from traders.versions.rules.proposal import Proposal

SAVE_AND_UNPIN, PINNED = "save_and_unpin", "pinned"
_MOVED = texts._("the pin was moved since the preview: look again")


class TraderEditFlow(EditFlow):
    """A further step: save and unpin. It is offered where the edit lowers risk and raises none, and says what would run
    instead of the pinned version."""

    not_carried = (*EditFlow.not_carried, PINNED)

    @property
    def step(self) -> str:
        return SAVE if self.unpins else super().step

    @property
    def unpins(self) -> bool:
        return super().step == SAVE_AND_UNPIN

    def save(self) -> SavedVersion:
        """Raises what the edit raises, and InvalidConfig where the trader is pinned otherwise by now."""
        if not self.unpins:
            return super().save()
        with locked_fleet(), locked_controls():
            if str(wanted_of_one(self.config_id).pinned_version) != self.request.POST.get(PINNED):
                raise InvalidConfig([Problem("", _MOVED, self.config_id)])
            saved = super().save()
            controls.control(ControlKind.UNPIN, [self.config_id], Asked(reason=self.reason, actor=self.page.actor))
            return saved

    def saved(self, result: SavedVersion) -> HttpResponse:
        answer = super().saved(result)
        if self.unpins:
            messages.success(self.request, _("Unpinned: version %(version)d runs.") % {"version": result.version})
        return answer

    def preview_context(self, proposal: Proposal) -> dict[str, Any]:
        """The changes from the pinned version to the new one, where the step is offered."""
        number, risks = self.page.pinned_version, {row.risk for row in rows(self.config_id, proposal.changes)}
        if number is None or "lowers" not in risks or "raises" in risks:
            return {}
        changes = tuple(diff(configs.version(self.config_id, number).flat, flat_of(proposal.spec)))
        shown = rows(self.config_id, changes, texts=prompt_bodies(digests_in(changes)))
        raised = sum(row.risk == "raises" for row in shown)
        return {"unpinning": shown, "unpinning_raised": raised, "pinned_version": number}
