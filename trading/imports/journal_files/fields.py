"""One field of a JSON object, as the type that it must have, or InvalidRecord with its place and value."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, TypeVar

from traders.schema.messages import _
from traders.schema.problems import shown
from traders.schema.strict_json import NoNumber
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import HIGHEST_CONFIDENCE, is_fraction
from trading.schema.decision import LONGEST_WORD, is_word
from trading.schema.leaf import LARGEST

T = TypeVar("T")


class Fields:
    """Reads a JSON object. `place` is its dotted path in the record, "" for the record itself.

    A field that is absent or null is None, or refused where it is required. What is none of `names`, and what cannot be
    read of a field that need not be there, goes to `aside` by its path, and the field is None.
    """

    def __init__(self, place: str, value: Any, names: Collection[str], aside: dict[str, Any]) -> None:
        """Raises InvalidRecord for what is no object."""
        self.place = place
        self.aside = aside
        if not isinstance(value, dict):
            raise InvalidRecord(place, _("must be an object, was %(value)s", value=shown(value)))
        self._values = value
        aside |= {self.at(name): inner for name, inner in value.items() if name not in names}

    def at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def text(self, name: str) -> str | None:
        return self._typed(name, str)

    def flag(self, name: str) -> bool | None:
        return self._typed(name, bool)

    def items(self, name: str) -> list[Any] | None:
        return self._typed(name, list)

    def mapping(self, name: str) -> dict[str, Any] | None:
        return self._typed(name, dict)

    def number(self, name: str, *, least: int | None = None, most: int | None = None) -> Decimal | None:
        try:
            return self._number(name, least, most)
        except InvalidRecord:
            self._set_aside(name)
            return None

    def required_number(self, name: str) -> Decimal:
        """Raises InvalidRecord."""
        self.required(name, "a number")
        found = self._number(name, None, None)
        if found is None:
            raise self.wrong(name, _("a number"))
        return found

    def whole(self, name: str) -> int | None:
        """0 or more."""
        number = self.number(name, least=0)
        if number is not None and number != number.to_integral_value():
            self._set_aside(name)
            return None
        return None if number is None else int(number)

    def version(self, name: str) -> int | None:
        """Raises InvalidRecord: a decision must not be taken for another version's."""
        number = self._number(name, 0, None)
        if number is not None and number != number.to_integral_value():
            raise self.wrong(name, _("a whole number"))
        return None if number is None else int(number)

    def choice(self, name: str, choices: Collection[str]) -> str:
        """In small letters, as we write it."""
        value = self._values.get(name)
        found = value.strip().lower() if isinstance(value, str) else ""
        if found not in list(choices):
            raise self.wrong(name, _("one of %(choices)s", choices=", ".join(choices)))
        return found

    def word(self, name: str) -> str:
        """Any one word, as it came."""
        value = self._values.get(name)
        found = value.strip() if isinstance(value, str) else ""
        if not is_word(found):
            raise self.wrong(name, _("a word of at most %(most)s characters", most=LONGEST_WORD))
        return found

    def confidence(self, name: str = "confidence") -> Decimal | None:
        """A fraction of 1 is another unit."""
        value = self.number(name, least=0, most=HIGHEST_CONFIDENCE)
        if value is None or not is_fraction(value):
            return value
        self._set_aside(name)
        return None

    def identifier(self, name: str) -> int | str | None:
        """Of an order; what is none goes aside."""
        value: Any = self._values.get(name)
        if value is None or (isinstance(value, int | str) and not isinstance(value, bool | NoNumber)):
            return value
        self._set_aside(name)
        return None

    def symbol(self, name: str = "symbol") -> str:
        return symbol(self.at(name), self._values.get(name))

    def symbols(self, name: str) -> tuple[str, ...] | None:
        """A list of them goes aside whole where one of them is none."""
        items = self.items(name)
        try:
            return None if items is None else tuple(symbol(self.at(name), item) for item in items)
        except InvalidRecord:
            self._set_aside(name)
            return None

    def json(self, name: str) -> Any:
        """Whatever stands there."""
        return self._values.get(name)

    def moment_text(self, name: str) -> str | None:
        """A time as a text; a number stands as its digits."""
        value: Any = self._values.get(name)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
        return self.text(name)

    def required(self, name: str, right: str) -> None:
        if self._values.get(name) is None:
            raise InvalidRecord(self.at(name), _("is missing; it must be %(right)s", right=right))

    def wrong(self, name: str, right: str) -> InvalidRecord:
        return InvalidRecord(
            self.at(name), _("must be %(right)s, was %(value)s", right=right, value=shown(self._values.get(name)))
        )

    def _number(self, name: str, least: int | None, most: int | None) -> Decimal | None:
        value: Any = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, NoNumber):
            self._set_aside(name)
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise self.wrong(name, _("a number"))
        number = Decimal(value)
        if abs(number) > LARGEST:
            raise InvalidRecord(
                self.at(name),
                _("must not be beyond %(most)s, was %(value)s", most=f"{LARGEST:,}", value=shown(value)),
            )
        if least is not None and number < least:
            raise self.wrong(name, _("%(least)s or more", least=least))
        if most is not None and number > most:
            raise self.wrong(name, _("at most %(most)s", most=most))
        return number

    def _typed(self, name: str, kind: type[T]) -> T | None:
        value = self._values.get(name)
        if value is None or isinstance(value, kind):
            return value
        self._set_aside(name)
        return None

    def _set_aside(self, name: str) -> None:
        value = self._values[name]
        self.aside[self.at(name)] = str(value) if isinstance(value, NoNumber) else value


def symbol(place: str, value: Any) -> str:
    """As it was written; the exchange's spelling is looked up once the trader is known."""
    found = value.strip() if isinstance(value, str) else ""
    if not is_symbol(found):
        raise InvalidRecord(place, _("must be %(right)s, was %(value)s", right=SYMBOL_RULE, value=shown(value)))
    return found
