from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.traders.database.scratch import ScratchDatabase, scratch_database


@pytest.fixture
def scratch(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[ScratchDatabase]:
    """Not together with the `django_db` mark, which shuts every database but its own."""
    with django_db_blocker.unblock(), scratch_database() as database:
        yield database
