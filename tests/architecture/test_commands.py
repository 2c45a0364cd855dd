from __future__ import annotations

from io import StringIO

from django.core.management import call_command

from traders.schema.settings.catalogue import TRADER_SETTINGS


def test_describe_settings_prints_every_path() -> None:
    out = StringIO()
    call_command("describe_settings", stdout=out)

    assert [path for path in TRADER_SETTINGS if f"`{path}`" not in out.getvalue()] == []
