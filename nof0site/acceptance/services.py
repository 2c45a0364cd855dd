"""Measures lines one after the other, each apart: in a transaction that can only read, with a time limit of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence

from nof0site.acceptance import evidence, queries
from nof0site.acceptance.rules import AcceptanceLine, LineResult, Measure, Measured, failed
from traders.database.apart import TookTooLong
from traders.schema.messages import TranslatableText, _, message_of

LIMIT_SECONDS = 20
"""Of each statement of a line, for a command; a page has less."""

log = logging.getLogger(__name__)


def measured(
    lines: Sequence[AcceptanceLine], *, limit_seconds: float = LIMIT_SECONDS, within_seconds: float | None = None
) -> Iterator[LineResult]:
    """A result for each line, in order. Lines that share their measure are measured once. After `within_seconds` the
    lines that are left fail, as not measured."""
    known: dict[Measure, Measured] = {}
    began = time.monotonic()
    for line in lines:
        started = time.monotonic()
        if within_seconds is not None and started - began > within_seconds:
            yield LineResult(line, _out_of_time(line), 0.0)
            continue
        if line.measure is None:
            found = _apart(line, lambda proofs=line.proofs: evidence.proven(proofs), limit_seconds)  # type: ignore[misc]
        else:
            found = known.get(line.measure) or _apart(line, line.measure, limit_seconds)
            known[line.measure] = found
        yield LineResult(line, found, time.monotonic() - started)


def _apart(line: AcceptanceLine, measure: Measure, limit_seconds: float) -> Measured:
    """What a line cannot measure is its own fail, and no other line's."""
    try:
        with queries.only_reading(round(limit_seconds * 1000)):
            return measure()
    except TookTooLong:
        figure = _("Not measured: a statement took longer than %(seconds)s s.", seconds=f"{limit_seconds:g}")
        return failed(figure, _longer(line))
    except Exception as error:
        log.warning("The acceptance line %s could not be measured: %s: %s", line.id, type(error).__name__, error)
        figure = _("Not measured: %(kind)s: %(error)s", kind=type(error).__name__, error=_first_line(error))
        then = _(
            "Mend what the message names; the database and Redis must answer. Then measure %(line)s again.",
            line=line.id,
        )
        return failed(figure, then)


def _out_of_time(line: AcceptanceLine) -> Measured:
    return failed(_("Not measured: the page's time was over."), _longer(line))


def _longer(line: AcceptanceLine) -> TranslatableText:
    return _("Measure it alone and with more time: `manage.py acceptance --only %(line)s --limit 120`.", line=line.id)


def _first_line(error: Exception) -> TranslatableText:
    message = message_of(error)
    return message if "\n" not in message else _("%(text)s", text=message.splitlines()[0])
