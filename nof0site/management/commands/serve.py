"""Start everything the site needs and serve it: what `make run` does once the packages are installed."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections

from nof0site.environment.variables import env_int
from nof0site.hosts import is_loopback
from nof0site.postgresql.role_limits import keep_role_limits
from nof0site.serving import prepare
from nof0site.serving.exporting import alarms_beside, demo_feed_beside, exporter_beside, manager_beside
from nof0site.serving.port import require_free
from nof0site.serving.runfile import announced
from nof0site.serving.web import serve
from trading.export.status.board import Board


class Command(BaseCommand):
    help = "Prepare the database and the static files, then serve the site until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen at (default 8000)")

    def handle(self, *args: Any, host: str, port: int, **options: Any) -> None:
        require_free(host, port)
        with announced(settings.DATA_DIR, port):
            password = self._prepare()
            connections.close_all()
            board = Board()
            with exporter_beside(board), alarms_beside(board), manager_beside(board), demo_feed_beside(board):
                serve(
                    host,
                    port,
                    board=board,
                    workers=env_int("WEB_WORKERS", default=1, minimum=1),
                    on_listening=lambda: self._greet(host, port, password),
                )
        self.stdout.write("Stopped.")

    def _prepare(self) -> str | None:
        prepare.require_storage(self.stdout)
        with prepare.one_at_a_time():
            prepare.migrate(self.stdout)
            keep_role_limits()
            if settings.DEMO:
                prepare.make_demo(self.stdout)
            prepare.import_once(self.stdout)
            password = prepare.create_first_account()
        prepare.collect_static_files()
        return password

    def _greet(self, host: str, port: int, password: str | None) -> None:
        lines = [
            "",
            f"NOF0 Control    {_url(host, port)}",
            f"Read API        {_url(host, port)}api/health, files in {settings.EXPORT_DIR}",
            f"Data            {_where_data_lies()}",
            f"Settings        {settings.BASE_DIR / '.env'} (.env.example lists them)",
        ]
        if settings.RUN_MANAGER:
            lines.insert(3, "Manager         runs traders on paper (docs/manager.md)")
        if settings.DEMO:
            lines.insert(3, "Prices          are simulated, as are the reports of the sample's traders")
        if password:
            lines.append(f"First account   user {prepare.FIRST_USER}, password {password} (shown only now)")
        else:
            lines.append(f"Lost password   {_make('password')}")
        lines.append(f"Stop            Ctrl-C, or `{_make('stop')}` in another terminal")
        lines += [f"Note            {note}" for note in _notes(host)]
        self.stdout.write("\n".join(lines) + "\n")
        self.stdout.flush()


def _url(host: str, port: int) -> str:
    """Where a browser on this machine finds the site; the wildcard addresses are no address to go to."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{port}/"


def _make(target: str) -> str:
    return f"NOF0_DEMO=1 make {target}" if settings.DEMO else f"make {target}"


def _where_data_lies() -> str:
    postgres = "the PostgreSQL of DATABASE_URL" if settings.DATABASE_URL else f"PostgreSQL in {settings.DATA_DIR}"
    valkey = "the Redis of REDIS_URL" if settings.REDIS_URL else "Valkey in the same directory"
    if settings.DATABASE_URL and not settings.REDIS_URL:
        valkey = f"Valkey in {settings.DATA_DIR}"
    return f"{postgres}, {valkey}"


def _notes(host: str) -> list[str]:
    notes = []
    if not is_loopback(host) and settings.LOOPBACK_ONLY:
        notes.append(
            f"the site listens at {host}, but answers only to {', '.join(settings.ALLOWED_HOSTS)}. "
            "Name the hosts it is reached by in ALLOWED_HOSTS."
        )
    if settings.HTTPS:
        notes.append("HTTPS is on: plain HTTP is redirected, so put a proxy that speaks TLS in front.")
    if settings.API_ACCESS_NOTE:
        notes.append(settings.API_ACCESS_NOTE)
    return notes
