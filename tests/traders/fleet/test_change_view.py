"""The stock change view of Django's admin, made from the declared settings."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import flatten_fieldsets
from django.forms import ModelForm
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import TRADERS, change_url, form_data, hidden_fields, save, text_of
from traders.models import TraderConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.edit.forms.config import NEW_ID, REASON
from traders.versions.rules.proposal import settings_of

pytestmark = pytest.mark.usefixtures("fleet")


def opened(client: Client, config_id: str = "steady_long") -> Any:
    return client.get(change_url(config_id)).context["adminform"]


def test_the_form_is_a_model_form_with_a_field_for_each_setting(editor: Client) -> None:
    form = opened(editor).form
    declared = {path for path in settings_of("steady_long") if path in form.fields}
    assert isinstance(form, ModelForm)
    assert set(form.fields) == declared | {REASON}
    assert form.instance == TraderConfig.objects.get(pk="steady_long")


@pytest.mark.parametrize("config_id", ["steady_long", FLEET_ID])
def test_the_fieldsets_hold_each_field_once(login: Any, config_id: str) -> None:
    adminform = opened(login("superuser"), config_id)
    assert sorted(flatten_fieldsets(adminform.fieldsets)) == sorted(adminform.form.fields)


def test_a_new_trader_has_a_field_for_its_id(editor: Client) -> None:
    adminform = editor.get(f"{TRADERS}add/").context["adminform"]
    assert NEW_ID in flatten_fieldsets(adminform.fieldsets)


def test_an_id_that_looks_quoted_is_taken_as_it_is(editor: Client) -> None:
    sync_traders(make_trader(), make_trader("btc_50"))
    assert opened(editor, "btc_50").form.instance.pk == "btc_50"
    save(editor, "btc_50", detail__risk__max_positions="4")
    assert configs.existing("btc_50").version == 2


def test_a_save_writes_nothing_but_the_version(editor: Client) -> None:
    before: Any = TraderConfig.objects.values().get(pk="steady_long")
    save(editor, detail__risk__max_positions="4")
    after: Any = TraderConfig.objects.values().get(pk="steady_long")
    assert {name for name in before if before[name] != after[name]} == {"version", "detail", "updated_at"}


def test_a_refused_save_is_not_logged(editor: Client) -> None:
    preview = editor.post(change_url("steady_long"), form_data(detail__risk__max_positions="4"))
    save_edit("steady_long", detail__risk__max_positions=5)
    answer = editor.post(change_url("steady_long"), hidden_fields(preview) | {"step": "save"})
    assert "Nothing was overwritten" in text_of(answer)
    assert not LogEntry.objects.exists()
    assert configs.existing("steady_long").version == 2
