from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import ask
from traders.versions import services as configs

pytestmark = pytest.mark.django_db


def printed(*arguments: str) -> list[dict[str, object]]:
    out = StringIO()
    call_command("config_at", *arguments, stdout=out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_each_trader_is_printed_as_it_stood() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    first = configs.existing("a").changed_at
    save_edit("a", detail__risk__max_positions=9)

    assert [(line["id"], line["version"]) for line in printed(first.isoformat())] == [("a", 1), ("b", 1)]
    (now,) = printed(configs.existing("a").changed_at.isoformat(), "--trader", "a")
    assert (now["version"], now["detail"]["risk"]["max_positions"]) == (2, 9)  # type: ignore[index]


def test_the_version_that_was_pinned_then_is_named_beside_the_newest() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    save_edit("a", detail__risk__max_positions=9)
    (pin,) = ask("pin", "a", version=1)
    (unpin,) = ask("unpin", "a")

    def versions(moment: datetime) -> list[tuple[object, object]]:
        return [(line["version"], line["pinned_version"]) for line in printed(moment.isoformat())]

    assert versions(pin.control.at - timedelta(microseconds=1)) == [(2, None), (1, None)]
    assert versions(pin.control.at) == [(2, 1), (1, None)]
    assert versions(unpin.control.at) == [(2, None), (1, None)]


def test_a_moment_before_everything_prints_nothing_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    sync_traders(make_trader("a"))
    before = configs.existing("a").changed_at - timedelta(microseconds=1)

    assert printed(before.isoformat()) == []
    assert capsys.readouterr().err == "There was no configuration at that moment.\n"


def test_a_trader_that_was_not_there_then_is_said() -> None:
    sync_traders(make_trader("a"))

    with pytest.raises(CommandError, match="there is no trader 'a' at 2020-01-01T00:00:00"):
        call_command("config_at", "2020-01-01", "--trader", "a")


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "2026-11-01T25:00", "12:00"])
def test_what_is_no_moment_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(CommandError, match="write it like 2026-11-01T12:00Z"):
        call_command("config_at", text)


def test_the_future_is_refused() -> None:
    with pytest.raises(CommandError, match="2999-01-01 is yet to come"):
        call_command("config_at", "2999-01-01")
