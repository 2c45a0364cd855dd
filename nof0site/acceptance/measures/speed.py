"""Lines about the speed of queries and the indexes that serve them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from nof0site.acceptance import queries
from nof0site.acceptance.measures import declared
from nof0site.acceptance.rules import Measured, failed, named, passed, passed_unless
from nof0site.acceptance.served import Served, served
from traders.models import TraderConfig
from traders.schema.messages import TranslatableText, _

SLOW_MS = 100.0
# A statement that ran less often is maintenance, such as a backup or a check of every row.
OFTEN = 20
SEQUENTIAL = "Seq Scan"
INDEX_ONLY = "Index Only Scan"
_NOT_SEQUENTIAL = ("enable_seqscan",)
_NOT_BITMAP = ("enable_seqscan", "enable_bitmapscan")
_NO_TRADER = "no_trader"


def position_queries() -> Measured:
    return _without_sequential("positions")


def trade_queries() -> Measured:
    return _without_sequential("trades")


def _without_sequential(table: str) -> Measured:
    """An index serves each declared query of the table, and the index that was made for it can be used."""
    asked = {name: one for name, one in _hot().items() if f" {table} " in f"{one.query} "}
    usable = queries.indexes([table])
    wrong = {name for name in asked if not usable.get(name)}
    wrong |= {name for name, one in asked.items() if _reads_all(one)}
    figure = _(
        "%(good)s of %(count)s hot queries are served by their index.", good=len(asked) - len(wrong), count=len(asked)
    )
    return passed_unless(sorted(wrong), figure=figure, then=_make_again(wrong))


def _reads_all(query: Served) -> bool:
    return any(kind == SEQUENTIAL for kind, _name in queries.plan_without(query, _NOT_SEQUENTIAL).nodes)


def _make_again(names: Collection[str]) -> TranslatableText:
    return _(
        "Make the index again: %(names)s. Its model names the query; `manage.py sqlmigrate` shows the statement.",
        names=named(names),
    )


def index_only() -> Measured:
    """The covering indexes answer their queries without a look into the table: their plans say so, or, where a table is
    so small that another way costs the same, the columns that they hold."""
    asked = {name: one for name, one in _hot().items() if one.from_index_alone}
    usable, held = queries.indexes(declared.tables_of_ours()), queries.index_columns(asked)
    planned = {name for name, one in asked.items() if (INDEX_ONLY, name) in _nodes(one)}
    able = {name for name in asked if usable.get(name) and declared.index_columns(name) <= held.get(name, set())}
    wrong = sorted(name for name in asked if name not in able)
    figure = _(
        "%(good)s of %(count)s covering indexes hold all columns of their query; %(planned)s plans are index-only now.",
        good=len(able),
        count=len(asked),
        planned=len(planned),
    )
    return passed_unless(wrong, figure=figure, then=_make_again(wrong))


def _nodes(query: Served) -> tuple[tuple[str, str], ...]:
    return queries.plan_without(query, _NOT_BITMAP).nodes


def slow_queries() -> Measured:
    """The declared hot queries as they run now, and the server's statistics of all statements where it keeps any."""
    ran = {name: queries.plan_as_run(one).ms or 0.0 for name, one in _hot().items()}
    slow = {name: ms for name, ms in ran.items() if ms >= SLOW_MS}
    slowest = max(ran, key=lambda name: ran[name])
    statements = queries.slow_statements(SLOW_MS, OFTEN)
    figure = _(
        "%(count)s hot queries: the slowest takes %(ms)s ms (%(name)s). %(statements)s",
        count=len(ran),
        ms=f"{ran[slowest]:.1f}",
        name=slowest,
        statements=_said_of(statements),
    )
    if not slow and not statements:
        return passed(figure)
    return failed(figure, _then(slow, statements))


def _said_of(statements: list[object] | None) -> TranslatableText:
    if statements is None:
        return _("pg_stat_statements is not installed, so only these were measured.")
    return _("pg_stat_statements: %(count)s frequent statements take 100 ms and more.", count=len(statements))


def _then(slow: Mapping[str, float], statements: list[object] | None) -> TranslatableText:
    names = [f"{name} ({ms:.0f} ms)" for name, ms in slow.items()]
    names += [f"{one.query} ({one.mean_ms:.0f} ms)" for one in statements or ()]  # type: ignore[attr-defined]
    return _(
        "Look at the plans with EXPLAIN (ANALYZE, BUFFERS), run VACUUM (ANALYZE), and make a missing index: %(names)s.",
        names=named(names),
    )


def _hot() -> dict[str, Served]:
    trader = TraderConfig.objects.order_by("pk").values_list("pk", flat=True).first()
    return served(trader or _NO_TRADER)
