-- Claims an idempotency key for a task, or says for which it stands.
-- KEYS[1] the key
-- ARGV[1] the value that may be replaced, or "" for none   ARGV[2] the new value
-- ARGV[3] how long the claim holds until it is confirmed, in ms
-- returns false when the key is ours now, else its value
local value = redis.call('GET', KEYS[1])
if value and value ~= ARGV[1] then return value end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return false
