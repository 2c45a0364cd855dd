"""Every URL of the site and every action of the admin, against a table of who may do what.

The URLs are walked, not listed: a new view without a line in the table fails.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client, RequestFactory

from tests.traders.admin.addresses import FAMILIES, ROUTES, address
from tests.traders.admin.people import account, browser_of
from traders.accounts.rules import Role
from traders.models import ApiToken, ManagerConfigVersion, PromptText, TraderConfigVersion
from traders.schema.controls.rows import TRADER_KINDS

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
OPERATING_POSTED = Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200))
# Back to the list, to choose traders there.
NOBODY_CHOSEN = Rule((Role.OPERATOR, 302), (Role.OPERATOR, 302))
FLEET_SETTINGS = Rule((Role.ADMIN, 200), (Role.ADMIN, 400))
# Each account has its own: back to the list.
SAVED_FILTER = Rule((Role.VIEWER, 405), (Role.VIEWER, 302))

RULES: dict[str, Rule] = {
    "": Rule((Role.VIEWER, 302), (Role.VIEWER, 302), anonymous="/admin/"),
    "admin/": READ,
    "language/": Rule((Role.VIEWER, 302), (Role.VIEWER, 302), anonymous="/"),
    "admin/search/": READ,
    "admin/login/": Rule((Role.VIEWER, 302), (Role.VIEWER, 200), anonymous=200),
    "admin/logout/": Rule((Role.VIEWER, 405), (Role.VIEWER, 200), anonymous="/admin/"),
    "admin/password_change/": READ,
    "admin/second-factor/": READ,
    "admin/find/": READ,
    "admin/preferences/": READ,
    "admin/acceptance/": Rule((Role.ADMIN, 200), (Role.ADMIN, 405)),
    "admin/sessions/": Rule((Role.VIEWER, 200), (Role.VIEWER, 302)),
    "admin/password_change/done/": GET_ONLY,
    "admin/autocomplete/": Rule((NOBODY, 403), (Role.VIEWER, 405)),
    "admin/jsi18n/": GET_ONLY,
    "admin/r/<path:content_type_id>/<path:object_id>/": NOTHING_THERE,
    "admin/^(?P<app_label>auth|traders|trading)/$": READ,
    "admin/(?P<url>.*)$": NOTHING_THERE,
    "admin/auth/user/": ACCOUNTS,
    "admin/auth/user/add/": ACCOUNTS,
    "admin/auth/user/<id>/password/": ACCOUNTS,
    "admin/auth/user/<int:user_id>/sessions/": Rule((Role.ADMIN, 200), (Role.ADMIN, 302)),
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
    "alarms/<str:token>/": Rule((Role.VIEWER, 200), (Role.VIEWER, 200), anonymous=200),
    "admin/trading/alarm/": READ,
    "admin/trading/alarm/add/": REFUSED,
    "admin/trading/alarm/<int:alarm_id>/acknowledge/": Rule((Role.OPERATOR, 405), (Role.OPERATOR, 302)),
    "admin/trading/alarm/<path:object_id>/": MOVED,
    "admin/trading/alarm/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/trading/alarm/<path:object_id>/delete/": REFUSED,
    "admin/trading/alarm/<path:object_id>/history/": READ,
    "admin/trading/alarmchannel/": READ,
    "admin/trading/alarmchannel/add/": ACCOUNTS,
    "admin/trading/alarmchannel/test/<str:channel>/": Rule((Role.ADMIN, 405), (Role.ADMIN, 302)),
    "admin/trading/alarmchannel/<path:object_id>/": MOVED,
    "admin/trading/alarmchannel/<path:object_id>/change/": Rule((Role.VIEWER, 200), (Role.ADMIN, 200)),
    "admin/trading/alarmchannel/<path:object_id>/delete/": ACCOUNTS,
    "admin/trading/alarmchannel/<path:object_id>/history/": READ,
    "admin/trading/alarmrulechange/": READ,
    "admin/trading/alarmrulechange/add/": ACCOUNTS,
    "admin/trading/alarmrulechange/<path:object_id>/": MOVED,
    "admin/trading/alarmrulechange/<path:object_id>/change/": Rule((Role.VIEWER, 200), (Role.ADMIN, 302)),
    "admin/trading/alarmrulechange/<path:object_id>/delete/": ACCOUNTS,
    "admin/trading/alarmrulechange/<path:object_id>/history/": READ,
    "admin/trading/decisionjournal/": GET_ONLY,
    "admin/trading/decisionjournal/filters/save/": SAVED_FILTER,
    "admin/trading/decisionjournal/filters/<int:filter_id>/remove/": SAVED_FILTER,
    "admin/trading/decisionjournal/<path:object_id>/replay/": GET_ONLY,
    "admin/trading/decisionjournal/export/<str:file_format>/": GET_ONLY,
    "admin/trading/decisionjournal/<path:object_id>/": GET_ONLY,
    "admin/trading/exchangedifference/": READ,
    "admin/trading/exchangedifference/add/": REFUSED,
    "admin/trading/exchangedifference/<int:difference_id>/settle/": Rule((Role.OPERATOR, 405), (Role.OPERATOR, 302)),
    "admin/trading/exchangedifference/<path:object_id>/": MOVED,
    "admin/trading/exchangedifference/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/trading/exchangedifference/<path:object_id>/delete/": REFUSED,
    "admin/trading/exchangedifference/<path:object_id>/history/": READ,
    "admin/trading/equitytransfer/": READ,
    "admin/trading/equitytransfer/add/": Rule((Role.ADMIN, 200), (Role.ADMIN, 200)),
    "admin/trading/equitytransfer/<path:object_id>/": MOVED,
    "admin/trading/equitytransfer/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/trading/equitytransfer/<path:object_id>/delete/": REFUSED,
    "admin/trading/equitytransfer/<path:object_id>/history/": READ,
    "admin/trading/position/": GET_ONLY,
    "admin/trading/position/filters/save/": SAVED_FILTER,
    "admin/trading/position/filters/<int:filter_id>/remove/": SAVED_FILTER,
    "admin/trading/position/live/": GET_ONLY,
    "admin/trading/position/live/store/": Rule((Role.ADMIN, 200), (Role.VIEWER, 405)),
    "admin/trading/position/live/switch/": Rule((Role.ADMIN, 405), (Role.ADMIN, 302)),
    "admin/trading/position/export/<str:file_format>/": GET_ONLY,
    "admin/trading/position/<path:object_id>/": GET_ONLY,
    "admin/trading/recordexclusion/": GET_ONLY,
    "admin/trading/recordexclusion/equity/<path:object_id>/": GET_ONLY,
    "admin/trading/recordexclusion/set/": NOBODY_CHOSEN,
    "admin/trading/recordexclusion/correct/": NOBODY_CHOSEN,
    "admin/trading/trade/": GET_ONLY,
    "admin/trading/trade/filters/save/": SAVED_FILTER,
    "admin/trading/trade/filters/<int:filter_id>/remove/": SAVED_FILTER,
    "admin/trading/trade/family/<str:trader_id>/": GET_ONLY,
    "admin/trading/trade/performance/": GET_ONLY,
    "admin/trading/trade/performance/csv/": GET_ONLY,
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
    "admin/trading/movein/": ACCOUNTS,
    "admin/trading/movein/add/": REFUSED,
    "admin/trading/movein/<path:object_id>/": MOVED,
    "admin/trading/movein/<path:object_id>/change/": Rule((Role.ADMIN, 200), (NOBODY, 403)),
    "admin/trading/movein/<path:object_id>/delete/": REFUSED,
    "admin/trading/movein/<path:object_id>/history/": ACCOUNTS,
    "admin/traders/auditentry/": ACCOUNTS,
    "admin/traders/auditentry/csv/": ACCOUNTS,
    "admin/traders/auditentry/add/": REFUSED,
    "admin/traders/auditentry/<path:object_id>/": MOVED,
    "admin/traders/auditentry/<path:object_id>/change/": Rule((Role.ADMIN, 200), (NOBODY, 403)),
    "admin/traders/auditentry/<path:object_id>/delete/": REFUSED,
    "admin/traders/auditentry/<path:object_id>/history/": ACCOUNTS,
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
    **{f"admin/traders/traderconfig/control/{kind}/": NOBODY_CHOSEN for kind in TRADER_KINDS},
    # A release and closing all ask for a word, a stop for a reason: a POST of nothing shows the page again.
    **{f"admin/traders/traderconfig/fleet-{what}/": OPERATING_POSTED for what in ("stop", "close", "release")},
    "admin/traders/tradercontrol/": READ,
    "admin/traders/tradercontrol/csv/": READ,
    "admin/traders/tradercontrol/add/": REFUSED,
    "admin/traders/tradercontrol/<path:object_id>/": MOVED,
    "admin/traders/tradercontrol/<path:object_id>/change/": Rule((Role.VIEWER, 200), (NOBODY, 403)),
    "admin/traders/tradercontrol/<path:object_id>/delete/": REFUSED,
    "admin/traders/tradercontrol/<path:object_id>/history/": READ,
    "admin/traders/traderconfig/compare/": READ,
    "admin/traders/traderconfig/download/": READ,
    "admin/traders/traderconfig/upload/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/<str:object_id>/clone/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/<str:object_id>/variant/": Rule((Role.OPERATOR, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/<str:object_id>/download/": READ,
    "admin/traders/traderconfig/<str:object_id>/versions/<int:number>/download/": READ,
    "admin/traders/traderconfig/restore-to/": Rule((Role.OPERATOR, 302), (Role.OPERATOR, 302)),
    "admin/traders/traderconfig/conflicts/": Rule((Role.VIEWER, 200), (Role.OPERATOR, 200)),
    "admin/traders/traderconfig/add/": OPERATING,
    "admin/traders/traderconfig/<path:object_id>/": GET_ONLY,
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
    ("auth.user", "remove_factor"): Role.ADMIN,
    ("auth.group", "delete_selected"): Role.ADMIN,
    ("trading.alarmchannel", "delete_selected"): Role.ADMIN,
    ("trading.alarmrulechange", "delete_selected"): Role.ADMIN,
}


def written() -> tuple[int, ...]:
    return tuple(
        model.objects.count() for model in (TraderConfigVersion, ManagerConfigVersion, PromptText, User, ApiToken)
    )


def test_the_table_names_every_url_and_no_other() -> None:
    assert set(ROUTES) == set(RULES)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_url_answers_each_role_by_its_rule(family: str) -> None:
    cookies = {role: browser_of(role).cookies for role in (None, *Role)}
    wrong = []
    for route in FAMILIES[family]:
        there, before = address(route), written()
        for method, role in product(("get", "post"), cookies):
            browser = Client()
            browser.cookies = deepcopy(cookies[role])
            with transaction.atomic():
                answer = getattr(browser, method)(there)
                leads_to = answer.headers.get("Location", "").partition("?")[0]
                if role is None:
                    is_right = (leads_to or answer.status_code) == RULES[route].anonymous
                else:
                    is_right = answer.status_code == RULES[route].status(method, role) and leads_to != LOGIN
                if not is_right or written() != before:
                    wrong.append(f"{method} of {route} by {role}: {answer.status_code} {leads_to}")
                transaction.set_rollback(True)
    assert wrong == []


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
