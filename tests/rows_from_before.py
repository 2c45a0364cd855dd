"""The rules that came after some rows, taken away for a test that needs such rows: nothing else can write them."""

from __future__ import annotations

from django.db import connection

_RULES = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
 WHERE k.contype IN ('c', 'f') AND k.conname ~ '_(is_a_moment|in_milliseconds|is_a_number|can_be_read|not_ahead)$'
    OR k.conname = 'trader_runtime_state_version_fk'
"""
_TRIGGERS = """
SELECT c.relname, t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE t.tgname ~ '_(can_be_read|not_ahead)$' AND NOT t.tgisinternal
"""
_away: list[tuple[str, str, str]] = []


def take_rules_away() -> None:
    """Until the end of the test, however often it is asked for."""
    with connection.cursor() as cursor:
        cursor.execute(_RULES)
        rules = cursor.fetchall()
        if not rules:
            return
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, name, _definition in rules:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(_TRIGGERS)
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {name}")
    _away[:] = rules


def put_rules_back(*, inside: bool = False) -> None:
    """`inside` the test: as the migration adds them, which looks at no row that is there. At its end: where the end of
    the test's transaction has not done it."""
    if not _away or (connection.in_atomic_block and not inside):
        _away.clear()
        return
    with connection.cursor() as cursor:
        if not inside:
            # The test's rows go with it anyway, and those that break a rule would keep it from coming back.
            cursor.execute(f"TRUNCATE {', '.join(sorted({table for table, _name, _definition in _away}))} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        cursor.execute(_RULES)
        there = {name for _table, name, _definition in cursor.fetchall()}
        for table, name, definition in _away:
            if name not in there:
                suffix = " NOT VALID" if inside else ""
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}{suffix}")
        cursor.execute(_TRIGGERS)
        for table, name in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER {name}")
    _away.clear()
