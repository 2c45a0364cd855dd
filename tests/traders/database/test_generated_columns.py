"""The generated columns of `trader_config`: right for configurations, and never an error for any other JSON."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import serializers
from django.db import connection
from django.test import Client
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import TRADERS, text_of
from tests.traders.database.direct import execute, insert_trader
from traders.models import TraderConfig, TraderConfigVersion
from traders.runtime.rules import State
from traders.runtime.states import in_state
from traders.versions import queries as configs

pytestmark = pytest.mark.django_db

NOTHING = (False, "", "", 0)


def columns(trader_id: str = "steady_long") -> tuple[Any, ...]:
    found = TraderConfig.objects.filter(pk=trader_id)
    return found.values_list("retired", "display_name", "model", "decision_interval_seconds").get()


def insert_detail(detail: str, trader_id: str = "odd") -> None:
    """Stores this JSON as a trader and its version, as a program that writes SQL may."""
    execute(
        "INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail)"
        " VALUES (%s, 1, 'paper', 'paper', 0, %s::jsonb)",
        *(trader_id, detail),
    )
    execute(
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " change_set, source, history_date, history_change_reason, history_type, history_user_id)"
        " SELECT id, version, exchange_provider, market_provider, allocation_pct, detail, 1, 'direct',"
        " clock_timestamp(), 'by hand', '+', 'psql' FROM trader_config WHERE id = %s",
        trader_id,
    )


def test_every_way_of_writing_fills_them() -> None:
    sync_traders(make_trader(detail__display_name="Steady"), make_trader("other", detail__llm__model="gpt-9"))
    insert_trader("direct", allocation_pct="0", retired=True)

    assert columns() == (False, "Steady", "deepseek-chat", columns()[3])
    assert columns("other")[2] == "gpt-9"
    assert columns("direct")[0] is True

    save_edit("steady_long", detail__retired=True, detail__llm__decision_interval_seconds=90)
    assert columns() == (True, "Steady", "deepseek-chat", 90)


ODD: list[tuple[str, tuple[Any, ...]]] = [
    *((text, NOTHING) for text in ("[]", "5", '"retired"', "null", "true", "{}", '[{"retired": true}]')),
    ('["retired", "llm", "display_name"]', NOTHING),
    *((f'{{"retired": {text}}}', NOTHING) for text in ('"yes"', '"true"', "1", "null", "[true]", '{"a": true}')),
    ('{"retired": true, "display_name": null}', (True, "", "", 0)),
    ('{"display_name": {"a": 1}, "llm": []}', (False, '{"a": 1}', "", 0)),
    ('{"display_name": 7, "llm": "gpt"}', (False, "7", "", 0)),
    ('{"llm": [{"model": "gpt", "decision_interval_seconds": 60}]}', NOTHING),
    ('{"llm": {"model": ["gpt"], "decision_interval_seconds": [60]}}', (False, "", '["gpt"]', 0)),
    ('{"llm": {"decision_interval_seconds": 89.6}}', (False, "", "", 90)),
    *(
        (f'{{"llm": {{"decision_interval_seconds": {text}}}}}', NOTHING)
        for text in ('"soon"', '"60"', "1e400", "-1e400", "-1", "1000000001", "9223372036854775808", "null", "{}")
    ),
]


def test_no_stored_json_makes_them_fail(editor: Client) -> None:
    for number, (detail, expected) in enumerate(ODD):
        insert_detail(detail, f"odd{number}")
        assert columns(f"odd{number}") == expected, detail

    # Whatever reads them over the fleet goes on: the list, its filters and orders, the sum.
    for query in ("", "o=0", "o=4", "o=5", "q=odd", "state=not_reported", "retired=no", "llm=-"):
        assert editor.get(f"{TRADERS}?{query}").status_code == 200
    shown = text_of(editor.get(TRADERS))
    shares = configs.shares()
    for number, (_detail, expected) in enumerate(ODD):
        assert f"odd{number}" in shown
        assert shares[f"odd{number}"].retired is expected[0]
    assert configs.fleet_sums().traders == sum(not expected[0] for _detail, expected in ODD)
    execute("UPDATE trader_runtime_state SET active_config_version = 1, is_running = true, updated_at = now()")
    for state in State:
        in_state(TraderConfig.objects.all(), state, timezone.now()).count()


def test_a_very_long_text_is_stored() -> None:
    insert_detail(f'{{"display_name": "{"x" * 100_000}"}}')
    assert len(columns("odd")[1]) == 100_000


def test_an_instance_reads_them_again_after_a_save() -> None:
    sync_traders(make_trader())
    trader = TraderConfig.objects.get(pk="steady_long")
    assert trader.retired is False
    trader.detail["retired"] = True
    trader._change_reason = "done"
    trader.save()
    assert trader.retired is True


def test_they_are_no_fields_to_save() -> None:
    sync_traders(make_trader())
    trader = TraderConfig.objects.get(pk="steady_long")
    with pytest.raises(ValueError, match="no such field to update: retired"):
        trader.save(update_fields=["retired"])


def test_versions_do_not_have_them() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__retired=True)

    names = {column.attname for column in TraderConfigVersion._meta.concrete_fields}
    assert names.isdisjoint({"retired", "display_name", "model", "decision_interval_seconds"})
    past = TraderConfigVersion.objects.get(id="steady_long", version=1).instance
    assert past.detail["retired"] is False
    with pytest.raises(AttributeError, match="read its detail"):
        _ = past.retired


def test_a_dump_of_the_table_loads_again() -> None:
    sync_traders(make_trader())
    dumped = serializers.serialize("json", TraderConfig.objects.all())
    for loaded in serializers.deserialize("json", dumped):
        row: Any = loaded.object
        row.version += 1
        loaded.save()
    assert columns()[2] == "deepseek-chat"
    connection.set_rollback(True)  # at commit the database refuses a row without its version
