"""The decision journal: entries are added, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from traders.database import sql
from traders.schema import jsonio
from traders.schema.messages import _, message_of
from trading.models import ConversationMessage, DecisionJournal
from trading.record.rules.errors import CannotBeRead, NoDecision, RecordConflict
from trading.record.stored import rows
from trading.record.stored.constraints import checked
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.message import DecisionMessage, MessageRole
from trading.schema.tolerant import UnreadableLeaf
from trading.schema.unreadable import Unreadable

PAGE = 200
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('nof0.journal'), hashtext(%s))"
_INSERT = """
INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)
SELECT %(trader)s, %(version)s::int, coalesce(max(cycle_number), 0) + 1, %(at)s::timestamptz, %(success)s::boolean,
       %(detail)s::jsonb
  FROM decision_journal WHERE trader_id = %(trader)s
RETURNING id, cycle_number
"""
_INSERT_MESSAGE = """
INSERT INTO conversation_messages (trader_id, decision_id, conversation, sequence, role, content, sent_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def record_decision(entry: JournalEntry, messages: Sequence[DecisionMessage] = ()) -> RecordedDecision:
    """Adds the entry under the trader's next cycle number; the number goes on across restarts of engines.
    `messages` are kept with it, as a conversation of its own.

    An entry whose `detail.origin.key` is recorded already changes nothing. Raises RecordConflict when the recorded
    entry has other content or other messages, UnknownTrader, and RecordError for a version that the trader never had.
    """
    key = entry.detail.origin.key if entry.detail.origin else None
    with transaction.atomic(), checked(entry.trader_id, entry.config_version):
        lock_journal(entry.trader_id)
        if key is not None and (known := _by_key(entry.trader_id, key)):
            if known.entry != entry or (messages and said(entry.trader_id, known.id) != list(messages)):
                raise RecordConflict(_("decision"), key)
            return known
        given = {
            "trader": entry.trader_id,
            "version": entry.config_version,
            "at": entry.decided_at,
            "success": entry.success,
            "detail": jsonio.dumps(entry.detail.stored()),
        }
        [(number, cycle)] = sql.rows(_INSERT, given)
        with connection.cursor() as cursor:
            cursor.executemany(
                _INSERT_MESSAGE,
                [
                    (entry.trader_id, number, f"decision:{number}", place, said.role, said.content, said.sent_at)
                    for place, said in enumerate(messages)
                ],
            )
    return RecordedDecision(number, cycle, entry)


def lock_journal(trader_id: str) -> None:
    """Until the transaction ends no other session numbers this trader's cycles. It is a separate lock, so that edits go
    on."""
    sql.rows(_LOCK, [trader_id])


def stored(trader_id: str, decision_id: int) -> RecordedDecision | None:
    """Raises CannotBeRead."""
    row = rows.DECISIONS.one(decision_id, trader_id)
    if row is None:
        return None
    try:
        return rows.decision(row)
    except UnreadableLeaf as error:
        raise CannotBeRead(Unreadable(_("decision_journal"), str(decision_id), error.path, error.reason)) from error


def trader_of(decision_id: int) -> str | None:
    """The trader of the decision; None where there is no such decision."""
    return DecisionJournal.objects.owners([decision_id]).get(decision_id)


def has(trader_id: str, decision_id: int) -> bool:
    """Whether the trader took this decision."""
    return DecisionJournal.objects.named([decision_id], [trader_id]).exists()


def of_period(trader_id: str, since: datetime | None, until: datetime | None) -> Iterator[RecordedDecision]:
    """A trader's entries at or after `since` and before `until`, in order of time; a page of them in memory. Unreadable
    entries are left out and noted.

    Reads by key, so that no transaction stays open between two pages.
    """
    of_trader = rows.DECISIONS.filter(trader=trader_id).order_by("decided_at", "id")
    if since:
        of_trader = of_trader.filter(decided_at__gte=since)
    if until:
        of_trader = of_trader.filter(decided_at__lt=until)
    page = list(of_trader[:PAGE])
    while page:
        yield from rows.decisions(page)
        last = page[-1]
        later = Q(decided_at__gt=last.decided_at) | Q(decided_at=last.decided_at, id__gt=last.pk)
        page = list(of_trader.filter(later, decided_at__gte=last.decided_at)[:PAGE])


def version_of(trader_id: str, decision_id: int) -> int | None:
    """The configuration's version that took the decision. Raises RecordError for a decision that the trader did not
    take."""
    found = DecisionJournal.objects.named([decision_id], [trader_id]).values_list("config_version").first()
    if found is None:
        raise NoDecision(trader_id, decision_id)
    (version,) = found
    return version if version is None else int(version)


def said(trader_id: str, decision_id: int) -> list[DecisionMessage]:
    found = ConversationMessage.objects.filter(trader=trader_id, decision=decision_id)
    found = found.order_by("conversation", "sequence")
    return [DecisionMessage(MessageRole(row.role), row.content, row.sent_at) for row in found]


def _by_key(trader_id: str, key: str) -> RecordedDecision | None:
    row = rows.DECISIONS.filter(trader=trader_id, entry_key=key).first()
    try:
        return rows.decision(row) if row else None
    except UnreadableLeaf as error:
        raise RecordConflict(_("decision"), key, message_of(error)) from error
