-- Ends a run, if whoever wants it holds its lease and it stands as expected.
-- KEYS[1] the run   KEYS[2] its lease   KEYS[3] its parts   KEYS[4] open runs   KEYS[5] ended runs
-- KEYS[6] the runs that need its input   KEYS[7] known ends: the webhook's id -> webhook
-- ARGV[1] who must hold the lease   ARGV[2] the statuses to expect, each between commas   ARGV[3] the id of the run
-- ARGV[4] until when it is remembered, ms since 1970   ARGV[5], ARGV[6] the webhook's id and the webhook, or ""
-- ARGV[7 ...] fields and their values
-- returns 1 ended, 0 another has the lease, -1 no such run, -2 it stands otherwise
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return -1 end
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if not string.find(ARGV[2], ',' .. status .. ',', 1, true) then return -2 end
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('DEL', KEYS[3])
redis.call('ZREM', KEYS[4], ARGV[3])
redis.call('ZADD', KEYS[5], ARGV[4], ARGV[3])
redis.call('SREM', KEYS[6], ARGV[3])
if ARGV[5] ~= '' then redis.call('HSET', KEYS[7], ARGV[5], ARGV[6]) end
return 1
