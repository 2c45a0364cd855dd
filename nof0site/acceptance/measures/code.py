"""Lines about the source code of this installation."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from nof0site.acceptance import queries
from nof0site.acceptance.rules import Measured, passed_unless
from traders.schema.messages import _
from trading.schema.contract import TRADER as MODEL_ID

PACKAGES = ("traders", "trading", "nof0site", "demo", "clients", "migrations")
BORDER = ("trading/schema/contract.py", "trading/imports/adopt/")
"""Where the former key is named: the contract of the read API and of old files, and the readers of former schemas."""


def trader_id_everywhere() -> Measured:
    """The former name of a trader's id stands at the border only, and no table has it."""
    root = Path(settings.BASE_DIR)
    files = [file for package in PACKAGES for file in sorted((root / package).rglob("*.py"))]
    found = {str(file.relative_to(root)) for file in files if MODEL_ID in file.read_text(encoding="utf-8")}
    beyond = {name for name in found if not name.startswith(BORDER)}
    columns = {f"{table}.{column}" for table, column in _columns() if column == MODEL_ID}
    figure = _(
        "%(key)s stands in %(border)s of %(files)s files, those of the border, and is the name of %(columns)s columns.",
        key=MODEL_ID,
        border=len(found) - len(beyond),
        files=len(files),
        columns=len(columns),
    )
    return passed_unless(
        [*sorted(beyond), *sorted(columns)],
        figure=figure,
        then=_(
            "Rename it to trader_id at the named places; code that reads old files takes the name from the contract."
        ),
        corrected_by=_("The read API, old files and former schemas keep the name; the border translates it."),
    )


def _columns() -> set[tuple[str, str]]:
    return queries.column_names(queries.relations())
