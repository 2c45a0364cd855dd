"""Which field a rule of the database itself is about, so that a refusal can name it."""

from __future__ import annotations

import re

from psycopg import Error, errors

from traders.schema.messages import _
from traders.schema.moments import YEARS
from traders.schema.problems import Problem

# Constraints of this form are named after their table and column, or after their part of `detail`.
_NAMED = re.compile(r"(?P<place>.+)_(?P<rule>is_a_moment|in_milliseconds|is_a_number|can_be_read)")
_RIGHT = {
    "is_a_moment": _("must be a moment %(years)s", years=YEARS),
    "in_milliseconds": _("must be milliseconds since 1970, %(years)s", years=YEARS),
    "is_a_number": _("must be a finite number of at most 10 ** 15"),
    "can_be_read": _("must hold finite numbers, and milliseconds since 1970 %(years)s", years=YEARS),
}
_KNOWN = {
    "trader_runtime_state_version_fk": ("active_config_version", _("must be a version that the trader has had")),
    "trades_exit_after_entry": ("detail.time", _("must have its exit after its entry, and the time between them")),
    "trades_close_told_once": ("detail.time.close_ts_ms", _("must be the close_ts_ms of the trade")),
    "trades_detail_whole": (
        "detail",
        _("must have entry price and quantity above 0, an exit price from 0, and gross, commission and net of pnl"),
    ),
    "positions_detail_whole": ("detail.entry", _("must have price and quantity above 0, and time_ms")),
    "positions_closed_says_how": ("detail.close", _("must be there for a closed position, and for no other")),
}
# `nof0_refuse_row`: '<operation> of <table> refused: <path>: <what would be right>'.
_BY_TRIGGER = re.compile(r"\w+ of \w+ refused: (?P<path>[^:]+): (?P<right>.+)")

# What another server of a spread record refused comes without the fields of names. Its tables, and some of their
# constraints, have the number of the shard behind their names.
_BY_TEXT = re.compile(r'(?:relation|table) "(?P<table>\w+)" violates [a-z ]+ constraint "(?P<name>\w+)"')
_SHARD = re.compile(r"_\d{6,}$")


def violated_rule(error: BaseException | None) -> Problem | None:
    """The field and what would be right; None where the error is none of a rule about values."""
    while error is not None and not isinstance(error, Error):
        error = error.__cause__
    if not isinstance(error, errors.CheckViolation | errors.ForeignKeyViolation):
        return None
    name, table = _broken(error)
    if found := _BY_TRIGGER.match(error.diag.message_primary or ""):
        return Problem(found["path"], _("must be right: %(right)s", right=found["right"]))
    if name in _KNOWN:
        return Problem(*_KNOWN[name])
    if (found := _NAMED.fullmatch(name)) and name.startswith(f"{table}_"):
        place = found["place"].removeprefix(f"{table}_")
        return Problem(f"detail.{place}" if found["rule"] == "can_be_read" else place, _RIGHT[found["rule"]])
    return None


def _broken(error: Error) -> tuple[str, str]:
    """The constraint and its table."""
    names = error.diag.constraint_name, error.diag.table_name
    if not all(names) and (found := _BY_TEXT.search(error.diag.message_primary or "")):
        names = found["name"], found["table"]
    name, table = (_SHARD.sub("", one or "") for one in names)
    return name, table
