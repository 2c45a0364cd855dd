from __future__ import annotations

from io import StringIO

from trading.management.progress import Progress


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_nothing_stays() -> None:
    with Progress(200, terminal := Terminal()) as progress:
        progress.add(100)

    assert "] 50%" in terminal.getvalue().replace("  ", " ")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_file_sees_nothing() -> None:
    with Progress(200, out := StringIO()) as progress:
        progress.add(100)

    assert out.getvalue() == ""
