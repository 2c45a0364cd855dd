"""A JSON file read a piece at a time: one record of its list is in memory, however long the list is.

The scanner is the standard library's. ijson's fast backend, tried first, ends the process on a number of five
thousand digits and takes all memory on deep nesting; this one says what is wrong, and where.
"""

from __future__ import annotations

import codecs
import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import BinaryIO, NoReturn

from traders.schema.jsonio import Json
from traders.schema.messages import TranslatableText, _, message_of
from trading.imports.arena.unreadable_file import UnreadableArenaFile

PIECE = 1 << 18
LARGEST_RECORD = 1 << 26
# What ends within so few characters of a piece may go on in the next one: `-Infinity`, `false`, `\\u00e9`.
_LONGEST_TOKEN = 12
_BLANKS = " \t\r\n"
_LONGEST_NAME = 60

OnBytes = Callable[[int], None]


class _NotJson(ValueError):
    pass


def _integer(text: str) -> int | Decimal:
    """Of any size: whether a number is too large for what it tells is for the schema to say."""
    try:
        return int(text)
    except ValueError:  # more digits than Python makes an integer of
        return Decimal("Infinity")


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        return Decimal("Infinity")


def _constant(text: str) -> NoReturn:
    raise _NotJson(f"{text} is not JSON; a value that is not known is null")


class _RepeatedKey(dict[str, Json]):
    """An object that gives a key twice, with the last value."""

    def __init__(self, pairs: list[tuple[str, Json]]) -> None:
        super().__init__(pairs)
        names = Counter(name for name, _value in pairs)
        [[self.name, _count]] = names.most_common(1)


class AmbiguousRecord(dict[str, Json]):
    """A record with an object that gives a key twice: which value is meant cannot be known. `place` is the path of that
    object within the record, `key` the key."""

    def __init__(self, value: Json) -> None:
        super().__init__(value if isinstance(value, dict) else {})
        self.place, self.key = _place_of_repeated(value)


def _place_of_repeated(value: Json) -> tuple[str, str]:
    """Without recursion: what the decoder reads may be nested deeper than a function of Python may call itself."""
    waiting = [("", value)]
    while waiting:
        path, inner = waiting.pop()
        if isinstance(inner, _RepeatedKey):
            return path.removesuffix("."), inner.name
        if isinstance(inner, dict):
            waiting += [(f"{path}{_named(name)}.", item) for name, item in inner.items()]
        elif isinstance(inner, list):
            waiting += [(f"{path}{place}.", item) for place, item in enumerate(inner)]
    return "", ""


def _named(key: str) -> str:
    """A key of a file may have any characters, also such as no report holds."""
    return key if key.isprintable() and len(key) <= _LONGEST_NAME else repr(key[:_LONGEST_NAME])


class JsonSource:
    """Walks through one file. What is read is dropped; only the line numbers remember it."""

    def __init__(self, path: Path, file: BinaryIO, on_bytes: OnBytes) -> None:
        self.path = path
        self._file = file
        self._on_bytes = on_bytes
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._lines_before = 0
        self._columns_before = 0
        self._ended = False
        self._is_ambiguous = False
        self._scanner = json.JSONDecoder(
            parse_float=_fraction, parse_int=_integer, parse_constant=_constant, object_pairs_hook=self._object
        )

    def members(self) -> Iterator[str]:
        """The keys of the object that begins here. The caller must read each key's value before the next key."""
        self._take("{", _("an object"))
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            key = self.value() if self.peek() == '"' else None
            if not isinstance(key, str):
                self.broken(_("must be a key in quotes"))
            self._take(":", _("a colon after a key"))
            yield key
            if self._take(",}", _("a comma, or the end of the object")) == "}":
                return

    def elements(self) -> Iterator[Json]:
        """The values of the list that begins here."""
        self._take("[", _("a list"))
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            yield self.value()
            if self._take(",]", _("a comma, or the end of the list")) == "]":
                return

    def skip(self) -> None:
        """The value that begins here. Of a list or an object one member at a time is in memory."""
        if self.peek() == "[":
            for _item in self.elements():
                pass
        elif self.peek() == "{":
            for _key in self.members():
                self.value()
        else:
            self.value()

    def end(self) -> None:
        if self.peek():
            self.broken(_("must be the end of the file"))

    def value(self) -> Json:
        """An AmbiguousRecord where an object within it gives a key twice."""
        self.peek()
        while True:
            self._is_ambiguous = False
            try:
                value, end = self._scanner.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                self._require_cut(error.msg, error.pos - self._at)
            except _NotJson as error:
                self.broken(message_of(error))
            except RecursionError:
                self.broken(_("is nested too deeply to be a record"))
            else:
                if end < len(self._text) or not self._more():
                    self._at = end
                    return AmbiguousRecord(value) if self._is_ambiguous else value

    def peek(self) -> str:
        """The next character that is not blank; "" at the end of the file."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _BLANKS:
                self._at += 1
            if self._at < len(self._text) or not self._more():
                return self._text[self._at : self._at + 1]

    def broken(self, message: TranslatableText, *, at: int | None = None) -> NoReturn:
        """Raises UnreadableArenaFile that names the place."""
        before = self._text[: self._at if at is None else at]
        lines = before.count("\n")
        column = len(before) - (before.rfind("\n") + 1) + (0 if lines else self._columns_before)
        raise UnreadableArenaFile(self.path, message, line=self._lines_before + lines + 1, column=column + 1)

    def _object(self, pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        self._is_ambiguous = True
        return _RepeatedKey(pairs)

    def _take(self, allowed: str, what: TranslatableText) -> str:
        found = self.peek()
        if not found:
            self.broken(_("the file ends here, where %(what)s must follow; it was cut short", what=what))
        if found not in allowed:
            self.broken(_("must be %(what)s, was %(found)s", what=what, found=repr(found)))
        self._at += 1
        return found

    def _require_cut(self, problem: str, ahead: int) -> None:
        """Reads on when it is only the piece that ends too early: the file must be what is wrong, to be refused."""
        is_open = problem.startswith("Unterminated string")
        if is_open or self._at + ahead > len(self._text) - _LONGEST_TOKEN:
            if self._more():
                return
            if is_open or self._at + ahead >= len(self._text.rstrip()):
                self.broken(_("the file ends inside this record; it was cut short"))
        self.broken(_("is not JSON: %(problem)s", problem=problem), at=self._at + ahead)

    def _more(self) -> bool:
        if self._ended:
            return False
        self._drop()
        if len(self._text) > LARGEST_RECORD:
            self.broken(
                _("a record of more than %(largest_record)s MiB begins here", largest_record=LARGEST_RECORD >> 20)
            )
        # As much again as is waiting: a long record is looked at a few times only.
        piece = self._file.read(max(PIECE, len(self._text)))
        self._on_bytes(len(piece))
        self._ended = not piece
        try:
            self._text += self._decoder.decode(piece, final=self._ended)
        except UnicodeDecodeError as error:
            self._text += error.object[: error.start].decode("utf-8-sig")
            if error.object.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not self._text:
                self.broken(_("is UTF-16; save it as UTF-8"))
            byte = f"{error.object[error.start]:02X}"
            self.broken(_("is not UTF-8: holds the byte 0x%(byte)s; save it as UTF-8", byte=byte), at=len(self._text))
        return bool(piece)

    def _drop(self) -> None:
        read = self._text[: self._at]
        if lines := read.count("\n"):
            self._lines_before += lines
            self._columns_before = len(read) - (read.rfind("\n") + 1)
        else:
            self._columns_before += len(read)
        self._text, self._at = self._text[self._at :], 0
