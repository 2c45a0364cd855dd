"""Steps that must happen at once in the old layout."""

from __future__ import annotations

from trading.live.redis.scripts import Script

# KEYS: the list's name, its name aside. ARGV: the old layout's text, its time to live in seconds.
PUT_OLD_LIST = Script(
    """
if redis.call('TYPE', KEYS[1]).ok == 'list' then redis.call('RENAME', KEYS[1], KEYS[2]) end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
)

# KEYS: a String of the old layout. ARGV: its text ('' removes it), its time to live in seconds, how many milliseconds
# ago that was true. What was written since then stays: what is left of its time to live tells.
RENEW_OLD = Script(
    """
local left = redis.call('PTTL', KEYS[1])
if left >= 0 and ARGV[2] * 1000 - left < tonumber(ARGV[3]) then return 0 end
if ARGV[1] == '' then return redis.call('UNLINK', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
)

# KEYS: the list's name, its name aside. The old layout's String goes, and the list takes its name.
SETTLE_LIST = Script(
    """
local gone = 0
if redis.call('TYPE', KEYS[1]).ok == 'string' then gone = redis.call('UNLINK', KEYS[1]) end
if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('RENAME', KEYS[2], KEYS[1])
end
return gone
"""
)
