-- Writes the outcome of an attempt, if the worker still has the job; with the last attempt of a task, also what follows from
-- its end.
-- KEYS[1] the outcome   KEYS[2] ended: our set of ended tasks   KEYS[3] the job's lock   KEYS[4] owed: family -> bytes
-- ARGV[1] the job's id  ARGV[2] the token that the lock must have; "" for whatever it has
-- ARGV[3] how long the outcome is kept, in ms
-- ARGV[4] until when, in ms since 1970; "" when the task is tried again
-- ARGV[5] the family    ARGV[6] what the task owed, in bytes
-- ARGV[7 …] the fields of the outcome and their values
-- returns 1 written, 0 another has the job or nobody
if ARGV[2] ~= '' and redis.call('GET', KEYS[3]) ~= ARGV[2] then return 0 end
local known = redis.call('EXISTS', KEYS[1]) == 1
redis.call('HSET', KEYS[1], unpack(ARGV, 7))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[4] == '' then return 1 end
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
local owed = tonumber(ARGV[6])
-- The same command comes twice when its first answer was lost on the way.
if owed > 0 and not known and redis.call('HINCRBY', KEYS[4], ARGV[5], -owed) < 0 then redis.call('HDEL', KEYS[4], ARGV[5]) end
return 1
