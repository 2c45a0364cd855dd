"""Reads drafts. Each function takes the account: no draft is shown to another one."""

from __future__ import annotations

from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from traders.drafts.rules import LONGEST
from traders.models import FormDraft


def of_account(account_id: int) -> QuerySet[FormDraft]:
    """Those that are not too old."""
    return FormDraft.objects.filter(account_id=account_id, kept_at__gt=timezone.now() - LONGEST)


def kept(account_id: int, draft_id: UUID, page: str) -> FormDraft | None:
    return of_account(account_id).filter(pk=draft_id, page=page).first()


def unsaved(account_id: int, page: str) -> FormDraft | None:
    """The newest draft of a form that was neither saved nor discarded."""
    return of_account(account_id).filter(page=page, answer="").order_by("-kept_at").first()


def answer_of(account_id: int, draft_id: UUID, saved_as: str) -> str:
    """The address that the save of exactly this led to; empty where it was not saved."""
    saved = of_account(account_id).filter(pk=draft_id, saved_as=saved_as).exclude(answer="")
    return saved.values_list("answer", flat=True).first() or ""
