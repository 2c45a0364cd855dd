"""A page accepts only ids of its own kind: every URL that takes an id, and every action on chosen ids, for every role.

The permission a page asks is the one of its own kind of object, so an id of another kind must show and change nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import Group, User

from tests.factories import EXECUTOR_PROMPT, SYSTEM_PROMPT, save_edit
from tests.traders.admin.addresses import ROUTES, a_control, a_move_id, active_token, an_entry, recorded
from tests.traders.admin.browsing import TRADERS, form_data
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from traders.models import (
    ApiToken,
    AuditEntry,
    ManagerConfig,
    ManagerConfigVersion,
    PromptText,
    SyncConflict,
    TraderConfig,
    TraderConfigVersion,
    TraderControl,
)
from traders.schema import jsonio
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from trading.models import (
    Alarm,
    AlarmChannel,
    AlarmRuleChange,
    DecisionJournal,
    EquitySnapshot,
    EquityTransfer,
    ExchangeDifference,
    MoveIn,
    Position,
    Trade,
)
from trading.schema.exclusion import equity_id

pytestmark = pytest.mark.usefixtures("fleet")

# Nothing is shown: back to a list, forbidden, not found, not a page that is posted to, or a form that says nothing.
NOTHING = {302, 400, 403, 404, 405}
OBJECT = re.compile(r"<(?:path:|str:)?(?:object_id|id)>")
OWN: dict[str, Any] = {
    "admin/traders/traderconfig/": TraderConfig,
    "admin/traders/managerconfig/": ManagerConfig,
    "admin/traders/prompttext/": PromptText,
    "admin/traders/apitoken/": ApiToken,
    "admin/traders/tradercontrol/": TraderControl,
    "admin/traders/auditentry/": AuditEntry,
    "admin/trading/position/": Position,
    "admin/trading/alarm/": Alarm,
    "admin/trading/alarmchannel/": AlarmChannel,
    "admin/trading/alarmrulechange/": AlarmRuleChange,
    "admin/trading/equitytransfer/": EquityTransfer,
    "admin/trading/exchangedifference/": ExchangeDifference,
    "admin/trading/movein/": MoveIn,
    "admin/trading/recordexclusion/equity/": EquitySnapshot,
    "admin/trading/trade/": Trade,
    "admin/trading/decisionjournal/": DecisionJournal,
    "admin/auth/user/": User,
    "admin/auth/group/": Group,
}
WITH_OBJECT = [route for route in ROUTES if OBJECT.search(route)]


def ids_of_every_kind() -> dict[str, str]:
    """One object of each kind; numbers are far apart, so that no number is an id of two kinds."""
    User.objects.get_or_create(pk=4001, username="lee")
    Group.objects.get_or_create(pk=5001, name="Auditors")
    records = recorded()
    return {
        "trader": "steady_long",
        "fleet": FLEET_ID,
        "fleet row": "1",
        "prompt": SYSTEM_PROMPT.sha256,
        "user": "4001",
        "group": "5001",
        "token": str(active_token()),
        "control": str(a_control()),
        "audit entry": str(an_entry()),
        "move": str(a_move_id()),
        "position": records["trading/position"],
        "trade": records["trading/trade"],
        "transfer": records["trading/equitytransfer"],
        "equity": records["trading/recordexclusion"],
        "difference": records["trading/exchangedifference"],
        "alarm": records["trading/alarm"],
        "alarm channel": records["trading/alarmchannel"],
        "alarm rule": records["trading/alarmrulechange"],
        "decision": records["trading/decisionjournal"],
        "conflict": "steady_long detail.risk.max_positions",
        "change set": str(configs.existing("steady_long").change_set),
    }


def written() -> list[Any]:
    models = (TraderConfigVersion, ManagerConfigVersion, PromptText, User, Group, ApiToken, SyncConflict)
    return [list(model.objects.order_by("pk").values()) for model in models]


def own_ids(route: str) -> set[str]:
    """Those that the page may show. The site's way to an object's public page has none: no object here has one."""
    if route.startswith("admin/r/"):
        return set()
    owner = next(model for prefix, model in OWN.items() if route.startswith(prefix))
    if owner is DecisionJournal:
        # The number alone is the old address of its page.
        return {name for row in owner.objects.all() for name in (row.name, str(row.pk))}
    if owner is EquitySnapshot:
        return {equity_id(row.trader_id, row.ts_ms) for row in owner.objects.all()}
    return {str(pk) for pk in owner.objects.values_list("pk", flat=True)}


@pytest.mark.parametrize("route", WITH_OBJECT)
def test_a_page_takes_no_id_of_another_kind(route: str) -> None:
    takes_no_foreign_id(route, [Role.ADMIN], UNLIKE)


# Who may do less is turned away by the rules of test_every_url already; here with each of these ids.
@pytest.mark.slow
@pytest.mark.parametrize("route", WITH_OBJECT)
def test_a_page_takes_no_id_of_any_kind_from_any_role(route: str) -> None:
    takes_no_foreign_id(route, list(Role), None)


# A name, a fixed word, a digest, a number, and an id with a bar.
UNLIKE = {"trader", "fleet", "prompt", "user", "position"}


def takes_no_foreign_id(route: str, roles: list[Role], kinds: set[str] | None) -> None:
    ids = {kind: one for kind, one in ids_of_every_kind().items() if kinds is None or kind in kinds}
    browsers = {role: browser_of(role) for role in roles}
    own = own_ids(route)
    posted = form_data(FLEET_ID, detail__manager__total_equity_usd="25000") | {"step": "save", "id": "x", "new_id": "x"}
    before = written()
    for kind, foreign in ids.items():
        if foreign in own:
            continue
        address = "/" + re.sub(r"<int:\w+>|<path:content_type_id>", "1", OBJECT.sub(foreign, route))
        for role, browser in browsers.items():
            for answer in (browser.get(address), browser.post(address, posted)):
                assert answer.status_code in NOTHING, f"{address}: the id of a {kind} by {role}: {answer.status_code}"
    assert written() == before


def actions(foreign: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """(address, what is posted) of every action on chosen ids, filled so that it would save with an id of its kind."""
    ids = ["steady_long", foreign]
    seen = jsonio.dumps({"steady_long": 2, foreign: 1})
    chosen = {"chosen": " ".join(ids), "seen": seen, "reason": "why not", "step": "save"}
    for path, value in (("detail.risk.max_positions", "4"), ("allocation_pct", "5"), ("detail.extra", '{"a": 1}')):
        yield f"{TRADERS}bulk/", chosen | {"op-0-path": path, "op-0-do": "SET", "op-0-value": value}
    yield f"{TRADERS}retire/", chosen
    yield f"{TRADERS}bring-back/", chosen
    prompt = {"users": " ".join(ids), "trader": ids, "seen": seen, "body": "Sell.", "reason": "why not", "step": "save"}
    yield f"/admin/traders/prompttext/{SYSTEM_PROMPT.sha256}/edit/", prompt
    back = {
        "config": [foreign],
        "path": ["detail.risk.max_positions"],
        "seen": seen,
        "previewed": jsonio.dumps([[foreign], [], []]),
    }
    change_set = configs.existing("steady_long").change_set
    yield f"{TRADERS}changes/{change_set}/undo/", back | {"reason": "why not", "step": "save"}
    yield f"{TRADERS}restore-to/?at=2000-01-01T00:00", back | {"reason": "why not", "step": "save"}
    conflict = f"choice:{foreign}:detail.manager.total_equity_usd"
    yield f"{TRADERS}conflicts/", {conflict: "yaml", f"seen:{foreign}": "1", "reason": "why not"}
    for owner in ("user", "group"):
        for action in ("delete_selected", "let_in_again", "remove_factor"):
            sent = {"action": action, "_selected_action": [foreign], "post": "yes"}
            yield f"/admin/auth/{owner}/", sent


# Numbers are ids of users and of groups alike, so only texts are foreign to the actions of those lists.
TEXTS = ("fleet", "prompt", "position", "trade", "conflict")


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("role", Role)
def test_an_action_on_many_takes_no_id_of_another_kind(role: Role, kind: str) -> None:
    save_edit("steady_long", detail__risk__max_positions=7)
    foreign = ids_of_every_kind()[kind]
    browser = browser_of(role)
    before = written()
    for address, posted in actions(foreign):
        answer = browser.post(address, posted)
        assert answer.status_code in NOTHING | {200}, f"{address} by {role}: {answer.status_code}"
        assert written() == before, f"{address} by {role} wrote"


READS = ("compare/?trader=steady_long&trader=", "download/?trader=", "past/bundle/?at=2999-01-01T00:00&trader=")


@pytest.mark.parametrize("read", READS)
def test_what_is_read_of_chosen_traders_holds_no_object_of_another_kind(read: str) -> None:
    browser = browser_of(Role.VIEWER)
    for foreign in (FLEET_ID, EXECUTOR_PROMPT.sha256, "steady_long|BTC"):
        answer = browser.get(f"{TRADERS}{read}{foreign}", follow=True)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert b"total_equity_usd" not in answer.content


def fleet_addresses() -> list[str]:
    pages = ("change/", "history/", "compare/", "past/", "versions/1/", "versions/1/restore/", "clone/", "variant/")
    return [f"{TRADERS}{FLEET_ID}/{page}" for page in (*pages, "download/", "versions/1/download/")]


def test_an_operator_reaches_the_fleets_settings_at_no_page_of_a_trader() -> None:
    save_edit(FLEET_ID, detail__manager__total_equity_usd=20000)
    operator = browser_of(Role.OPERATOR)
    saving = form_data(FLEET_ID, detail__manager__total_equity_usd="25000") | {"step": "save"}
    restoring = {"expected_version": "2", "began": "2", "reason": "why not"}
    for address in fleet_addresses():
        for data in (saving, restoring, {"new_id": "x", "reason": "why not"}):
            answer = operator.post(address, data)
            assert answer.status_code in NOTHING
    assert configs.existing(FLEET_ID).version == 2
    assert not TraderConfig.objects.filter(pk="x").exists()


def test_the_fleets_id_makes_no_trader() -> None:
    operator = browser_of(Role.OPERATOR)
    for address, data in (
        (f"{TRADERS}add/", form_data("steady_long", id=FLEET_ID, expected_version="0", step="save")),
        (f"{TRADERS}steady_long/clone/", {"new_id": FLEET_ID, "reason": "a copy"}),
        (
            f"{TRADERS}steady_long/variant/",
            {"new_id": FLEET_ID, "reason": "a try", "exchange_provider": "paper_trading", "paper_capital_usd": "100"},
        ),
    ):
        page = operator.post(address, data)
        assert page.status_code == 200
        assert "Must be 1 to 64 letters" in page.content.decode()
