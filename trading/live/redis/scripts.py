"""Steps that must happen at once, in Redis itself. Each script names keys of one slot only.

A script that writes takes an EXPIRE off its keys, which only another program can have set, and says first in its answer
off how many (`kept`). It does so last: a server that is full refuses the first command that needs room, and none after
one that was done.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import NoScriptError, ResponseError

from trading.live.redis.outage import Client

Command = Callable[[Any], Any]
"""Takes a pipeline or a client and says one command to it."""

# The place of `as_of` in an encoded value (codec.py). A foreign value counts as older than any.
_AS_OF = """
local function as_of(value)
  if not value then return '' end
  local found = string.match(value, '^{"as_of":(%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d)')
  return found or string.match(value, '^Z(%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d)') or ''
end
"""
# Of a key that is replaced as a whole: 1 if it was to expire, else 0.
_EXPIRES = """
local function expires(key)
  return redis.call('PTTL', key) >= 0 and 1 or 0
end
"""


class Script:
    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, keys: Sequence[str], *arguments: Any, whole: bool = False) -> Command:
        """`whole` sends the text, for a server that does not know it yet."""
        name, text = ("EVAL", self.text) if whole else ("EVALSHA", self.sha)
        return lambda pipe: pipe.execute_command(name, text, len(keys), *keys, *arguments)

    def run(self, client: Client, keys: Sequence[str], *arguments: Any) -> Any:
        try:
            return client.execute_command("EVALSHA", self.sha, len(keys), *keys, *arguments)
        except NoScriptError:
            return client.execute_command("EVAL", self.text, len(keys), *keys, *arguments)


def in_one_trip(client: Client, scripted: Sequence[tuple[Script, Sequence[str], Sequence[Any]]]) -> list[Any]:
    """The result of each script, in order; a refused script gives its ResponseError."""
    found = together(client, [script(keys, *arguments) for script, keys, arguments in scripted])
    unknown = [n for n, result in enumerate(found) if isinstance(result, NoScriptError)]
    again = together(client, [scripted[n][0](scripted[n][1], *scripted[n][2], whole=True) for n in unknown])
    for n, result in zip(unknown, again, strict=True):
        found[n] = result
    return found


def together(client: Client, commands: Sequence[Command]) -> list[Any]:
    """The result of each command in one round trip, not as a transaction. Errors of single commands are results."""
    if not commands:
        return []
    with client.pipeline(transaction=False) as pipe:
        for command in commands:
            command(pipe)
        found: list[Any] = pipe.execute(raise_on_error=False)
    for result in found:
        if isinstance(result, Exception) and not isinstance(result, ResponseError):
            raise result
    return found


# KEYS: a hash. ARGV: field, value, field, value ... Sets those that are not older than what stands there, and returns
# the fields of the others.
PUT = Script(
    _AS_OF
    + """
local older = {0}
for i = 1, #ARGV, 2 do
  if as_of(redis.call('HGET', KEYS[1], ARGV[i])) <= as_of(ARGV[i + 1]) then
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
  else
    older[#older + 1] = ARGV[i]
  end
end
older[1] = redis.call('PERSIST', KEYS[1])
return older
"""
)

# KEYS: the control hash. ARGV: field, mode, revision. Sets the mode where the stored one has that revision.
SWITCH = Script(
    """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
local revision = stored and cjson.decode(stored).revision or 0
if revision ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
"""
)

# KEYS: a hash. ARGV: as_of, field ... Removes fields that are not newer than that, and returns how many.
DROP = Script(
    _AS_OF
    + """
local done = 0
for i = 2, #ARGV do
  if as_of(redis.call('HGET', KEYS[1], ARGV[i])) <= ARGV[1] then
    done = done + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return {redis.call('PERSIST', KEYS[1]), done}
"""
)

# KEYS: the ZSet, the hash of its ages. ARGV: member, as_of, score ('' takes it off) ... Returns how many were taken
# over.
RANK = Script(
    """
local done = 0
for i = 1, #ARGV, 3 do
  local since = redis.call('HGET', KEYS[2], ARGV[i]) or ''
  if since <= ARGV[i + 1] then
    if ARGV[i + 2] == '' then redis.call('ZREM', KEYS[1], ARGV[i])
    else redis.call('ZADD', KEYS[1], ARGV[i + 2], ARGV[i]) end
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
    done = done + 1
  end
end
return {redis.call('PERSIST', KEYS[1]) + redis.call('PERSIST', KEYS[2]), done}
"""
)

# KEYS: the list's name, its name aside. ARGV: 'aside' or '', item, newest first ... Replaces the list unless it is
# newer, and returns whether it did. Another layout may keep a String under the same name: as long as it does, the list
# lives aside.
REPLACE_LIST = Script(
    _AS_OF
    + _EXPIRES
    + """
local kind = redis.call('TYPE', KEYS[1]).ok
local target = KEYS[1]
if ARGV[1] == 'aside' or kind == 'string' then
  target = KEYS[2]
  if kind == 'list' then redis.call('RENAME', KEYS[1], KEYS[2]) end
elseif kind == 'none' and redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('RENAME', KEYS[2], KEYS[1])
end
if as_of(redis.call('LINDEX', target, 0)) > as_of(ARGV[2]) then return {redis.call('PERSIST', target), 0} end
local kept = expires(target)
redis.call('DEL', target)
for i = 2, #ARGV do redis.call('RPUSH', target, ARGV[i]) end
return {kept, 1}
"""
)

# KEYS: the list's name, its name aside. ARGV: as_of, 'aside' or ''. Removes the list unless it is newer; with
# 'aside' a String under the list's own name as well. Returns how many. What stays keeps its time to live, which may be
# the other layout's.
DROP_LIST = Script(
    _AS_OF
    + """
local done = 0
for n = 1, 2 do
  local kind = redis.call('TYPE', KEYS[n]).ok
  if kind == 'list' and as_of(redis.call('LINDEX', KEYS[n], 0)) <= ARGV[1] then
    done = done + redis.call('UNLINK', KEYS[n])
  elseif kind == 'string' and ARGV[2] == 'aside' then
    done = done + redis.call('UNLINK', KEYS[n])
  end
end
return {0, done}
"""
)

# KEYS: a hash. All of it as two texts, since a client reads these faster than two thousand short ones: the lengths of
# field, value, field, value ..., and all of these one after the other.
READ_HASH = Script(
    """
local all, lengths = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all do lengths[i] = #all[i] end
return {table.concat(lengths, ' '), table.concat(all)}
"""
)

# KEYS: the list's name, its name aside. Where the list is, whatever else has its name.
READ_LIST = Script(
    """
if redis.call('TYPE', KEYS[1]).ok == 'list' then return redis.call('LRANGE', KEYS[1], 0, -1) end
return redis.call('LRANGE', KEYS[2], 0, -1)
"""
)

# KEYS: a hash, the one built aside. ARGV: when building began. What was written meanwhile is kept, the rest replaced.
TAKE_OVER_HASH = Script(
    _AS_OF
    + _EXPIRES
    + """
local kept = expires(KEYS[1])
local live = redis.call('HGETALL', KEYS[1])
for i = 1, #live, 2 do
  local since = as_of(live[i + 1])
  local built = redis.call('HGET', KEYS[2], live[i])
  if (built and since > as_of(built)) or (not built and since >= ARGV[1]) then
    redis.call('HSET', KEYS[2], live[i], live[i + 1])
  end
end
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('PERSIST', KEYS[2])
  redis.call('RENAME', KEYS[2], KEYS[1])
else
  redis.call('DEL', KEYS[1])
end
return {kept, redis.call('HLEN', KEYS[1])}
"""
)

# KEYS: the ZSet, its ages, both built aside. ARGV: when building began.
TAKE_OVER_BOARD = Script(
    _EXPIRES
    + """
local kept = expires(KEYS[1]) + expires(KEYS[2])
local live = redis.call('HGETALL', KEYS[2])
for i = 1, #live, 2 do
  local built = redis.call('HGET', KEYS[4], live[i])
  if (built and live[i + 1] > built) or (not built and live[i + 1] >= ARGV[1]) then
    local score = redis.call('ZSCORE', KEYS[1], live[i])
    if score then redis.call('ZADD', KEYS[3], score, live[i]) else redis.call('ZREM', KEYS[3], live[i]) end
    redis.call('HSET', KEYS[4], live[i], live[i + 1])
  end
end
for n = 1, 2 do
  if redis.call('EXISTS', KEYS[n + 2]) == 1 then
    redis.call('PERSIST', KEYS[n + 2])
    redis.call('RENAME', KEYS[n + 2], KEYS[n])
  else
    redis.call('DEL', KEYS[n])
  end
end
return {kept, redis.call('ZCARD', KEYS[1])}
"""
)
