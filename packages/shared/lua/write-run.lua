-- Changes a run, if whoever wants it holds its lease and it stands as expected; with a part of its output in the same step.
-- KEYS[1] the run   KEYS[2] its lease   KEYS[3] its parts
-- ARGV[1] who must hold the lease; "" for anybody   ARGV[2] the statuses to expect, each between commas; "" for any
-- ARGV[3] a part that is stored; "" for none   ARGV[4 ...] fields and their values
-- returns 1 changed, 0 another has the lease, -1 no such run, -2 it stands otherwise
local status = redis.call('HGET', KEYS[1], 'status')
if not status then return -1 end
if ARGV[1] ~= '' and redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' and not string.find(ARGV[2], ',' .. status .. ',', 1, true) then return -2 end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
if ARGV[3] ~= '' then redis.call('RPUSH', KEYS[3], ARGV[3]) end
return 1
