"""Which errors of PostgreSQL a repeat can help, and whose matter the others are."""

from __future__ import annotations

import pytest
from psycopg import Error, errors
from psycopg.pq import DiagnosticField

from traders.database.faults import fault_of, is_lost

AGAIN = {
    "08006": "The database does not answer",
    "25006": "The database is read-only",
    "25P03": "The database ended the session",
    "25P04": "The database took too long",
    "28P01": "The database refuses the site",
    "3D000": "The database refuses the site",
    "3F000": "The database does not fit this release",
    "40001": "Another change came in between",
    "40P01": "Another change came in between",
    "42501": "The database refuses the site",
    "42703": "The database does not fit this release",
    "42883": "The database does not fit this release",
    "42P01": "The database does not fit this release",
    "53000": "The database has no room left",
    "53100": "The database has no room left",
    "53200": "The database has no room left",
    "53300": "The database has no connection left",
    "55P03": "The database is locked",
    "57014": "The database took too long",
    "57P01": "The database does not answer",
    "57P02": "The database does not answer",
    "57P03": "The database is starting",
    "57P04": "The database refuses the site",
    "57P05": "The database does not answer",
    "58030": "The database is damaged",
    "58P01": "The database is damaged",
    "F0000": "The database is damaged",
    "XX001": "The database is damaged",
    "XX002": "The database is damaged",
}
OF_THE_SENDER = {
    "22003": 422,
    "22021": 422,
    "22P02": 422,
    "22P05": 422,
    "23502": 409,
    "23505": 409,
    "23514": 409,
    "54000": 422,
    "54001": 422,
}
OF_AN_OPERATOR = {
    "0A000": "The database cannot do this",
    "53400": "The database may not use that much",
    "XX000": "The database failed",
}
# Answered as any other exception.
OF_THE_SITE = [
    "21000",
    "24000",
    "25001",
    "25P02",
    "26000",
    "34000",
    "42601",
    "42702",
    "42704",
    "42804",
    "42P05",
    "42P10",
    "42P18",
    "54011",
    "54023",
    "55000",
]


def error(sqlstate: str, function: str = "exec_stmt_raise") -> Error:
    """As a server reports it."""
    info: dict[int, bytes | None] = {
        DiagnosticField.SQLSTATE: sqlstate.encode(),
        DiagnosticField.SOURCE_FUNCTION: function.encode(),
    }
    return errors.lookup(sqlstate)("words of the server", info=info)


@pytest.mark.parametrize(("sqlstate", "title"), AGAIN.items())
def test_a_right_request_is_sent_again_when_the_server_is_well(sqlstate: str, title: str) -> None:
    fault = fault_of(error(sqlstate))
    assert fault is not None
    assert (fault.title, fault.status) == (title, 503)
    assert fault.retry_seconds


@pytest.mark.parametrize(("sqlstate", "status"), OF_THE_SENDER.items())
def test_what_is_wrong_in_a_request_is_not_sent_again(sqlstate: str, status: int) -> None:
    fault = fault_of(error(sqlstate))
    assert fault is not None
    assert (fault.status, fault.retry_seconds) == (status, None)


@pytest.mark.parametrize(("sqlstate", "title"), OF_AN_OPERATOR.items())
def test_what_the_set_up_does_not_allow_is_not_sent_again(sqlstate: str, title: str) -> None:
    fault = fault_of(error(sqlstate))
    assert fault is not None
    assert (fault.title, fault.status, fault.retry_seconds) == (title, 500, None)


@pytest.mark.parametrize("sqlstate", OF_THE_SITE)
def test_a_wrong_statement_is_a_fault_of_the_site(sqlstate: str) -> None:
    assert fault_of(error(sqlstate)) is None


@pytest.mark.parametrize(
    ("sqlstate", "function", "title"),
    [
        ("0A000", "RevalidateCachedQuery", "Another change came in between"),
        ("54000", "PreCommit_Notify", "The database can announce no change"),
    ],
)
def test_the_function_that_found_it_tells_what_passes(sqlstate: str, function: str, title: str) -> None:
    fault = fault_of(error(sqlstate, function))
    assert fault is not None
    assert (fault.title, fault.status) == (title, 503)
    assert fault.retry_seconds


@pytest.mark.parametrize("sqlstate", ["08006", "25P03", "25P04", "57P01", "57P02", "57P03", "57P04", "57P05"])
def test_with_some_errors_the_connection_goes(sqlstate: str) -> None:
    assert is_lost(error(sqlstate))


@pytest.mark.parametrize("sqlstate", ["0A000", "22003", "40001", "53100", "57014", "58030", "XX000", "XX001"])
def test_with_others_it_stays(sqlstate: str) -> None:
    assert not is_lost(error(sqlstate))
