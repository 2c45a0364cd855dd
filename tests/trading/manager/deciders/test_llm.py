"""A model at an endpoint: what is asked and kept, and what becomes of an endpoint that misbehaves."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.factories import make_trader
from tests.platform.processes import wait_for
from tests.trading.manager.deciders.endpoint import ANSWER, LlmEndpoint, completion, llm_endpoint
from trading.manager import bodies
from trading.manager.deciders.llm import Endpoint, LlmDecider, ModelCall
from trading.manager.protocols import DeciderAnswer, DeciderFailed, DecisionRequest
from trading.manager.providers import InvalidProvider, ProviderOptions, make_decider
from trading.manager.recording import answer_of, usage_of
from trading.replay.rules.checks.moment import DecisionMoment

KEY = "sk-test-4f9a1c77b2e84d0f"
LLM_YAML = """
models:
  cheap: {provider: some-host, model_name: host/cheap-1, temperature: 0.6, max_completion_tokens: 512}
budget:
  cost_per_million_tokens: {cheap: 2.0}
"""


@pytest.fixture
def endpoint() -> Iterator[LlmEndpoint]:
    with llm_endpoint() as server:
        yield server


def asked(timeout: float = 60.0) -> DecisionRequest:
    return DecisionRequest(
        trader_id="long",
        cycle_number=7,
        model="cheap",
        system_text="You are calm.",
        user_text="Decide.",
        timeout_seconds=timeout,
        moment=DecisionMoment(datetime(2026, 1, 8, tzinfo=UTC)),
        settings=make_trader("long").detail,
    )


def decide(endpoint: LlmEndpoint, *manners: Any, timeout: float = 60.0) -> DeciderAnswer:
    endpoint.manners = list(manners) or ["ok"]
    call = ModelCall("host/cheap-1", lambda tokens: Decimal(2) * tokens / 1_000_000, 0.6, 512)
    return LlmDecider(Endpoint(endpoint.url, KEY), call, first_wait=0.01).decide(asked(timeout))


def failure(endpoint: LlmEndpoint, *manners: Any, timeout: float = 60.0) -> str:
    with pytest.raises(DeciderFailed) as caught:
        decide(endpoint, *manners, timeout=timeout)
    return str(caught.value)


def test_a_failure_says_how_often_the_model_was_asked(endpoint: LlmEndpoint) -> None:
    cases: list[tuple[list[Any], int]] = [([(500, {})], 4), ([(500, {}), (400, {})], 2)]
    for manners, attempts in cases:
        with pytest.raises(DeciderFailed) as caught:
            decide(endpoint, *manners)
        assert caught.value.attempts == attempts


def test_the_answer_comes_with_tokens_cost_latency_and_model(endpoint: LlmEndpoint) -> None:
    found = decide(endpoint)

    assert (found.text, found.model) == (ANSWER, "test/model-1")
    assert (found.prompt_tokens, found.completion_tokens, found.attempts) == (100, 20, 1)
    assert found.cost_usd == Decimal("0.00024")
    assert found.latency_ms is not None


def test_the_system_prompt_and_the_executors_prompt_are_two_messages(endpoint: LlmEndpoint) -> None:
    decide(endpoint)

    [(path, headers, body)] = endpoint.requests
    assert path == "/v1/chat/completions"
    assert headers["authorization"] == f"Bearer {KEY}"
    assert body == {
        "model": "host/cheap-1",
        "messages": [{"role": "system", "content": "You are calm."}, {"role": "user", "content": "Decide."}],
        "temperature": 0.6,
        "max_completion_tokens": 512,
    }


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_the_models_reasoning_is_kept_beside_its_answer(endpoint: LlmEndpoint, name: str) -> None:
    endpoint.answer = completion(choices=[{"message": {"content": ANSWER, name: "It falls, so I wait."}}])

    assert decide(endpoint).reasoning == "It falls, so I wait."


def test_the_endpoints_own_cost_counts_where_no_price_is_known(endpoint: LlmEndpoint) -> None:
    endpoint.answer = completion(usage={"prompt_tokens": 5, "completion_tokens": 1, "cost": 0.0125})

    found = LlmDecider(Endpoint(endpoint.url, KEY), ModelCall("m", lambda tokens: None)).decide(asked())

    assert found.cost_usd == Decimal("0.0125")


def test_tokens_that_are_not_told_are_not_known(endpoint: LlmEndpoint) -> None:
    endpoint.answer = completion(usage={"prompt_tokens": "many", "completion_tokens": True})

    found = decide(endpoint)

    assert (found.prompt_tokens, found.completion_tokens, found.cost_usd) == (None, None, None)


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"model": "gpt\n5\u0007"}, ("gpt 5", 100, 20)),
        ({"model": {"name": "gpt"}}, ("host/cheap-1", 100, 20)),
        ({"model": f"for {KEY}"}, ("for [redacted]", 100, 20)),
        ({"model": "m" * 500}, ("m" * 200, 100, 20)),
        ({"usage": {"prompt_tokens": 10**90, "completion_tokens": -1}}, ("test/model-1", None, None)),
    ],
    ids=str,
)
def test_what_an_endpoint_says_beside_its_answer_is_kept_as_the_journal_takes_it(
    endpoint: LlmEndpoint, changed: dict[str, Any], kept: tuple[str, int | None, int | None]
) -> None:
    endpoint.answer = completion(**changed)

    found = decide(endpoint)

    assert (found.model, found.prompt_tokens, found.completion_tokens) == kept
    assert answer_of(found).text == ANSWER
    assert usage_of(found).attempts == 1


@pytest.mark.parametrize("cost", [1e30, -1, True, "free"])
def test_a_cost_that_is_no_cost_is_not_known(endpoint: LlmEndpoint, cost: Any) -> None:
    endpoint.answer = completion(usage={"prompt_tokens": 5, "completion_tokens": 1, "cost": cost})

    found = LlmDecider(Endpoint(endpoint.url, KEY), ModelCall("m", lambda tokens: None)).decide(asked())

    assert found.cost_usd is None


@pytest.mark.parametrize(
    "manner", [(429, {"error": {"message": "slow down"}}), (500, {}), (503, {}), "plain", "cut"], ids=str
)
def test_what_may_pass_is_tried_again_and_the_attempts_are_counted(endpoint: LlmEndpoint, manner: Any) -> None:
    found = decide(endpoint, manner, "ok")

    assert (found.text, found.attempts) == (ANSWER, 2)


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ((429, {"error": {"message": "slow down"}}), "the endpoint answered 429: slow down (attempts: 4)"),
        ((500, {"error": {"message": "oops"}}), "the endpoint answered 500: oops (attempts: 4)"),
        ("plain", "is not JSON"),
        ("cut", "(attempts: 4)"),
    ],
    ids=str,
)
def test_what_does_not_pass_fails_after_four_attempts(endpoint: LlmEndpoint, manner: Any, words: str) -> None:
    assert words in failure(endpoint, manner)
    assert len(endpoint.requests) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_a_refused_request_is_not_repeated(endpoint: LlmEndpoint, status: int) -> None:
    assert failure(endpoint, (status, {"error": {"message": "no such model"}})) == (
        f"the endpoint answered {status}: no such model"
    )
    assert len(endpoint.requests) == 1


def test_an_endpoint_that_asks_for_a_longer_wait_than_is_left_is_not_waited_for(endpoint: LlmEndpoint) -> None:
    endpoint.headers = {"Retry-After": "3600"}

    assert failure(endpoint, (429, {})) == "the endpoint answered 429 (attempts: 1)"


def test_a_silent_endpoint_fails_at_the_end_of_the_time(endpoint: LlmEndpoint) -> None:
    assert failure(endpoint, "silent", timeout=0.3) == "no answer within 0 s"
    # Its thread may read the request after that.
    wait_for(lambda: bool(endpoint.requests))
    assert len(endpoint.requests) == 1


def test_an_answer_that_trickles_fails_at_the_end_of_the_time(endpoint: LlmEndpoint) -> None:
    assert failure(endpoint, "trickle", timeout=2) == "the answer did not come to its end in time"


def test_a_huge_answer_is_not_read_to_its_end(endpoint: LlmEndpoint) -> None:
    assert failure(endpoint, "huge") == "the answer is larger than 4 MB"


@pytest.mark.parametrize("status", [400, 500])
def test_a_huge_error_is_not_read_to_its_end(endpoint: LlmEndpoint, status: int) -> None:
    assert failure(endpoint, (status, "huge")).startswith(f"the endpoint answered {status}")
    # What the sockets hold is sent too; the whole is a gigabyte an attempt.
    assert endpoint.sent < 100_000_000


def test_an_error_that_trickles_costs_its_head_only(endpoint: LlmEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "LONGEST_READING", 0.2)
    assert failure(endpoint, (400, "trickle"), timeout=600.0) == "the endpoint answered 400"


def test_an_error_that_is_packed_is_not_unpacked(endpoint: LlmEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    said = LlmDecider._said

    def noted(decider: LlmDecider, error: Any) -> str:
        read.append(len(error.response.content))
        return said(decider, error)

    monkeypatch.setattr(LlmDecider, "_said", noted)
    assert failure(endpoint, (400, "packed")) == "the endpoint answered 400"
    assert endpoint.requests[0][1]["accept-encoding"] == "identity"
    assert read[0] <= bodies.LARGEST_ERROR


def test_an_endpoint_that_is_not_there_fails_with_its_attempts() -> None:
    with llm_endpoint() as gone:
        url = gone.url
    call = ModelCall("m", lambda tokens: None)
    with pytest.raises(DeciderFailed, match=r"the connection failed: .*\(attempts: 4\)"):
        LlmDecider(Endpoint(url, KEY), call, first_wait=0.01).decide(asked())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (completion(None), "the model said nothing: stop"),
        (completion(choices=[]), "the model said nothing: no reason given"),
        ({"error": {"message": "overloaded"}}, "the model said nothing: overloaded"),
        ([1, 2], "the endpoint's answer is no JSON object"),
        ({"usage": float("nan")}, "the endpoint's answer"),
    ],
    ids=str,
)
def test_an_answer_without_a_text_fails(endpoint: LlmEndpoint, answer: Any, words: str) -> None:
    endpoint.answer = answer

    assert words in failure(endpoint)


@pytest.mark.parametrize("status", [401, 500])
def test_the_key_is_in_no_failure_no_log_and_no_answer(
    endpoint: LlmEndpoint, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.INFO)

    said = failure(endpoint, (status, {"error": {"message": f"Incorrect API key provided: {KEY}"}}))
    endpoint.answer = completion(f"your key is {KEY}")
    answer = decide(endpoint)

    assert KEY not in said + caplog.text + answer.text + repr(Endpoint(endpoint.url, KEY))


def options(directory: Path, name: str = "cheap", **values: str) -> ProviderOptions:
    return ProviderOptions(name, values, directory)


def test_address_and_key_come_from_the_environment_by_the_providers_name(
    endpoint: LlmEndpoint, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "llm.yaml").write_text(LLM_YAML)
    settings.LLM_ENDPOINTS = {
        "LLM_SOME_HOST_BASE_URL": endpoint.url,
        "LLM_SOME_HOST_API_KEY": KEY,
        "LLM_BASE_URL": "http://127.0.0.1:9/v1",
    }
    made = make_decider(options(tmp_path, provider="some-host", model_name="host/cheap-1"))

    found = made.decide(asked())

    assert found.cost_usd == Decimal("0.00024")
    assert endpoint.requests[0][1]["authorization"] == f"Bearer {KEY}"


def test_the_shared_key_is_not_sent_to_a_providers_own_address(
    endpoint: LlmEndpoint, settings: Any, tmp_path: Path
) -> None:
    settings.LLM_ENDPOINTS = {"LLM_HOST_BASE_URL": endpoint.url, "LLM_API_KEY": KEY}

    make_decider(options(tmp_path, "host/model")).decide(asked())

    assert KEY not in str(endpoint.requests)
    assert endpoint.requests[0][2]["model"] == "host/model"


def test_a_provider_without_an_address_is_refused_with_the_names_of_its_variables(
    settings: Any, tmp_path: Path
) -> None:
    settings.LLM_ENDPOINTS = {}
    with pytest.raises(InvalidProvider, match="set LLM_HOST_BASE_URL or LLM_BASE_URL"):
        make_decider(options(tmp_path, "host/model"))


def failures(endpoint: LlmEndpoint, manner: Any, *trader_ids: str) -> list[str]:
    """What each of these traders is told, one after the other."""
    endpoint.manners = [manner]
    decider = LlmDecider(Endpoint(endpoint.url, KEY), ModelCall("host/cheap-1", lambda tokens: None), first_wait=0.01)
    told = []
    for trader_id in trader_ids:
        with pytest.raises(DeciderFailed) as caught:
            decider.decide(replace(asked(), trader_id=trader_id))
        told.append(str(caught.value))
    return told


@pytest.mark.parametrize(("status", "attempts"), [(401, 1), (402, 1), (403, 1), (429, 4), (500, 4), (503, 4)])
def test_an_endpoint_that_fails_several_traders_is_asked_no_more_until_a_probe(
    endpoint: LlmEndpoint, status: int, attempts: int
) -> None:
    *first, last = failures(endpoint, (status, {"error": {"message": "not now"}}), "long", "short", "long", "other")
    assert all("not now" in one for one in first)
    assert last == "its provider fails other traders too, and is asked again in 30 s"
    assert len(endpoint.requests) == 3 * attempts


@pytest.mark.parametrize("status", [400, 404, 413, 422])
def test_what_one_model_refuses_does_not_open_the_breaker_of_its_provider(endpoint: LlmEndpoint, status: int) -> None:
    told = failures(endpoint, (status, {"error": {"message": "no such model"}}), *("long", "short", "other") * 2)
    assert all("no such model" in one for one in told)
    assert decide(endpoint).text == ANSWER
