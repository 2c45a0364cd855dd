"""Columns and conditions that the tables of the trading record share."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from traders.models import TraderConfig
from traders.schema.jsonio import ExactDecoder, ExactEncoder
from trading.fields import NumericField
from trading.schema.leaf import LARGEST

SIDES = ["long", "short"]


def detail_column() -> models.JSONField[Any, Any]:
    return models.JSONField(encoder=ExactEncoder, decoder=ExactDecoder)


def trader_column(related_name: str) -> models.ForeignKey[Any, Any]:
    """Every index that begins with the trader serves the foreign key as well."""
    return models.ForeignKey(TraderConfig, on_delete=models.PROTECT, related_name=related_name, db_index=False)


def generated_column(path: str, output: models.Field[Any, Any]) -> models.GeneratedField:
    """A stored column over a path of `detail`. Plain numeric: with digits given, it would round."""
    return models.GeneratedField(expression=Cast(KT(path), output), output_field=output, db_persist=True)


def generated_number(path: str) -> models.GeneratedField:
    """The number at this dotted path below `detail`; NULL for what is no number, or beyond `leaf.LARGEST`: a row of
    another program is stored all the same."""
    found = f'strict $.{path} ? (@.type() == "number" && @ >= -{LARGEST:f} && @ <= {LARGEST:f})'
    number = models.Func("detail", template=f"jsonb_path_query_first(%(expressions)s, '{found}', '{{}}', true)")
    return models.GeneratedField(expression=Cast(number, NumericField()), output_field=NumericField(), db_persist=True)


def generated_flag(*paths: str) -> models.GeneratedField:
    """Whether `detail` has anything at one of these JSON paths. Lax and silent: what has another form has nothing."""
    either = " OR ".join(f"jsonb_path_exists(%(expressions)s, '{path}', '{{}}', true)" for path in paths)
    return models.GeneratedField(
        expression=models.Func("detail", template=f"({either})", output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )


def generated_texts(path: str) -> models.GeneratedField:
    """All texts at a JSON path of `detail`, as the text of a JSON list: a plain text, which LIKE looks through."""
    found = f"jsonb_path_query_array(%(expressions)s, '{path}', '{{}}', true)::text"
    return models.GeneratedField(
        expression=models.Func("detail", template=found, output_field=models.TextField()),
        output_field=models.TextField(),
        db_persist=True,
    )


def exclusion_column() -> models.ForeignKey[Any, Any]:
    """The entry of `record_exclusions` that set the row aside; NULL: the row counts.

    Written by the database alone, when the entry is inserted (`migrations/trading`). No constraint: it would cost a
    check for each of the millions of rows that are copied in.
    """
    return models.ForeignKey(
        "trading.RecordExclusion",
        on_delete=models.DO_NOTHING,
        null=True,
        editable=False,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )


COUNTED = models.Q(exclusion__isnull=True)
SET_ASIDE = models.Q(exclusion__isnull=False)
# Equity that counts: `EQUITY_IS_GOOD` of `trading.record.stored.safe_sql` says the same in SQL.
EQUITY_COUNTED = COUNTED & models.Q(is_suspect=False)
# `is_funding_unknown` of `trading.record.stored.safe_sql` says the same in SQL.
FUNDING_UNKNOWN = models.Q(detail__pnl__is_funding_unknown=True)
OPEN_AND_COUNTED = models.Q(status="open") & COUNTED
# A decision after which something was done, or was to be done: `DecisionJournal.has_order` and its neighbours.
DID_SOMETHING = models.Q(has_order=True) | models.Q(has_refusal=True) | models.Q(success=False)
