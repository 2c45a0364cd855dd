"""The fields of a page's form, as a browser sends them."""

from __future__ import annotations

from html.parser import HTMLParser

# Buttons are sent where they are pressed.
NOT_SENT = ("submit", "button", "reset", "image", "file")


class Forms(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, list[str]]] = []
        self._select: str | None = None
        self._text: str | None = None
        self.feed(page)

    def with_field(self, name: str) -> dict[str, list[str]]:
        """The first form that has it."""
        return next(form for form in self.found if name in form)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name"), given.get("value") or ""
        if tag == "form":
            self.found.append({})
        elif tag == "input" and name and given.get("type") not in NOT_SENT:
            if given.get("type") not in ("checkbox", "radio"):
                self._add(name, value)
            elif "checked" in given:
                self._add(name, given.get("value") or "on")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, value)
        elif tag == "textarea" and name:
            self._add(name, "")
            self._text = name

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text and self.found:
            self.found[-1][self._text][-1] += data

    def _add(self, name: str, value: str) -> None:
        if self.found:
            self.found[-1].setdefault(name, []).append(value)
