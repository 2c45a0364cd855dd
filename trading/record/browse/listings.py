"""What makes the lists of trades, positions and decisions differ from each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import JSONField, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy

from traders.schema.jsonio import ExactDecoder
from trading.models import DecisionJournal
from trading.record.browse import services as record_export
from trading.record.browse import totals
from trading.record.browse.forms import DecisionFilterForm, PositionFilterForm, RecordFilterForm, TradeFilterForm
from trading.record.browse.services import ExportedColumns
from trading.record.stored import rows
from trading.schema.exclusion import RecordKind
from trading.schema.tolerant import DetailReading

_WITHOUT_TEXTS = """
CASE WHEN jsonb_typeof(detail) = 'object' THEN detail - 'prompt' - 'answer' ELSE detail END
"""


@dataclass(frozen=True)
class RecordListing:
    """What makes one list of the record differ from another. `rows` leaves out the columns that are too long to sort,
    and `complete` reads what the page needs of them; `read` gives the `detail` of a row, or raises NotReadable."""

    form: type[RecordFilterForm]
    exported: ExportedColumns
    read: Callable[[Any], DetailReading[Any]]
    totals: Callable[..., Any]
    kind: RecordKind
    words: Mapping[str, Any]
    sums_template: str
    rows: Callable[[QuerySet[Any]], QuerySet[Any]] = lambda matching: matching
    complete: Callable[[Sequence[Any]], None] = lambda page: None
    command: str = "import_arena"


def _without_detail(matching: QuerySet[Any]) -> QuerySet[Any]:
    return matching.defer("detail")


def _add_details_without_texts(page: Sequence[Any]) -> None:
    """A prompt and its answer may be very long, and a list shows the model alone. Only for the rows of the page: to
    sort thousands of decisions by another column, PostgreSQL would unpack the texts of each."""
    brief = RawSQL(_WITHOUT_TEXTS, [], output_field=JSONField(decoder=ExactDecoder))
    of_page = DecisionJournal.objects.named([row.pk for row in page], {row.trader_id for row in page})
    found = of_page.annotate(brief=brief, model=KT("detail__answer__model")).values_list("pk", "brief", "model")
    details = {pk: (detail, model) for pk, detail, model in found}
    for row in page:
        row.detail, row.model = details[row.pk]


TRADE_LIST = RecordListing(
    form=TradeFilterForm,
    exported=record_export.TRADE,
    read=rows.trade_detail,
    totals=totals.of_trades,
    kind=RecordKind.TRADE,
    words={
        "find": gettext_lazy("Find trades"),
        "none_matches": gettext_lazy("No trade matches"),
        "none_yet": gettext_lazy("No trades yet"),
        "open": gettext_lazy("Ticket"),
    },
    sums_template="trading/list/sums_of_trades.html",
)
POSITION_LIST = RecordListing(
    form=PositionFilterForm,
    exported=record_export.POSITION,
    read=rows.position_detail,
    totals=totals.of_positions,
    kind=RecordKind.POSITION,
    words={
        "find": gettext_lazy("Find positions"),
        "none_matches": gettext_lazy("No position matches"),
        "none_yet": gettext_lazy("No positions yet"),
        "open": gettext_lazy("Ticket"),
    },
    sums_template="trading/list/sums_of_positions.html",
)
DECISION_LIST = RecordListing(
    form=DecisionFilterForm,
    exported=record_export.DECISION,
    rows=_without_detail,
    complete=_add_details_without_texts,
    read=rows.decision_detail,
    totals=totals.of_decisions,
    kind=RecordKind.DECISION,
    words={
        "find": gettext_lazy("Find decisions"),
        "none_matches": gettext_lazy("No decision matches"),
        "none_yet": gettext_lazy("No decisions yet"),
        "open": gettext_lazy("View"),
    },
    sums_template="trading/list/sums_of_decisions.html",
    command="import_journal",
)
