"""Redis connections that start the embedded Valkey when it is first needed."""

from __future__ import annotations

from typing import Any

from redis.backoff import ExponentialBackoff
from redis.connection import UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from nof0site.embedded.configured import configured_servers


class EmbeddedConnection(UnixDomainSocketConnection):
    def _connect(self) -> Any:
        servers = configured_servers()
        servers.join()
        try:
            return super()._connect()  # type: ignore[no-untyped-call]
        except OSError:
            servers.start_valkey()
            return super()._connect()  # type: ignore[no-untyped-call]


def connection_options() -> dict[str, Any]:
    """Retries cover the moment in which a killed server's socket still accepts connections."""
    return {
        "connection_class": EmbeddedConnection,
        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.02), 3, (RedisConnectionError,)),
        "retry_on_error": [RedisConnectionError],
    }
