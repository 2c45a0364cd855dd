"""A rule of the database is named by its field, whichever server of a spread record refused it."""

from __future__ import annotations

import pytest
from psycopg import Error, errors
from psycopg.pq import DiagnosticField

from traders.database.violations import violated_rule

CHECK = 'new row for relation "{table}" violates check constraint "{name}"'


def refused(kind: type[Error], message: str, **names: str) -> Error:
    """As psycopg makes it of a server's answer."""
    fields: dict[int, bytes | None] = {DiagnosticField.MESSAGE_PRIMARY: message.encode()}
    fields |= {DiagnosticField[field.upper()]: name.encode() for field, name in names.items()}
    return kind(message, info=fields)


@pytest.mark.parametrize(
    ("table", "constraint", "path"),
    [
        ("positions", "positions_detail_whole", "detail.entry"),
        ("positions_102019", "positions_detail_whole", "detail.entry"),
        ("trades_102009", "trades_quantity_can_be_read", "detail.quantity"),
        ("decision_journal_1020251", "decision_journal_decided_at_is_a_moment", "decided_at"),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_the_shard_does_not_hide_the_field(table: str, constraint: str, path: str, is_named: bool) -> None:
    """Citus hands on the words of another server, without the names of what they are about."""
    names = {"constraint_name": constraint, "table_name": table} if is_named else {}
    message = CHECK.format(table=table, name=constraint)
    found = violated_rule(refused(errors.CheckViolation, message, **names))
    assert found is not None
    assert found.path == path


def test_a_rule_of_no_field_has_none() -> None:
    message = CHECK.format(table="trades_102009", name="trades_side_known")
    assert violated_rule(refused(errors.CheckViolation, message)) is None
