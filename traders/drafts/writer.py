"""Writes drafts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from traders.drafts.queries import of_account
from traders.drafts.rules import LONGEST, MOST_PER_ACCOUNT, Fields, may_be_kept, version_of
from traders.models import FormDraft

Answer = TypeVar("Answer")


def keep(account_id: int, draft_id: UUID, page: str, fields: Fields) -> UUID | None:
    """Keeps what was posted, in place of what this draft held before. The id is another one where the draft was saved
    meanwhile or belongs to another form. None for what may not be kept."""
    if not may_be_kept(fields):
        return None
    with transaction.atomic():
        found = FormDraft.objects.select_for_update().filter(pk=draft_id).first()
        if found and (found.account_id != account_id or found.page != page or found.answer):
            draft_id = uuid4()
        values = {"account_id": account_id, "page": page, "fields": fields, "version": version_of(fields)}
        FormDraft.objects.update_or_create(pk=draft_id, defaults={**values, "kept_at": timezone.now()})
        _clear_away(account_id)
    return draft_id


def discard(account_id: int, draft_id: UUID) -> None:
    of_account(account_id).filter(pk=draft_id, answer="").delete()


def forget_account(account_id: int) -> None:
    """At logout."""
    FormDraft.objects.filter(account_id=account_id).delete()


def saving(save: Callable[[], Answer]) -> Answer:
    """Calls `save` in a transaction, so that the version and the note of its draft are committed together: a second
    request that waited for the first one's lock then finds the note."""
    with transaction.atomic():
        return save()


def note_saved(account_id: int, draft_id: UUID, page: str, *, saved_as: str, answer: str) -> None:
    """To be called in the transaction of the save. What was typed is in the version now, so the draft loses it."""
    noted = {"saved_as": saved_as, "answer": answer, "fields": [], "kept_at": timezone.now()}
    if not FormDraft.objects.filter(pk=draft_id, account_id=account_id).update(**noted):
        FormDraft.objects.get_or_create(pk=draft_id, defaults={"account_id": account_id, "page": page, **noted})


def _clear_away(account_id: int) -> None:
    """What is too old, of every account, and the oldest of an account that has too many."""
    FormDraft.objects.filter(kept_at__lte=timezone.now() - LONGEST).delete()
    newest = FormDraft.objects.filter(account_id=account_id).order_by("-kept_at").values("pk")[:MOST_PER_ACCOUNT]
    FormDraft.objects.filter(account_id=account_id).exclude(pk__in=newest).delete()
