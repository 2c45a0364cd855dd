from __future__ import annotations

from typing import Any

from psycopg import OperationalError

from nof0site.embedded.configured import configured_servers
from nof0site.embedded.errors import EmbeddedServerError
from nof0site.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        servers = configured_servers()
        try:
            servers.join()
        except EmbeddedServerError as error:
            raise OperationalError(str(error)) from error
        try:
            return super().get_new_connection(conn_params)
        except OperationalError:
            # Not started yet, killed, or just recovering. A real error comes again.
            try:
                servers.start_postgres()
            except (EmbeddedServerError, OSError) as error:
                # Reported as any other unreachable server, so that pages, the engine API and commands explain it.
                raise OperationalError(str(error)) from error
            return super().get_new_connection(conn_params)
