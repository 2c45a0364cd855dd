"""Lines about contradictions in the record."""

from __future__ import annotations

from itertools import islice

from nof0site.acceptance.rules import Measured, passed_unless
from traders.schema.messages import _
from trading.record.check import services as check_record

MOST_FOUND = 100


def rules_hold() -> Measured:
    """The rules of `check_record` between rows: sums of trades, closed positions and trades, young constraints."""
    rules = [rule for rule in check_record.rules() if rule.is_read]
    found = [
        f"{row.table} {row.id}: {row.reason}"
        for rule in rules
        for row in islice(check_record.violations(rule), MOST_FOUND)
    ]
    figure = _("%(rules)s rules between rows checked, %(found)s violations.", rules=len(rules), found=len(found))
    then = _("Run `manage.py check_record`, which names every row; correct these rows or set them aside.")
    return passed_unless(found, figure=figure, then=then)
