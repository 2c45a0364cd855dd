"""Print the URL of the first of some neighbouring databases of a Redis server that hold no key.

empty_redis.py redis://host:port [COUNT]. The highest such databases are taken; COUNT is 4: as many as `make test` has
processes at most.
"""

from __future__ import annotations

import sys

import redis

DATABASES = 16
PROCESSES = 4


def main(server: str, count: int = PROCESSES) -> None:
    for first in range(DATABASES - count, 0, -1):
        if all(is_empty(f"{server}/{number}") for number in range(first, first + count)):
            print(f"{server}/{first}")
            return
    raise SystemExit(f"{server} has no {count} neighbouring databases without keys; the tests need them empty.")


def is_empty(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.dbsize() == 0)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:3]))
