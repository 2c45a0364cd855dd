"""What a conversation shows as the model's reasoning."""

from __future__ import annotations

import pytest

from trading.export.documents.conversations import conversation_item
from trading.schema.message import MessageRecord, MessageRole
from trading.schema.published import PublishedConversation

RAW = '{"BTC": {"signal": "hold"}}'


def shown(*answers: str) -> tuple[str | None, str | None]:
    """(`cot_trace`, `summary`) of a conversation without a decision in which the model answered so."""
    said = ((MessageRole.USER, "Now?"), *((MessageRole.ASSISTANT, answer) for answer in answers))
    messages = tuple(MessageRecord("ann", "c", place, role, text, None) for place, (role, text) in enumerate(said))
    item = conversation_item(PublishedConversation("ann", None, messages), is_withheld=False)
    return item["cot_trace"], item["summary"]


@pytest.mark.parametrize("raw", [RAW, f"\n {RAW}", '[{"symbol": "BTC"}]'])
def test_words_come_before_raw_json(raw: str) -> None:
    assert shown("The trend is intact.", raw) == ("The trend is intact.", "The trend is intact.")


def test_the_last_words_of_several_are_shown() -> None:
    assert shown("Holding.", "The trend is intact.", RAW)[0] == "The trend is intact."


def test_raw_json_is_shown_where_the_model_said_nothing_else() -> None:
    assert shown(RAW) == (RAW, RAW)
