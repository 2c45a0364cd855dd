"""Timelines and orders as the database tells them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.management import call_command

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask
from tests.trading_factories import make_entry, make_position, make_trade
from traders.controls import queries as controls
from traders.models import TraderConfigVersion, TraderControl
from traders.schema.moments import now_ms
from traders.versions import services as configs
from traders.versions.past import services as past
from traders.versions.rules.in_force import NamedVersion
from trading.imports.owners import Owners
from trading.record.results import queries as results
from trading.record.stored import versions
from trading.record.writing import decisions, positions, trades
from trading.schema.common import Side
from trading.schema.decision import Action, ActionTaken
from trading.schema.trade import Pnl

pytestmark = pytest.mark.django_db
TRADER = "steady_long"


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader())


def changed_ms(version: int) -> int:
    """The first whole millisecond at which it is valid."""
    return int(configs.version(TRADER, version).changed_at.timestamp() * 1000) + 1


def test_a_retirement_ends_when_the_trader_is_unretired_and_begins_again() -> None:
    for retired in (True, False, True):
        save_edit(TRADER, detail__retired=retired)
    timeline = versions.timelines([TRADER, "nobody"])[TRADER]

    assert timeline.retired == {2, 4}
    assert len(timeline.since_us) == 4
    assert timeline.is_retired_at(changed_ms(4))


def test_an_order_in_the_journal_names_the_version_that_opened_a_trade() -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    taken = ActionTaken(symbol="BTC", action=Action.OPEN_LONG, order_id=67890, ok=True)
    decisions.record_decision(make_entry(config_version=1, actions=(taken,)))
    found = versions.attribution([TRADER])

    assert found.version(TRADER, changed_ms(2), [67890]) == 1
    assert found.version(TRADER, changed_ms(2), [11]) == 2
    assert found.version(TRADER, changed_ms(1) - 1000) is None


def test_a_position_opened_by_a_decision_belongs_to_the_decisions_version() -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    decision = decisions.record_decision(make_entry(config_version=1))
    opened_ms = changed_ms(2)

    opened = positions.open_position(
        trader_id=TRADER,
        symbol="BTC",
        side=Side.LONG,
        detail=make_position(opened_ms=opened_ms),
        decision_id=decision.id,
    )
    trade = positions.close_position(
        trader_id=TRADER, symbol="BTC", price=Decimal(46000), closed_at_ns=(opened_ms + 1) * 1_000_000,
        pnl=Pnl(gross=Decimal(10), net=Decimal(9)),
    )  # fmt: skip

    assert opened.detail.versions is not None
    assert trade.detail.versions is not None
    assert opened.detail.versions.entry == 1
    assert (trade.detail.versions.entry, trade.detail.versions.exit) == (1, 2)


def test_a_trade_that_straddles_versions_counts_for_the_one_that_opened_it() -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    trades.record_trade(make_trade(entry_version=1, exit_version=2, net="4.5"))
    trades.record_trade(make_trade(symbol="ETH", entry_version=None, exit_version=1, net="-1"))

    outcomes = results.of_trader(TRADER)
    assert (outcomes[1].net_pnl, outcomes[1].straddling) == (Decimal("4.5"), 1)
    assert (outcomes[results.BEFORE_V1].net_pnl, outcomes[results.BEFORE_V1].straddling) == (Decimal(-1), 1)


def test_every_way_to_ask_names_the_same_version_of_a_moment(capsys: pytest.CaptureFixture[str]) -> None:
    for positions_ in (4, 5):
        save_edit(TRADER, detail__risk__max_positions=positions_)
    ask("pin", version=2)
    save_edit(TRADER, detail__risk__max_positions=6)
    pinned_ms = int(TraderControl.objects.get().at.timestamp() * 1000) + 1
    ask("unpin")
    timeline, by_orders = versions.timelines([TRADER])[TRADER], versions.attribution([TRADER])
    moments = [changed_ms(version) + offset for version in (1, 2, 3, 4) for offset in (-2, -1, 0, 1)]
    moments += [pinned_ms, changed_ms(4) + 10_000]

    for ms in moments:
        at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
        newest = TraderConfigVersion.objects.filter(id=TRADER, history_date__lte=at).order_by("-version").first()
        valid = newest.version if newest else None
        pinned = controls.pinned_then([TRADER], at).get(TRADER)
        expected = valid if pinned is None else pinned
        then = past.config_as_of(TRADER, at)
        assert versions.version_at(TRADER, ms) == expected
        assert timeline.version_at(ms) == timeline.version_at_us(ms * 1000) == expected
        assert by_orders.version(TRADER, ms) == expected
        assert (then.version if then else None) == valid
        assert positions.version_for(TRADER, ms, None) == expected
        if expected is not None and ms <= now_ms():
            call_command("config_at", at.isoformat(), "--trader", TRADER)
            assert json.loads(capsys.readouterr().out)["version_in_force"] == expected
    assert controls.pinned_then([TRADER], datetime.fromtimestamp(pinned_ms / 1000, UTC)) == {TRADER: 2}


def test_the_time_of_a_version_is_told_to_the_microsecond() -> None:
    at = configs.version(TRADER, 1).changed_at
    (since,) = versions.timelines([TRADER])[TRADER].since_us
    assert timedelta(microseconds=since) == at - datetime(1970, 1, 1, tzinfo=UTC)


def test_a_decision_names_the_version_whatever_is_pinned_or_newest() -> None:
    save_edit(TRADER, detail__risk__max_positions=4)
    decision = decisions.record_decision(make_entry(config_version=2))
    ask("pin", version=1)
    moment = now_ms() + 1000

    assert versions.version_at(TRADER, moment) == 1
    assert versions.version_at(TRADER, moment, NamedVersion(2)) == 2
    assert positions.version_for(TRADER, moment, decision.id) == 2
    assert versions.timelines([TRADER])[TRADER].version_at(moment, NamedVersion(2)) == 2
    owners = Owners(file="journal.json", actor="mei")
    owners.refusals([TRADER])
    assert owners.named_version(TRADER, moment, 2) == 2
    assert owners.named_version(TRADER, moment, 3) == 1, "no such version stood by then"
    assert owners.named_version(TRADER, moment, None) == 1
