"""Lines of acceptance and their verdicts, as plain Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from traders.schema.messages import TranslatableText, _, joined

MOST_NAMED = 8


class LineVerdict(StrEnum):
    PASS = "pass"
    CORRECTED = "corrected"  # it holds as the plan was corrected; the reason says how
    FAIL = "fail"
    NOT_APPLICABLE = "not applicable"
    PROVEN = "proven elsewhere"  # by a test or a benchmark, which the figure names


WORDS = {
    LineVerdict.PASS: _("pass"),
    LineVerdict.CORRECTED: _("corrected"),
    LineVerdict.FAIL: _("fail"),
    LineVerdict.NOT_APPLICABLE: _("not applicable"),
    LineVerdict.PROVEN: _("proven elsewhere"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """`why` explains a verdict that is no plain pass, `then` says what to do about a fail."""

    figure: TranslatableText
    verdict: LineVerdict
    why: TranslatableText | None = None
    then: TranslatableText | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A test (`tests/folder/test_x.py::test_y`) or a section of docs/benchmarks.md that proves a line. `note` says in
    what sense it does."""

    name: str
    is_benchmark: bool = False
    note: TranslatableText | None = None


Measure = Callable[[], Measured]


@dataclass(frozen=True, slots=True)
class AcceptanceLine:
    """`phase` is P1 to P7 or FINAL. `claim` is the plan's line, `target` what it asks for. Either `measure` tells how
    it stands now, or `proofs` prove it."""

    id: str
    phase: str
    claim: TranslatableText
    target: TranslatableText
    measure: Measure | None = None
    proofs: tuple[Proof, ...] = ()


@dataclass(frozen=True, slots=True)
class LineResult:
    line: AcceptanceLine
    measured: Measured
    seconds: float

    @property
    def is_fail(self) -> bool:
        return self.measured.verdict is LineVerdict.FAIL


class UnknownLine(ValueError):
    """`--only` names neither a phase nor a line."""


def chosen(lines: Sequence[AcceptanceLine], only: Iterable[str]) -> list[AcceptanceLine]:
    """The lines of these phases and ids, ignoring letter case; all for none. Raises UnknownLine."""
    wanted = [name.upper() for name in only]
    for name in wanted:
        if not any(name in (line.id.upper(), line.phase.upper()) for line in lines):
            phases = ", ".join(dict.fromkeys(line.phase for line in lines))
            raise UnknownLine(
                _(
                    "There is no phase or line %(name)s. Use one of %(phases)s, or a line as P3.2.",
                    name=name,
                    phases=phases,
                )
            )
    return [line for line in lines if not wanted or line.id.upper() in wanted or line.phase.upper() in wanted]


def counted(results: Iterable[LineResult]) -> dict[LineVerdict, int]:
    """How many lines have each verdict, in the order of the verdicts."""
    found = [result.measured.verdict for result in results]
    return {verdict: found.count(verdict) for verdict in LineVerdict}


def passed(figure: TranslatableText) -> Measured:
    return Measured(figure, LineVerdict.PASS)


def corrected(figure: TranslatableText, why: TranslatableText) -> Measured:
    return Measured(figure, LineVerdict.CORRECTED, why)


def failed(figure: TranslatableText, then: TranslatableText, why: TranslatableText | None = None) -> Measured:
    return Measured(figure, LineVerdict.FAIL, why, then)


def not_applicable(figure: TranslatableText, why: TranslatableText) -> Measured:
    return Measured(figure, LineVerdict.NOT_APPLICABLE, why)


def passed_unless(
    wrong: Collection[str],
    *,
    figure: TranslatableText,
    then: TranslatableText,
    corrected_by: TranslatableText | None = None,
) -> Measured:
    """A fail that names what is `wrong`; without any a pass, or corrected by this reason."""
    if wrong:
        return failed(joined(" ", [figure, _("Wrong: %(names)s.", names=named(wrong))]), then)
    return corrected(figure, corrected_by) if corrected_by else passed(figure)


def named(names: Collection[str]) -> str:
    """The first names, and how many more there are."""
    shown = sorted(names)[:MOST_NAMED]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" (+{more:,})" if more else "")
