"""A message that is kept as JSON can be translated when it is read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from django.utils import translation

from traders.schema.messages import TranslatableText, _, verbatim
from traders.words.kept_messages import decoded, encoded, kept, message_with, read_message
from traders.words.messages import translated

INNER = _("must be a number of at most %(most)s", most="10")
MESSAGE = _("%(rule)s, is %(value)s", rule=INNER, value=Decimal("1.5"))


class _Row(msgspec.Struct):
    reason: TranslatableText


def test_it_comes_back_with_its_template_and_parameters() -> None:
    found = msgspec.json.decode(msgspec.json.encode(_Row(MESSAGE), enc_hook=encoded), type=_Row, dec_hook=decoded)

    assert found.reason == str(MESSAGE)
    assert (found.reason.msgid, found.reason.params["rule"].msgid) == (MESSAGE.msgid, INNER.msgid)


def test_a_page_translates_what_was_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    words = {MESSAGE.msgid: "%(rule)s,是 %(value)s", INNER.msgid: "须为最多 %(most)s 的数"}
    monkeypatch.setattr("traders.words.messages.gettext", lambda text: words.get(text, text))

    with translation.override("zh-hans"):
        assert translated(read_message(kept(MESSAGE))) == "须为最多 10 的数,是 1.5"


@pytest.mark.parametrize(("stored", "text"), [("a text of an older release", "a text of an older release"), (5, "5")])
def test_what_is_no_kept_message_is_read_as_it_is(stored: Any, text: str) -> None:
    assert read_message(stored) == text


def test_parameters_that_do_not_fit_leave_the_template() -> None:
    assert message_with("%(a)s of %(b)s", {"a": 1}) == "%(a)s of %(b)s"


def test_secrets_are_taken_out_of_parameters_alone() -> None:
    found = kept(_("%(why)s failed", why=_("by %(token)s", token="secret")), lambda text: text.replace("secret", "…"))

    assert read_message(found) == "by … failed"


def test_a_field_of_another_type_is_not_decoded() -> None:
    with pytest.raises(TypeError):
        decoded(int, 1)
    assert encoded(Decimal(1)) == "1"
    assert verbatim("x") == read_message(kept(verbatim("x")))
