"""The benchmarks share one Redis: each part finds it empty, and keys of others are never deleted."""

from __future__ import annotations

from contextlib import suppress

import pytest
from django_redis import get_redis_connection

from benchmarks.servers import own_keys, without_keys


def test_each_part_begins_without_the_keys_of_the_one_before() -> None:
    redis = get_redis_connection("default")
    with own_keys():
        with suppress(ZeroDivisionError), without_keys():
            redis.set("nof0:price:latest", "left by a part that fails")
            raise ZeroDivisionError
        at_the_end = redis.dbsize()
        redis.set("nof0:live", "written by a process of that part as it stops")
        with without_keys():
            at_the_beginning = redis.dbsize()

    assert (at_the_end, at_the_beginning, redis.dbsize()) == (0, 0, 0)


def test_a_redis_with_keys_of_others_is_refused_and_left_alone() -> None:
    redis = get_redis_connection("default")
    redis.set("theirs", "1")

    with pytest.raises(SystemExit, match="holds keys already"), own_keys():
        pass

    assert redis.get("theirs") == b"1"
