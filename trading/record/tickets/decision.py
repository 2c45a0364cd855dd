"""The page of a decision: what was done, what the model answered, what it saw, and under which settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.models import PromptText
from traders.pages.changes import ChangeLine, digests_in
from traders.pages.changes import rows as change_rows
from traders.pages.versions import prompt_bodies
from traders.schema.paths import diff
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownVersion
from trading.models import ConversationMessage, DecisionJournal
from trading.record.browse.links import came_of
from trading.record.exclusions.admin import mark_of
from trading.record.tickets.leaves import Layout, table, value_at
from trading.record.tickets.prompt_changes import prompt_changes
from trading.record.tickets.structured import ValueTable, json_in, paragraphs, value_table
from trading.schema.decision import DecisionDetail
from trading.schema.exclusion import key_of_decision

LAYOUT: Layout = (
    ("account", gettext_lazy("Account"), ("account.*",)),
    ("candidates", gettext_lazy("Candidates"), ("candidates",)),
    ("answer", gettext_lazy("Answer"), ("answer.model", "usage.*", "error")),
    ("texts", gettext_lazy("Texts"), ("answer.text", "answer.reasoning")),
    ("prompt", gettext_lazy("Prompt"), ("prompt.template_sha256", "prompt.digest")),
    ("sent", gettext_lazy("Prompt as sent"), ("prompt.system_text", "prompt.user_text")),
    ("engine", gettext_lazy("Engine"), ("engine.*",)),
    ("source", gettext_lazy("Source"), ("origin.*", "extra", "corrects")),
)
TABLES = ("decisions", "actions", "positions", "market", "cooldowns")


def decision_context(request: HttpRequest, decision: Any) -> dict[str, Any]:
    """`decision` is a models.DecisionJournal with its `reading` and `shown_detail`."""
    detail = decision.shown_detail
    return {
        "title": _("Decision %(n)d of %(trader)s") % {"n": decision.cycle_number, "trader": decision.trader_id},
        "decision": decision,
        "mark": mark_of(request, key_of_decision(decision.trader_id, decision.pk)),
        "is_refused": any(action.refused_by for action in decision.reading.detail.actions),
        "tables": {name: table(DecisionDetail, detail, name, trader_id=decision.trader_id) for name in TABLES},
        "template_text": _template(detail),
        "reasoning": paragraphs(str(value_at(detail, "answer.reasoning") or "")),
        "more_seen": _more_seen(detail),
        "prompt_changes": prompt_changes(decision, detail),
        "came_of": came_of(decision.trader_id, decision.decided_at, decision.reading.detail.actions),
        "beside": compared_with_today(decision),
        "messages_kept": ConversationMessage.objects.filter(trader=decision.trader_id, decision=decision).order_by(
            "conversation", "sequence"
        ),
    }


def detail_shown(decision: Any) -> Mapping[str, Any]:
    known: Mapping[str, Any] = decision.reading.known
    return known


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
    compared: list[ChangeLine] = change_rows(decision.trader_id, changes, texts=prompt_bodies(digests_in(changes)))
    return {
        "then": then,
        "today": today,
        "rows": compared,
        "same_count": len(then.flat) - sum(row.kind != "added" for row in compared),
        "left_label": f"v{then.version}",
        "right_label": f"v{today.version}",
    }


def _more_seen(detail: Mapping[str, Any]) -> list[tuple[str, ValueTable]]:
    """What the schema has no columns for: the fields that only this engine knows, and a prompt or an answer that is
    JSON."""
    found = (
        (_("Other fields of the engine"), detail.get("extra")),
        (_("The prompt, which is JSON"), json_in(value_at(detail, "prompt.user_text"))),
        (_("The answer, which is JSON"), json_in(value_at(detail, "answer.text"))),
    )
    return [(title, table) for title, value in found if (table := value_table(value)) is not None]


def _template(detail: Mapping[str, Any]) -> PromptText | None:
    digest = (detail.get("prompt") or {}).get("template_sha256")
    return PromptText.objects.filter(pk=digest).first() if digest else None
