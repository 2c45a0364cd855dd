"""A preview names the open positions beyond the limits that it would change, and says what it cannot check."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_file, make_trader, save_edit, sync_traders
from tests.rows_from_before import take_rules_away
from tests.traders.admin.browsing import STEADY, TRADERS, change_url, form_data, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from tests.traders.database import direct
from tests.trading_factories import make_position
from traders.accounts.rules import Role
from traders.models import TraderControl
from traders.sync.services import sync
from trading.limits import queries
from trading.models import EquitySnapshot, Position
from trading.record.writing.positions import open_position
from trading.schema.common import Side
from trading.schema.position import Entry

TRADER = "steady_long"
BEYOND = "Open positions of 1 trader are beyond the new limits. Nothing is closed; entries wait."


@pytest.fixture
def operator(db: None) -> Client:
    sync_traders(make_trader(), make_trader("quick_short"))
    return browser_of(Role.OPERATOR)


def hold(symbol: str, *, usd: int = 450, leverage: int | None = 10, trader_id: str = TRADER) -> None:
    entry = Entry(
        price=Decimal(1),
        quantity=Decimal(usd),
        time_ms=1_760_000_000_000,
        leverage=None if leverage is None else Decimal(leverage),
    )
    open_position(trader_id=trader_id, symbol=symbol, side=Side.LONG, detail=make_position(entry=entry))


def previewed(client: Client, **typed: str) -> str:
    return text_of(client.post(change_url(TRADER), form_data(**typed)))


def test_an_edit_says_how_many_positions_are_too_many(operator: Client) -> None:
    for symbol in ("BTC", "ETH", "SOL", "DOGE", "XRP"):
        hold(symbol)
    said = previewed(operator, detail__risk__max_positions="2")
    assert BEYOND in said
    assert "Risk - max positions: 3 of 5 exceed 2; no entry until fewer than 2 are open" in said


def test_each_limit_that_changes_is_compared_and_no_other(operator: Client) -> None:
    hold("BTC", usd=400, leverage=15)
    hold("DOGE", usd=300, leverage=4)
    EquitySnapshot.objects.create(trader_id=TRADER, ts_ms=1_760_000_000_001, equity_usd=500)
    said = previewed(
        operator,
        detail__risk__max_position_size_usd="350",
        detail__risk__major_coin_leverage="10",
        detail__risk__max_margin_usage_pct="20",
        detail__exec_guards__allowed_symbols="BTC",
    )
    assert "Risk - max position size: 1 of 2 exceed 350 USD: BTC long 400 USD" in said
    assert "Risk - major coin leverage: 1 of 1 exceed 10x: BTC long 15x" in said
    assert "Risk - max margin usage: 20.33 % of the equity is in use, the limit is 20 %" in said
    assert "Execution guards - allowed symbols: 1 of 2 are no longer allowed: DOGE long" in said
    assert "max positions" not in said[said.index(BEYOND) : said.index("DOGE long")]


def test_what_cannot_be_read_is_said_and_not_left_out(operator: Client) -> None:
    hold("BTC", leverage=None)
    hold("ETH")
    # As a row from before the rule.
    take_rules_away()
    direct.execute("ALTER TABLE positions DROP CONSTRAINT positions_detail_whole")
    Position.objects.filter(symbol="ETH").update(detail={"entry": {"price": "NaN", "quantity": 3}})
    said = previewed(
        operator,
        detail__risk__max_position_size_usd="9999",
        detail__risk__major_coin_leverage="19",
        detail__risk__max_margin_usage_pct="90",
    )
    assert "Of 1 trader they cannot be checked." in said
    assert "max position size: 1 of 2 cannot be checked, its size or leverage cannot be read: ETH long" in said
    assert "major coin leverage: 2 of 2 cannot be checked" in said
    assert "max margin usage: 2 of 2 cannot be checked, the equity is not known" in said


def test_within_the_limits_is_said_of_who_holds_something(operator: Client) -> None:
    assert "holds open positions" not in previewed(operator, detail__risk__max_positions="2")
    hold("BTC")
    said = previewed(operator, detail__risk__max_positions="2")
    assert "1 trader holds open positions; none is beyond the new limits." in said
    assert "holds open positions" not in previewed(operator, detail__risk__min_confidence="80")


def test_a_pinned_trader_keeps_the_limits_of_its_version(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    ask("pin", version=1)
    said = previewed(operator, detail__risk__max_positions="1")
    assert "pinned to v1: the new limits do not reach it until it is unpinned" in said
    assert "It keeps running version 1" in said


def by_restore(client: Client) -> Any:
    save_edit(TRADER, detail__risk__max_positions=1)
    save_edit(TRADER, detail__risk__max_positions=5)
    return client.get(f"{STEADY}versions/2/restore/")


def by_undo(client: Client) -> Any:
    save_edit(TRADER, detail__risk__max_positions=1)
    saved = save_edit(TRADER, detail__risk__max_positions=5)
    return client.get(f"{TRADERS}changes/{saved.change_set}/undo/")  # type: ignore[union-attr]


def by_bulk(client: Client) -> Any:
    posted = {"op-0-path": "detail.risk.max_positions", "op-0-do": "CAP", "op-0-value": "1"}
    return client.post(
        f"{TRADERS}bulk/", {"chosen": f"{TRADER} quick_short", "reason": "less", "step": "preview", **posted}
    )


@pytest.mark.parametrize("way", [by_restore, by_undo, by_bulk])
def test_every_way_to_a_tighter_limit_says_so(operator: Client, way: Callable[[Client], Any]) -> None:
    hold("BTC")
    hold("ETH")
    said = text_of(way(operator))
    assert BEYOND in said
    assert "Risk - max positions: 1 of 2 exceed 1; no entry until none is open" in said


def test_an_account_that_may_not_see_positions_is_told_none(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    user = User.objects.create_user("narrow", password="x" * 20, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["change_traderconfig", "view_traderconfig"]))
    client = Client()
    client.force_login(user)
    assert "beyond the new limits" not in previewed(client, detail__risk__max_positions="1")


def test_a_record_that_cannot_be_asked_leaves_the_preview_within_reach(
    operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold("BTC")
    monkeypatch.setattr(queries, "limits_now", lambda ids: json.loads("{"))
    page = operator.post(change_url(TRADER), form_data(detail__risk__max_positions="1"))
    assert "The open positions could not be compared with the new limits." in text_of(page)
    assert "Save version 2" in text_of(page)


# Where the record is spread each trader is looked at by a statement of its own.
@pytest.mark.plain
def test_a_bulk_edit_costs_the_same_however_many_hold_something(operator: Client) -> None:
    hold("BTC")
    with CaptureQueriesContext(connection) as few:
        by_bulk(operator)
    for symbol in ("BTC", "ETH", "SOL"):
        hold(symbol, trader_id="quick_short")
    with CaptureQueriesContext(connection) as many:
        by_bulk(operator)
    assert len(many) == len(few)
    assert not TraderControl.objects.exists()


def test_the_plan_of_an_upload_says_so_too(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    admin = browser_of(Role.ADMIN)
    file = BytesIO(admin.get(f"{TRADERS}download/").content)
    with ZipFile(file) as bundle:
        contents = {name: bundle.read(name) for name in bundle.namelist()}
    changed = BytesIO()
    with ZipFile(changed, "w") as bundle:
        for name, content in contents.items():
            bundle.writestr(name, content.replace(b"max_positions: 3", b"max_positions: 1"))
    answer = admin.post(f"{TRADERS}upload/", {"file": SimpleUploadedFile("manager.zip", changed.getvalue())})
    said = text_of(answer)
    assert BEYOND in said
    assert "Risk - max positions: 1 of 2 exceed 1" in said


def synced(tmp_path: Path, client: Client, *options: str, most: int = 1) -> str:
    """What the command prints of a file with another limit of both traders."""
    with ZipFile(BytesIO(client.get(f"{TRADERS}download/").content)) as bundle:
        # The folder in it has the second of the download in its name.
        into = tmp_path / str(len(list(tmp_path.iterdir())))
        bundle.extractall(into)
    [path] = into.rglob("manager.yaml")
    path.write_bytes(path.read_bytes().replace(b"max_positions: 3", b"max_positions: %d" % most))
    out = StringIO()
    with suppress(SystemExit):
        call_command("sync_traders", str(path), *options, stdout=out)
    return out.getvalue()


def test_a_sync_says_so_before_it_is_made_and_after(operator: Client, tmp_path: Path) -> None:
    hold("BTC")
    hold("ETH")
    hold("BTC", trader_id="quick_short")
    client = browser_of(Role.ADMIN)
    for options in (["--check"], []):
        said = synced(tmp_path, client, *options)
        assert "positions  steady_long is beyond its new limits; nothing is closed, entries wait\n" in said
        assert "             Risk - max positions: 1 of 2 exceed 1; no entry until none is open\n" in said
        assert "quick_short is beyond" not in said


def test_a_sync_says_so_to_programs(operator: Client, tmp_path: Path) -> None:
    hold("BTC")
    hold("ETH")
    found = json.loads(synced(tmp_path, browser_of(Role.ADMIN), "--check", "--json"))["positions"]
    assert [(one["trader_id"], one["beyond"]) for one in found] == [(TRADER, True)]
    assert "Risk - max positions: 1 of 2 exceed 1" in found[0]["lines"][0]


def test_a_sync_that_moves_no_limit_says_nothing_of_positions(operator: Client, tmp_path: Path) -> None:
    hold("BTC")
    assert "positions " not in synced(tmp_path, browser_of(Role.ADMIN), "--check", most=3)


def test_a_conflict_says_what_the_value_of_the_file_would_mean(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    save_edit(TRADER, detail__risk__max_positions=4)
    changed = make_trader(detail__risk__max_positions=1)
    sync(file=make_file(changed, make_trader("quick_short")), actor="cli:mei")

    said = text_of(operator.get(f"{TRADERS}conflicts/"))
    assert "If the file's values are kept" in said
    assert BEYOND in said
    assert "Risk - max positions: 1 of 2 exceed 1; no entry until none is open" in said
