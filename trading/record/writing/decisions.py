"""The decision journal: entries are added, never changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from traders.database import sql
from traders.schema import jsonio
from traders.schema.messages import _
from trading.models import ConversationMessage, DecisionJournal
from trading.record.rules.errors import CannotBeRead, RecordConflict, RecordError
from trading.record.stored import rows
from trading.record.stored.constraints import checked
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.message import MessageRole, Said
from trading.schema.tolerant import NotReadable
from trading.schema.unreadable import Unreadable

PAGE = 200
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('nof0.journal'), hashtext(%s))"
_INSERT = """
INSERT INTO decision_journal (trader_id, config_version, cycle_number, decided_at, success, detail)
VALUES (%s, %s, (SELECT coalesce(max(cycle_number), 0) + 1 FROM decision_journal WHERE trader_id = %s), %s, %s,
        %s::jsonb)
RETURNING id, cycle_number
"""
_INSERT_MESSAGE = """
INSERT INTO conversation_messages (trader_id, decision_id, conversation, sequence, role, content, sent_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""


def record_decision(entry: JournalEntry, messages: Sequence[Said] = ()) -> RecordedDecision:
    """Adds the entry under the trader's next cycle number; the number goes on across restarts of engines.
    `messages` are kept with it, as a conversation of its own.

    An entry whose `detail.origin.key` is recorded already changes nothing. Raises RecordConflict when that one has
    other content or other messages, UnknownTrader, and RecordError for a version the trader never had.
    """
    key = entry.detail.origin.key if entry.detail.origin else None
    with transaction.atomic(), checked(entry.trader_id, entry.config_version):
        lock_journal(entry.trader_id)
        if key is not None and (known := _by_key(entry.trader_id, key)):
            if known.entry != entry or (messages and _said(known.id) != list(messages)):
                raise RecordConflict("decision", key)
            return known
        with connection.cursor() as cursor:
            cursor.execute(
                _INSERT,
                [
                    *(entry.trader_id, entry.config_version, entry.trader_id, entry.decided_at, entry.success),
                    jsonio.dumps(entry.detail.stored()),
                ],
            )
            ((number, cycle),) = cursor.fetchall()
            cursor.executemany(
                _INSERT_MESSAGE,
                [
                    (entry.trader_id, number, f"decision:{number}", place, said.role, said.content, said.sent_at)
                    for place, said in enumerate(messages)
                ],
            )
    return RecordedDecision(number, cycle, entry)


def lock_journal(trader_id: str) -> None:
    """Until the transaction ends no other session numbers this trader's cycles. A separate lock: edits go on."""
    sql.rows(_LOCK, [trader_id])


def stored(decision_id: int) -> RecordedDecision | None:
    """Raises CannotBeRead."""
    row = rows.DECISIONS.filter(pk=decision_id).first()
    if row is None:
        return None
    try:
        return rows.decision(row)
    except NotReadable as error:
        raise CannotBeRead(Unreadable(_("decision_journal"), str(decision_id), error.path, error.reason)) from error


def trader_of(decision_id: int) -> str | None:
    """Whose decision it is; None where there is none."""
    found: str | None = DecisionJournal.objects.filter(pk=decision_id).values_list("trader", flat=True).first()
    return found


def of_period(trader_id: str, since: datetime | None, until: datetime | None) -> Iterator[RecordedDecision]:
    """A trader's entries at or after `since` and before `until`, in order of time; a page of them in memory. Those that
    cannot be read are left out and noted.

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


def version_of(decision_id: int) -> int | None:
    """The configuration's version that took the decision. Raises RecordError for one that is not recorded."""
    found = DecisionJournal.objects.filter(pk=decision_id).values_list("config_version").first()
    if found is None:
        raise RecordError(_("there is no decision %(decision_id)s", decision_id=decision_id))
    (version,) = found
    return version if version is None else int(version)


def _said(decision_id: int) -> list[Said]:
    found = ConversationMessage.objects.filter(decision=decision_id).order_by("conversation", "sequence")
    return [Said(MessageRole(row.role), row.content, row.sent_at) for row in found]


def _by_key(trader_id: str, key: str) -> RecordedDecision | None:
    row = rows.DECISIONS.filter(trader=trader_id, entry_key=key).first()
    try:
        return rows.decision(row) if row else None
    except NotReadable as error:
        raise RecordConflict("decision", key, str(error)) from error
