"""What the log says of refused requests, and of those that met a fault of the database."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any


class RefusalsInOneLine(logging.Filter):
    """For handlers: a refused request (4xx) is one line without a traceback, and a 403 names the account.

    The site is not broken then, and a client could fill the log with a few requests. A request that the database did
    not serve (503) is one line with PostgreSQL's own message: while it is away, every request is one.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 0)
        if isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            record.exc_info = record.exc_text = None
            if status == HTTPStatus.FORBIDDEN and not hasattr(record, "account"):
                said, request = record.getMessage(), getattr(record, "request", None)
                vars(record)["account"] = account = _account_of(request)
                record.msg, record.args = "%s, account %s from %s", (said, account, _address_of(request))
        elif status == HTTPStatus.SERVICE_UNAVAILABLE and record.exc_info and (error := record.exc_info[1]):
            said = _said_of_database(error)
            if said:
                record.exc_info = record.exc_text = None
                record.msg, record.args = "%s: %s", (record.getMessage(), said)
        return True


def _said_of_database(error: BaseException) -> str:
    """Empty where the traceback may show a fault of ours: the database is not the cause, or lacks what a statement
    names."""
    # Loaded late: logging is set up before the applications.
    from traders.database.faults import NOT_MIGRATED, fault_of, said_by_server

    fault = fault_of(error)
    return "" if fault is None or fault is NOT_MIGRATED else said_by_server(error)


def _account_of(request: Any) -> str:
    """Only what the request knows already: a line of the log must not ask the database."""
    if (token := getattr(request, "auth", None)) is not None:
        return repr(getattr(token, "actor", None))
    user = getattr(request, "_cached_user", None)
    return repr(user.get_username()) if user is not None and user.is_authenticated else "none"


def _address_of(request: Any) -> str:
    # Loaded late: logging is set up before the applications.
    from traders.audit.origin import client_address

    return str(client_address(request)) if hasattr(request, "META") else "unknown"
