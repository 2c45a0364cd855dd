"""Prints the figures by which the shape of the code is judged: sizes, names, SQL, folders, comments.

Product code is everything but tests, migrations, benchmarks, scripts, the demo and the clients to be copied.
Run by `make figures`.
"""

from __future__ import annotations

import ast
import io
import re
import statistics
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = ("tests/", "migrations/", "benchmarks/", "scripts/", "demo/", "clients/")
# Names that Django looks for: one class a module, or a model's inner class.
SHARED_BY_DESIGN = {"Command", "Migration", "Meta", "Config", "DatabaseWrapper"}
# Of Redis pipelines `pipe.execute` sends commands, no SQL.
SQL = re.compile(r"(?<!pipe)\.(?:execute|executemany|raw)\(")
LONG_TEMPLATE_LINE = 200


def main() -> None:
    files = product_files()
    sources = {path: (ROOT / path).read_text(encoding="utf-8") for path in files}
    lengths = sorted(text.count("\n") for text in sources.values())
    comments = sum(_comments(text) for text in sources.values())
    total = sum(lengths)
    templates = _tracked("*.html")
    long_lines = [line for path in templates for line in (ROOT / path).read_text("utf-8").splitlines()]
    folder, count = Counter(str(Path(path).parent) for path in files).most_common(1)[0]
    shared, classes = _shared_class_names(sources)
    rows = (
        ("files of product code", f"{len(files):,}"),
        ("lines without blanks, comments and docstrings", f"{sum(map(_code_lines, sources.values())):,}"),
        ("lines of a file: median / p90 / max", f"{_quantiles(lengths)}"),
        ("classes that share their name with another", f"{100 * shared / classes:.0f} % ({shared} of {classes})"),
        ("sites of .execute( and .raw(", str(sum(len(SQL.findall(text)) for text in sources.values()))),
        ("files in the fullest folder", f"{count} ({folder})"),
        ("comments, share of lines", f"{100 * comments / total:.1f} %"),
        (
            f"template lines over {LONG_TEMPLATE_LINE} characters",
            str(sum(len(line) > LONG_TEMPLATE_LINE for line in long_lines)),
        ),
    )
    width = max(len(name) for name, _ in rows)
    sys.stdout.write("".join(f"{name:<{width}}  {value}\n" for name, value in rows))


def product_files() -> list[str]:
    """Paths of Python files of the product, relative to the checkout."""
    return [path for path in _tracked("*.py") if not path.startswith(LEFT_OUT)]


def _tracked(pattern: str) -> list[str]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.splitlines() if (ROOT / path).exists()]


def _quantiles(lengths: list[int]) -> str:
    return f"{statistics.median(lengths):.0f} / {lengths[int(len(lengths) * 0.9)]} / {lengths[-1]}"


def _code_lines(text: str) -> int:
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            held.update(range(token.start[0], token.end[0] + 1))
    held.discard(text.count("\n") + 1)
    return len(held - set(_docstring_lines(ast.parse(text))))


def _docstring_lines(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                yield from range(first.lineno, (first.end_lineno or first.lineno) + 1)


def _comments(text: str) -> int:
    return sum(token.type == tokenize.COMMENT for token in tokenize.generate_tokens(io.StringIO(text).readline))


def _shared_class_names(sources: dict[str, str]) -> tuple[int, int]:
    """(classes whose name another class has too, all classes)."""
    names = Counter(
        node.name
        for text in sources.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ClassDef) and node.name not in SHARED_BY_DESIGN
    )
    return sum(count for count in names.values() if count > 1), sum(names.values())


if __name__ == "__main__":
    main()
