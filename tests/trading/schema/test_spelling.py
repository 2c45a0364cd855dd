"""A name in another case is that of the exchange."""

from __future__ import annotations

import pytest

from tests.trading_factories import make_entry
from trading.schema.decision import Action, Decision
from trading.schema.spelling import Spellings, names_in, spelled_detail


@pytest.mark.parametrize(
    ("written", "known"),
    [
        *(("KPEPE", "kPEPE"), ("kpepe", "kPEPE"), ("kPEPE", "kPEPE"), ("btc", "BTC"), ("Btc", "Btc"), ("NEW", "NEW")),
        *(("WIF", "WIF"), ("wif", "wif"), ("Wif", "Wif")),
    ],
)
def test_the_known_spelling_is_taken_and_an_unknown_name_stays(written: str, known: str) -> None:
    assert Spellings(["kPEPE", "WIF", "wif"], ["BTC", "kPEPE"])(written) == known


def test_every_symbol_of_a_decision_is_spelled() -> None:
    detail = make_entry(decisions=(Decision(symbol="KPEPE", action=Action.HOLD),), candidates=("KPEPE", "BTC")).detail
    spelled = spelled_detail(detail, Spellings(["kPEPE"]))

    assert spelled.decisions[0].symbol == "kPEPE"
    assert spelled.candidates == ("kPEPE", "BTC")
    assert "KPEPE" not in names_in(spelled)
    assert spelled_detail(spelled, Spellings(["kPEPE"])) is spelled
