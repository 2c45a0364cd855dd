"""A model's raw answer, or an engine's list of decisions, as decisions. What is not exactly one is refused.

A raw answer follows the contract of decision_output.json: eleven keys, all required, no others. An engine's list
names an `action` instead of a `signal`, spells keys as Go or Python do, and may leave out what a decision needs not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from traders.schema import strict_json
from traders.schema.messages import _
from traders.schema.problems import message_in, shown
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side, fraction_of, is_fraction
from trading.schema.decision import LONGEST_WORD, Action, Decision, HeldPosition, is_word
from trading.schema.spelling import Spell, as_it_came

LONGEST_ANSWER = 1_000_000
# In prose; more would be a text made to keep the reader busy.
MOST_BRACKETS = 200
SIGNALS = ("buy_to_enter", "sell_to_enter", "hold", "close")
_FENCE = re.compile(r"```[A-Za-z]*[ \t]*\r?\n(.*?)```", re.DOTALL)
_FIELDS = {name.replace("_", ""): name for name in ("signal", *Decision.model_fields)}
_CONTRACT = frozenset(_FIELDS.values()) - {"action"}
# How models mark what they think, as against what they answer: in angle brackets of any width, with a name space or
# attributes, or as [THINK]. Other words in square brackets are prose. Each part has a greatest length, so that no text
# keeps the search busy.
_MARK = (
    r"[<\uff1c\u25c1]\s{{0,2}}({slash})\s{{0,2}}(?:[a-z]{{1,20}}:)?({names})"
    r"(?:\s{{0,2}}|\s[a-z_-]{{1,20}}=[^<>]{{0,200}})[>\uff1e\u25b7]"
    r"|\[({slash})(think)\]"
)
_THOUGHTS = "think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_THOUGHT = re.compile(_MARK.format(slash="/?", names=_THOUGHTS), re.IGNORECASE)

Held = Sequence[HeldPosition] | None
"""What the trader holds; None where that is not known."""


def parse_answer(text: str, held: Held, spell: Spell = as_it_came) -> tuple[Decision, ...]:
    """One JSON object or array of them: alone, in a code fence, or with prose around it. `[]` decides nothing.

    A `close` becomes close_long or close_short by what is held. `spell` gives a symbol the exchange's spelling.
    Raises InvalidRecord with key and value.
    """
    return parse_items(_value_in(text), held, spell)


def parse_items(
    value: Any, held: Held, spell: Spell = as_it_came, aside: dict[str, Any] | None = None
) -> tuple[Decision, ...]:
    """JSON values -> decisions. Raises InvalidRecord.

    With `aside` it is what a program reports: what is not known, or cannot be read, goes there by its path, a decision
    without symbol or action as a whole. Actions are taken as they are named, leverage and confidence need not be whole.
    """
    if aside is not None:
        items = value if isinstance(value, list) else [value]
        found = (_reported(f"[{index}]", item, aside) for index, item in enumerate(items))
        return tuple(one for one in found if one is not None)
    if not isinstance(value, list):
        return (_decision("", value, held, spell),)
    return tuple(_decision(f"[{index}]", item, held, spell) for index, item in enumerate(value))


def _value_in(text: str) -> Any:
    if len(text) > LONGEST_ANSWER:
        raise InvalidRecord("", _("is longer than %(most)s characters", most=f"{LONGEST_ANSWER:,}"))
    text = without_thoughts(text)
    blocks = _FENCE.findall(text)
    fenced = [value for block in blocks for value in _values_in(block)]
    values = fenced or _values_in(text)
    if not values and any(_is_empty_list(part) for part in (text, *blocks)):
        return []
    if not values:
        raise InvalidRecord("", _("holds no JSON object with a signal: %(value)s", value=shown(text.strip())))
    if len(values) > 1:
        raise InvalidRecord(
            "", _("holds %(count)s answers; exactly one object or one array is expected", count=len(values))
        )
    return values[0]


def _is_empty_list(text: str) -> bool:
    return "".join(text.removeprefix("\ufeff").split()) == "[]"


def without_thoughts(text: str) -> str:
    """The text without its reasoning: `<think>...</think>`, what follows a `<think>` without an end, and what comes
    before an end without a beginning. Marks inside JSON are texts of the answer."""
    kept, place, tries = [], 0, 0
    start = _next_bracket(text, place)
    while (mark := _THOUGHT.search(text, place)) is not None:
        if start is not None and start < place:
            start = _next_bracket(text, place)
        if start is not None and start < mark.start() and tries <= MOST_BRACKETS:
            tries += 1
            try:
                _value, end = strict_json.first_value(text, start)
            except ValueError:
                end = start + 1
            kept.append(text[place:end])
            place = end
        elif mark[1] or mark[3]:
            kept, place = [], mark.end()
        else:
            kept.append(text[place : mark.start()])
            of_the_same = _MARK.format(slash="/", names=mark[2] or mark[4])
            end_mark = re.compile(of_the_same, re.IGNORECASE).search(text, mark.end())
            if end_mark is None:
                return "".join(kept)
            place = end_mark.end()
    return "".join([*kept, text[place:]])


def _values_in(text: str) -> list[Any]:
    """Every object, and every array of objects, that is not inside another one. Raises InvalidRecord for one that
    begins like an answer and is none."""
    found, place, tries = [], 0, 0
    while (start := _next_bracket(text, place)) is not None:
        try:
            value, place = strict_json.first_value(text, start)
        except ValueError as error:
            place, tries = start + 1, tries + 1
            if tries > MOST_BRACKETS or _begins_like_an_answer(text, start):
                raise InvalidRecord("", _("is no JSON that can be read: %(error)s", error=error)) from None
            continue
        if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value)):
            found.append(value)
    return found


def _next_bracket(text: str, place: int) -> int | None:
    found = [index for bracket in "{[" if (index := text.find(bracket, place)) >= 0]
    return min(found, default=None)


def _begins_like_an_answer(text: str, start: int) -> bool:
    return re.match(r"\[?\s*\{\s*\"", text[start : start + 200]) is not None


def _reported(place: str, item: Any, aside: dict[str, Any]) -> Decision | None:
    unread: dict[str, Any] = {}
    try:
        fields = _named(place, item, unread)
        values: dict[str, Any] = {}
        for name, convert in _REPORTED.items():
            if name in fields:
                values |= _converted(_at(place, name), name, convert, fields[name], unread)
        for name in ("symbol", "action"):
            if values.get(name) is None:
                raise InvalidRecord(_at(place, name), _("is missing"))
        found = _within_bounds(place, values, fields, unread)
    except InvalidRecord:
        aside[place] = item
        return None
    aside |= unread
    return found


def _converted(
    place: str, name: str, convert: Callable[[str, Any], Any], value: Any, unread: dict[str, Any]
) -> dict[str, Any]:
    try:
        return {name: convert(place, value)}
    except InvalidRecord:
        unread[place] = value
        return {}


def _within_bounds(place: str, values: dict[str, Any], fields: Mapping[str, Any], unread: dict[str, Any]) -> Decision:
    """Values beyond their bounds go to `unread`. Raises InvalidRecord where the symbol or the action is one of them."""
    try:
        return Decision.model_validate(values)
    except ValidationError as error:
        for name in {str(one["loc"][0]) for one in error.errors(include_url=False)}:
            unread[_at(place, name)] = fields[name]
            del values[name]
    return _validated(place, values)


def _decision(place: str, item: Any, held: Held, spell: Spell) -> Decision:
    fields = _named(place, item, None)
    if "signal" in fields and "action" in fields:
        raise InvalidRecord(_at(place, "signal"), _("and action are both given; one of them is expected"))
    if "signal" in fields:
        for name in sorted(_CONTRACT - fields.keys()):
            raise InvalidRecord(_at(place, name), _("is missing"))
    values = {name: convert(_at(place, name), fields[name]) for name, convert in _CONVERT.items() if name in fields}
    for name in ("symbol", "action") if "signal" not in fields else ("symbol",):
        if name not in fields:
            raise InvalidRecord(_at(place, name), _("is missing"))
    values["symbol"] = spell(values["symbol"])
    if "signal" in fields:
        values["action"] = _action_of(_at(place, "signal"), fields["signal"], values["symbol"], held)
    return _validated(place, values)


def _named(place: str, item: Any, aside: dict[str, Any] | None) -> dict[str, Any]:
    """Keys in our spelling: PositionSizeUSD, position_size_usd and positionSizeUsd are one."""
    if not isinstance(item, dict):
        raise InvalidRecord(place, _("must be an object, was %(value)s", value=shown(item)))
    fields: dict[str, Any] = {}
    for key, value in item.items():
        name = _FIELDS.get(key.replace("_", "").lower())
        if aside is not None and (name is None or isinstance(value, strict_json.NoNumber)):
            aside[_at(place, key)] = value
            continue
        if name is None:
            raise InvalidRecord(
                _at(place, key), _("is no key of a decision; those are %(names)s", names=", ".join(_FIELDS.values()))
            )
        if name in fields:
            raise InvalidRecord(_at(place, key), _("is given twice, in two spellings of %(name)s", name=name))
        fields[name] = value
    return fields


def _action_of(place: str, signal: Any, symbol: str, held: Held) -> Action:
    if signal not in SIGNALS:
        raise InvalidRecord(
            place, _("must be one of %(names)s, was %(value)s", names=", ".join(SIGNALS), value=shown(signal))
        )
    if signal != "close":
        return {"buy_to_enter": Action.OPEN_LONG, "sell_to_enter": Action.OPEN_SHORT, "hold": Action.HOLD}[signal]
    if held is None:
        raise InvalidRecord(place, _("is close, and it is not known what was held in %(symbol)s", symbol=symbol))
    side = next((position.side for position in held if position.symbol == symbol), None)
    if side is None:
        raise InvalidRecord(place, _("is close, and nothing is held in %(symbol)s", symbol=symbol))
    return Action.CLOSE_LONG if side is Side.LONG else Action.CLOSE_SHORT


def _symbol(place: str, value: Any) -> str:
    symbol = value.strip() if isinstance(value, str) else ""
    if not is_symbol(symbol):
        raise InvalidRecord(place, _("must be %(right)s, was %(value)s", right=SYMBOL_RULE, value=shown(value)))
    return symbol


def _action(place: str, value: Any) -> Action:
    try:
        return Action(value.strip().lower() if isinstance(value, str) else "")
    except ValueError:
        raise InvalidRecord(
            place, _("must be one of %(names)s, was %(value)s", names=", ".join(Action), value=shown(value))
        ) from None


def _named_action(place: str, value: Any) -> Action:
    word = value.strip() if isinstance(value, str) else ""
    if not is_word(word):
        right = _("a word of at most %(most)s characters", most=LONGEST_WORD)
        raise InvalidRecord(place, _("must be %(right)s, was %(value)s", right=right, value=shown(value)))
    return Action.named(word)


def _confidence(place: str, value: Any) -> Decimal:
    number = _number(place, value)
    if is_fraction(number):
        raise InvalidRecord(place, fraction_of(number))
    return number


def _whole_confidence(place: str, value: Any) -> Decimal:
    return _whole(place, _confidence(place, value))


def _number(place: str, value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise InvalidRecord(place, _("must be a number, was %(value)s", value=shown(value)))
    return Decimal(value)


def _whole(place: str, value: Any) -> Decimal:
    number = _number(place, value)
    if number != number.to_integral_value():
        raise InvalidRecord(place, _("must be a whole number, was %(value)s", value=shown(value)))
    return number


def _text(place: str, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidRecord(place, _("must be a text, was %(value)s", value=shown(value)))
    return value


def _or_none(convert: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda place, value: None if value is None else convert(place, value)


_CONVERT: dict[str, Callable[[str, Any], Any]] = {
    "symbol": _symbol,
    "action": _action,
    "reasoning": _text,
    "invalidation_condition": _text,
    "leverage": _whole,
    "confidence": _whole_confidence,
    **dict.fromkeys(("position_size_usd", "entry_price", "stop_loss", "take_profit", "risk_usd"), _number),
}

# Of what a program reports. Null is how it writes what it does not know.
_REPORTED: dict[str, Callable[[str, Any], Any]] = {
    **_CONVERT,
    **{
        name: _or_none(convert)
        for name, convert in (_CONVERT | {"leverage": _number, "confidence": _confidence}).items()
        if name != "symbol"
    },
    "action": _named_action,
}


def _validated(place: str, values: dict[str, Any]) -> Decision:
    try:
        return Decision.model_validate(values)
    except ValidationError as error:
        (first, *_more) = error.errors(include_url=False)
        name = ".".join(map(str, first["loc"]))
        message = message_in(first)
        raise InvalidRecord(
            _at(place, name), _("%(message)s, was %(value)s", message=message, value=shown(first["input"]))
        ) from None


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
