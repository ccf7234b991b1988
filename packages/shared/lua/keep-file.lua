-- Notes a file that is stored, or that it is stored anew.
-- KEYS[1] its facts   KEYS[2] files   KEYS[3] expiring files
-- ARGV[1] its id   ARGV[2] when it was created   ARGV[3] when its time is over; ms since 1970   ARGV[4 ...] its facts
-- returns 1
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[3], ARGV[1])
return 1
