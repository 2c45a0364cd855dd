"""What the log says of refused requests."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any


class RefusalsInOneLine(logging.Filter):
    """For handlers: a refused request (4xx) is one line without a traceback, and a 403 names the account.

    The site is not broken then, and a client could fill the log with a few requests.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        status = getattr(record, "status_code", 0)
        if isinstance(status, int) and HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
            record.exc_info = record.exc_text = None
            if status == HTTPStatus.FORBIDDEN and not hasattr(record, "account"):
                said, request = record.getMessage(), getattr(record, "request", None)
                vars(record)["account"] = account = _account_of(request)
                record.msg, record.args = "%s, account %s from %s", (said, account, _address_of(request))
        return True


def _account_of(request: Any) -> str:
    """Only what the request knows already: a line of the log must not ask the database."""
    if (token := getattr(request, "auth", None)) is not None:
        return repr(getattr(token, "actor", None))
    user = getattr(request, "_cached_user", None)
    return repr(user.get_username()) if user is not None and user.is_authenticated else "none"


def _address_of(request: Any) -> str:
    # Loaded late: logging is set up before the applications.
    from nof0site.login.pages import client_address

    return str(client_address(request)) if hasattr(request, "META") else "unknown"
