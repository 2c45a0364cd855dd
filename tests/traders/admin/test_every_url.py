"""Every URL of the site and every action of the admin, against a table of who may do what.

The URLs are walked, not listed: a new view without a line in the table fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import SYSTEM_PROMPT
from tests.traders.admin.people import account, browser_of
from tests.trading_factories import OPENED_MS, make_entry, make_position, make_trade
from traders.accounts.rules import Role
from traders.models import ApiToken, ManagerConfigVersion, PromptText, TraderConfigVersion
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.versions import services as configs
from trading.models import EquityTransfer
from trading.record.transfers.services import transfer
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Origin, Side
from trading.schema.facts import TransferKind

pytestmark = pytest.mark.usefixtures("fleet")

LOGIN = "/admin/login/"
NOBODY = None
Answer = tuple[Role | None, int]


@dataclass(frozen=True)
class Rule:
    """(the lowest role that may, what it is answered) for a GET and for a POST of nothing.

    Lower roles are answered 403. Whoever is not logged in is sent to `anonymous`; 200 is an open page.
    """

    get: Answer
    post: Answer
    anonymous: str | int = LOGIN

    def status(self, method: str, role: Role) -> int:
        lowest, status = self.get if method == "get" else self.post
        order = list(Role)
        return status if lowest and order.index(role) >= order.index(lowest) else 403


READ = Rule((Role.VIEWER, 200), (Role.VIEWER, 200))
GET_ONLY = Rule((Role.VIEWER, 200), (Role.VIEWER, 405))
MOVED = Rule((Role.VIEWER, 302), (Role.VIEWER, 302))
NOTHING_THERE = Rule((Role.VIEWER, 404), (Role.VIEWER, 404))
REFUSED = Rule((NOBODY, 403), (NOBODY, 403))
ACCOUNTS = Rule((Role.ADMIN, 200), (Role.ADMIN, 200))
# A form that says which version it was opened on: without one a POST cannot be understood.
OPERATING = Rule((Role.OPERATOR, 200), (Role.OPERATOR, 400))
# Back to the list, to choose traders there.
NOBODY_CHOSEN = Rule((Role.OPERATOR, 302), (Role.OPERATOR, 302))
FLEET_SETTINGS = Rule((Role.ADMIN, 200), (Role.ADMIN, 400))

RULES: dict[str, Rule] = {
    "": Rule((Role.VIEWER, 302), (Role.VIEWER, 302), anonymous="/admin/"),
    "admin/": READ,
    "admin/search/": READ,
    "admin/login/": Rule((Role.VIEWER, 302), (Role.VIEWER, 200), anonymous=200),
    "admin/logout/": Rule((Role.VIEWER, 405), (Role.VIEWER, 200), anonymous="/admin/"),
    "admin/password_change/": READ,
    "admin/password_change/done/": GET_ONLY,
    "admin/autocomplete/": Rule((NOBODY, 403), (Role.VIEWER, 405)),
    "admin/jsi18n/": GET_ONLY,
    "admin/r/<path:content_type_id>/<path:object_id>/": NOTHING_THERE,
    "admin/^(?P<app_label>auth|traders|trading)/$": READ,
    "admin/(?P<url>.*)$": NOTHING_THERE,
    "admin/auth/user/": ACCOUNTS,
    "admin/auth/user/add/": ACCOUNTS,
    "admin/auth/user/<id>/password/": ACCOUNTS,
    "admin/auth/user/<path:object_id>/": MOVED,
    "admin/auth/user/<path:object_id>/change/": ACCOUNTS,
    "admin/auth/user/<path:object_id>/delete/": ACCOUNTS,
    "admin/auth/user/<path:object_id>/history/": ACCOUNTS,
    "admin/auth/group/": ACCOUNTS,
    "admin/auth/group/add/": ACCOUNTS,
    "admin/auth/group/<path:object_id>/": MOVED,
    "admin/auth/group/<path:object_id>/change/": ACCOUNTS,
    "admin/auth/group/<path:object_id>/delete/": ACCOUNTS,
    "admin/auth/group/<path:object_id>/history/": ACCOUNTS,
    "admin/trading/decisionjournal/": GET_ONLY,
    "admin/trading/decisionjournal/<int:decision_id>/replay/": GET_ONLY,
    "admin/trading/decisionjournal/export/<str:file_format>/": GET_ONLY,
    "admin/trading/decisionjournal/<path:object_id>/": GET_ONLY,
    "admin/trading/equitytransfer/": READ,
    "admin/trading/equitytransfer/add/": Rule((Role.ADMIN, 200), (Role.ADMIN, 200)),
    "admin/trading/equitytransfer/<path:object_id>/": MOVED,
    "admin/trading/equitytransfer/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/trading/equitytransfer/<path:object_id>/delete/": REFUSED,
    "admin/trading/equitytransfer/<path:object_id>/history/": READ,
    "admin/trading/position/": GET_ONLY,
    "admin/trading/position/live/": GET_ONLY,
    "admin/trading/position/live/switch/": Rule((Role.ADMIN, 405), (Role.ADMIN, 302)),
    "admin/trading/position/export/<str:file_format>/": GET_ONLY,
    "admin/trading/position/<path:object_id>/": GET_ONLY,
    "admin/trading/recordexclusion/": GET_ONLY,
    "admin/trading/recordexclusion/set/": NOBODY_CHOSEN,
    "admin/trading/trade/": GET_ONLY,
    "admin/trading/trade/outcomes/": GET_ONLY,
    "admin/trading/trade/<path:object_id>/correct/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/trading/trade/unreadable/": GET_ONLY,
    "admin/trading/trade/export/<str:file_format>/": GET_ONLY,
    "admin/trading/trade/<path:object_id>/": GET_ONLY,
    "admin/traders/apitoken/": ACCOUNTS,
    "admin/traders/apitoken/add/": ACCOUNTS,
    "admin/traders/apitoken/<int:token_id>/revoke/": Rule((Role.ADMIN, 200), (Role.ADMIN, 302)),
    "admin/traders/apitoken/<path:object_id>/": MOVED,
    "admin/traders/apitoken/<path:object_id>/change/": Rule((Role.ADMIN, 200), (NOBODY, 403)),
    "admin/traders/apitoken/<path:object_id>/delete/": REFUSED,
    "admin/traders/apitoken/<path:object_id>/history/": ACCOUNTS,
    "admin/traders/managerconfig/": MOVED,
    "admin/traders/managerconfig/add/": REFUSED,
    "admin/traders/managerconfig/<path:object_id>/": MOVED,
    "admin/traders/managerconfig/<path:object_id>/change/": Rule((Role.VIEWER, 200), (Role.ADMIN, 400)),
    "admin/traders/managerconfig/<path:object_id>/delete/": REFUSED,
    "admin/traders/managerconfig/<path:object_id>/history/": READ,
    "admin/traders/managerconfig/<str:object_id>/compare/": READ,
    "admin/traders/managerconfig/<str:object_id>/past/": MOVED,
    "admin/traders/managerconfig/<str:object_id>/versions/<int:number>/": READ,
    "admin/traders/managerconfig/<str:object_id>/versions/<int:number>/restore/": FLEET_SETTINGS,
    "admin/traders/prompttext/": READ,
    "admin/traders/prompttext/add/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/prompttext/compare/": READ,
    "admin/traders/prompttext/<str:object_id>/edit/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/prompttext/<path:object_id>/": MOVED,
    "admin/traders/prompttext/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/traders/prompttext/<path:object_id>/delete/": REFUSED,
    "admin/traders/prompttext/<path:object_id>/history/": READ,
    "admin/traders/traderconfig/": READ,
    "admin/traders/traderconfig/changes/": READ,
    "admin/traders/traderconfig/changes/csv/": READ,
    "admin/traders/traderconfig/changes/<int:change_set>/": READ,
    "admin/traders/traderconfig/changes/<int:change_set>/undo/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/past/bundle/": MOVED,
    "admin/traders/traderconfig/bulk/": NOBODY_CHOSEN,
    "admin/traders/traderconfig/retire/": NOBODY_CHOSEN,
    "admin/traders/traderconfig/bring-back/": NOBODY_CHOSEN,
    "admin/traders/traderconfig/compare/": READ,
    "admin/traders/traderconfig/download/": READ,
    "admin/traders/traderconfig/upload/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/<str:object_id>/clone/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/<str:object_id>/download/": READ,
    "admin/traders/traderconfig/<str:object_id>/versions/<int:number>/download/": READ,
    "admin/traders/traderconfig/restore-to/": Rule((Role.OPERATOR, 302), (Role.OPERATOR, 302)),
    "admin/traders/traderconfig/conflicts/": Rule((Role.VIEWER, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/add/": OPERATING,
    "admin/traders/traderconfig/<path:object_id>/": MOVED,
    "admin/traders/traderconfig/<path:object_id>/change/": Rule((Role.VIEWER, 200), (Role.OPERATOR, 400)),
    "admin/traders/traderconfig/<path:object_id>/delete/": REFUSED,
    "admin/traders/traderconfig/<path:object_id>/history/": READ,
    "admin/traders/traderconfig/<str:object_id>/compare/": READ,
    "admin/traders/traderconfig/<str:object_id>/past/": MOVED,
    "admin/traders/traderconfig/<str:object_id>/versions/<int:number>/": READ,
    "admin/traders/traderconfig/<str:object_id>/versions/<int:number>/restore/": OPERATING,
}
# The lowest role that is offered an action of a list.
ACTIONS: dict[tuple[str, str], Role] = {
    ("auth.user", "delete_selected"): Role.ADMIN,
    ("auth.user", "let_in_again"): Role.ADMIN,
    ("auth.group", "delete_selected"): Role.ADMIN,
}


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


# Tokens, not roles, open the engine API: tests/trading/api/test_access.py walks it.
ROUTES = sorted({route for route in routes(get_resolver()) if not route.startswith("api/v1/")})


def address(route: str) -> str:
    """The route with something that exists in each of its places."""
    objects = {
        "auth/user": User.objects.get_or_create(username="lee")[0].pk,
        "auth/group": Group.objects.get_or_create(name="Auditors")[0].pk,
        "traders/prompttext": SYSTEM_PROMPT.sha256,
        "traders/managerconfig": "1",
        "traders/apitoken": active_token(),
    }
    model = "/".join(route.split("/")[1:3])
    if model.startswith("trading/") and "<" in route:
        objects |= recorded()
    filled = re.sub(r"<(?:path:|str:)?(?:object_id|id)>", str(objects.get(model, "steady_long")), route)
    filled = filled.replace("<str:file_format>", "csv").replace(
        "<int:change_set>", str(configs.existing("steady_long").change_set)
    )
    filled = filled.replace("<int:decision_id>", str(objects.get("trading/decisionjournal")))
    if "<int:token_id>" in filled:
        filled = filled.replace("<int:token_id>", str(active_token()))
    filled = re.sub(r"<int:\w+>|<path:content_type_id>", "1", filled)
    return "/" + filled.replace("^(?P<app_label>auth|traders|trading)/$", "traders/").replace("(?P<url>.*)$", "nowhere")


def recorded() -> dict[str, str]:
    """An open position, a trade, a decision and a transfer; the same ones however often."""
    position = open_position(trader_id="steady_long", symbol="BTC", side=Side.LONG, detail=make_position())
    trade = make_trade()
    record_trade(trade)
    decision = record_decision(make_entry(origin=Origin(system="test", key="once")))
    deposit: dict[str, Any] = {
        "kind": TransferKind.DEPOSIT,
        "amount": Decimal(100),
        "reason": "more capital",
        "actor": "mei",
    }
    transfer(trader_id="steady_long", ts_ms=OPENED_MS, transfer_id="once", **deposit)
    return {
        "trading/equitytransfer": str(EquityTransfer.objects.get().pk),
        "trading/position": position.id,
        "trading/trade": trade.id,
        "trading/decisionjournal": str(decision.id),
    }


def active_token() -> int:
    """The same one until it is revoked."""
    found = ApiToken.objects.filter(revoked_at=None).first()
    return found.pk if found else tokens.create(name="engine", scopes=list(Scope), actor="mei")[0].id


def written() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (TraderConfigVersion, ManagerConfigVersion, PromptText, User, ApiToken)
    )


def test_the_table_names_every_url_and_no_other() -> None:
    assert set(ROUTES) == set(RULES)


@pytest.mark.parametrize("route", ROUTES)
def test_a_url_answers_each_role_by_its_rule(route: str) -> None:
    rule = RULES[route]
    for method in ("get", "post"):
        answer = getattr(browser_of(None), method)(address(route))
        where = answer["Location"].partition("?")[0] if answer.status_code == 302 else answer.status_code
        assert where == rule.anonymous, f"{method} by nobody in particular"
        for role in Role:
            browser = browser_of(role)
            before = written()
            answer = getattr(browser, method)(address(route))
            assert answer.status_code == rule.status(method, role), f"{method} by {role}"
            assert not answer.headers.get("Location", "").startswith(LOGIN)
            assert written() == before


def offered(role: Role) -> set[tuple[str, str]]:
    request: Any = RequestFactory().get("/admin/")
    request.user = account(role)
    return {
        (model._meta.label_lower, action)
        for model, model_admin in admin.site._registry.items()
        for action in model_admin.get_actions(request)
    }


@pytest.mark.parametrize("role", Role)
def test_an_action_is_offered_from_its_lowest_role_on(role: Role) -> None:
    order = list(Role)
    allowed = {action for action, lowest in ACTIONS.items() if order.index(role) >= order.index(lowest)}
    assert offered(role) == allowed
