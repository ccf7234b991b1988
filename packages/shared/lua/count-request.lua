-- Counts a request.
-- KEYS[1] the counter   ARGV[1] how long it counts from its first request, in ms
-- returns {the requests so far, ms until it counts anew}
local current = redis.call('INCR', KEYS[1])
if current == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {current, redis.call('PTTL', KEYS[1])}
