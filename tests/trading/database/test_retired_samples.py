"""An upgrade retires the sample traders of an older release, names them, and takes no real trader for one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from pytest_django import DjangoDbBlocker

from tests.traders.database.direct import TRADER_DETAIL
from tests.traders.database.scratch import ScratchDatabase, scratch_database
from traders.schema import jsonio

pytestmark = pytest.mark.slow

PROMPTS = "prompts/sample/momentum.tmpl"
BEFORE, AFTER = "0003_removable_sample", "0004_no_exception_for_samples"


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    with django_db_blocker.unblock(), scratch_database() as database:
        yield database


def execute(scratch: ScratchDatabase, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def insert(
    scratch: ScratchDatabase, trader_id: str, *, by: str, source: str, prompt: str = PROMPTS, **detail: Any
) -> None:
    """A trader at version 1."""
    prompts = TRADER_DETAIL["prompts"] | {"system_template": prompt}
    content = jsonio.dumps(TRADER_DETAIL | {"prompts": prompts} | detail)
    with transaction.atomic(using=scratch.alias):
        execute(
            scratch,
            "INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail,"
            " created_by) VALUES (%s, 1, 'paper', 'paper', 1, %s, %s)",
            *(trader_id, content, by),
        )
        execute(
            scratch,
            "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct,"
            " detail, created_by, change_set, source, history_date, history_change_reason, history_type,"
            " history_user_id, created_at, updated_at)"
            " VALUES (%s, 1, 'paper', 'paper', 1, %s, %s, 1, %s, now(), 'initial', '+', %s, now(), now())",
            *(trader_id, content, by, source, by),
        )


def test_an_upgrade_retires_samples_by_a_version_of_their_own(
    scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    scratch.migrate("traders")
    scratch.migrate("trading", BEFORE)
    insert(scratch, "sample_momentum_btc", by="sample", source="sample", display_name="Momentum BTC (sample)")
    insert(scratch, "sample_retired", by="sample", source="sample", retired=True)
    # Of an account called sample: made in the browser, cloned from a sample, synced with --actor sample.
    insert(scratch, "real", by="sample", source="admin", prompt="prompts/real.tmpl")
    insert(scratch, "real_clone", by="sample", source="clone")
    insert(scratch, "real_synced", by="sample", source="sync")
    insert(scratch, "other", by="mei", source="admin")

    scratch.migrate("trading", AFTER)

    versions = execute(
        scratch,
        "SELECT v.id, v.version, v.changed_fields, v.source, v.history_user_id, v.history_change_reason,"
        " v.detail -> 'retired' = 'true', v.detail = c.detail AND v.allocation_pct = c.allocation_pct"
        " FROM trader_config_versions v JOIN trader_config c USING (id) WHERE v.version > 1",
    )
    [(trader_id, version, fields, source, actor, reason, retired, same)] = versions
    assert (trader_id, version, fields) == ("sample_momentum_btc", 2, ["detail.retired"])
    assert (source, actor, retired, same) == ("migration", "system", True, True)
    assert "demo" in reason
    assert execute(scratch, "SELECT count(*) FROM trader_config WHERE version > 1") == [(1,)]
    said = [record.getMessage() for record in caplog.records if "0004" in record.name]
    assert len(said) == 1
    assert "sample_momentum_btc (Momentum BTC (sample)) as version 2" in said[0]

    caplog.clear()
    scratch.migrate("trading", BEFORE)
    scratch.migrate("trading", AFTER)
    assert execute(scratch, "SELECT count(*) FROM trader_config WHERE version > 1") == [(1,)]
    assert [record for record in caplog.records if "0004" in record.name] == []


def test_an_empty_database_is_told_nothing(
    scratch: ScratchDatabase, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    scratch.migrate()
    assert [record for record in caplog.records if record.name.startswith("migrations.")] == []
    assert capsys.readouterr() == ("", "")
