from __future__ import annotations

from typing import Any

from tests.factories import EXECUTOR_PROMPT, SYSTEM_PROMPT, make_trader
from tests.traders.versions.edit.forms.helpers import NOTHING_KNOWN, form_of, submitted
from traders.schema.messages import _
from traders.schema.problems import Problem
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import SettingKind
from traders.schema.settings.stored import flat_of
from traders.versions.edit.forms.config import ConfigForm, defaults
from traders.versions.edit.names import FormChoices

TRADER = flat_of(make_trader())


def test_every_setting_but_the_kept_ones_has_a_labelled_input() -> None:
    for settings in (TRADER_SETTINGS, FLEET_SETTINGS):
        form = ConfigForm(settings=settings, base=defaults(settings), known=NOTHING_KNOWN)
        shown = {line.setting.path for part in form.parts() for line in part.lines}
        assert shown == {path for path, setting in settings.items() if setting.kind is not SettingKind.DERIVED}
        assert all(line.bound.label for part in form.parts() for line in part.lines)


def test_only_a_setting_that_waits_for_a_restart_says_so() -> None:
    fields = ConfigForm(settings=FLEET_SETTINGS, base=defaults(FLEET_SETTINGS), known=NOTHING_KNOWN).fields
    said = "A change applies at a restart of the engine."
    assert str(fields["detail.monitoring.update_interval_seconds"].help_text).endswith(said)
    assert said not in str(fields["detail.manager.total_equity_usd"].help_text)


def test_groups_come_in_the_order_of_the_schema() -> None:
    titles = [part.title for part in form_of(TRADER).parts()]
    assert titles == [
        *("Identity", "Providers and capital", "Prompts", "Model", "Orders"),
        *("Risk", "Execution guards", "Journal", "Extra"),
    ]


def test_a_wrong_number_is_kept_as_it_was_typed() -> None:
    form = submitted(TRADER, detail__risk__max_positions="20x")

    assert form.is_valid()
    assert form.flat()["detail.risk.max_positions"] == "20x"
    form.add_problems([Problem("detail.risk.max_positions", _("must be a whole number, was '20x'"))])
    assert form.errors["detail.risk.max_positions"] == ["Must be a whole number, was '20x'."]
    assert form["detail.risk.max_positions"].value() == "20x"


def test_problems_land_on_their_fields() -> None:
    form = submitted(TRADER)
    form.add_problems(
        [
            Problem("detail.prompts.system_sha256", _("is not known")),
            Problem("detail.extra.team", _("is odd")),
            Problem("detail.exec_guards", _("alt_position_value_min_equity_multiple (5) must not exceed it")),
            Problem("somewhere.else", _("is wrong")),
        ]
    )

    assert set(form.errors) == {
        "detail.prompts.system_template",
        "detail.extra",
        "detail.exec_guards.alt_position_value_min_equity_multiple",
        "__all__",
    }
    assert form.non_field_errors() == ["somewhere.else is wrong"]


def test_the_first_wrong_field_of_the_page_gets_the_focus() -> None:
    form = submitted(TRADER)
    form.add_problems([Problem("detail.journal.dir", _("is wrong")), Problem("allocation_pct", _("is wrong"))])
    form.focus_first_wrong()

    assert form.first_wrong() == "allocation_pct"
    assert "autofocus" in str(form["allocation_pct"])
    assert "autofocus" not in str(form["detail.journal.dir"])


def test_what_changed_says_what_it_was() -> None:
    form = submitted(TRADER, detail__risk__major_coin_leverage="10", allocation_pct="20.0")
    changed = {line.setting.path: line.was for part in form.parts() for line in part.lines if line.changed}

    assert changed == {"detail.risk.major_coin_leverage": "20x"}


def test_a_prompts_three_paths_move_together() -> None:
    known = FormChoices((), (), (), prompts=(SYSTEM_PROMPT, EXECUTOR_PROMPT))
    form = form_of(TRADER, known=known)
    choices = dict(form.fields["detail.prompts.system_template"].widget.choices)
    executor = next(value for value in choices if "executor" in value)
    data = {"reason": "x", "detail.prompts.system_template": executor}
    chosen = ConfigForm(data, settings=TRADER_SETTINGS, base=TRADER, known=known)
    chosen.full_clean()

    field: Any = chosen.fields["detail.prompts.system_template"]
    moved = field.values(chosen.cleaned_data["detail.prompts.system_template"])
    assert moved == {
        "detail.prompts.system_template": EXECUTOR_PROMPT.path,
        "detail.prompts.system_version": EXECUTOR_PROMPT.version,
        "detail.prompts.system_sha256": EXECUTOR_PROMPT.sha256,
    }


def test_a_prompt_that_nobody_stored_cannot_be_posted() -> None:
    form = submitted(TRADER, detail__prompts__system_template='["/etc/passwd","",null]')
    assert "detail.prompts.system_template" in form.errors


def test_the_providers_in_use_stay_a_choice() -> None:
    known = FormChoices(exchange_providers=("okx",), market_providers=(), models=(), prompts=())
    widget = form_of(TRADER, known=known).fields["exchange_provider"].widget
    assert [value for value, _label in widget.choices] == ["paper_trading", "okx"]


def test_a_reason_is_required() -> None:
    assert submitted(TRADER, reason="  ").errors["reason"] == ["Say why, in a few words."]
