-- Forgets a file that no run needs.
-- KEYS[1] its facts   KEYS[2] files   KEYS[3] expiring files   KEYS[4] the runs that need it
-- ARGV[1] its id
-- returns 1 forgotten, 0 a run needs it, -1 no such file
if redis.call('SCARD', KEYS[4]) > 0 then return 0 end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('DEL', KEYS[1]) == 0 then return -1 end
return 1
