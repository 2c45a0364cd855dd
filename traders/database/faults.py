"""What PostgreSQL's errors mean for an operator: what is wrong, what to do, and whether to send the same again."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from psycopg import DataError, Error, InterfaceError, OperationalError

RETRY_SECONDS = 10
SOON_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Fault:
    """`retry_seconds` is None where the same request would fail again. It has a number where the request is right and
    the server is not: it can be written once that is mended, by itself or by an administrator."""

    title: str | Promise
    said: str | Promise
    then: str | Promise
    status: HTTPStatus = HTTPStatus.SERVICE_UNAVAILABLE
    retry_seconds: int | None = RETRY_SECONDS


AWAY = Fault(
    _("The database does not answer"),
    _("PostgreSQL cannot be reached. Until it is back nothing can be shown or changed; the fault is not yours."),
    _("Try again in a moment. If it stays so, an administrator has to start PostgreSQL."),
)
STARTING = Fault(
    _("The database is starting"),
    _("PostgreSQL is starting, stopping or recovering and takes no connections yet."),
    _("Try again in a moment."),
)
NO_CONNECTION_LEFT = Fault(
    _("The database has no connection left"),
    _("PostgreSQL has as many connections as it takes."),
    _("Try again in a moment. If it stays so, an administrator has to raise max_connections or the role's limit."),
)
REFUSED = Fault(
    _("The database refuses the site"),
    _("PostgreSQL does not let the site's account in, or has no database of that name."),
    _("An administrator has to correct DATABASE_URL or the account's privileges."),
)
READ_ONLY = Fault(
    _("The database is read-only"),
    _("PostgreSQL takes no changes: it is a standby, or was set so. What is stored can be read."),
    _("Try again when it takes changes. An administrator has to point the site at the primary server."),
)
FULL = Fault(
    _("The database has no room left"),
    _("PostgreSQL's disk or memory is full. What is stored can be read."),
    _("An administrator has to make room on PostgreSQL's server. Then send it again."),
)
LOCKED = Fault(
    _("The database is locked"),
    _("Another session holds a lock on what is needed here, for longer than the time limit."),
    _("Try again in a moment. If it stays so, an administrator has to end that session (see pg_stat_activity)."),
    retry_seconds=SOON_SECONDS,
)
TOO_SLOW = Fault(
    _("The database took too long"),
    _("PostgreSQL ended a statement at its time limit, or an administrator did."),
    _("Try again, with a shorter period or fewer rows where you can choose."),
)
COLLISION = Fault(
    _("Another change came in between"),
    _("Two changes at the same time got in each other's way, and PostgreSQL ended this one."),
    _("Send it again."),
    retry_seconds=SOON_SECONDS,
)
ENDED = Fault(
    _("The database ended the session"),
    _("PostgreSQL ended a session that was silent for too long within a transaction."),
    _("Try again in a moment."),
    retry_seconds=SOON_SECONDS,
)
NOT_MIGRATED = Fault(
    _("The database does not fit this release"),
    _("A table, a column or a function that this release needs is not there."),
    _("An administrator has to run `manage.py migrate`."),
)
NO_RIGHT = Fault(
    _("The database refuses the site"),
    _("The site's account in PostgreSQL lacks a privilege."),
    _("An administrator has to grant it; the log of the server names it."),
)
DAMAGED = Fault(
    _("The database is damaged"),
    _("PostgreSQL cannot read or write its own files."),
    _("An administrator has to check PostgreSQL's log and its disk."),
)
NOT_OFFERED = Fault(
    _("The database cannot do this"),
    _("PostgreSQL, or an extension in it, does not offer what this release needs."),
    _("Sending it again does not help. An administrator has to check how PostgreSQL is set up; its log says more."),
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    retry_seconds=None,
)
FAILED_WITHIN = Fault(
    _("The database failed"),
    _("PostgreSQL met an error within itself."),
    _("An administrator has to look into PostgreSQL's log."),
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    retry_seconds=None,
)
OVER_ITS_LIMIT = Fault(
    _("The database may not use that much"),
    _("A statement needs more room than a limit of PostgreSQL's settings allows, such as temp_file_limit."),
    _("Choose a shorter period or fewer rows where you can. Else an administrator has to raise the limit."),
    status=HTTPStatus.INTERNAL_SERVER_ERROR,
    retry_seconds=None,
)
UNHEARD = Fault(
    _("The database can announce no change"),
    _("PostgreSQL's queue of notifications is full: a session has not read them for long."),
    _("Try again in a moment. If it stays so, an administrator has to end that session (see pg_stat_activity)."),
)
UNSTORABLE = Fault(
    _("This cannot be stored"),
    _("The database cannot store a value of it: too large, too deep, or with a character that is not accepted."),
    _("Change the value and send it again."),
    status=HTTPStatus.UNPROCESSABLE_ENTITY,
    retry_seconds=None,
)
AGAINST_THE_RULES = Fault(
    _("The database refuses this"),
    _("It breaks a rule that the database holds for everyone, or something changed at the same time."),
    _("Load what is stored now, and try again from there."),
    status=HTTPStatus.CONFLICT,
    retry_seconds=None,
)

# The longest beginning of the SQLSTATE that is listed counts. What is not listed is a fault of the site, as any other
# exception: a wrong statement (42), say.
_BY_SQLSTATE = {
    "08": AWAY,
    "0A": NOT_OFFERED,
    "22": UNSTORABLE,
    "23": AGAINST_THE_RULES,
    "25006": READ_ONLY,
    "25P03": ENDED,
    "25P04": TOO_SLOW,
    "28": REFUSED,
    "3D000": REFUSED,
    "3F000": NOT_MIGRATED,
    "40": COLLISION,
    "42501": NO_RIGHT,
    "42703": NOT_MIGRATED,
    "42883": NOT_MIGRATED,
    "42P01": NOT_MIGRATED,
    "53": FULL,
    "53300": NO_CONNECTION_LEFT,
    "53400": OVER_ITS_LIMIT,
    "54000": UNSTORABLE,
    "54001": UNSTORABLE,
    "55P03": LOCKED,
    "57014": TOO_SLOW,
    "57P": AWAY,
    "57P03": STARTING,
    "57P04": REFUSED,
    "58": DAMAGED,
    "F0": DAMAGED,
    "XX": DAMAGED,
    "XX000": FAILED_WITHIN,
}
# One code may have many causes. PostgreSQL names the function that found this one, in every language.
_BY_FUNCTION = {
    ("0A000", "RevalidateCachedQuery"): COLLISION,  # a cached plan whose table was altered meanwhile
    ("54000", "PreCommit_Notify"): UNHEARD,
}
# While connecting psycopg keeps only the text, of English servers at least.
_BY_TEXT = (
    (
        re.compile("too many connections|connection slots are reserved|too many clients|no more connections"),
        NO_CONNECTION_LEFT,
    ),
    (re.compile("the database system is|not yet accepting connections|has not become ready"), STARTING),
    (re.compile("authentication failed|no pg_hba.conf entry|does not exist|is not permitted to log in"), REFUSED),
)
# After these no answer came to what was sent last, or none that says what became of it.
_LOST = ("08", "57P", "25P03", "25P04")


def fault_of(error: BaseException | None) -> Fault | None:
    """The fault behind an exception, or behind what it was raised from; None where the database has no part in it."""
    found = _database_error(error)
    if found is None:
        return None
    if found.sqlstate is None:
        text = said_by_server(found)
        return next((fault for pattern, fault in _BY_TEXT if pattern.search(text)), _without_code(found))
    if (fault := _BY_FUNCTION.get((found.sqlstate, found.diag.source_function or ""))) is not None:
        return fault
    beginnings = (found.sqlstate[:length] for length in (5, 3, 2))
    return next((_BY_SQLSTATE[beginning] for beginning in beginnings if beginning in _BY_SQLSTATE), None)


def is_lost(error: BaseException) -> bool:
    """Whether the connection went with the error, so that nothing tells what became of the statement."""
    found = _database_error(error)
    if found is None:
        return False
    return fault_of(found) is AWAY if found.sqlstate is None else found.sqlstate.startswith(_LOST)


def said_by_server(error: BaseException) -> str:
    """The first line of PostgreSQL's own message; for logs and commands, as it may name hosts and accounts."""
    return str(_database_error(error) or error).strip().partition("\n")[0]


def kept_from_starting(error: BaseException) -> str:
    """Why the site's own server did not start, with the way out; empty where it is not about that."""
    found = _database_error(error)
    reason = found.__cause__ if found else None
    return "" if reason is None or isinstance(reason, Error) else str(found)


def _database_error(error: BaseException | None) -> Error | None:
    """psycopg's own, behind Django's."""
    while error is not None and not isinstance(error, Error):
        error = error.__cause__
    return error


def _without_code(error: Error) -> Fault | None:
    """psycopg's own errors: of the connection, or of a value that it cannot send, such as half a surrogate pair."""
    if isinstance(error, OperationalError | InterfaceError):
        return AWAY
    return UNSTORABLE if isinstance(error, DataError) else None
