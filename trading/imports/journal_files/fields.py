"""One field of a JSON object, as the type that it must have, or InvalidRecord with its place and value."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any, TypeVar

from traders.schema.messages import _
from traders.schema.problems import shown
from traders.schema.symbols import SYMBOL_PATTERN, SYMBOL_RULE
from trading.record.rules.errors import InvalidRecord
from trading.schema.leaf import LARGEST

T = TypeVar("T")


class Fields:
    """Reads a JSON object. `place` is its dotted path in the record, "" for the record itself.

    A field that is absent or null is None, or refused where it is required.
    """

    def __init__(self, place: str, value: Any, names: Collection[str]) -> None:
        """Raises InvalidRecord for what is no object, and for a field that is none of `names`."""
        self.place = place
        if not isinstance(value, dict):
            raise InvalidRecord(place, _("must be an object, was %(value)s", value=shown(value)))
        self._values = value
        for name in value:
            if name not in names:
                raise InvalidRecord(
                    self.at(name), _("is no field that engines write; those are %(names)s", names=", ".join(names))
                )

    def at(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def text(self, name: str) -> str | None:
        return self._typed(name, str, "a text")

    def flag(self, name: str) -> bool | None:
        return self._typed(name, bool, "true or false")

    def items(self, name: str) -> list[Any] | None:
        return self._typed(name, list, "a list")

    def mapping(self, name: str) -> dict[str, Any] | None:
        return self._typed(name, dict, "an object")

    def number(self, name: str, *, least: int | None = None, most: int | None = None) -> Decimal | None:
        value: Any = self._values.get(name)
        if value is None:
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

    def whole(self, name: str) -> int | None:
        """0 or more."""
        number = self.number(name, least=0)
        if number is not None and number != number.to_integral_value():
            raise self.wrong(name, _("a whole number"))
        return None if number is None else int(number)

    def choice(self, name: str, choices: Collection[str]) -> str:
        value = self._values.get(name)
        if value not in list(choices):
            raise self.wrong(name, _("one of %(names)s", names=", ".join(choices)))
        return str(value)

    def symbol(self, name: str = "symbol") -> str:
        return symbol(self.at(name), self._values.get(name))

    def required(self, name: str, right: str) -> None:
        if self._values.get(name) is None:
            raise InvalidRecord(self.at(name), _("is missing; it must be %(right)s", right=right))

    def wrong(self, name: str, right: str) -> InvalidRecord:
        return InvalidRecord(
            self.at(name), _("must be %(right)s, was %(value)s", right=right, value=shown(self._values.get(name)))
        )

    def _typed(self, name: str, kind: type[T], right: str) -> T | None:
        value = self._values.get(name)
        if value is None or isinstance(value, kind):
            return value
        raise self.wrong(name, right)


def symbol(place: str, value: Any) -> str:
    """Engines write capitals; small letters are accepted."""
    found = value.strip().upper() if isinstance(value, str) else ""
    if not SYMBOL_PATTERN.fullmatch(found):
        raise InvalidRecord(place, _("must be %(right)s, was %(value)s", right=SYMBOL_RULE, value=shown(value)))
    return found
