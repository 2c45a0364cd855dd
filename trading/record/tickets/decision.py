"""A decision as a whole: what was done, what the model answered, what it saw, and under which settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.models import PromptText
from traders.pages.changes import Row, digests_in
from traders.pages.changes import rows as change_rows
from traders.pages.versions import prompt_bodies
from traders.schema.paths import diff
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownVersion
from trading.models import ConversationMessage, DecisionJournal
from trading.record.check.admin import unknown_leaves, unreadable_view
from trading.record.exclusions.admin import mark_of
from trading.record.pages import Room
from trading.record.stored import rows
from trading.record.tickets.leaves import Layout, sections, table
from trading.schema.decision import DecisionDetail
from trading.schema.exclusion import RecordKind
from trading.schema.tolerant import NotReadable
from trading.schema.unreadable import Unreadable

LAYOUT: Layout = (
    (gettext_lazy("Account"), ("account.*",)),
    (gettext_lazy("Candidates"), ("candidates",)),
    (gettext_lazy("Answer"), ("answer.model", "usage.*", "error")),
    (gettext_lazy("Texts"), ("answer.text", "answer.reasoning")),
    (gettext_lazy("Prompt"), ("prompt.template_sha256", "prompt.digest")),
    (gettext_lazy("Prompt as sent"), ("prompt.system_text", "prompt.user_text")),
    (gettext_lazy("Engine"), ("engine.*",)),
    (gettext_lazy("Source"), ("origin.*",)),
)
TABLES = ("decisions", "actions", "positions", "market", "cooldowns")
LARGEST_ID = 2**63 - 1


def decision_view(room: Room, decision_id: str) -> HttpResponse:
    decision = _stored(decision_id)
    if decision is None:
        return room.gone(decision_id)
    try:
        found = rows.decision_detail(decision)
    except NotReadable as refused:
        row = Unreadable("decision_journal", decision_id, refused.path, refused.reason)
        return unreadable_view(room, row, decision.trader_id)
    detail = found.known
    facts = sections(DecisionDetail, detail, LAYOUT, trader_id=decision.trader_id)
    names = ("account", "candidates", "answer", "texts", "prompt", "sent", "engine", "source")
    return room.render(
        "decision.html",
        _("Decision %(n)d of %(trader)s") % {"n": decision.cycle_number, "trader": decision.trader_id},
        decision=decision,
        mark=mark_of(room, RecordKind.DECISION, str(decision.pk)),
        is_refused=any(action.refused_by for action in found.detail.actions),
        unknown=unknown_leaves(found),
        tables={name: table(DecisionDetail, detail, name, trader_id=decision.trader_id) for name in TABLES},
        parts=dict(zip(names, facts, strict=False)),
        further=facts[len(names) :],
        template_text=_template(detail),
        beside=compared_with_today(decision),
        messages_kept=ConversationMessage.objects.filter(decision=decision).order_by("conversation", "sequence"),
    )


def compared_with_today(decision: DecisionJournal) -> dict[str, Any]:
    """The settings at the decision, those that differ today first; empty where no version took the decision."""
    if decision.config_version is None:
        return {}
    today = configs.existing(decision.trader_id)
    try:
        then = configs.version(decision.trader_id, decision.config_version)
    except UnknownVersion:
        return {}
    changes = diff(then.flat, today.flat)
    compared: list[Row] = change_rows(decision.trader_id, changes, texts=prompt_bodies(digests_in(changes)))
    return {
        "then": then,
        "today": today,
        "rows": compared,
        "same_count": len(then.flat) - sum(row.kind != "added" for row in compared),
        "left_label": f"v{then.version}",
        "right_label": f"v{today.version}",
    }


def _stored(decision_id: str) -> DecisionJournal | None:
    is_number = decision_id.isascii() and decision_id.isdigit() and len(decision_id) <= len(str(LARGEST_ID))
    if not is_number or int(decision_id) > LARGEST_ID:
        return None
    return DecisionJournal.objects.filter(pk=int(decision_id)).first()


def _template(detail: Mapping[str, Any]) -> PromptText | None:
    digest = (detail.get("prompt") or {}).get("template_sha256")
    return PromptText.objects.filter(pk=digest).first() if digest else None
