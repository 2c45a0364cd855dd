"""Decision cycles and conversations of the other database: how they become decisions with their messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from traders.schema.moments import ms_of
from trading.imports.adopt.move import Move, batches, row_id
from trading.imports.adopt.readers.decisions import (
    SaidMessage,
    conversation_name,
    read_decision,
    read_message,
    read_messages,
    with_conversation,
)
from trading.imports.adopt.readers.values import Row, trader_id
from trading.imports.adopt.statements import DECISIONS_ALONE
from trading.imports.batches import Candidate
from trading.imports.journal_files.record import Cycle
from trading.models import ConversationMessage
from trading.record.rules.errors import InvalidRecord
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing.bulk_decisions import copy_conversations, recorded_at
from trading.record.writing.messages import copy_messages
from trading.schema.decision import JournalEntry
from trading.schema.message import MessageRecord
from trading.schema.published import ConversationEntry
from trading.schema.spelling import spelled_detail

# Prompts are long: a batch of them must be small to stay small.
AT_ONCE = 100
MESSAGES, JOURNAL, CYCLES = "conversation_messages", "decision_journal", "decision_cycles"

# Kept with a decision: its model and its tokens.
_METADATA = {"model", "prompt_tokens", "completion_tokens"}

Linked = tuple[Row, str | None]
"""A cycle, and the id of the conversation that led to it."""


def linked_cycles(move: Move) -> Iterator[Linked]:
    """Each cycle once, in order of time, with the nearest conversation of its prompt that no earlier cycle has."""
    if CYCLES not in move.source.tables:
        return
    used: set[str] = set()
    waiting: Linked | None = None
    statement = move.statements.decisions if move.has_conversations else DECISIONS_ALONE
    for row in move.source.rows(statement, at_once=AT_ONCE):
        link = row.pop("linked")
        if waiting is None or waiting[0]["id"] != row["id"]:
            if waiting is not None:
                yield waiting
            waiting = (row, None)
        if waiting[1] is None and link is not None and link not in used:
            used.add(link)
            waiting = ({**waiting[0], "topic": row.get("topic")}, link)
    if waiting is not None:
        yield waiting


def messages_of(move: Move, ids: Sequence[str]) -> dict[str, list[Row]]:
    """{conversation: its messages in order}."""
    found: dict[str, list[Row]] = {}
    for row in move.source.rows(move.statements.messages, [list(ids)], at_once=AT_ONCE) if ids else ():
        found.setdefault(row["conversation_id"], []).append(row)
    return found


def adopt_decisions(move: Move) -> set[str]:
    """Returns the conversations that belong to decisions."""
    taken: set[str] = set()
    for part in batches(linked_cycles(move), AT_ONCE):
        _adopt_cycles(move, part, taken)
    return taken


def _adopt_cycles(move: Move, part: Sequence[Linked], taken: set[str]) -> None:
    said = messages_of(move, [link for _row, link in part if link is not None])
    candidates, links = list[Candidate[ConversationEntry]](), dict[str, str]()
    for row, link in part:
        try:
            cycle = read_decision(move.reader.decision(row), move.ids)
            messages = _said(move, said.get(link, ())) if link is not None else []
            entry = _entry(move, with_conversation(cycle, messages))
        except InvalidRecord as error:
            move.refuse(JOURNAL, row, error, there=CYCLES)
            continue
        conversation = ConversationEntry(cycle.trader_id, entry, tuple(one.message for one in messages))
        candidates.append(Candidate(row_id(row), row, cycle.trader_id, conversation))
        if link is not None and messages:
            links[_key(entry)] = link

    def attributed(conversation: ConversationEntry) -> ConversationEntry:
        entry, trader = conversation.entry, conversation.trader_id
        named = entry.config_version if trader in move.with_history else None
        version = move.context.owners.named_version(trader, ms_of(entry.decided_at), named)
        made = JournalEntry(trader, version, entry.decided_at, entry.success, entry.detail)
        return ConversationEntry(trader, made, conversation.messages)

    def copied(batch: Sequence[ConversationEntry]) -> WriteOutcome:
        return _copied(move, batch, links, taken)

    move.context.take(JOURNAL, Path(CYCLES), candidates, copied, size=AT_ONCE, check=attributed)


def _copied(move: Move, batch: Sequence[ConversationEntry], links: Mapping[str, str], taken: set[str]) -> WriteOutcome:
    """A decision that came another way, from the engine's cycle files, stays as it is: its conversation is recorded for
    itself. So is one that was recorded before its decision."""
    recorded = recorded_at([(one.trader_id, one.entry.decided_at) for one in batch])
    apart = _recorded_apart([(one.trader_id, links[_key(one.entry)]) for one in batch if _key(one.entry) in links])
    new, outcome = list[ConversationEntry](), WriteOutcome()
    for one in batch:
        key = _key(one.entry)
        known, link = recorded.get((one.trader_id, one.entry.decided_at)), links.get(key)
        is_apart = link is not None and (one.trader_id, conversation_name(link)) in apart
        if known is None:
            new.append(ConversationEntry(one.trader_id, one.entry, () if is_apart else one.messages))
        outcome.known += known is not None
        if link is not None and not is_apart and (known is None or known.key == key):
            taken.add(link)
    done = copy_conversations(new)
    move.report.table(MESSAGES).inserted += done.messages
    outcome.inserted, outcome.known = done.decisions.inserted, outcome.known + done.decisions.known
    return outcome


def adopt_messages(move: Move, taken: set[str]) -> None:
    """The conversations that belong to no decision."""
    if not move.has_conversations:
        return
    left = (row for row in move.source.rows(move.statements.conversations) if row["conversation_id"] not in taken)

    def read() -> Iterator[Candidate[MessageRecord]]:
        for part in batches(left, AT_ONCE):
            said = messages_of(move, [row["conversation_id"] for row in part])
            for row in part:
                messages = said.get(row["conversation_id"], [])
                if move.context.is_benchmark(MESSAGES, row, "model_id"):
                    continue
                try:
                    found = read_messages(messages, trader_id(row, move.ids), row["conversation_id"])
                    move.context.owners.require_own(trader_id(row, move.ids))
                    count_apart(move, row, messages)
                    for one in found:
                        record = messages[one.sequence]
                        yield Candidate(str(record["id"]), record, one.trader_id, one)
                except InvalidRecord as error:
                    move.refuse(MESSAGES, {"id": row["conversation_id"], **row, "messages": messages}, error)

    move.context.take(MESSAGES, Path(MESSAGES), read(), copy_messages, size=AT_ONCE)


def count_apart(move: Move, conversation: Row, messages: Sequence[Row]) -> None:
    """What of a conversation would be kept with its decision, and is left behind without one."""
    move.apart["conversations", "topic"] += bool(messages and conversation.get("topic"))
    noted = [message["metadata"] for message in messages if isinstance(message["metadata"], dict)]
    move.apart[MESSAGES, "metadata"] += sum(not _METADATA.isdisjoint(one) for one in noted)


def _entry(move: Move, cycle: Cycle) -> JournalEntry:
    detail = spelled_detail(cycle.detail, move.context.spell)
    return JournalEntry(cycle.trader_id, cycle.version, cycle.decided_at, cycle.success, detail)


def _said(move: Move, messages: Sequence[Row]) -> list[SaidMessage]:
    """None of them where one cannot be read: the conversation is then refused for itself."""
    try:
        return [read_message(row) for row in messages]
    except InvalidRecord:
        return []


def _recorded_apart(asked: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """(trader, conversation) of those whose messages are recorded without a decision."""
    found = ConversationMessage.objects.filter(
        trader__in={trader for trader, _id in asked},
        conversation__in={conversation_name(link) for _trader, link in asked},
        sequence=0,
    )
    return set(found.values_list("trader_id", "conversation"))


def _key(entry: JournalEntry) -> str:
    origin = entry.detail.origin
    return (origin.key if origin else None) or ""
