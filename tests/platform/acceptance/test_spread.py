"""Lines about the record where Citus spreads it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from nof0site.acceptance import queries, services
from nof0site.acceptance.lines import LINES
from nof0site.acceptance.rules import LineVerdict, chosen
from tests.citus import is_citus
from tests.factories import make_trader, save_edit, sync_traders
from tests.trading_factories import make_entry, make_trade
from trading.models import VersionResult
from trading.record.writing import decisions, trades

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not is_citus(), reason="needs TEST_CITUS_URL, a server with Citus"),
]
TRADER, OTHER = "steady_long", "swing_eth"


def test_the_newest_versions_that_decided_are_found_each_with_one_decision() -> None:
    sync_traders(make_trader(), make_trader(OTHER))
    save_edit(TRADER, detail__risk__max_positions=7)
    save_edit(TRADER, detail__risk__max_positions=8)
    now = timezone.now()
    entries = [(OTHER, 1), (TRADER, 1), (TRADER, 1), (TRADER, 3)]
    for minutes, (trader_id, version) in enumerate(entries):
        at = now + timedelta(minutes=minutes)
        decisions.record_decision(make_entry(trader_id, config_version=version, decided_at=at))

    found = [(one.trader_id, one.version) for one in queries.decided(20)]
    assert found[0] == (TRADER, 3)
    assert sorted(found) == [(TRADER, 1), (TRADER, 3), (OTHER, 1)]
    assert len(queries.decided(2)) == 2


def test_the_rules_between_rows_are_checked_in_a_transaction_that_only_reads() -> None:
    sync_traders(make_trader())
    trades.record_trade(make_trade())
    assert _verdict("F.2") == LineVerdict.PASS
    VersionResult.objects.update(trades=7)
    assert _verdict("F.2") == LineVerdict.FAIL


def test_a_spread_record_needs_no_foreign_keys_to_traders() -> None:
    assert _verdict("P3.3") == LineVerdict.CORRECTED


def _verdict(line: str) -> LineVerdict:
    (found,) = services.measured(chosen(LINES, [line]))
    return found.measured.verdict
