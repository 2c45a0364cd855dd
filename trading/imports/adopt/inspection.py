"""What there is to move in, and which steps follow. Writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from psycopg import sql

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.trader import ID_PATTERN
from traders.schema.symbols import is_symbol
from traders.versions import queries as configs
from trading.imports.adopt.generations import DETAIL
from trading.imports.adopt.move import LeftColumn
from trading.imports.adopt.readers.values import moment_ms, of_ms
from trading.imports.adopt.services import left_behind
from trading.imports.adopt.source import Source, opened, require_adopted
from trading.imports.adopt.traders import distinct, require_ids, traders_of
from trading.imports.batches import BENCHMARKS
from trading.live.redis.outage import Unavailable
from trading.live.upkeep import status as live
from trading.record.rules.errors import InvalidRecord
from trading.record.stored import symbols

# Columns of a row's moment, whichever of them there is.
_MOMENTS = ("exit_ts_ms", "close_ts_ms", "ts_ms", "entry_time_ms")
_TIMES = ("executed_at", "event_at", "created_at")
_NAMED = ("trades", "positions")


class RedisLayout(Enum):
    """Whose values the site's Redis has beside its own: SHARED are hashes of the engine under the same names."""

    NONE = auto()
    OLD = auto()
    SHARED = auto()


@dataclass(frozen=True, slots=True)
class TableFound:
    """`first` and `last` are the moments of its rows, where it has some."""

    name: str
    rows: int
    first: datetime | None = None
    last: datetime | None = None


@dataclass
class Inspection:
    """`traders` is {trader there: its id here, None where it will be made}; of `to_map` each needs another id, so its
    rows would be refused; `unknown_symbols` need --add-symbols."""

    database: str
    version: str
    generation: str
    tables: list[TableFound] = field(default_factory=list)
    traders: dict[str, str | None] = field(default_factory=dict)
    to_map: list[str] = field(default_factory=list)
    unknown_symbols: list[str] = field(default_factory=list)
    left_behind: list[LeftColumn] = field(default_factory=list)
    redis: TranslatableText | str = ""
    steps: list[TranslatableText | str] = field(default_factory=list)


def inspect(dsn: str, ids: Mapping[str, str]) -> Inspection:
    """Raises UnreadableSource."""
    with opened(dsn) as source:
        require_adopted(source)
        require_ids(source, ids)
        found = Inspection(source.name, source.version, source.generation.name)
        found.tables = [_table(source, name) for name in sorted(source.tables)]
        _find_traders(source, found, ids)
        found.unknown_symbols = _unknown_symbols(source)
        found.left_behind = left_behind(source)
        has_history = source.generation is DETAIL and source.has("trader_config_history")
    found.redis, layout = _redis()
    found.steps = _steps(found, has_history=has_history, layout=layout)
    return found


def _table(source: Source, name: str) -> TableFound:
    rows = source.count(name)
    of_ms_column = next((column for column in _MOMENTS if source.has(name, column)), None)
    of_time = next((column for column in _TIMES if source.has(name, column)), None)
    column = of_ms_column or of_time
    if not rows or column is None:
        return TableFound(name, rows)
    spanned = sql.SQL("SELECT min({0}) AS first, max({0}) AS last FROM {1}")
    row = next(source.rows(spanned.format(sql.Identifier(column), sql.Identifier(name))))
    return TableFound(name, rows, *(_moment(row[end]) for end in ("first", "last")))


def _moment(value: object) -> datetime | None:
    """As a row of this moment would be read; None where it would be refused."""
    try:
        return of_ms(moment_ms({"at": value}, "at"))
    except InvalidRecord:
        return None


def _find_traders(source: Source, found: Inspection, ids: Mapping[str, str]) -> None:
    here = {name.lower(): name for name in configs.shares()}
    taken = dict(here)
    for name in sorted(traders_of(source) - {*BENCHMARKS}):
        wanted = ids.get(name, name)
        if ID_PATTERN.fullmatch(wanted) and taken.setdefault(wanted.lower(), wanted) == wanted:
            found.traders[name] = here.get(wanted.lower())
        else:
            found.to_map.append(name)


def _unknown_symbols(source: Source) -> list[str]:
    listed = {*symbols.known(), *symbols.MAJORS}
    for table in ("symbols", "market_assets"):
        listed |= distinct(source, table, "symbol")
    known = {name.lower() for name in listed}
    named = {name.strip() for table in _NAMED for name in distinct(source, table, "symbol")}
    return sorted(name for name in named if is_symbol(name) and name.lower() not in known)


def _redis() -> tuple[TranslatableText | str, RedisLayout]:
    """What the site's Redis holds, and whose layout is there."""
    try:
        found = live.status()
    except Unavailable:
        return _("Redis does not answer: start it, or set REDIS_URL"), RedisLayout.NONE
    keys = sum(key.fields > 0 for key in found.keys)
    if found.old.keys:
        said = _("old layout, %(old)s keys, beside %(new)s keys of this site", old=found.old.keys, new=keys)
        return _("%(said)s; mode %(mode)s", said=said, mode=found.mode), RedisLayout.OLD
    if found.sharing.is_go_engine:
        return _("new layout, in keys that the earlier engine and this site share"), RedisLayout.SHARED
    return _("new layout, %(new)s keys of this site; none of the old layout", new=keys), RedisLayout.NONE


_TO_MIRROR = _("Stay in the mode hash, and let livestore mirror follow the old layout of Redis while the engine works.")
_TO_PART = _("Give this site a Redis database of its own: another number at the end of REDIS_URL.")
_TO_SWITCH = _("End livestore mirror, then livestore rebuild and verify; livestore cleanup some days later.")


def _steps(found: Inspection, *, has_history: bool, layout: RedisLayout) -> list[TranslatableText | str]:
    first = (
        _("Run adopt --only-versions before sync_traders: versions come with their numbers and dates.")
        if has_history
        else _("Run sync_traders with the engine's manager.yaml, so that the traders have their settings.")
    )
    named = " ".join(found.unknown_symbols)
    return [
        _("Back up both databases."),
        *([_TO_PART] if layout is RedisLayout.SHARED else []),
        first,
        *(
            [_("Give these traders another id with --map OLD=NEW: %(names)s.", names=", ".join(found.to_map))]
            if found.to_map
            else []
        ),
        _("Run import_journal on the engine's cycle files, if there are some: they say more than the database."),
        *([_("Check these symbols and give --add-symbols %(names)s.", names=named)] if named else []),
        _("Run adopt --dry-run, read the rejects, then adopt."),
        *([_TO_MIRROR] if layout is RedisLayout.OLD else []),
        _("Stop the engine, run adopt once more, then adopt --verify."),
        *([_TO_SWITCH] if layout is RedisLayout.OLD else []),
        _("docs/moving-in.md has the whole day as a checklist."),
    ]
