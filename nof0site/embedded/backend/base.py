from __future__ import annotations

from typing import Any

from psycopg import OperationalError

from nof0site.embedded.configured import configured_servers
from nof0site.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        servers = configured_servers()
        servers.join()
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            # Not started yet, killed, or just recovering. A real error comes again.
            servers.start_postgres()
            return super().get_new_connection(conn_params)
