"""Print the URL of the highest database of a Redis server that holds no key: empty_redis.py redis://host:port."""

from __future__ import annotations

import sys

import redis

DATABASES = range(15, 0, -1)


def main(server: str) -> None:
    for number in DATABASES:
        url = f"{server}/{number}"
        with redis.Redis.from_url(url) as client:
            if client.dbsize() == 0:
                print(url)
                return
    raise SystemExit(f"Every database of {server} holds keys; the tests need an empty one.")


if __name__ == "__main__":
    main(sys.argv[1])
