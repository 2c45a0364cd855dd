"""The address of every page, with something that exists in each of its places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import groupby
from typing import Any

from django.contrib.auth.models import Group, User
from django.urls import URLPattern, URLResolver, get_resolver

from tests.factories import SYSTEM_PROMPT
from tests.trading.imports.adopt.moves import a_move
from tests.trading_factories import OPENED_MS, make_entry, make_position, make_trade
from traders.audit import writer as audit
from traders.audit.rules import AuditKind
from traders.controls import services as controls
from traders.controls.services import Asked
from traders.models import ApiToken, AuditEntry
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import _
from traders.schema.tokens import Scope
from traders.tokens import services as tokens
from traders.versions import services as configs
from trading.alarms import links
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import raise_alarm
from trading.models import AlarmChannel, AlarmRuleChange, EquitySnapshot, EquityTransfer, ExchangeDifference, MoveIn
from trading.record.transfers.services import transfer
from trading.record.writing.decisions import record_decision
from trading.record.writing.positions import open_position
from trading.record.writing.trades import record_trade
from trading.schema.common import Origin, Side
from trading.schema.exclusion import equity_id
from trading.schema.facts import TransferKind


def routes(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from routes(pattern, route)


# Tokens, not roles, open the engine API: tests/trading/api/test_access.py walks it.
ROUTES = sorted({route for route in routes(get_resolver()) if not route.startswith("api/v1/")})
# {admin/traders/traderconfig: its routes}: each family is one test, so that people and objects are made once for it.
FAMILIES = {name: list(those) for name, those in groupby(ROUTES, lambda route: "/".join(route.split("/")[:3]))}


def address(route: str) -> str:
    """The route with something that exists in each of its places."""
    model = "/".join(route.split("/")[1:3])
    objects: dict[str, Any] = {}
    if "<" in route:
        objects = {model: OBJECTS[model]()} if model in OBJECTS else {}
        objects |= recorded() if model.startswith("trading/") else {}
    filled = re.sub(r"<(?:path:|str:)?(?:object_id|id)>", str(objects.get(model, "steady_long")), route)
    filled = filled.replace("<str:file_format>", "csv").replace(
        "<int:change_set>", str(configs.existing("steady_long").change_set)
    )
    if "<int:alarm_id>" in filled or "<str:token>" in filled:
        filled = filled.replace("<int:alarm_id>", str(alarm())).replace("<str:token>", links.signed(alarm()))
    filled = filled.replace("<str:channel>", "ops")
    filled = filled.replace("<str:trader_id>", "steady_long")
    if "<int:token_id>" in filled:
        filled = filled.replace("<int:token_id>", str(active_token()))
    filled = filled.replace("<int:user_id>", str(User.objects.get_or_create(username="lee")[0].pk))
    filled = re.sub(r"<int:\w+>|<path:content_type_id>", "1", filled)
    return "/" + filled.replace("^(?P<app_label>auth|traders|trading)/$", "traders/").replace("(?P<url>.*)$", "nowhere")


def recorded() -> dict[str, str]:
    """An open position, a trade, a decision, a transfer and a point of equity; the same ones however often."""
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
    point, _made = EquitySnapshot.objects.get_or_create(trader_id="steady_long", ts_ms=OPENED_MS, equity_usd=10_000)
    return {
        "trading/alarm": str(alarm()),
        "trading/alarmchannel": str(AlarmChannel.objects.get().pk),
        "trading/alarmrulechange": AlarmRuleChange.objects.get_or_create(rule="budget")[0].pk,
        "trading/equitytransfer": str(EquityTransfer.objects.get().pk),
        "trading/exchangedifference": str(difference()),
        "trading/position": position.id,
        "trading/trade": trade.id,
        "trading/decisionjournal": decision.name,
        "trading/recordexclusion": equity_id("steady_long", point.ts_ms),
    }


def alarm() -> int:
    """The same one until it ends, and the channel that it is sent to."""
    AlarmChannel.objects.get_or_create(name="ops", kind="email", address="ops@example.org")
    found = raise_alarm(AlarmName.BUDGET, _("There is no file in BACKUP_DIR"), traders=["steady_long"])
    assert found
    return found


def difference() -> int:
    """The same one however often."""
    found, _made = ExchangeDifference.objects.get_or_create(
        trader_id="steady_long",
        kind="only_there",
        subject="ETH long",
        symbol="ETH",
        side="long",
        detail={"ours": {}, "theirs": {"quantity": 1}, "known": {"entry_price": 100}},
        reported_by="token:engine-1",
    )
    return int(found.pk)


def a_control() -> int:
    """A pause that stands; the same one however often."""
    [paused] = controls.control(ControlKind.PAUSE, ["steady_long"], Asked(reason="to look", actor="mei"))
    return paused.control.id


def a_move_id() -> int:
    """The same one however often."""
    found = MoveIn.objects.first()
    return int((found or a_move()).pk)


def an_entry() -> int:
    """The same one however often."""
    audit.note(AuditKind.UNLOCKED, actor="mei", subject="ada")
    return AuditEntry.objects.filter(kind=AuditKind.UNLOCKED).earliest("pk").pk


def active_token() -> int:
    """The same one until it is revoked."""
    found = ApiToken.objects.filter(revoked_at=None).first()
    return found.pk if found else tokens.create(name="engine", scopes=list(Scope), actor="mei")[0].id


# What makes an object of each kind; the same one however often.
OBJECTS: dict[str, Callable[[], Any]] = {
    "auth/user": lambda: User.objects.get_or_create(username="lee")[0].pk,
    "auth/group": lambda: Group.objects.get_or_create(name="Auditors")[0].pk,
    "traders/prompttext": lambda: SYSTEM_PROMPT.sha256,
    "traders/managerconfig": lambda: "1",
    "traders/apitoken": active_token,
    "traders/tradercontrol": a_control,
    "traders/auditentry": an_entry,
    "trading/movein": a_move_id,
}
