"""The decision journal: an entry is added once, however often it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from ninja import Router
from pydantic import Field, StringConstraints

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid, Refusal
from traders.api.wire import Answer, Body, Redacted, VersionNumber
from traders.schema.redaction import redactions_in
from traders.schema.runtime import StoredMoment
from traders.schema.settings.declare import Boolean
from traders.schema.tokens import Scope
from trading.api.marks import AsideMark
from trading.api.reports import KEPT, ProgramReport, kept_in, refuse_own
from trading.record.stored import symbols
from trading.record.writing import services as record
from trading.record.writing.clean import clean_messages
from trading.schema.common import Origin
from trading.schema.decision import DecisionDetail, JournalEntry, RecordedDecision
from trading.schema.exclusion import key_of_decision
from trading.schema.leaf import Text
from trading.schema.message import DecisionMessage, MessageRole
from trading.schema.spelling import names_in, spelled_detail

# Not the token's name: an entry that is sent again by its successor is the same entry.
SYSTEM = "api"

router = Router(tags=["Journal: write-journal"], auth=TokenWith(Scope.WRITE_JOURNAL))


class Message(Body):
    role: MessageRole
    content: Text
    sent_at: StoredMoment | None = None


class NewDecision(ProgramReport):
    key: Annotated[Text, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The engine's own, one a decision of a trader: by it the same entry is known when it comes again."
    )
    config_version: Annotated[VersionNumber, Field(description="The version that took the decision.")]
    decided_at: StoredMoment
    success: Boolean
    detail: DecisionDetail
    messages: tuple[Message, ...] = Field((), description="The messages between engine and model, in order.")


class DecisionAnswer(Answer):
    id: int
    cycle_number: int = Field(description="Goes on across restarts of engines.")
    redacted: Redacted
    kept: Annotated[list[str], Field(description=KEPT)] = []
    set_aside: AsideMark | None = None


@router.post(
    "/traders/{trader_id}/decisions",
    response={200: DecisionAnswer, 409: Refusal, 422: Invalid | Refusal, **REFUSALS},
    summary="Add a decision",
)
def append(request: EngineRequest, trader_id: str, body: NewDecision) -> DecisionAnswer:
    """The same entry again changes nothing and is answered alike. 409: its key is taken by other content."""
    refuse_own(body.detail, ("origin", "corrects"), trader_id)
    spell = symbols.spellings(symbols.exchange_of(trader_id), names_in(body.detail))
    own = {"origin": Origin(system=SYSTEM, key=body.key)}
    detail = spelled_detail(body.detail, spell).model_copy(update=own | ({"extra": body.kept} if body.kept else {}))
    entry = JournalEntry(trader_id, body.config_version, body.decided_at, body.success, detail)
    said = [DecisionMessage(message.role, message.content, message.sent_at) for message in body.messages]
    messages = clean_messages(said, trader_id)
    return decision_answer(record.decision(entry, messages), messages)


def decision_answer(recorded: RecordedDecision, messages: Sequence[DecisionMessage] = ()) -> DecisionAnswer:
    redacted = [
        *redactions_in(recorded.entry.detail),
        *redactions_in([{"content": message.content} for message in messages], "messages"),
    ]
    return DecisionAnswer(
        id=recorded.id,
        cycle_number=recorded.cycle_number,
        redacted=redacted,
        kept=kept_in(recorded.entry.detail),
        set_aside=AsideMark.of(key_of_decision(recorded.entry.trader_id, recorded.id)),
    )
