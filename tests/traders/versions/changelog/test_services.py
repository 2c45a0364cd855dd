from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.factories import make_file, make_trader, new_trader, save_edit, sync_traders
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.bulk.proposal import save_for_traders
from traders.versions.changelog import queries as log
from traders.versions.changelog import services as changelog
from traders.versions.changelog.queries import Filter, PathCount
from traders.versions.rules.errors import UnknownChangeSet

pytestmark = pytest.mark.django_db

LEVERAGE, POSITIONS = "detail.risk.major_coin_leverage", "detail.risk.max_positions"
CAPITAL = "detail.manager.total_equity_usd"


@pytest.fixture(autouse=True)
def _history() -> None:
    """A sync of two, then one edit each by two people, and one of the fleet's settings."""
    sync_traders(make_trader("a"), make_trader("b"))
    save_edit("a", actor="mei", reason="cut", detail__risk__major_coin_leverage=10)
    save_edit("b", actor="lee", reason="room", detail__risk__max_positions=5)
    save_edit(FLEET_ID, actor="mei", reason="capital", detail__manager__total_equity_usd=Decimal(5))


def reasons(where: Filter) -> list[str]:
    return [line.reason for line in changelog.page(where).lines]


def test_a_change_set_is_one_line_newest_first() -> None:
    lines = changelog.page(Filter()).lines

    assert [(line.reason, line.configs) for line in lines] == [("capital", 1), ("room", 1), ("cut", 1), ("initial", 3)]
    assert lines[-1].created == 3
    assert lines[2].config_ids == ("a",)
    assert lines[2].counts == (PathCount(LEVERAGE, 1, 0),)
    assert lines[1].counts == (PathCount(POSITIONS, 1, 1),)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Filter(config_id="a"), ["cut", "initial"]),
        (Filter(config_id=FLEET_ID), ["capital", "initial"]),
        (Filter(actor="mei"), ["capital", "cut"]),
        (Filter(source="sync"), ["initial"]),
        (Filter(paths=frozenset({LEVERAGE})), ["cut"]),
        (Filter(paths=frozenset({LEVERAGE}), config_id="b"), []),
        (Filter(paths=frozenset({LEVERAGE, CAPITAL})), ["capital", "cut"]),
        (Filter(paths=frozenset({LEVERAGE, POSITIONS}), actor="mei"), ["cut"]),
        (Filter(paths=frozenset({LEVERAGE, POSITIONS}), actor="lee", source="admin"), ["room"]),
        (Filter(paths=frozenset({LEVERAGE}), source="sync"), []),
        (Filter(raises=True), ["room"]),
        (Filter(raises=True, paths=frozenset({LEVERAGE})), []),
        (Filter(raises=True, paths=frozenset({POSITIONS}), actor="lee"), ["room"]),
        (Filter(raises=True, actor="mei"), []),
        (Filter(raises=True, since=datetime(2020, 1, 1, tzinfo=UTC)), ["room"]),
        (Filter(raises=True, config_id=FLEET_ID), []),
    ],
)
def test_the_log_is_filtered(where: Filter, expected: list[str]) -> None:
    assert reasons(where) == expected


def test_when_did_leverage_change_is_one_filter_away() -> None:
    paths = changelog.paths_matching("Leverage")

    assert paths == {LEVERAGE, "detail.risk.altcoin_leverage"}
    assert reasons(Filter(paths=paths)) == ["cut"]


def test_a_period_holds_its_beginning_and_not_its_end() -> None:
    cut, room = configs.existing("a").changed_at, configs.existing("b").changed_at

    assert reasons(Filter(since=cut, until=room)) == ["cut"]
    assert reasons(Filter(since=room, paths=frozenset({LEVERAGE, POSITIONS}))) == ["room"]


def test_pages_follow_each_other_without_gap_or_repetition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "PAGE", 3)

    first = changelog.page(Filter())
    second = changelog.page(Filter(), before=first.next_before)

    assert [line.reason for line in (*first.lines, *second.lines)] == ["capital", "room", "cut", "initial"]
    assert second.next_before is None


def test_an_opened_change_set_shows_what_each_configuration_was() -> None:
    report = sync(
        file=make_file(make_trader("a", detail__auto_start=True), make_trader("b"), make_trader("c")), actor="x"
    )
    assert report.change_set is not None

    opened = {changed.after.config_id: changed for changed in changelog.opened(report.change_set)}

    assert [(c.path, c.old, c.new) for c in opened["a"].changes] == [("detail.auto_start", False, True)]
    assert opened["c"].before is None
    with pytest.raises(UnknownChangeSet):
        changelog.opened(10**9)


def test_the_csv_has_every_version_and_no_formula() -> None:
    new_trader("evil")
    save_edit("evil", actor="mei", reason='=HYPERLINK("http://x","y")', detail__risk__max_positions=6)

    head, *lines = csv.reader("".join(changelog.csv_lines(Filter())).splitlines())

    assert head[:3] == ["change_set", "config_id", "version"]
    assert len(lines) == 8
    newest = dict(zip(head, lines[0], strict=True))
    assert newest["reason"].startswith("'=HYPERLINK")
    assert (newest["path"], newest["old"], newest["new"], newest["raises_risk"]) == (POSITIONS, "3", "6", "yes")
    assert any(line[1] == f"'{FLEET_ID}" for line in lines)


def test_rows_read_in_batches_are_all_of_them_once() -> None:
    whole = list(log.rows(Filter()))

    assert len(whole) == 6
    assert [list(log.rows(Filter(), batch=size)) for size in (1, 2, 3)] == [whole] * 3


def test_people_and_sources_are_offered_once_each() -> None:
    assert log.actors() == ["cli:test", "lee", "mei"]
    assert log.sources() == ["admin", "sync"]


def test_what_raises_risk_is_asked_of_the_trader_that_is_looked_for() -> None:
    """One change set raises the risk of one trader and lowers that of the other."""
    flats = {"a": {"detail.risk.max_positions": 9}, "b": {"detail.risk.max_positions": 1}}
    save_for_traders(
        config_ids=["a", "b"],
        decide=lambda current: current.flat | flats[current.config_id],
        seen={"a": 2, "b": 2},
        reason="both ways",
        actor="mei",
        source="bulk",
    )
    assert reasons(Filter(raises=True, config_id="a")) == ["both ways"]
    assert reasons(Filter(raises=True, config_id="b")) == ["room"]
    [line] = changelog.page(Filter(raises=True, config_id="a", paths=frozenset({POSITIONS}))).lines
    assert (line.configs, line.counts) == (1, (PathCount(POSITIONS, 2, 1),))
    assert reasons(Filter(raises=True, config_id="a", paths=frozenset({LEVERAGE}))) == []
    head, *lines = csv.reader("".join(changelog.csv_lines(Filter(raises=True))).splitlines())
    named = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(row["config_id"], row["old"], row["new"]) for row in named] == [("a", "3", "9"), ("b", "3", "5")]


def test_values_of_all_kinds_are_in_the_csv_and_none_is_a_formula() -> None:
    extra: dict[str, Any] = {"detail.extra.note": "+1", "detail.extra.list": [1, "x"]}
    save_edit(
        "a",
        reason="all kinds",
        allocation_pct=Decimal("12.50"),
        detail__display_name="=cmd()",
        detail__auto_start=True,
        detail__exec_guards__allowed_symbols=["@107", "BTC"],
        detail__exec_guards__sharpe_pause_threshold=Decimal("-1.5"),
        **extra,
    )
    head, *lines = csv.reader("".join(changelog.csv_lines(Filter(config_id="a", actor="mei"))).splitlines())
    found = {row["path"]: (row["old"], row["new"]) for row in (dict(zip(head, one, strict=True)) for one in lines)}
    assert found["allocation_pct"] == ("20.00", "12.50")
    assert found["detail.display_name"] == ("Steady Long", "'=cmd()")
    assert found["detail.auto_start"] == ("false", "true")
    assert found["detail.exec_guards.allowed_symbols"] == ("", "'@107 BTC")
    assert found["detail.exec_guards.sharpe_pause_threshold"] == ("0", "-1.5")
    assert found["detail.extra.note"] == ("", "'+1")
    assert found["detail.extra.list"] == ("", '[1,"x"]')
