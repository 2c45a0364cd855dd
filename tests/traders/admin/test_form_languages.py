"""What is wrong in a form is said in the language of the page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.traders.admin.addresses import ROUTES, address, difference, recorded
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, form_data, hidden_fields
from tests.traders.admin.people import account
from tests.traders.admin.test_page_languages import ALIKE, CHINESE, DATA, ENGLISH, texts
from traders.accounts.rules import Role
from traders.schema.settings.fleet import FLEET_ID

pytestmark = pytest.mark.usefixtures("fleet")

TRADES, DECISIONS = "/admin/trading/trade/", "/admin/trading/decisionjournal/"
ASIDE = "/admin/trading/recordexclusion/"
TYPED = {"wrong", "nowhere", "zzz", "password", "username"}
BULK = {"chosen": "steady_long", "reason": "", "step": "preview", "op-0-do": "SET", "op-0-value": "wrong"}
POSTED: dict[str, dict[str, Any]] = {
    f"{TRADERS}bulk/": BULK | {"op-0-path": "detail.risk.max_positions"},
    f"{TRADERS}upload/": {"step": "plan"},
    f"{TRADERS}control/stop/?trader=steady_long": {"reason": "", "step": "save"},
    f"{TRADERS}control/cooldown/?trader=steady_long": {"reason": "", "symbol": "zzz", "minutes": "-1", "step": "save"},
    f"{TRADERS}control/pin/?trader=steady_long": {"reason": "", "version": "77", "step": "save"},
    f"{TRADERS}fleet-stop/": {"reason": "", "step": "save"},
    f"{TRADERS}add/": {"new_id": "??", "step": "preview", "reason": ""},
    f"{STEADY}clone/": {"new_id": "??", "step": "save", "reason": ""},
    f"{STEADY}versions/1/restore/": {"expected_version": "1", "reason": ""},
    "/admin/traders/apitoken/add/": {"name": "??", "lasts": "date", "until": "wrong", "form_id": "1"},
    "/admin/auth/user/add/": {"username": "token:x", "usable_password": "true", "password1": "1", "password2": "2"},
    "/admin/auth/group/add/": {"name": ""},
    "/admin/password_change/": {"old_password": "wrong", "new_password1": "1", "new_password2": "2"},
    "/admin/trading/equitytransfer/add/": {"kind": "zzz", "amount_usd": "wrong", "at": "wrong"},
    "/admin/trading/alarmchannel/add/": {"name": "??", "kind": "zzz", "address": "wrong"},
    "/admin/trading/alarmrulechange/add/": {"rule": "zzz", "threshold": "-1"},
    "/admin/traders/prompttext/add/": {"path": "/../wrong", "body": "{{", "reason": ""},
    f"{TRADES}filters/save/": {"name": ""},
}
ASKED = (
    *(f"{TRADERS}changes/?since=wrong&until=wrong", f"{TRADERS}changes/?path=zzz", f"{TRADERS}?at=wrong"),
    *(f"{TRADES}?since=wrong&version=zzz&id=%00", f"{DECISIONS}?since=2099-01-01&id=zzz"),
    *(f"{TRADES}performance/?since=wrong&by=zzz", f"{TRADES}outcomes/?change_set=zzz&since=wrong"),
    *(f"{TRADERS}compare/?trader=zzz&trader=steady_long", f"{STEADY}compare/?a=77&b=zzz"),
    *(f"{ASIDE}set/?kind=trade&id=zzz", f"{ASIDE}?id=%00&kind=zzz", "/admin/traders/auditentry/?since=wrong"),
    *("/admin/traders/tradercontrol/?since=wrong", f"{TRADERS}nowhere/", "/admin/nowhere/", f"{STEADY}versions/77/"),
)


@pytest.fixture
def admin() -> Client:
    client = Client(headers={"Accept-Language": "zh-CN"})
    client.force_login(account(Role.ADMIN))
    return client


def english(page: Any) -> list[str]:
    return sorted({text for text in texts(page.content.decode()) if set(ENGLISH.findall(text)) - ALIKE - DATA - TYPED})


@pytest.mark.parametrize("there", POSTED)
def test_a_refused_form_speaks_chinese(admin: Client, there: str) -> None:
    page = admin.post(there, hidden_fields(admin.get(there)) | POSTED[there], follow=True)
    assert english(page) == []
    assert CHINESE.search(page.content.decode())


@pytest.mark.parametrize("there", ASKED)
def test_a_question_that_has_no_answer_is_answered_in_chinese(admin: Client, there: str) -> None:
    assert english(admin.get(there, follow=True)) == []


@pytest.mark.parametrize("config_id", ["steady_long", FLEET_ID])
def test_every_setting_says_in_chinese_what_it_takes(admin: Client, config_id: str) -> None:
    url = f"{FLEET}change/" if config_id == FLEET_ID else f"{STEADY}change/"
    right = form_data(config_id, reason="")
    kept = {name: value for name, value in right.items() if name in ("expected_version", "step") or "prompts" in name}
    assert english(admin.post(url, dict.fromkeys(right, "wrong") | kept | {"reason": ""})) == []


def test_what_is_wrong_with_rows_of_the_record_is_said_in_chinese(admin: Client) -> None:
    made = recorded()
    trade = f"{TRADES}{made['trading/trade']}/correct/"
    settle = f"/admin/trading/exchangedifference/{difference()}/settle/"
    wrong = [
        admin.post(trade, hidden_fields(admin.get(trade)) | {"changes": "wrong", "reason": "", "step": "preview"}),
        admin.post(settle, {"how": "taken", "price": "wrong", "reason": "", "step": "preview"}),
        admin.get(f"{DECISIONS}{made['trading/decisionjournal']}/replay/?version=77"),
        admin.post("/admin/login/", {"username": "nowhere", "password": "wrong"}),
    ]
    assert [english(page) for page in wrong] == [[], [], [], []]


@pytest.mark.parametrize("route", [route for route in ROUTES if "csv/" in route or "<str:file_format>" in route])
def test_a_file_for_programs_is_english(admin: Client, route: str) -> None:
    recorded()
    answer = admin.get(address(route), follow=True)
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert not CHINESE.search(answer.getvalue().decode())
