"""Drafts in requests: a kept form is opened by its address, and the browser learns which drafts have ended."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.translation import gettext as _

from traders.drafts import queries, writer
from traders.drafts.rules import DRAFT, Fields, digest_of, held
from traders.models import FormDraft

STEP, DISCARD = "step", "discard"
ENDED = "ended_drafts"
"""The cookie that names drafts which were saved, discarded or, as `all`, cleared at logout; drafts.js reads it, clears
them from the browser's storage and deletes the cookie."""
ALL = "all"
_MOST_NAMED, _COOKIE_SECONDS = 20, 14 * 24 * 3600


def opened(request: HttpRequest) -> FormDraft | None:
    """The draft that the address of this request opened."""
    return getattr(request, "opened_draft", None)


def is_posted(request: HttpRequest) -> bool:
    """Whether the request has the fields of a form: posted now, or kept by an earlier post."""
    return request.method == "POST" or opened(request) is not None


def answer_of_draft(request: HttpRequest) -> HttpResponse | None:
    """Opens the draft that the address names: `request.POST` then has its fields, so that the page is the one that the
    post led to. It saves nothing: what is posted is not asked for.

    Answers itself where the draft was saved, where it is kept no more, and where one is discarded.
    """
    if request.method == "POST":
        return _discarded(request) if request.POST.get(STEP) == DISCARD else None
    if DRAFT not in request.GET:
        return None
    named = _uuid(request.GET.get(DRAFT, ""))
    draft = queries.kept(_account(request), named, page_of(request)) if named else None
    if draft is None:
        messages.warning(request, _("These changes are kept no more: they were discarded, or it was long ago."))
        return HttpResponseRedirect(page_of(request))
    if draft.answer:
        messages.info(request, _("These changes were saved: this is what they led to."))
        return HttpResponseRedirect(draft.answer)
    request.FILES  # noqa: B018  (read first: reading it later would empty POST)
    request.POST = _query_dict(draft.fields)  # type: ignore[assignment]
    request.opened_draft = draft  # type: ignore[attr-defined]
    return None


def kept_answer(request: HttpRequest) -> HttpResponse | None:
    """Keeps what was posted and leads to the page of the draft, which a browser may load again. None where a draft may
    not hold it, or the form says nothing of drafts."""
    if not (named := draft_id(request)):
        return None
    kept_as = writer.keep(_account(request), named, page_of(request), posted_fields(request))
    return HttpResponseRedirect(page_of(request, kept_as)) if kept_as else None


def note_saved(request: HttpRequest, answer: HttpResponse) -> None:
    """After a save that leads to `answer`, in its transaction."""
    if (named := draft_id(request)) and isinstance(answer, HttpResponseRedirect):
        saved_as = digest_of(posted_fields(request))
        writer.note_saved(_account(request), named, page_of(request), saved_as=saved_as, answer=answer.url)
        ended(request, answer, str(named))


def saved_before(request: HttpRequest) -> HttpResponse | None:
    """The answer to a save that was sent twice: what the first one led to."""
    named = draft_id(request) if request.method == "POST" else None
    address = named and queries.answer_of(_account(request), named, digest_of(posted_fields(request)))
    if not named or not address:
        return None
    messages.info(request, _("This was sent twice and saved once."))
    return ended(request, HttpResponseRedirect(address), str(named))


def ended(request: HttpRequest, answer: HttpResponse, name: str = "") -> HttpResponse:
    """The answer, which has the browser clear this draft; without a name that of the posted form."""
    if not (name := name or str(draft_id(request) or "")):
        return answer
    before = [one for one in request.COOKIES.get(ENDED, "").split(".") if one == ALL or _uuid(one)]
    answer.set_cookie(
        ENDED,
        ".".join([*before, name][-_MOST_NAMED:]),
        max_age=_COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )
    return answer


def draft_id(request: HttpRequest) -> UUID | None:
    """The id that the posted form carries."""
    draft = opened(request)
    return draft.pk if draft else _uuid(request.POST.get(DRAFT, ""))


def id_for_form(request: HttpRequest) -> UUID:
    """The id that a form carries from its first page to its save."""
    return draft_id(request) or uuid4()


def offered(request: HttpRequest) -> FormDraft | None:
    """On a fresh form: what was previewed in it and not saved."""
    return None if is_posted(request) else queries.unsaved(_account(request), page_of(request))


def page_of(request: HttpRequest, draft: UUID | None = None) -> str:
    """The address of the form, without a draft or with this one."""
    asked = [(name, value) for name, values in request.GET.lists() if name != DRAFT for value in values]
    query = urlencode([*asked, *([(DRAFT, str(draft))] if draft else [])])
    return f"{request.path}?{query}" if query else request.path


def posted_fields(request: HttpRequest) -> Fields:
    """What was posted, without the token and the draft's id."""
    return held([(name, str(value)) for name, values in request.POST.lists() for value in values])


def _discarded(request: HttpRequest) -> HttpResponse:
    if named := draft_id(request):
        writer.discard(_account(request), named)
    return ended(request, HttpResponseRedirect(page_of(request)))


def _query_dict(fields: Any) -> QueryDict:
    found = QueryDict(mutable=True)
    for name, value in fields:
        found.appendlist(name, value)
    return found


def _account(request: HttpRequest) -> int:
    return int(str(request.user.pk))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
