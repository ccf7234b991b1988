-- Opens a run over a file, which stays as long as the run is open.
-- KEYS[1] the facts of the file   KEYS[2] the runs that need it   KEYS[3] the run   KEYS[4] runs   KEYS[5] open runs
-- ARGV[1] the id of the run   ARGV[2] when it was created, ms since 1970   ARGV[3 ...] its fields and their values
-- returns 1 opened, 0 no such file
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[3], unpack(ARGV, 3))
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[5], ARGV[2], ARGV[1])
return 1
