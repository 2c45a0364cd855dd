"""Whatever is stored comes out of the form as it went in."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given

from tests.factories import make_trader
from tests.strategies import fleet_specs, trader_specs
from tests.traders.versions.edit.forms.helpers import form_of, submitted
from traders.schema.paths import diff
from traders.schema.settings.catalogue import FLEET_SETTINGS
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import flat_of
from traders.schema.settings.trader import TraderSpec


@given(trader_specs())
def test_a_trader_that_nobody_touched_does_not_change(spec: TraderSpec) -> None:
    form = submitted(flat_of(spec))

    assert form.is_valid(), form.errors
    assert diff(flat_of(spec), form.flat()) == []
    assert not any(part.changed for part in form.parts())


@given(fleet_specs())
def test_fleet_settings_that_nobody_touched_do_not_change(spec: FleetSpec) -> None:
    form = submitted(flat_of(spec), settings=FLEET_SETTINGS)

    assert form.is_valid(), form.errors
    assert diff(flat_of(spec), form.flat()) == []


def test_numbers_are_typed_as_people_write_them() -> None:
    fields = form_of(flat_of(make_trader(allocation_pct=Decimal("40.00")))).fields
    assert fields["allocation_pct"].initial == "40"
    assert fields["detail.llm.decision_interval_seconds"].initial == "3m"


def test_durations_are_read_in_words_and_in_seconds() -> None:
    flat = flat_of(make_trader())
    path = "detail.llm.decision_interval_seconds"
    for text, seconds in (("1h30m", 5400), ("90s", 90), ("300", 300), (" 5m ", 300)):
        form = submitted(flat, detail__llm__decision_interval_seconds=text)
        assert form.is_valid()
        assert form.flat()[path] == seconds


def test_a_symbol_with_a_mark_that_parts_names_stands_in_quotes() -> None:
    path = "detail.exec_guards.allowed_symbols"
    names = ["BTC", ";", "A,B", '"X', 'Y"Z', '"a;b"', "北、京"]
    flat = {**flat_of(make_trader()), path: names}
    form = submitted(flat)
    assert form.is_valid()
    assert form.flat()[path] == names
    form = submitted(flat, detail__exec_guards__allowed_symbols='BTC, ETH；"A,B"\nSOL "half')
    assert form.is_valid()
    assert form.flat()[path] == ["BTC", "ETH", "A,B", "SOL", '"half']
