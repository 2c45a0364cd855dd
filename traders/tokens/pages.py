"""API tokens in the browser: make one, which is shown once, and revoke one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from traders.models import ApiToken
from traders.pages.config_page import ConfigPage
from traders.schema.problems import InvalidConfig
from traders.schema.tokens import PREFIX, IssuedToken, Scope, Token, TokenState
from traders.templatetags.display import active_for
from traders.tokens import services as tokens
from traders.tokens.forms import SCOPES, TokenForm
from traders.tokens.writer import issued_of
from traders.versions.rules.errors import UnknownToken

SENT = "token_forms_sent"
LISTED_TRADERS = 3
REMEMBERED = 20
"""Forms that made a token; a browser sends one of the last few again, none of long ago."""


@dataclass(frozen=True)
class TokenSummary:
    """What pages show of a token. `expires_in` is empty where it never expires or no longer works."""

    issued: IssuedToken
    state: TokenState
    expires_in: str

    @classmethod
    def of(cls, issued: IssuedToken, now: datetime) -> TokenSummary:
        state = issued.state(now)
        runs_out = state is TokenState.ACTIVE and issued.expires_at is not None
        return cls(issued, state, (active_for(now, issued.expires_at) or _("a minute")) if runs_out else "")

    @classmethod
    def of_row(cls, row: ApiToken, now: datetime) -> TokenSummary:
        return cls.of(issued_of(row), now)

    @property
    def begins(self) -> str:
        return f"{PREFIX}{self.issued.hint}…"

    @property
    def scopes(self) -> list[str]:
        return sorted(self.issued.token.scopes)

    @property
    def traders(self) -> list[str] | None:
        """None: all."""
        ids = self.issued.token.trader_ids
        return None if ids is None else sorted(ids)

    @property
    def first_traders(self) -> list[str]:
        """What the list shows of them."""
        return (self.traders or [])[:LISTED_TRADERS]

    @property
    def may(self) -> list[tuple[Scope, str]]:
        return [(scope, str(words)) for scope, words in SCOPES.items() if scope in self.issued.token.scopes]


def may_revoke(request: HttpRequest) -> bool:
    return request.user.has_perm("traders.change_apitoken")


@sensitive_variables("text")
def create_view(page: ConfigPage) -> HttpResponse:
    """The answer to a sent form is the only place where a token is ever shown; no cache keeps a page of the admin."""
    if page.request.method != "POST":
        return _form_page(page, TokenForm(form_id=secrets.token_urlsafe(16), known=tokens.limitable()))
    sent = page.request.session.get(SENT, [])
    if page.request.POST.get("form_id") in sent:
        said = _("This form has already made its token, which is not shown again: if you did not keep it, revoke it.")
        messages.info(page.request, said)
        return _to_the_list()
    form = TokenForm(page.request.POST, known=tokens.limitable())
    if not form.is_valid():
        return _form_page(page, form)
    name, scopes = form.cleaned_data["name"], form.cleaned_data["scopes"]
    try:
        token, text = tokens.create(
            name=name, scopes=scopes, actor=page.actor, expires_at=form.expires_at, trader_ids=form.trader_ids
        )
    except InvalidConfig as invalid:
        form.add_problems(invalid.problems)
        return _form_page(page, form)
    page.request.session[SENT] = [*sent, form.cleaned_data["form_id"]][-REMEMBERED:]
    return _shown_once(page, token, text)


def revoke_view(page: ConfigPage, token_id: int) -> HttpResponse:
    try:
        issued = tokens.one(token_id)
    except UnknownToken:
        messages.warning(page.request, _("There is no token %(id)s.") % {"id": token_id})
        return _to_the_list()
    name = issued.token.name
    if issued.revoked_at is None and page.request.method != "POST":
        return page.render("token_revoke.html", _("Revoke a token"), row=TokenSummary.of(issued, timezone.now()))
    if issued.revoked_at is None:
        issued = tokens.revoke(token_id=token_id, actor=page.actor)
        messages.success(page.request, _("Revoked “%(name)s”: it is refused from now on.") % {"name": name})
    else:
        said = _("“%(name)s” is revoked already, by %(who)s.") % {"name": name, "who": issued.revoked_by}
        messages.info(page.request, said)
    return _to_the_list()


@sensitive_variables("text")
def _shown_once(page: ConfigPage, token: Token, text: str) -> HttpResponse:
    return page.render(
        "token_made.html",
        _("New API token"),
        row=TokenSummary.of(tokens.one(token.id), timezone.now()),
        text=text,
        example=page.request.build_absolute_uri("/api/v1/token"),
    )


def _form_page(page: ConfigPage, form: TokenForm) -> HttpResponse:
    return page.render("token_form.html", _("New API token"), form=form)


def _to_the_list() -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:traders_apitoken_changelist"))
