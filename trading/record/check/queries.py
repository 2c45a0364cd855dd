"""Rules between rows of the record, and constraints that older rows may break.

A new rule is one entry of RULES. A constraint that was added NOT VALID needs none: it is found in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, connection, transaction

from traders.database import sql
from traders.database.not_valid import (
    UnvalidatedConstraint,
    ViolatedConstraint,
    unvalidated_constraints,
    validate_what_holds,
)
from traders.models import TraderConfig
from traders.schema.durations import duration_text
from traders.schema.messages import MomentText, TranslatableText, _
from trading.record.check import spread
from trading.record.distribution.rules import JUDGED
from trading.record.stored.equity.realized import NOT_DERIVED
from trading.record.stored.safe_sql import moment_ms, number
from trading.record.stored.spread import reads
from trading.record.stored.spread.form import was_spread
from trading.record.stored.stored_rows import SOURCES
from trading.schema.unreadable import Unreadable

BATCH = 1_000
_NOT_DERIVED = f"SELECT count(*) AS points FROM ({NOT_DERIVED}) p"


@dataclass(frozen=True)
class RecordRule:
    """`violations` is a query: (id, path) of each row of `table` that breaks the rule, and what `reason` says of it.
    Empty where no query finds them: the rule writes then, and rolls back."""

    name: str
    table: str
    violations: str
    reason: Callable[[Any], TranslatableText]

    @property
    def is_read(self) -> bool:
        return bool(self.violations)


_SUMS = f"""
SELECT concat_ws('|', trader_id, entry_version) AS id, '' AS path, coalesce(t.trades, 0) AS trades,
       coalesce(t.net, 0) AS net, coalesce(r.trades, 0) AS stored_trades, coalesce(r.net_pnl, 0) AS stored_net
  FROM version_results r
  FULL JOIN (SELECT trader_id, coalesce(entry_version, 0) AS entry_version, count(*) AS trades, sum(net_pnl) AS net,
                    count(*) FILTER (WHERE net_pnl > 0) AS wins, count(*) FILTER (WHERE net_pnl < 0) AS losses,
                    coalesce(sum({number("detail", "pnl.funding")}), 0) AS funding,
                    min(close_ts_ms) AS first, max(close_ts_ms) AS last
               FROM trades WHERE exclusion_id IS NULL GROUP BY 1, 2) t USING (trader_id, entry_version)
 WHERE (r.trades, r.wins, r.losses, r.net_pnl, r.funding, r.first_close_ms, r.last_close_ms)
       IS DISTINCT FROM (t.trades, t.wins, t.losses, t.net, t.funding, t.first, t.last)
"""
# By trader, symbol and time of the close, as a ticket finds its trade. It uses the index of trades by trader and time.
_CLOSED_WITHOUT_TRADE = f"""
SELECT p.id, 'detail.close' AS path
  FROM (SELECT id, trader_id, symbol, {moment_ms("detail", "close.time_ms")} AS closed_ms
          FROM positions WHERE status = 'closed' AND exclusion_id IS NULL) p
 WHERE p.closed_ms IS NOT NULL
   AND NOT EXISTS (SELECT 1 FROM trades t
                    WHERE t.trader_id = p.trader_id AND t.symbol = p.symbol AND t.close_ts_ms = p.closed_ms)
"""
# A part that was sent again has an event: at the moment of the refusal, or where the engine's clock stood then.
_FILL_REFUSED = """
SELECT p.id, c.what AS path, c.refused, c.last_at, round(c.ahead_ms / 1000.0) AS ahead_s
  FROM (SELECT trader_id, symbol, what, sum(refused) AS refused, max(last_at) AS last_at, max(ahead_ms) AS ahead_ms
          FROM clock_refusals WHERE what IN ('close', 'reduce', 'increase') GROUP BY trader_id, symbol, what) c
  JOIN positions p USING (trader_id, symbol)
 WHERE p.status = 'open' AND p.exclusion_id IS NULL AND c.last_at >= p.created_at
   AND NOT jsonb_path_exists(p.detail, '$.events[*] ? (@.kind == $what && @.at_ms >= $since)',
                             jsonb_build_object('what', c.what, 'since', extract(epoch FROM c.last_at) * 1000 - 60000))
"""


def _sums_differ(row: Any) -> TranslatableText:
    return _(
        "must equal the sums of its trades: %(trades)s trades with a net P&L of %(net)s, is %(stored_trades)s with"
        " %(stored_net)s",
        trades=row.trades,
        net=row.net,
        stored_trades=row.stored_trades,
        stored_net=row.stored_net,
    )


def _fill_refused(row: Any) -> TranslatableText:
    return _(
        "was refused %(count)s times, the last time at %(at)s: its moment lay %(time)s ahead of this server's clock",
        count=row.refused,
        at=MomentText(row.last_at),
        time=duration_text(row.ahead_s),
    )


RULES = (
    RecordRule("results of versions are the sums of their trades", "version_results", _SUMS, _sums_differ),
    RecordRule(
        "a closed position has its trade",
        "positions",
        _CLOSED_WITHOUT_TRADE,
        lambda _row: _("has no trade that closed at its time"),
    ),
    RecordRule("no close or part of an open position was refused", "positions", _FILL_REFUSED, _fill_refused),
)


def rules_of_constraints() -> list[RecordRule]:
    """The constraints that PostgreSQL checks for new rows only: it has not validated the older rows."""
    return [_of_constraint(constraint) for constraint in unvalidated_constraints(connection, SOURCES)]


def rules_of_spread() -> list[RecordRule]:
    """What no trigger and no foreign key holds where the record is spread; else none."""
    return [RecordRule(*one) for one in spread.rules()] if was_spread() else []


def not_derived() -> int:
    """How many points of equity lack realized P&L that the record tells by now."""
    traders = list(TraderConfig.objects.order_by("pk").values_list("pk", flat=True))
    return sum(row.points for row in reads.rows(_NOT_DERIVED, {"traders": traders}))


def validated() -> list[ViolatedConstraint]:
    """Validates every constraint that no row breaks. Returns the others."""
    return validate_what_holds(connection)


def violations_of(rule: RecordRule) -> Iterator[Unreadable]:
    """The rows that break the rule, read in batches. A rule whose query fails gives one row with the error."""
    try:
        if rule.name == JUDGED:
            yield from (Unreadable(rule.table, row.id, row.path, rule.reason(row)) for row in spread.judged_otherwise())
            return
        with transaction.atomic():
            sql.execute(f"DECLARE nof0_rule NO SCROLL CURSOR FOR {rule.violations}")
            while found := sql.rows(f"FETCH {BATCH} FROM nof0_rule"):
                yield from (Unreadable(rule.table, str(row.id), row.path, rule.reason(row)) for row in found)
            # Inside a transaction of the caller, the cursor would stay open until its end.
            sql.execute("CLOSE nof0_rule")
    except DatabaseError as error:
        lines = str(error).splitlines()
        reason = _("cannot be checked (%(rule)s): %(error)s", rule=rule.name, error=lines[0] if lines else "")
        yield Unreadable(rule.table, "", "", reason)


def _of_constraint(constraint: UnvalidatedConstraint) -> RecordRule:
    table, name = constraint.table, constraint.name
    keys = ", ".join(column for column, _kind in SOURCES[table].keys)
    breaks = constraint.breaks.as_string(None)
    return RecordRule(
        f"the constraint {name} holds",
        table,
        f"SELECT concat_ws('|', {keys}) AS id, '' AS path FROM {table} AS t WHERE {breaks}",
        lambda _row: _("breaks the constraint %(name)s", name=name),
    )
