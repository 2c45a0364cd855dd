"""A decider that asks a language model, at any endpoint that speaks OpenAI's chat completions.

Keys of a model in llm.yaml: `model_name`, `provider`, `temperature`, `max_completion_tokens`. Address and key come from
the environment by the provider's name, LLM_OPENAI_BASE_URL and LLM_OPENAI_API_KEY for `provider: openai`, else from
LLM_BASE_URL and LLM_API_KEY. The key goes into the request's header and nowhere else.
"""

from __future__ import annotations

import logging
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.conf import settings

from traders.manager_yaml.budget import model_budget
from traders.schema import strict_json
from traders.schema.messages import _
from traders.schema.secrets import find_secret
from trading.manager.protocols import Decider, DeciderAnswer, DeciderFailed, DecisionRequest
from trading.manager.providers import InvalidProvider, ProviderOptions
from trading.manager.rules.breaker import Breaker

if TYPE_CHECKING:
    from openai import OpenAI

log = logging.getLogger(__name__)
LARGEST_ANSWER = 4 * 1024 * 1024
MOST_ATTEMPTS = 4
# Seconds before the second attempt; each further one waits twice as long.
FIRST_WAIT = 0.5
_LONGEST_ERROR = 300
_LONGEST_NAME = 200
# Of one answer; what an endpoint says beyond it is no figure.
_MOST_TOKENS, _MOST_USD = 10**12, Decimal(10) ** 9
_TRY_AGAIN = frozenset({408, 409, 429})
_OF_THE_MODEL = frozenset({400, 404, 413, 422})
_SERVER_ERROR = 500
# {address: its breaker}, for all models there.
_breakers: dict[str, Breaker] = defaultdict(Breaker)


@dataclass(frozen=True)
class Endpoint:
    """`api_key` is in no text that the class makes."""

    base_url: str
    api_key: str = field(repr=False)

    def without_key(self, text: str) -> str:
        return text.replace(self.api_key, "[redacted]") if self.api_key else text


@dataclass(frozen=True)
class ModelCall:
    """What a model is asked with. `price`: tokens -> USD, None where llm.yaml names none."""

    model_name: str
    price: Callable[[int], Decimal | None]
    temperature: float | None = None
    max_completion_tokens: int | None = None

    def body(self, request: DecisionRequest) -> dict[str, Any]:
        asked: dict[str, Any] = {
            "model": self.model_name,
            "messages": [
                {"role": "system", "content": request.system_text},
                {"role": "user", "content": request.user_text},
            ],
        }
        for name in ("temperature", "max_completion_tokens"):
            if (value := getattr(self, name)) is not None:
                asked[name] = value
        return asked


class TryAgain(Exception):
    """An attempt failed in a way that another one may not. `wait_seconds` as the endpoint asks, None if it does not."""

    def __init__(self, message: str, wait_seconds: float | None = None) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


class ModelRefused(DeciderFailed):
    """The provider answers, and the fault is of this model or of what it was asked."""


class LlmDecider:
    """Thread-safe. One connection pool for all its calls."""

    def __init__(self, endpoint: Endpoint, call: ModelCall, *, first_wait: float = FIRST_WAIT) -> None:
        self._endpoint = endpoint
        self._call = call
        self._first_wait = first_wait

    def decide(self, request: DecisionRequest) -> DeciderAnswer:
        """Within the request's time, with retries. Raises DeciderFailed with the number of attempts and no secret, at
        once while the breaker of the endpoint is open."""
        breaker, url = _breakers[self._endpoint.base_url], self._endpoint.base_url
        if (left := breaker.enter(request.trader_id)) is not None:
            raise DeciderFailed(f"its provider fails other traders too, and is asked again in {left:.0f} s")
        try:
            answer = self._with_retries(request)
        except ModelRefused:
            breaker.succeeded()
            raise
        except Exception:
            if (pause := breaker.failed(request.trader_id)) is not None:
                log.warning("%s fails several traders: one call in %.0f s tries it again", url, pause)
            raise
        breaker.succeeded()
        return answer

    def _with_retries(self, request: DecisionRequest) -> DeciderAnswer:
        began = time.monotonic()
        ends = began + request.timeout_seconds
        for attempt in range(1, MOST_ATTEMPTS + 1):
            try:
                whole = self._attempt(request, ends)
            except TryAgain as error:
                wait = self._first_wait * 2 ** (attempt - 1) if error.wait_seconds is None else error.wait_seconds
                if attempt == MOST_ATTEMPTS or time.monotonic() + wait >= ends:
                    raise DeciderFailed(f"{error} (attempts: {attempt})", attempts=attempt) from None
                log.info("%s: attempt %s at %s failed: %s", request.trader_id, attempt, self._call.model_name, error)
                time.sleep(wait)
            except DeciderFailed as error:
                error.attempts = attempt
                raise
            else:
                return self._answer(whole, attempt, int((time.monotonic() - began) * 1000))
        raise AssertionError("unreachable")

    @cached_property
    def _client(self) -> OpenAI:
        # Half a second to import, which only those pay who ask a model.
        from openai import DefaultHttpxClient, OpenAI

        from trading.manager.bodies import bound

        return OpenAI(
            base_url=self._endpoint.base_url,
            api_key=self._endpoint.api_key or "none",
            max_retries=0,
            # Else the size of an answer is known only once it is unpacked.
            default_headers={"Accept-Encoding": "identity"},
            http_client=DefaultHttpxClient(event_hooks={"response": [bound]}),
        )

    def _attempt(self, request: DecisionRequest, ends: float) -> Mapping[str, Any]:
        """The endpoint's JSON. Raises TryAgain and DeciderFailed."""
        import openai

        left = ends - time.monotonic()
        try:
            with self._client.chat.completions.with_streaming_response.create(
                **self._call.body(request), timeout=max(left, 0.001)
            ) as response:
                content = b"".join(self._limited(response.iter_bytes(), ends))
        except openai.APIStatusError as error:
            raise self._of_status(error.status_code, error.response.headers, self._said(error)) from None
        except openai.APITimeoutError:
            raise DeciderFailed(f"no answer within {request.timeout_seconds:.0f} s") from None
        except (openai.OpenAIError, OSError) as error:
            raise TryAgain(self._plain(f"the connection failed: {error.__cause__ or error}")) from None
        except DeciderFailed:
            raise
        except Exception as error:
            # What the transport raises while the body comes is not the package's own error.
            if "timeout" in type(error).__name__.lower():
                raise DeciderFailed(f"no answer within {request.timeout_seconds:.0f} s") from None
            raise TryAgain(self._plain(f"the answer was cut off: {error}")) from None
        return self._parsed(content)

    def _limited(self, chunks: Iterator[bytes], ends: float) -> Iterator[bytes]:
        """Raises DeciderFailed once they are too many, or too slow."""
        size = 0
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                raise DeciderFailed(f"the answer is larger than {LARGEST_ANSWER // 2**20} MB")
            if time.monotonic() > ends:
                raise DeciderFailed("the answer did not come to its end in time")
            yield chunk

    def _parsed(self, content: bytes) -> Mapping[str, Any]:
        try:
            found = strict_json.loads(content.decode())
        except ValueError as error:
            raise TryAgain(self._plain(f"the endpoint's answer {error}")) from None
        if not isinstance(found, dict):
            raise TryAgain("the endpoint's answer is no JSON object")
        return found

    def _answer(self, whole: Mapping[str, Any], attempts: int, latency_ms: int) -> DeciderAnswer:
        message = _first_message(whole)
        text = message.get("content")
        if not isinstance(text, str) or not text.strip():
            why = self._plain(f"the model said nothing: {_finish_of(whole)} (attempts: {attempts})")
            raise ModelRefused(why, attempts=attempts)
        usage = whole.get("usage")
        tokens = usage if isinstance(usage, dict) else {}
        asked, said = _whole(tokens.get("prompt_tokens")), _whole(tokens.get("completion_tokens"))
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        return DeciderAnswer(
            text=self._endpoint.without_key(text),
            model=self._name_of(whole.get("model")),
            prompt_tokens=asked,
            completion_tokens=said,
            cost_usd=self._cost(tokens, asked, said),
            latency_ms=latency_ms,
            reasoning=self._endpoint.without_key(reasoning) if isinstance(reasoning, str) else None,
            attempts=attempts,
        )

    def _cost(self, tokens: Mapping[str, Any], asked: int | None, said: int | None) -> Decimal | None:
        """As llm.yaml prices it, else as the endpoint says."""
        known = None if asked is None and said is None else self._call.price((asked or 0) + (said or 0))
        told = tokens.get("cost")
        if known is None and isinstance(told, int | Decimal) and not isinstance(told, bool):
            known = Decimal(told)
        return known if known is not None and 0 <= known <= _MOST_USD else None

    def _name_of(self, told: Any) -> str:
        """In one line, as the journal keeps it; that which was asked where the endpoint names none."""
        text = self._endpoint.without_key(told) if isinstance(told, str) else ""
        line = "".join(one if one.isprintable() else " " for one in text)
        return " ".join(line.split())[:_LONGEST_NAME] or self._call.model_name

    def _of_status(self, status: int, headers: Mapping[str, str], said: str) -> Exception:
        message = f"the endpoint answered {status}: {said}" if said else f"the endpoint answered {status}"
        if status in _OF_THE_MODEL:
            return ModelRefused(message)
        if status not in _TRY_AGAIN and status < _SERVER_ERROR:
            return DeciderFailed(message)
        wait = headers.get("retry-after", "")
        return TryAgain(message, float(wait) if re.fullmatch(r"\d{1,4}(\.\d{1,3})?", wait) else None)

    def _said(self, error: Any) -> str:
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        return self._plain(str(message or ""))

    def _plain(self, text: str) -> str:
        """Short, in one line, and without a secret: endpoints repeat the key that they refuse."""
        line = " ".join(self._endpoint.without_key(text).split())[:_LONGEST_ERROR]
        return "(not shown: it holds what looks like a secret)" if find_secret(line) else line


def decider(options: ProviderOptions) -> Decider:
    """Raises InvalidProvider without an address."""
    provider = options.text("provider", "") or options.name.partition("/")[0]
    prices = model_budget(options.directory)
    return LlmDecider(
        _endpoint(provider),
        ModelCall(
            options.text("model_name", options.name),
            lambda tokens: prices.cost_usd(options.name, tokens),
            float(options.number("temperature", Decimal(0), least=Decimal(0), most=Decimal(2)))
            if options.text("temperature", "")
            else None,
            options.integer("max_completion_tokens", 0) or None,
        ),
    )


def _endpoint(provider: str) -> Endpoint:
    """Of the environment, as the settings read it."""
    known: Mapping[str, str] = settings.LLM_ENDPOINTS
    prefix = f"LLM_{re.sub(r'[^A-Z0-9]+', '_', provider.upper())}"
    base_url = known.get(f"{prefix}_BASE_URL") or known.get("LLM_BASE_URL", "")
    if not base_url:
        raise InvalidProvider(
            _(
                "the address of the provider %(provider)s is not known: set %(own)s or LLM_BASE_URL",
                provider=provider,
                own=f"{prefix}_BASE_URL",
            )
        )
    # A key belongs to its address: one provider's key is not sent to another.
    own = known.get(f"{prefix}_API_KEY", "")
    shared = "" if f"{prefix}_BASE_URL" in known else known.get("LLM_API_KEY", "")
    return Endpoint(base_url, own or shared)


def _first_message(whole: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = whole.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    return message if isinstance(message, dict) else {}


def _finish_of(whole: Mapping[str, Any]) -> str:
    """Why, where the endpoint says it."""
    choices = whole.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    found = first.get("finish_reason") if isinstance(first, dict) else None
    error = whole.get("error")
    told = error.get("message") if isinstance(error, dict) else None
    return str(told or found or "no reason given")


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_TOKENS else None
