"""A sample fleet with its record, its live store filled, and an export of this minute."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.browser.sample_record import quote_what_is_held, sample_record
from tests.citus import is_citus
from tests.flushing import empty_and_fill
from trading.export.cycle import Exporter
from trading.export.parts.options import Options


@pytest.fixture(scope="module")
def record(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Committed once for the tests of a file, each of which is rolled back; taken away afterwards. Of a plain database:
    its keys are those that the lines want, and tests that drop an index ask for plans in the same transaction."""
    if is_citus():
        pytest.skip("the record of this database is spread")
    with django_db_blocker.unblock():
        try:
            sample_record(traders=2, days=8, trades=60)
            yield
        finally:
            empty_and_fill()
            connection.close()


@pytest.fixture
def sample(record: None, db: None, tmp_path: Path, settings: SettingsWrapper) -> None:
    quote_what_is_held()
    settings.EXPORT_DIR = tmp_path / "export"
    Exporter(Options.configured()).cycle(analytics_seconds=None)
