"""What must hold of a fleet that the manager traded on, whatever was killed. Every breach is one line.

To be run in a process that uses the fleet's database, while no manager is at work (`fleet.PaperFleet.prove`).
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from tests.trading.export import checks
from tests.trading.export.whole import whole_run
from traders.controls import queries as controls
from traders.controls.rules import TraderFacts, is_banned_throughout, pin_in_force
from traders.schema import jsonio
from traders.schema.controls.rows import Control
from traders.schema.settings.fleet import FLEET_ID
from trading.manager.rules.schedule import oldest_for_entry
from trading.record.check.services import check
from trading.replay.services import replays

# A version or a control is known to the manager this long after its commit, on a machine that is busy with the tests.
KNOWN_WITHIN = timedelta(seconds=5)
# Between the look at controls and the fill stands only the end of a transaction.
FORBIDDEN_WITHIN = timedelta(seconds=2)
CENT = Decimal("0.005")
RECORDED_WITHIN_MS = 3000
# Reasons outside the settings that hold an entry back, such as a stop of the fleet.
NOT_OF_A_REPLAY = ", which no replay checks"
# {what is wrong: a query of the rows that are}
QUERIES = {
    "an order that was sent twice": "SELECT trader_id, cycle, symbol, action FROM manager_orders WHERE cycle > 0"
    " GROUP BY trader_id, cycle, symbol, action HAVING count(*) > 1",
    "a fill that is not in the record": "SELECT trader_id, symbol, action, client_order_id FROM manager_orders"
    " WHERE state = 'filled' AND NOT is_recorded",
    "an order of which nothing is known": "SELECT trader_id, client_order_id FROM manager_orders WHERE state = 'sent'",
    "a cycle number that came twice": "SELECT trader_id, detail #>> '{engine,cycle}' FROM decision_journal"
    " WHERE detail #>> '{engine,cycle}' IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1",
    "cycle numbers with a gap": "SELECT trader_id, count(*), max(cycle_number) FROM decision_journal"
    " GROUP BY 1 HAVING count(*) <> max(cycle_number) OR count(*) <> count(DISTINCT cycle_number)",
    "a cycle that was lost": "SELECT trader_id, cycle_number, detail #>> '{engine,cycle}' FROM decision_journal"
    " WHERE (detail #>> '{engine,cycle}')::int <> cycle_number",
    "an open position without exactly one live stop": "SELECT p.id FROM positions p WHERE p.status = 'open' AND 1 <>"
    " (SELECT count(*) FROM manager_orders o WHERE o.trader_id = p.trader_id AND o.symbol = p.symbol"
    "   AND o.kind = 'stop' AND o.state = 'resting')",
    "an order that rests behind no position": "SELECT o.trader_id, o.symbol, o.client_order_id FROM manager_orders o"
    " WHERE o.state = 'resting' AND NOT EXISTS (SELECT FROM positions p WHERE p.trader_id = o.trader_id"
    "   AND p.symbol = o.symbol AND p.status = 'open')",
    "an entry without its position": "SELECT o.trader_id, o.symbol, o.client_order_id FROM manager_orders o"
    " WHERE o.kind = 'entry' AND o.state = 'filled' AND NOT EXISTS (SELECT FROM positions p"
    "   WHERE p.trader_id = o.trader_id AND p.detail #>> '{orders,entry_oid}' = o.client_order_id)",
    "a position without its entry": "SELECT p.id FROM positions p WHERE NOT EXISTS (SELECT FROM manager_orders o"
    " WHERE o.trader_id = p.trader_id AND o.client_order_id = p.detail #>> '{orders,entry_oid}'"
    "   AND o.state = 'filled' AND o.fill_quantity = coalesce(p.quantity, o.fill_quantity))",
    "an equity that its parts do not explain": "SELECT e.trader_id, e.ts_ms, e.equity_usd FROM equity_snapshots e"
    " WHERE abs(e.equity_usd - e.realized_pnl_usd - e.unrealized_pnl_usd - (SELECT sum(amount_usd)"
    f"   FROM equity_transfers t WHERE t.trader_id = e.trader_id AND t.ts_ms <= e.ts_ms)) > {CENT}",
    "capital that was booked twice": "SELECT trader_id FROM equity_transfers WHERE kind = 'initial'"
    " GROUP BY 1 HAVING count(*) > 1",
    "versions that are not 1 to the newest": "SELECT c.id, c.version FROM trader_config c WHERE c.version <> (SELECT"
    " count(*) FROM trader_config_versions v WHERE v.id = c.id) OR c.version <> (SELECT max(version)"
    "   FROM trader_config_versions v WHERE v.id = c.id)",
    "a version without exactly one place among the changes": "SELECT v.id, v.version FROM trader_config_versions v"
    " LEFT JOIN config_write_versions w ON w.config_id = v.id AND w.version = v.version"
    " GROUP BY 1, 2 HAVING count(w.*) <> 1",
}
# Without those that hold only where no live price is known: the record does not tell it.
DOCUMENT_CHECKS = (
    checks.trades_are_those_of_the_table,
    checks.the_leaderboard_counts_and_sums_every_trade,
    checks.the_newest_row_of_a_trader_is_its_last_equity_and_what_it_holds,
    checks.positions_are_those_that_are_open,
    checks.a_trader_without_equity_earns_from_its_trades,
)
TRIED = """
SELECT (SELECT count(*) FROM manager_orders WHERE kind = 'entry') AS entries,
       (SELECT count(*) FROM trades) AS trades, (SELECT count(*) FROM decision_journal) AS decisions,
       (SELECT count(*) FROM trader_config_versions) AS versions, (SELECT count(*) FROM trader_controls) AS controls,
       (SELECT count(*) FROM decision_journal WHERE detail ->> 'error' LIKE 'interrupted%%'
            OR detail::text LIKE '%%the manager ended before%%') AS interrupted
"""


def breaches() -> Iterator[str]:
    for name, statement in QUERIES.items():
        yield from (f"{name}: {row}" for row in rows(statement))
    traders = [name for (name,) in rows("SELECT id FROM trader_config WHERE id <> %s ORDER BY 1", FLEET_ID)]
    asked = controls.all_of(traders)
    for trader_id in traders:
        yield from _versions_not_in_force(trader_id, asked[trader_id])
        yield from _forbidden_entries(trader_id, asked[trader_id])
        yield from _unexplained(trader_id)
        yield from _decisions_that_differ(trader_id)
    for looked in check():
        yield from (f"check_record: {finding}" for finding in looked.findings)


def document_breaches(root: Path) -> Iterator[str]:
    """Of an export that was made after all that is in the record."""
    _manifest, documents = whole_run(root)
    for holds in DOCUMENT_CHECKS:
        try:
            holds(checks.documents_of(root))
        except AssertionError:
            yield f"documents: {holds.__name__}: {traceback.format_exc()}"
    if not documents:
        yield "documents: there are none"


def rows(statement: str, *values: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def _versions_not_in_force(trader_id: str, asked: list[Control]) -> Iterator[str]:
    """The version of a decision was the pinned or else the newest one, shortly before or at its moment."""
    began = rows("SELECT changed_at, version FROM trader_config_history WHERE trader_id = %s", trader_id)
    moved = [row.at for row in asked] + [moment for moment, _version in began]
    for cycle, version, at in rows(
        "SELECT cycle_number, config_version, decided_at FROM decision_journal WHERE trader_id = %s", trader_id
    ):
        moments = [at - KNOWN_WITHIN, *(moment for moment in moved if at - KNOWN_WITHIN <= moment <= at), at]
        possible = set()
        for moment in moments:
            pin = pin_in_force(asked, moment)
            newest = max((number for since, number in began if since <= moment), default=1)
            possible.add(newest if pin is None else pin.version)
        if version not in possible:
            yield f"a decision of a version that was not in force: {trader_id} #{cycle} v{version}, not {possible}"


def _forbidden_entries(trader_id: str, asked: list[Control]) -> Iterator[str]:
    """Nothing was entered under a ban, nor on prices that were too old."""
    for oid, filled_at, decided_at, interval in rows(
        "SELECT o.client_order_id, o.filled_at, j.decided_at, (v.detail #>> '{llm,decision_interval_seconds}')::int"
        "  FROM manager_orders o JOIN decision_journal j ON j.trader_id = o.trader_id"
        "   AND (j.detail #>> '{engine,cycle}')::int = o.cycle"
        "  JOIN trader_config_versions v ON v.id = j.trader_id AND v.version = j.config_version"
        " WHERE o.trader_id = %s AND o.kind = 'entry' AND o.state = 'filled'",
        trader_id,
    ):
        facts = TraderFacts(trader_id=trader_id, decision_interval_seconds=interval)
        banned = is_banned_throughout(asked, facts, since=filled_at - FORBIDDEN_WITHIN, until=filled_at)
        if banned is not None:
            yield f"an entry under a ban: {trader_id} {oid}: {'; '.join(str(cause.text) for cause in banned.causes)}"
        if filled_at - decided_at > oldest_for_entry(interval) + FORBIDDEN_WITHIN:
            yield f"an entry on stale prices: {trader_id} {oid}, decided {decided_at}, filled {filled_at}"


@dataclass
class _Held:
    """Of one symbol: `quantity` is below 0 for a short."""

    quantity: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)


@dataclass
class _Account:
    """The fold of a trader's fills, by another way than the product's."""

    held: dict[str, _Held] = field(default_factory=dict)
    realized: Decimal = Decimal(0)

    def add(self, symbol: str, quantity: Decimal, price: Decimal, commission: Decimal) -> None:
        one = self.held.setdefault(symbol, _Held())
        self.realized -= commission
        if one.quantity * quantity >= 0:
            whole = one.quantity + quantity
            one.entry = (one.entry * one.quantity + price * quantity) / whole
            one.quantity = whole
        else:
            closed = min(abs(quantity), abs(one.quantity)) * (1 if one.quantity > 0 else -1)
            self.realized += closed * (price - one.entry)
            one.quantity += quantity


def _unexplained(trader_id: str) -> Iterator[str]:
    """Positions are the fold of the fills, and so is what the last point of equity calls realized."""
    newest = rows(
        "SELECT ts_ms, realized_pnl_usd FROM equity_snapshots WHERE trader_id = %s ORDER BY ts_ms DESC LIMIT 1",
        trader_id,
    )
    account, known = _Account(), []
    for symbol, sign, quantity, price, commission, at_ms in rows(
        "SELECT symbol, CASE WHEN (side = 'long') = (kind = 'entry') THEN 1 ELSE -1 END, fill_quantity, fill_price,"
        "       commission, floor(extract(epoch FROM filled_at) * 1000) FROM manager_orders"
        " WHERE trader_id = %s AND state = 'filled' ORDER BY filled_at, kind <> 'entry'",
        trader_id,
    ):
        # A fill of the last seconds before the point may have been recorded behind it.
        if newest and at_ms > newest[0][0] - RECORDED_WITHIN_MS:
            known.append(account.realized)
        account.add(symbol, sign * quantity, price, commission)
    stored = {
        symbol: quantity if side == "long" else -quantity
        for symbol, side, quantity in rows(
            "SELECT symbol, side, quantity FROM positions WHERE trader_id = %s AND status = 'open'", trader_id
        )
    }
    folded = {symbol: one.quantity for symbol, one in account.held.items() if one.quantity}
    if folded != stored:
        yield f"positions that the fills do not explain: {trader_id} holds {stored}, its fills give {folded}"
    # As a fill, a payment of the last seconds before the point may have been booked behind it.
    since_ms = newest[0][0] - RECORDED_WITHIN_MS if newest else 0
    [(funding, late)] = rows(
        "SELECT coalesce(sum(usd), 0), coalesce(sum(usd) FILTER (WHERE at_ms > %s), 0) FROM ("
        "SELECT (detail #>> '{pnl,funding}')::numeric AS usd, 0 AS at_ms FROM trades WHERE trader_id = %s"
        " UNION ALL SELECT (e ->> 'funding')::numeric, (e ->> 'at_ms')::bigint FROM positions p"
        "     CROSS JOIN jsonb_array_elements(p.detail -> 'events') e"
        "     WHERE trader_id = %s AND status = 'open') AS paid",
        *(since_ms, trader_id, trader_id),
    )
    known = [realized + paid for realized in (*known, account.realized) for paid in (funding, funding - late)]
    if newest and not any(abs(newest[0][1] - one) <= CENT for one in known):
        yield f"realized P&L that the fills do not explain: {trader_id} has {newest[0][1]}, its fills give {known}"


def _decisions_that_differ(trader_id: str) -> Iterator[str]:
    for one in replays(trader_id):
        if one.recorded.entry.detail.origin is not None:
            continue  # imported: another program decided it
        unchecked = [said for said in map(str, one.unchecked) if not said.endswith(NOT_OF_A_REPLAY)]
        if one.differences or unchecked:
            why = "; ".join([*(str(found.message) for found in one.differences), *unchecked])
            yield f"a decision whose replay {one.verdict}: {trader_id} #{one.recorded.cycle_number}: {why}"


def say(documents: str = "") -> None:
    """Every breach on a line, and last what was tried, as JSON. `documents`: the folder of an export."""
    lines = [*breaches(), *(document_breaches(Path(documents)) if documents else ())]
    with closing(connection.cursor()) as cursor:
        cursor.execute(TRIED)
        names = [column.name for column in cursor.description or ()]
        tried = dict(zip(names, cursor.fetchall()[0], strict=True))
    sys.stdout.write("".join(f"{line}\n" for line in [*lines, jsonio.dumps(tried)]))
