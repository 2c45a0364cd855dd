"""Files that are no manager.yaml at all, and neighbours and prompts that do not fit: refused, never hanging."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.traders.manager_yaml.sample import MANAGER, refused, write_sample
from traders.manager_yaml.reader import read_manager_yaml
from traders.manager_yaml.yaml.document import AbsentFile

BOMB = "x0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"x{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(12)
)
MERGE_BOMB = "x0: &a0 {a: 1}\n" + "".join(
    f"x{n + 1}: &a{n + 1} {{<<: [{', '.join([f'*a{n}'] * 9)}]}}\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "manager.yaml: is empty; it must be a mapping of settings"),
        ("# only a comment\n", "manager.yaml: is empty; it must be a mapping of settings"),
        ("null\n", "manager.yaml: is empty; it must be a mapping of settings"),
        ("- a\n", "manager.yaml:1: must be a mapping at its top level, was a list"),
        ("hello\n", "manager.yaml:1: must be a mapping at its top level, was hello"),
        ("manager: [\n", "manager.yaml:2: is not YAML: while parsing a flow node did not find expected node content"),
        (
            "a:\n\tb: 1\n",
            "manager.yaml:2: is indented with a tab; indent with spaces",
        ),
        ("a: 1\n---\nb: 2\n", "manager.yaml:2: begins a second document; one file holds one"),
        ("a: &x [*x]\n", "manager.yaml:1: uses the alias *x inside of its own anchor"),
        ("a: *x\n", "manager.yaml:1: uses the alias *x before an anchor &x"),
        ("a: " + "[" * 100_000, "manager.yaml:1: nests deeper than 50 levels"),
        ("{a: " * 100_000, "manager.yaml:1: nests deeper than 50 levels"),
        ("- " * 100_000, "manager.yaml:1: nests deeper than 50 levels"),
        (BOMB, "manager.yaml:7: holds more than 2,000,000 values once its aliases are written out"),
        (MERGE_BOMB, "manager.yaml:7: holds more than 2,000,000 values once its aliases are written out"),
        (b"a: \0", "manager.yaml:1: holds the character U+0000, which YAML does not allow"),
        (b"a: 1\nb: caf\xe9\n", "manager.yaml: is not UTF-8: line 2 holds the byte 0xE9; save it as UTF-8"),
        (MANAGER.encode("utf-16"), "manager.yaml: is UTF-16; save it as UTF-8"),
        (b"#" * (10 * 1024 * 1024 + 1), "manager.yaml: is larger than 10 MB, the most it may be"),
    ],
    ids=lambda value: repr(value[:20]) if isinstance(value, bytes) else value[:24] or "empty",
)
def test_no_manager_yaml(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert refused(write_sample(tmp_path, content)) == message


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("name: !!python/object/apply:os.system [id]", "name has the YAML tag '!!python/object/apply:os.system'"),
        ("name: !!str x", "name has the YAML tag '!!str'"),
        ("name: !foo x", "name has the YAML tag '!foo'"),
        ("!!str name: x", "name has the YAML tag '!!str'"),
    ],
)
def test_tags_are_refused(tmp_path: Path, written: str, place: str) -> None:
    message = refused(write_sample(tmp_path, MANAGER.replace("name: Long", written)))
    assert f"manager.yaml:8: trader_x: {place}; write the value without a tag" in message.splitlines()


@pytest.mark.parametrize("key", ["name", "risk_params", "extra"])
def test_duplicate_keys_name_both_lines(tmp_path: Path, key: str) -> None:
    again = {"name": "name: Other", "risk_params": "risk_params: {}", "extra": "extra: {}\n    extra: {a: 1}"}[key]
    manager = MANAGER.replace("    model: gpt-5\n", f"    {again}\n")
    first, second = [n for n, line in enumerate(manager.splitlines(), 1) if line.strip().startswith(f"{key}:")]
    expected = f"manager.yaml:{second}: trader_x: {key} is written twice, on lines {first} and {second}; keep one"
    assert expected in refused(write_sample(tmp_path, manager)).splitlines()


def test_duplicate_keys_under_extra_and_at_the_top(tmp_path: Path) -> None:
    manager = MANAGER + "extra:\n  a: {b: 1, b: 2}\nmonitoring: {}\n"
    assert refused(write_sample(tmp_path, manager)).splitlines() == [
        "manager.yaml:25: extra.a.b is written twice, on lines 25 and 25; keep one",
        "manager.yaml:26: monitoring is written twice, on lines 22 and 26; keep one",
    ]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("", "traders must be a list of traders, was nothing; write [] for a fleet without traders"),
        (" {a: 1}", "traders must be a list of traders, was a mapping"),
        (" 3", "traders must be a list of traders, was 3; write [] for a fleet without traders"),
    ],
)
def test_traders_that_are_no_list(tmp_path: Path, entries: str, message: str) -> None:
    manager = MANAGER[: MANAGER.index("traders:")] + f"traders:{entries}\n" + MANAGER[MANAGER.index("monitoring:") :]
    assert refused(write_sample(tmp_path, manager)) == f"manager.yaml:6: {message}"


def test_entries_that_are_no_mappings(tmp_path: Path) -> None:
    manager = MANAGER[: MANAGER.index("traders:")] + "traders: [a, [], null]\nmonitoring: {metrics_exporter: x}\n"
    assert refused(write_sample(tmp_path, manager)).splitlines() == [
        "manager.yaml:6: traders[0]: must be a mapping of settings, was a",
        "manager.yaml:6: traders[1]: must be a mapping of settings, was a list",
        "manager.yaml:6: traders[2]: must be a mapping of settings, was null",
    ]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(AbsentFile, match=r"manager\.yaml: does not exist"):
        read_manager_yaml(tmp_path / "manager.yaml")


def test_a_directory(tmp_path: Path) -> None:
    assert refused(tmp_path) == f"{tmp_path.name}: is a directory, not a file"


def test_a_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manager.yaml")
    assert refused(tmp_path / "manager.yaml") == "manager.yaml: is a named pipe, not a file"


def test_a_device() -> None:
    assert refused(Path("/dev/zero")).endswith("is a device, not a file")


def test_a_file_one_may_not_read(tmp_path: Path) -> None:
    path = write_sample(tmp_path)
    path.chmod(0)
    with _as_nobody(tmp_path):
        assert refused(path) == "manager.yaml: cannot be read: permission denied"


@contextmanager
def _as_nobody(directory: Path) -> Iterator[None]:
    """Root may read everything: give that up for a moment."""
    if os.geteuid() != 0:
        yield
        return
    for folder in (directory, *directory.parents):
        if not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | stat.S_IXOTH)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "prompts/lnog.tmpl",
            "names 'prompts/lnog.tmpl', but there is no file prompts/lnog.tmpl; did you mean prompts/long.tmpl?",
        ),
        ("prompts/x.md", "names 'prompts/x.md', but there is no file prompts/x.md"),
        ("prompts", "names 'prompts', which is a directory, not a file"),
        ("prompts/pipe", "names 'prompts/pipe', which is a named pipe, not a file"),
        ("prompts/big", "names 'prompts/big', which is larger than 1 MB, the most it may be"),
        ("prompts/latin", "names 'prompts/latin', which is not UTF-8: line 1 holds the byte 0xE9; save it as UTF-8"),
        ("prompts/nul", "names 'prompts/nul', which holds a NUL byte and so is no text"),
        ("prompts/old", "names 'prompts/old' of version v0.9, but executor.yaml expects v1.0.0"),
        ("prompts/bare", "names 'prompts/bare', which has no header such as {{/* Version: v1.0.0 */}}"),
        (
            "prompts/key",
            "names 'prompts/key', whose text holds what looks like an AWS access key; prompts are stored for ever",
        ),
    ],
)
def test_prompt_files(tmp_path: Path, path: str, message: str) -> None:
    manager = write_sample(tmp_path, MANAGER.replace("prompts/long.tmpl", path))
    os.mkfifo(tmp_path / "prompts/pipe")
    header = b"{{/* Version: v1.0.0 */}}\n"
    for name, content in {
        "big": header + b"x" * 2**20,
        "latin": b"caf\xe9",
        "nul": header + b"\0",
        "old": b"Version: v0.9",
        "bare": b"Buy low.",
        "key": header + b"AKIAIOSFODNN7EXAMPLE",
    }.items():
        (tmp_path / "prompts" / name).write_bytes(content)
    assert refused(manager) == f"manager.yaml:11: trader_x: prompt_template {message}"


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "'/etc/passwd' is absolute and would differ on every machine"),
        ("~/x.tmpl", "'~/x.tmpl' is absolute and would differ on every machine"),
        ("../x.tmpl", "'../x.tmpl' leads out of it"),
        ("prompts/../../x.tmpl", "'prompts/../../x.tmpl' leads out of it"),
        ("${HOME}/x.tmpl", "'${HOME}/x.tmpl' holds a variable, and prompts are stored with their text"),
    ],
)
def test_paths_of_prompts_stay_below_the_file(tmp_path: Path, path: str, why: str) -> None:
    manager = write_sample(tmp_path, MANAGER.replace("prompts/executor.tmpl", path))
    assert refused(manager) == (
        "manager.yaml:12: trader_x: executor_prompt_template must be a path below the directory of manager.yaml, "
        f"such as prompts/manager/long.tmpl; {why}"
    )


@pytest.mark.parametrize(
    ("known_as", "message"),
    [
        (
            "../x",
            "must be a path below the directory of manager.yaml, such as prompts/manager/long.tmpl; "
            "'../x' leads out of it",
        ),
        ("[x]", "must be the path of a prompt, was a list"),
        ("", "must be the path of a prompt, was nothing"),
        ("!x y", "has the YAML tag '!x'; write the value without a tag"),
    ],
)
def test_what_a_prompt_is_known_as_is_a_path_of_a_prompt(tmp_path: Path, known_as: str, message: str) -> None:
    manager = MANAGER.replace("    model: gpt-5", f"    prompt_template_known_as: {known_as}")
    assert refused(write_sample(tmp_path, manager)) == f"manager.yaml:13: trader_x: prompt_template_known_as {message}"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("exchange_yaml", "providers: [paper]", "exchange.yaml:1: providers must be a mapping, was a list"),
        (
            "exchange_yaml",
            "providers: {a: 1, a: 2}",
            "exchange.yaml:1: providers.a is written twice, on lines 1 and 1; keep one",
        ),
        ("market_yaml", "", "market.yaml: is empty; it must be a mapping of settings"),
        (
            "llm_yaml",
            "models: {",
            "llm.yaml:2: is not YAML: while parsing a flow node did not find expected node content",
        ),
        (
            "executor_yaml",
            "prompt_validation: {strict_mode: yes}",
            "executor.yaml:1: prompt_validation.strict_mode must be true or false",
        ),
    ],
)
def test_a_broken_file_beside_it_is_named_itself(tmp_path: Path, name: str, content: str, message: str) -> None:
    assert refused(write_sample(tmp_path, **{name: content})) == message
