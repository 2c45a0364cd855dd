"""Which database a row is read from and written to."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.db import router

from traders.accounts.rules import Role
from traders.database import reading

LINKS = Group.permissions.through


@pytest.mark.parametrize(
    ("of_group", "written"), [(None, "default"), ("default", "default"), (reading.REPLICA, "default"), ("old", "old")]
)
def test_what_refers_to_a_row_is_written_where_the_row_is(of_group: str | None, written: str) -> None:
    group = Group(name=Role.VIEWER)
    group._state.db = of_group
    assert router.db_for_write(LINKS, instance=group) == written
    assert router.db_for_write(Group) == "default"


def test_what_refers_to_a_row_of_another_database_is_read_there() -> None:
    group = Group(name=Role.VIEWER)
    group._state.db = "old"
    assert router.db_for_read(LINKS, instance=group) == "old"
    group._state.db = reading.REPLICA
    assert router.db_for_read(LINKS, instance=group) == "default"
