"""`save()` of a configuration makes a version, held to all the rules of the form."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import transaction

from tests.factories import BASE, make_trader, save_edit, sync_traders
from traders.models import ManagerConfig, ManagerConfigVersion, TraderConfig, TraderConfigVersion
from traders.schema.actors import os_actor
from traders.schema.paths import ABSENT
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.versioned import VersionRequired, change
from traders.versions import services as configs
from traders.versions.rules.errors import AlreadyExists, ConcurrentChange, UnknownConfig

pytestmark = pytest.mark.django_db

NEW: dict[str, Any] = {
    "exchange_provider": "paper_trading",
    "market_provider": "hyperliquid",
    "allocation_pct": Decimal(5),
}


@pytest.fixture(autouse=True)
def _fleet(db: None) -> None:
    sync_traders(make_trader(), make_trader("other"))


def trader(trader_id: str = "steady_long") -> TraderConfig:
    return TraderConfig.objects.get(pk=trader_id)


def with_risk(row: Any, reason: str = "more room", **leaves: Any) -> Any:
    row.detail = {**row.detail, "risk": {**row.detail["risk"], **leaves}}
    row._change_reason = reason
    return row


def newest(trader_id: str = "steady_long") -> TraderConfigVersion:
    return TraderConfigVersion.objects.filter(id=trader_id).latest("version")


def state_of(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"} | {"adding": row._state.adding}


def test_save_makes_the_next_version() -> None:
    row = with_risk(trader(), max_positions=5)

    row.save()

    made = newest()
    assert (row.version, made.version) == (2, 2)
    assert made.changed_fields == ["detail.risk.max_positions"]
    assert (made.history_change_reason, made.history_user_id, made.source) == ("more room", os_actor(), "python")
    assert made.history_date == made.updated_at == row.updated_at == trader().updated_at
    assert made.history_type == "~"
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] == 5


def test_after_a_save_the_instance_is_as_if_it_were_read_again() -> None:
    row = with_risk(trader(), max_positions=5)
    row.save()

    fields = [field.attname for field in TraderConfig._meta.concrete_fields]
    assert {name: getattr(row, name) for name in fields} == {name: getattr(trader(), name) for name in fields}
    with_risk(row, "again", max_positions=6).save()
    assert newest().version == 3


def test_the_reason_holds_for_one_save() -> None:
    row = with_risk(trader(), max_positions=5)
    row.save()
    row.detail = {**row.detail, "description": "calm"}

    with pytest.raises(InvalidConfig, match="reason is required: set _change_reason before save"):
        row.save()
    assert newest().version == 2


def test_a_first_version_needs_no_reason() -> None:
    detail = trader().detail
    row = TraderConfig(
        id="third",
        exchange_provider="paper_trading",
        market_provider="hyperliquid",
        allocation_pct=Decimal(5),
        detail=detail,
    )
    row.save()

    made = newest("third")
    assert (made.version, made.changed_fields, made.history_change_reason) == (1, [], "initial")
    assert (made.history_type, row.created_by, row.version) == ("+", os_actor(), 1)
    assert trader("third").runtime_state.is_running is False


def test_create_makes_version_1_with_the_reason_of_the_change() -> None:
    with change(reason="a second fleet", actor="mei"):
        TraderConfig.objects.create(
            id="third",
            exchange_provider="paper_trading",
            market_provider="hyperliquid",
            allocation_pct=Decimal(5),
            detail=trader().detail,
        )
    assert (newest("third").history_change_reason, newest("third").history_user_id) == ("a second fleet", "mei")


def test_a_copy_of_an_instance_is_a_new_trader() -> None:
    row = with_risk(trader(), max_positions=5)
    row.save()
    row.pk, row.allocation_pct, row._state.adding = "copy", Decimal(0), True
    row.save()

    assert (row.version, newest("copy").version) == (1, 1)
    assert row.created_at == newest("copy").history_date


@pytest.mark.parametrize(
    ("leaf", "value", "message"),
    [
        ("max_positions", "many", "detail.risk.max_positions must be a whole number"),
        ("max_positions", 10_000, "detail.risk.max_positions must be"),
        ("no_such_setting", 1, "detail.risk.no_such_setting is not a known setting"),
    ],
)
def test_a_wrong_value_is_refused_at_its_path_and_nothing_changes(leaf: str, value: Any, message: str) -> None:
    row = with_risk(trader(), **{leaf: value})
    before = state_of(row)

    with pytest.raises(InvalidConfig, match=message):
        row.save()

    assert state_of(row) == before
    assert newest().version == trader().version == 1


@pytest.mark.parametrize(
    "detail", [None, "text", 5, [], {}, {"risk": 5}, {"schema_version": 9}, {"schema_version": "x"}]
)
def test_a_detail_that_is_no_configuration_is_refused(detail: Any) -> None:
    row = trader()
    row.detail, row._change_reason = detail, "odd"
    before = state_of(row)

    with pytest.raises(InvalidConfig):
        row.save()
    assert state_of(row) == before


def test_a_secret_is_refused() -> None:
    row = trader()
    row.detail = {**row.detail, "description": "key sk-" + "a1B2" * 12}
    row._change_reason = "note"

    with pytest.raises(InvalidConfig, match=r"detail\.description holds what looks like"):
        row.save()


@pytest.mark.parametrize(
    ("value", "message"), [("x" * 1001, "at most 1000"), ("sk-" + "a1B2" * 12, "history keeps secrets for ever")]
)
def test_a_wrong_reason_is_refused(value: str, message: str) -> None:
    with pytest.raises(InvalidConfig, match=message):
        with_risk(trader(), value, max_positions=5).save()


def test_a_prompt_that_is_not_stored_is_refused() -> None:
    row = trader()
    row.detail = {**row.detail, "prompts": {**row.detail["prompts"], "system_sha256": "0" * 64}}
    row._change_reason = "other prompt"

    with pytest.raises(InvalidConfig, match="must be one of the stored prompts"):
        row.save()


def test_a_fleet_that_would_get_too_much_is_refused() -> None:
    row = trader()
    row.allocation_pct, row._change_reason = Decimal(80), "all in"

    with pytest.raises(InvalidConfig, match="makes the fleet's sum 100"):
        row.save()
    assert trader().allocation_pct == 20


def test_an_instance_of_an_older_version_is_refused() -> None:
    row = with_risk(trader(), max_positions=5)
    save_edit("steady_long", detail__description="calm")
    before = state_of(row)

    with pytest.raises(ConcurrentChange, match=r"stored in version 2, the instance is of version 1; read it again"):
        row.save()

    assert state_of(row) == before
    row.refresh_from_db()
    with_risk(row, max_positions=5).save()
    assert newest().version == 3


def test_no_difference_makes_no_version_and_needs_no_reason() -> None:
    row = trader()
    row.allocation_pct = Decimal("20")
    row.save()

    assert (row.version, newest().version) == (1, 1)


def test_a_new_instance_with_an_id_that_is_taken_is_refused() -> None:
    for name in ("steady_long", "Steady_Long"):
        with pytest.raises(AlreadyExists):
            TraderConfig(
                id=name, exchange_provider="paper_trading", market_provider="hyperliquid", allocation_pct=1, detail={}
            ).save()
    with pytest.raises(AlreadyExists):
        trader().save(force_insert=True)


def test_an_instance_whose_id_was_changed_is_refused() -> None:
    row = trader()
    row.pk = "renamed"
    with pytest.raises(UnknownConfig, match="renamed"):
        row.save()


@pytest.mark.parametrize("trader_id", ["@manager", "a b", "", None, "x" * 65])
def test_an_id_that_no_trader_may_have_is_refused(trader_id: Any) -> None:
    with pytest.raises(InvalidConfig, match="id must be"):
        TraderConfig(
            id=trader_id,
            exchange_provider="paper_trading",
            market_provider="hyperliquid",
            allocation_pct=1,
            detail=trader().detail,
        ).save()


def test_update_fields_leave_the_others_as_they_are_stored() -> None:
    row = trader()
    row.allocation_pct, row.exchange_provider, row._change_reason = Decimal(10), "other", "less"
    row.save(update_fields=["allocation_pct"])

    assert newest().changed_fields == ["allocation_pct"]
    assert trader().exchange_provider == BASE["exchange_provider"]
    with pytest.raises(ValueError, match="no such field to update: colour"):
        row.save(update_fields=["colour"])  # type: ignore[misc]
    row.save(update_fields=[])
    assert newest().version == 2


def test_deferred_fields_are_left_as_they_are_stored() -> None:
    row = TraderConfig.objects.only("version", "allocation_pct").get(pk="steady_long")
    row.allocation_pct, row._change_reason = Decimal(10), "less"
    row.save()
    assert newest().changed_fields == ["allocation_pct"]

    row = TraderConfig.objects.only("allocation_pct").get(pk="steady_long")
    row.allocation_pct, row._change_reason = Decimal(5), "less"
    with pytest.raises(ConcurrentChange, match="was read without its version"):
        row.save()


def test_the_actor_is_an_account_or_a_name() -> None:
    user = User.objects.create_user("mei")
    row = with_risk(trader(), max_positions=5)
    row._history_user = user
    row.save()
    assert (newest().history_user_id, newest().account_id) == ("mei", user.pk)

    row._history_user = "night shift"
    with_risk(row, "again", max_positions=6).save()
    assert (newest().history_user_id, newest().account_id) == ("night shift", None)


@pytest.mark.parametrize("actor", ["system", "token:x", "cli:somebody", AnonymousUser()])
def test_an_actor_that_nobody_may_be_is_refused(actor: Any) -> None:
    row = with_risk(trader(), max_positions=5)
    row._history_user = actor

    with pytest.raises(InvalidConfig, match="actor"):
        row.save()


def test_the_fleets_settings_are_saved_in_the_same_way() -> None:
    row = ManagerConfig.objects.get()
    row.detail = {**row.detail, "manager": {**row.detail["manager"], "reserve_equity_pct": Decimal(15)}}
    row._change_reason = "careful"
    row.save()

    made = ManagerConfigVersion.objects.latest("version")
    assert (made.version, made.changed_fields) == (2, ["detail.manager.reserve_equity_pct"])
    row.detail = {**row.detail, "manager": {**row.detail["manager"], "reserve_equity_pct": Decimal(70)}}
    row._change_reason = "too careful"
    with pytest.raises(InvalidConfig, match="reserve"):
        row.save()
    assert configs.existing(FLEET_ID).version == 2


def test_saves_inside_of_a_change_are_one_change_set() -> None:
    with change(reason="review", actor="mei"):
        for name in ("steady_long", "other"):
            row = trader(name)
            row.detail = {**row.detail, "description": "reviewed"}
            row.save()

    first, second = newest("steady_long"), newest("other")
    assert first.change_set == second.change_set
    assert {(one.history_change_reason, one.history_user_id) for one in (first, second)} == {("review", "mei")}
    with_risk(row, max_positions=5).save()
    assert newest("other").change_set > first.change_set


def test_an_error_inside_of_a_change_restores_all_instances() -> None:
    first, second = trader("steady_long"), with_risk(trader("other"), max_positions="many")
    first.detail = {**first.detail, "description": "reviewed"}
    before = state_of(first), state_of(second)

    def save_both() -> None:
        with change(reason="review"):
            first.save()
            assert first.version == 2
            second.save()

    with pytest.raises(InvalidConfig, match="max_positions"):
        save_both()
    assert (state_of(first), state_of(second)) == before
    assert newest("steady_long").version == newest("other").version == 1


def test_a_change_set_has_one_actor() -> None:
    row = trader("other")
    row.detail, row._history_user = {**row.detail, "description": "mine"}, "lee"

    def save_both() -> None:
        with change(reason="review", actor="mei"):
            with_risk(trader(), max_positions=5).save()
            row.save()

    with pytest.raises(InvalidConfig, match="actor must be 'mei'"):
        save_both()


def test_a_change_inside_of_a_change_is_a_change_set_of_its_own() -> None:
    with change(reason="outer", actor="mei"):
        with_risk(trader(), "", max_positions=5).save()
        with change(reason="inner", actor="lee"):
            with_risk(trader("other"), "", max_positions=5).save()

    assert (newest("steady_long").history_change_reason, newest("other").history_user_id) == ("outer", "lee")
    assert newest("steady_long").change_set != newest("other").change_set


def test_versions_compare_by_dotted_path() -> None:
    row = trader()
    row.detail = {**row.detail, "extra": {"note": 1}}
    row.allocation_pct = Decimal(10)
    with_risk(row, max_positions=5).save()
    made = row.history.first()

    delta = made.diff_against(made.prev_record)

    assert [(one.field, one.old, one.new) for one in delta.changes] == [
        ("allocation_pct", Decimal(20), Decimal(10)),
        ("detail.extra.note", ABSENT, 1),
        ("detail.risk.max_positions", 3, 5),
    ]
    assert set(delta.changed_fields) == set(made.changed_fields)
    only = made.diff_against(made.prev_record, included_fields=["detail"], excluded_fields=["detail.extra"])
    assert only.changed_fields == ["detail.risk.max_positions"]
    with pytest.raises(TypeError):
        made.diff_against(ManagerConfigVersion.objects.get())


def test_the_past_is_read_by_moment_and_by_neighbour() -> None:
    row = with_risk(trader(), max_positions=5)
    row.save()
    first = TraderConfigVersion.objects.get(id="steady_long", version=1)

    assert first.next_record is not None
    assert first.next_record.version == 2
    assert row.history.as_of(first.history_date).detail["risk"]["max_positions"] == 3
    assert {old.pk: old.version for old in TraderConfig.history.as_of(first.history_date)}["steady_long"] == 1
    assert row.history.most_recent().version == 2


def test_an_instance_of_the_past_is_saved_only_on_the_version_it_is_of() -> None:
    with_risk(trader(), max_positions=5).save()
    old = TraderConfigVersion.objects.get(id="steady_long", version=1).instance
    old._change_reason = "back"

    with pytest.raises(ConcurrentChange):
        old.save()
    old.pk, old.allocation_pct = "revived", Decimal(0)
    old.save()
    assert newest("revived").version == 1


def test_saving_without_a_version_is_refused() -> None:
    row = with_risk(trader(), max_positions=5)
    with pytest.raises(VersionRequired, match="call save"):
        row.save_without_historical_record()
    with pytest.raises(VersionRequired), transaction.atomic():
        row.save_base()
    with_risk(row, max_positions=5).save()
    assert newest().version == 2


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="database 'default' only"):
        with_risk(trader(), max_positions=5).save(using="replica")
