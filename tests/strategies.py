"""Hypothesis strategies of valid configurations, derived from the declarations of the schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from traders.schema.paths import unflatten
from traders.schema.prompts import PromptFile, path_problem, read_prompt
from traders.schema.secrets import find_secret, secrets_in
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import Setting, SettingKind
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec
from traders.schema.settings.validate import turned, validate_fleet, validate_trader
from traders.schema.symbols import SYMBOL_FORM, folded, is_symbol

# Texts that some reader of YAML takes for something else.
TRAPS = st.sampled_from(
    (
        *("yes", "No", "on", "null", "~", "true", "010", "0x1F", "0o17", "12:30", "1e3", "1_000", ".inf", "-.5"),
        *("2026-01-02", "<<", "=", "- a", "a: b", "a #b", "#a", "'", '"', "\\n", "{a}", "[a]", "*a", "&a", "!a"),
        *("%a", "@a", "`a", "|", ">", "?", "? a", ":", "a:", "---", "...", "3m", "${HOME}", "\u2028x", "\ufeffx"),
        *("x\u00a0y", "北京 🚀", "é", "a" * 90),
    )
)


def lines(*, max_length: int = 100) -> st.SearchStrategy[str]:
    """One line of printable text as the schema keeps it: stripped, no control characters."""
    characters = st.characters(exclude_categories=("Cc", "Cs", "Cn"))
    texts = st.text(characters, max_size=min(max_length, 40)) | TRAPS
    return texts.map(str.strip).filter(
        lambda text: len(text) <= max_length and not find_secret(text) and not turned(text)
    )


def long_texts() -> st.SearchStrategy[str]:
    return st.lists(lines() | st.sampled_from(["", "  indented", "\ttab", "trailing  "]), max_size=6).map(
        lambda parts: "\n".join(parts).strip()
    )


def trader_ids() -> st.SearchStrategy[str]:
    return st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,30}", fullmatch=True).filter(lambda text: not find_secret(text))


def prompt_paths() -> st.SearchStrategy[str]:
    names = st.from_regex(r"[A-Za-z0-9 _é-]{0,8}[A-Za-z0-9é]\.tmpl", fullmatch=True)
    folders = st.sampled_from(["", "prompts/", "./prompts//"])
    paths = st.builds(lambda folder, name: folder + name.strip(), folders, names).filter(lambda p: not path_problem(p))
    return st.sampled_from(["prompts/a.tmpl", "./prompts/a.tmpl"]) | paths


def prompt_texts() -> st.SearchStrategy[PromptFile]:
    headers = st.sampled_from(["", "{{/* Version: v1.0.0 */}}\n", "\ufeffversion: 2\r\n"])
    bodies = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
    contents = st.builds(lambda header, body: (header + body).encode(), headers, bodies)
    return st.builds(read_prompt, prompt_paths(), contents)


def json_values() -> st.SearchStrategy[Any]:
    decimals = st.decimals(-(10**12), 10**12, places=6) | st.sampled_from(
        [Decimal("1E+5"), Decimal("0.00"), Decimal("3.10")]
    )
    leaves = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | decimals | lines() | long_texts()
    keys = lines(max_length=64) | st.just("k" * 200)
    values: st.SearchStrategy[Any] = st.deferred(
        lambda: leaves | st.lists(values, max_size=3) | st.dictionaries(keys, values, max_size=3)
    )
    return values


def extras() -> st.SearchStrategy[dict[str, Any]]:
    keys = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,20}", fullmatch=True)
    return st.dictionaries(keys, json_values(), max_size=3).filter(lambda extra: not any(secrets_in(extra, "")))


def fleet_specs() -> st.SearchStrategy[FleetSpec]:
    return _flat(FLEET_SETTINGS).map(lambda flat: validate_fleet(unflatten(flat)))


@st.composite
def trader_specs(
    draw: st.DrawFn, *, ids: st.SearchStrategy[str] | None = None, prompts: Sequence[PromptFile] = ()
) -> TraderSpec:
    """One valid trader. `prompts`: those it may name; without, two of its own whose texts are not kept."""
    flat = draw(_flat(TRADER_SETTINGS))
    flat["detail.journal.dir"] = draw(st.sampled_from(["", "journal/a", "./j/b c", "j/${HOST}"]))
    for role in ("system", "executor"):
        prompt = draw(st.sampled_from(prompts) if prompts else prompt_texts())
        flat[f"detail.prompts.{role}_template"] = prompt.path
        flat[f"detail.prompts.{role}_version"] = prompt.version
        flat[f"detail.prompts.{role}_sha256"] = prompt.sha256
    _order_bands(flat)
    if flat["allocation_pct"]:
        flat["detail.paper_capital_usd"] = 0
    return validate_trader(draw(trader_ids() if ids is None else ids), unflatten(flat))


@st.composite
def bundles(draw: st.DrawFn) -> tuple[FleetSpec, list[TraderSpec], dict[str, PromptFile]]:
    """A fleet, its traders with ids unique ignoring case, and the texts of their prompts by digest."""
    prompts = draw(st.lists(prompt_texts(), min_size=1, max_size=4, unique_by=lambda prompt: prompt.sha256))
    ids = draw(st.lists(trader_ids(), max_size=3, unique_by=str.lower))
    traders = [draw(trader_specs(ids=st.just(trader_id), prompts=prompts)) for trader_id in ids]
    return draw(fleet_specs()), traders, {prompt.sha256: prompt for prompt in prompts}


def _flat(settings: Mapping[str, Setting]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({path: _values(path, setting) for path, setting in settings.items()})


def _values(path: str, setting: Setting) -> st.SearchStrategy[Any]:
    low, high = int(setting.minimum or 0), int(setting.maximum or 0)
    match setting.kind:
        case SettingKind.CHOICE:
            return st.sampled_from(setting.choices)
        case SettingKind.BOOLEAN:
            return st.booleans()
        case SettingKind.INTEGER | SettingKind.DURATION:
            return st.integers(low, high)
        case SettingKind.DECIMAL:
            return st.decimals(low + setting.above_minimum, high, places=2)
        case SettingKind.EXTRA:
            return extras()
        case SettingKind.SYMBOLS:
            return st.lists(_symbols(), max_size=5, unique_by=folded).map(sorted)
        case SettingKind.LONG_TEXT:
            return long_texts()
        case SettingKind.DERIVED:
            return _derived(path)
    return lines(max_length=int(setting.max_length or 100)).filter(lambda text: bool(text) or not setting.required)


def _symbols() -> st.SearchStrategy[str]:
    written = st.sampled_from(["BTC", "kPEPE", "1000PEPE", "BTC/USDT:USDT", "币安人生", "0G", "1e3", "null", "~", "-"])
    return written | st.from_regex(SYMBOL_FORM, fullmatch=True).filter(is_symbol)


def _derived(path: str) -> st.SearchStrategy[Any]:
    if path != "detail.cloned_from":
        return st.none() if path.endswith("sha256") else st.just("")
    return st.none() | st.fixed_dictionaries({"trader_id": trader_ids(), "version": st.integers(1, 10**6)})


def _order_bands(flat: dict[str, Any]) -> None:
    for coins in ("btceth", "alt"):
        ends = [f"detail.exec_guards.{coins}_position_value_{end}_equity_multiple" for end in ("min", "max")]
        flat[ends[0]], flat[ends[1]] = sorted(flat[end] for end in ends)
