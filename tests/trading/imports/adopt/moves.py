"""A run of adopt as it is stored."""

from __future__ import annotations

from traders.schema.messages import _
from traders.words.kept_messages import kept
from trading.models import MoveIn


def a_move() -> MoveIn:
    def table(inserted: int, known: int = 0, refused: int = 0) -> dict[str, int]:
        return {"inserted": inserted, "known": known, "refused": refused, "conflicts": 0, "skipped": 0}

    left = {
        "table": "account_equity_snapshots",
        "column": "since_inception_hourly_marker",
        "rows": 41_230,
        "reason": kept(_("computed again from the records")),
    }
    rejects = [
        {
            "table": "trades",
            "row": "t7",
            "field": "side",
            "message": kept(_("must be long or short, was %(value)s", value="'flat'")),
        },
        {
            "table": "trades",
            "row": "trader_aggressive_short|BTC|1762169400000123456",
            "field": "exit_ts_ms",
            "message": kept(_("the exit is before the entry")),
        },
    ]
    note = _(
        "%(position)s is open here, and the other database has neither it nor its trade", position="steady_long|BTC"
    )
    report = {
        "tables": {"trades": table(102_400, 3, 3), "positions": table(12), "equity_snapshots": table(41_230, 200)},
        "left_behind": [left, left | {"table": "accounts", "column": "margin_mode", "rows": 4}],
        "notes": [kept(note)],
        "traders_created": ["other", "trader_aggressive_short"],
        "traders_moved": ["steady_long"],
        "closed": 1,
        "seconds": 2.5,
    }
    return MoveIn.objects.create(
        actor="cli:mei", source="nof0", generation="legacy", refused=3, report=report, rejects=rejects
    )
