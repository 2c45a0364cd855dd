"""The names that exchange.yaml, market.yaml, llm.yaml and executor.yaml define. Secrets in these files are not read."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from traders.manager_yaml.file import KnownNames, PromptRules
from traders.manager_yaml.file_cache import FileCache
from traders.manager_yaml.yaml.collect import YamlPlace
from traders.manager_yaml.yaml.document import AbsentFile, YamlDocument, read_document
from traders.manager_yaml.yaml.mappings import Entries, describe, entries, is_null
from traders.manager_yaml.yaml.nodes import Mapping, Scalar
from traders.schema.messages import TranslatableText, _

EXCHANGES, MARKETS, MODELS, EXECUTOR = "exchange.yaml", "market.yaml", "llm.yaml", "executor.yaml"


def known_names(directory: Path) -> KnownNames:
    """What the files in `directory` define; None for each that is absent. Raises InvalidFile for a broken one.

    A file is read again only when it has changed.
    """
    return KnownNames(
        exchange_providers=_providers(directory / EXCHANGES),
        market_providers=_providers(directory / MARKETS),
        models=_models(directory / MODELS),
        prompt_rules=prompt_rules(directory),
    )


def prompt_rules(directory: Path) -> PromptRules | None:
    """What executor.yaml asks of prompts, as `known_names`."""
    return _cached_prompt_rules(directory / EXECUTOR)


def warnings_of(known: KnownNames) -> list[TranslatableText]:
    """One for each absent file: what is not checked without it."""
    unchecked = (
        (EXCHANGES, known.exchange_providers, _("exchange providers")),
        (MARKETS, known.market_providers, _("market providers")),
        (MODELS, known.models, _("models")),
        (EXECUTOR, known.prompt_rules, _("versions of prompts")),
    )
    return [
        _("%(name)s is not beside the file: %(what)s are not checked", name=name, what=what)
        for name, found, what in unchecked
        if found is None
    ]


def _names(path: Path, key: str) -> tuple[str, ...] | None:
    document = _document(path)
    if document is None:
        return None
    with document:
        found = _section(document, key)
        return tuple(entries(found, document.place.below(key))) if found else ()


def _prompt_rules(path: Path) -> PromptRules | None:
    document = _document(path)
    if document is None:
        return None
    with document:
        top = entries(document.root, document.place)
        expected = top.get("prompt_schema_version")
        validation = _section(document, "prompt_validation")
        flags = entries(validation, document.place.below("prompt_validation")) if validation else {}
        return PromptRules(
            expected_version=expected[1].value.strip() if expected and isinstance(expected[1], Scalar) else "",
            strict=_flag(flags, "strict_mode", document.place),
            header_required=_flag(flags, "require_version_header", document.place),
        )


_providers = FileCache(partial(_names, key="providers"))
_models = FileCache(partial(_names, key="models"))
_cached_prompt_rules = FileCache(_prompt_rules)


def _document(path: Path) -> YamlDocument | None:
    try:
        return read_document(path)
    except AbsentFile:
        return None


def _section(document: YamlDocument, key: str) -> Mapping | None:
    found = entries(document.root, document.place).get(key)
    if found is None or is_null(found[1]):
        return None
    if not isinstance(found[1], Mapping):
        document.place.wrong(key, _("must be a mapping, was %(value)s", value=describe(found[1])), found[0].line)
        return None
    return found[1]


def _flag(flags: Entries, key: str, place: YamlPlace) -> bool:
    if key not in flags or is_null(flags[key][1]):
        return False
    key_node, value = flags[key]
    if isinstance(value, Scalar) and value.plain and value.value.lower() in ("true", "false"):
        return value.value.lower() == "true"
    place.wrong(f"prompt_validation.{key}", _("must be true or false"), key_node.line)
    return False
