"""The prompts of a configuration, by their digests, as they are stored: never today's file."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from traders.manager_yaml.file import PromptRules
from traders.prompt_texts import writer as prompt_texts
from traders.schema.messages import _
from traders.schema.prompts import version_header
from traders.schema.settings.trader import PromptsSection
from trading.manager.sight import CannotDecide


@dataclass(frozen=True, slots=True)
class PromptPair:
    """The templates of the system message and of the user message, not yet rendered."""

    system: str
    executor: str
    executor_sha256: str


class PromptStore:
    """Reads each text once: a text never changes under its digest. `rules`: what executor.yaml asks of headers."""

    def __init__(self, rules: PromptRules | None = None) -> None:
        self._rules = rules
        self._bodies: dict[str, str] = {}

    def pair(self, named: PromptsSection) -> PromptPair:
        """Raises CannotDecide for a text that is not stored, or that is not what the configuration says of it."""
        system = self._text(named.system_template, named.system_sha256, named.system_version)
        executor = self._text(named.executor_template, named.executor_sha256, named.executor_version)
        return PromptPair(system, executor, named.executor_sha256 or "")

    def _text(self, path: str, sha256: str | None, version: str) -> str:
        if sha256 is None:
            raise CannotDecide(_("the configuration does not name the text of the prompt %(path)s", path=path))
        if sha256 not in self._bodies:
            found = prompt_texts.texts([sha256]).get(sha256)
            if found is None:
                raise CannotDecide(
                    _("the text of the prompt %(path)s is not stored: %(sha256)s", path=path, sha256=sha256)
                )
            self._bodies[sha256] = found.body
        body = self._bodies[sha256]
        content = body.encode()
        if (is_now := hashlib.sha256(content).hexdigest()) != sha256:
            raise CannotDecide(
                _(
                    "the prompt %(path)s has the SHA-256 %(now)s, and %(sha256)s is configured",
                    path=path,
                    now=is_now,
                    sha256=sha256,
                )
            )
        header = version_header(content)
        for expected in filter(None, (version, self._expected(header))):
            if header != expected:
                raise CannotDecide(
                    _(
                        "the prompt %(path)s is of Version %(header)s, and %(expected)s is expected",
                        path=path,
                        header=header or "-",
                        expected=expected,
                    )
                )
        return body

    def _expected(self, header: str) -> str:
        """What executor.yaml insists on."""
        rules = self._rules
        if rules is None or not (rules.strict if header else rules.header_required):
            return ""
        return rules.expected_version
