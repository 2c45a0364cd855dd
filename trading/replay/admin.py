"""The replay of a decision: under the settings of its time, and under those of another version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from traders.versions import services as configs
from traders.versions.rules.errors import UnknownVersion
from trading.record.check.admin import unreadable_view
from trading.record.pages import RecordPage
from trading.record.rules.errors import CannotBeRead, RecordError
from trading.replay.forms import ReplayForm
from trading.replay.services import Replay, ReplayVerdict, replay
from trading.schema.ids import decision_name


def replay_view(page: RecordPage, trader_id: str, decision_id: int) -> HttpResponse:
    """`?version=7` asks what that version would have done."""
    form = ReplayForm(page.request.GET)
    version = form.cleaned_data["version"] if form.is_valid() else None
    try:
        found = replay(trader_id, decision_id, version=version)
    except CannotBeRead as refused:
        return unreadable_view(page, refused.row, trader_id)
    except RecordError:
        return page.gone(decision_name(trader_id, decision_id))
    except UnknownVersion:
        messages.warning(page.request, _("The trader has no version %(n)d.") % {"n": version})
        return HttpResponseRedirect(page.url("replay", decision_name(trader_id, decision_id)))
    entry = found.recorded.entry
    return page.render(
        "replay.html",
        _("Replay of decision %(n)d of %(trader)s") % {"n": found.recorded.cycle_number, "trader": entry.trader_id},
        replay=found,
        entry=entry,
        form=form,
        latest=configs.existing(entry.trader_id).version,
        **_verdict(found),
    )


def _verdict(found: Replay) -> dict[str, Any]:
    """Its state, icon and words, as every state is shown."""
    state, icon, word, said = {
        ReplayVerdict.AGREES: (
            *("running", "check_circle", _("agrees")),
            _("Parsed and checked again, the answer gives the recorded decisions and actions."),
        ),
        ReplayVerdict.DIFFERS: (
            *("stopped", "error", _("differs")),
            _("Parsed and checked again, the answer gives other decisions or actions than the recorded ones."),
        ),
        ReplayVerdict.INCOMPLETE: (
            *("paused", "help", _("incomplete")),
            _("No difference was found, but not everything could be checked."),
        ),
    }[found.verdict]
    return {"state": state, "icon": icon, "word": word, "said": said}
