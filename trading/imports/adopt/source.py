"""One snapshot of the other program's database. It is only read: a transaction that may not write, rows by cursors on
its server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
from psycopg import sql
from psycopg.adapt import Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Format
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from traders.schema import jsonio
from traders.schema.messages import TranslatableText, _
from trading.imports.adopt.generations import DETAIL, LEGACY, OWN, SQUASHED, Generation, generation_of
from trading.record.rules.errors import RecordError

Row = dict[str, Any]
"""{column: value}. Numbers with a fraction are Decimal, JSON is read; timestamps with a time zone are datetimes where
Python has them (not infinity). Values of types that the earlier program never used are texts, as the server writes
them."""

CONNECT_SECONDS = 10
# Rows that one message from the server brings. Those with long texts ask for fewer.
AT_ONCE = 1000
ADOPTED = (LEGACY, DETAIL, SQUASHED)
# Digits of a float that give it back exactly, also on servers before 12; times in UTC; a refusal where a policy of the
# other database would hide rows.
_SETTINGS = """
SELECT set_config('extra_float_digits', '3', true), set_config('TimeZone', 'UTC', true),
       set_config('DateStyle', 'ISO, MDY', true), set_config('row_security', 'off', true),
       set_config('statement_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true),
       current_database()::text AS database, current_setting('server_version') AS version
"""
_RELATIONS = """
SELECT c.relname::text AS name, c.relkind::text AS kind, has_table_privilege(c.oid, 'SELECT') AS readable,
       array_agg(a.attname::text ORDER BY a.attnum) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition AND pg_table_is_visible(c.oid)
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%%'
 GROUP BY c.oid, c.relname, c.relkind
"""
_MOMENT = psycopg.adapters.types["timestamptz"].oid
_READ_TYPES = frozenset(
    {"bool", "int2", "int4", "int8", "oid", "numeric", "text", "varchar", "bpchar", "name"}
    | {"float4", "float8", "json", "jsonb", "timestamptz"}
)
# Of a database of this program: without it, it was restored in part.
_MIGRATIONS = "django_migrations"


class UnreadableSource(RecordError):
    """Nothing of the other database can be used. The message says what would be right, and holds no password."""


class _Shortest(Loader):
    """A float as the fewest digits that give it back: 0.1, and not what binary fractions make of it."""

    def load(self, data: Any) -> Decimal:
        return Decimal(repr(float(bytes(data))))


class _ExactJson(Loader):
    def load(self, data: Any) -> Any:
        return jsonio.loads_stored(bytes(data).decode())


class _Moment(Loader):
    """What Python's datetime cannot be, such as infinity, stays the text that it is: only its own row is refused."""

    def __init__(self, oid: int, context: Any = None) -> None:
        super().__init__(oid, context)
        found = psycopg.adapters.get_loader(_MOMENT, Format.TEXT)
        assert found is not None
        self._moment = found(oid, context)

    def load(self, data: Any) -> Any:
        try:
            return self._moment.load(data)
        except psycopg.DataError:
            return bytes(data).decode()


class Source:
    """Its tables with their columns, and its rows. `tables` leaves out views, and partitions: their rows are those of
    the table that they divide."""

    def __init__(self, connection: psycopg.Connection[Any], name: str) -> None:
        self._connection, self._cursors = connection, 0
        facts = next(self.rows(_SETTINGS))
        self.name, self.version = name or facts["database"], facts["version"]
        found = list(self.rows(_RELATIONS))
        self.tables = {one["name"]: tuple(one["columns"]) for one in found if one["kind"] in "rp"}
        self.forbidden = sorted(one["name"] for one in found if one["kind"] in "rp" and not one["readable"])
        columns = {(one["name"], column) for one in found for column in one["columns"]}
        self.generation: Generation = generation_of({one["name"]: one["kind"] for one in found}, columns)

    def has(self, table: str, *columns: str) -> bool:
        return table in self.tables and set(columns) <= set(self.tables[table])

    def rows(self, statement: Any, parameters: Any = None, *, at_once: int = AT_ONCE) -> Iterator[Row]:
        """In order, a few at a time. `statement` is a SELECT. Raises UnreadableSource."""
        self._cursors += 1
        try:
            with self._connection.cursor(f"nof0_{self._cursors}", row_factory=dict_row) as cursor:
                cursor.itersize = at_once
                cursor.execute(statement, parameters)
                yield from cursor
        except (psycopg.Error, UnicodeDecodeError) as error:
            raise UnreadableSource(_("the other database refuses: %(reason)s", reason=_reason(error))) from error

    def table(self, name: str, *, order: Sequence[str] = (), at_once: int = AT_ONCE) -> Iterator[Row]:
        """Every row of the table; none where there is no such table. Columns of `order` that it lacks are left out."""
        if name not in self.tables:
            return
        by = [sql.Identifier(column) for column in order if column in self.tables[name]]
        ordered = sql.SQL(" ORDER BY ") + sql.SQL(", ").join(by) if by else sql.SQL("")
        yield from self.rows(sql.SQL("SELECT * FROM {}").format(sql.Identifier(name)) + ordered, at_once=at_once)

    def count(self, table: str) -> int:
        counted = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier(table))
        return int(next(self.rows(counted))["rows"])


@contextmanager
def opened(dsn: str) -> Iterator[Source]:
    """The database that the DSN names, as it stood at the first statement. Raises UnreadableSource."""
    connection = _connect(dsn)
    try:
        yield Source(connection, connection.info.dbname)
    finally:
        # Nothing was written, so there is nothing to keep.
        connection.close()


def require_adopted(source: Source) -> None:
    """Raises UnreadableSource for what is no database of an earlier program, and for tables that may not be read."""
    if source.generation not in ADOPTED:
        raise UnreadableSource(
            _(
                "the database %(name)s is %(what)s: only those of the earlier engine can be moved in",
                name=source.name,
                what=_what(source),
            )
        )
    if source.forbidden:
        raise UnreadableSource(
            _(
                "the user of the other database may not read %(tables)s: GRANT SELECT ON these tables to it",
                tables=", ".join(source.forbidden),
            )
        )


def _what(source: Source) -> str:
    if not source.tables:
        return "empty, or its user has no USAGE on the schema"
    if source.generation is OWN and _MIGRATIONS in source.tables:
        return "one of NOF0 Control itself"
    return source.generation.name


def _connect(dsn: str) -> psycopg.Connection[Any]:
    try:
        given = conninfo_to_dict(dsn)
    except psycopg.Error:
        # Its own message repeats parts of the text, perhaps of the password.
        raise UnreadableSource(
            _("the DSN of the other database is not one of PostgreSQL, such as postgresql://user@host:5432/nof0")
        ) from None
    asked: dict[str, Any] = {"connect_timeout": CONNECT_SECONDS, "application_name": "nof0 adopt", **given}
    # Whatever the encoding of the other database is, its server writes this one.
    asked["client_encoding"] = "UTF8"
    try:
        connection = psycopg.connect(make_conninfo(**asked))
    except psycopg.Error as error:
        raise UnreadableSource(_("the other database does not answer: %(reason)s", reason=_reason(error))) from error
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    connection.read_only = True
    for name, loader in (("float4", _Shortest), ("float8", _Shortest), ("json", _ExactJson), ("jsonb", _ExactJson)):
        connection.adapters.register_loader(name, loader)
    connection.adapters.register_loader("timestamptz", _Moment)
    for one in psycopg.adapters.types:
        if one.name not in _READ_TYPES:
            connection.adapters.register_loader(one.oid, TextLoader)
    return connection


def _reason(error: Exception) -> TranslatableText | str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
