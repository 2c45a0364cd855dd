"""What the lists of the record filter, sort and sum by: columns of positions and decisions, and three indexes.

All columns of a table are added at once: each statement that adds some writes the whole table again."""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models.functions import Cast

from migrations.columns_at_once import AddColumns
from migrations.stored_rules import LARGEST
from trading.fields import NumericField

_ORDER = '@.action != "hold" && @.action != "wait"'
_HAS_ORDER = (
    f"$.actions[*] ? (@.ok == true && {_ORDER})",
    f"$ ? (!exists(@.actions[*])).decisions[*] ? ({_ORDER})",
)
_HAS_REFUSAL = (f"$.actions[*] ? (@.ok == false && {_ORDER})", "$.actions[*].refused_by[*]")


def _number(path: str) -> Any:
    found = f'strict $.{path} ? (@.type() == "number" && @ >= -{LARGEST:f} && @ <= {LARGEST:f})'
    number = models.Func("detail", template=f"jsonb_path_query_first(%(expressions)s, '{found}', '{{}}', true)")
    return models.GeneratedField(expression=Cast(number, NumericField()), output_field=NumericField(), db_persist=True)


def _flag(*paths: str) -> Any:
    either = " OR ".join(f"jsonb_path_exists(%(expressions)s, '{path}', '{{}}', true)" for path in paths)
    return models.GeneratedField(
        expression=models.Func("detail", template=f"({either})", output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )


def _texts(path: str) -> Any:
    found = f"jsonb_path_query_array(%(expressions)s, '{path}', '{{}}', true)::text"
    return models.GeneratedField(
        expression=models.Func("detail", template=found, output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
    )


_OF_DECISIONS = {
    "has_order": _flag(*_HAS_ORDER),
    "has_refusal": _flag(*_HAS_REFUSAL),
    "prompt_tokens": _number("usage.prompt_tokens"),
    "completion_tokens": _number("usage.completion_tokens"),
    "cost_usd": _number("usage.cost_usd"),
    **{f"asked_{name}s": _texts(f"$.decisions[*].{name}") for name in ("symbol", "action")},
}


class Migration(migrations.Migration):
    dependencies = [("trading", "0025_alarms_on_pages")]

    operations = [
        AddColumns("decisionjournal", _OF_DECISIONS),
        AddColumns("position", {"closed_pnl": _number("close.pnl")}),
        migrations.AddIndex(
            "decisionjournal",
            models.Index(
                fields=["decided_at", "trader"],
                condition=models.Q(has_order=True) | models.Q(has_refusal=True) | models.Q(success=False),
                name="idx_journal_did",
            ),
        ),
        migrations.AddIndex("position", models.Index(fields=["closed_pnl", "trader"], name="idx_positions_pnl")),
        migrations.AddIndex("trade", models.Index(fields=["net_pnl", "trader"], name="idx_trades_pnl")),
    ]
