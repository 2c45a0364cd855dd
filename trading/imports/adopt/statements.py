"""What is asked of the other database for decisions with their conversations, one set of statements a generation.

`prompt_digest` of a cycle is the SHA-256 of the system message of its conversation. Of several conversations with one
prompt the nearest in time comes first; more than an hour away it is another one.
"""

from __future__ import annotations

from dataclasses import dataclass

from trading.imports.adopt.generations import DETAIL, LEGACY, SQUASHED

_LINKED = """
WITH said AS ({said})
SELECT d.*, s.conversation_id AS linked, s.topic
  FROM decision_cycles d
  LEFT JOIN said s ON s.trader = d.{trader} AND s.digest = lower({digest}) AND s.at_ms IS NOT NULL
        AND abs(s.at_ms - extract(epoch FROM d.executed_at) * 1000) <= 3600000
 ORDER BY d.executed_at, d.id, abs(s.at_ms - extract(epoch FROM d.executed_at) * 1000), s.conversation_id
"""
_SAID = """
SELECT c.model_id AS trader, c.id::text AS conversation_id, c.topic,
       encode(sha256(convert_to(m.content, 'UTF8')), 'hex') AS digest,
       coalesce(m.ts_ms, extract(epoch FROM m.created_at) * 1000) AS at_ms
  FROM conversations c JOIN conversation_messages m ON m.conversation_id = c.id WHERE m.role = 'system'
"""
# Two traders may have a conversation of one id.
_ID_SQUASHED = "m.trader_id || '|' || m.conversation_id"
_SAID_SQUASHED = f"""
SELECT m.trader_id AS trader, {_ID_SQUASHED} AS conversation_id, NULL::text AS topic,
       encode(sha256(convert_to(m.detail ->> 'content', 'UTF8')), 'hex') AS digest,
       extract(epoch FROM m.event_at) * 1000 AS at_ms
  FROM conversation_messages m WHERE m.role = 'system' AND m.detail ->> 'content' IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Statements:
    """`decisions` gives a cycle once for each conversation that may be its own; DECISIONS_ALONE is for a database that
    lacks one of `tables`. `conversations` gives (trader, conversation_id, topic); `messages` takes a list of those ids
    and gives (conversation_id, role, content, ts_ms, metadata, created_at) in order."""

    decisions: str
    conversations: str
    messages: str
    tables: tuple[str, ...]


DECISIONS_ALONE = """
SELECT d.*, NULL::text AS linked, NULL::text AS topic FROM decision_cycles d ORDER BY d.executed_at, d.id
"""
_BY_NUMBER = Statements(
    decisions=_LINKED.format(said=_SAID, trader="model_id", digest="d.prompt_digest"),
    conversations="SELECT c.id::text AS conversation_id, c.model_id, c.topic FROM conversations c ORDER BY c.id",
    messages="""
SELECT m.conversation_id::text, m.id, m.role, m.content, m.ts_ms, m.metadata, m.created_at FROM conversation_messages m
 WHERE m.conversation_id = ANY (%s::bigint[]) ORDER BY m.conversation_id, m.id
""",
    tables=("conversations", "conversation_messages"),
)
STATEMENTS = {
    LEGACY.code: _BY_NUMBER,
    DETAIL.code: _BY_NUMBER,
    SQUASHED.code: Statements(
        decisions=_LINKED.format(said=_SAID_SQUASHED, trader="trader_id", digest="d.detail ->> 'prompt_digest'"),
        conversations=f"""
SELECT {_ID_SQUASHED} AS conversation_id, m.trader_id AS model_id, NULL::text AS topic FROM conversation_messages m
 GROUP BY m.conversation_id, m.trader_id ORDER BY min(m.id)
""",
        messages=f"""
SELECT {_ID_SQUASHED} AS conversation_id, m.id, m.role, m.detail ->> 'content' AS content, NULL::bigint AS ts_ms,
       (m.detail - 'content') || jsonb_build_object('model', m.model_id) AS metadata, m.event_at AS created_at
  FROM conversation_messages m WHERE {_ID_SQUASHED} = ANY (%s::text[]) ORDER BY 1, m.id
""",
        tables=("conversation_messages",),
    ),
}
