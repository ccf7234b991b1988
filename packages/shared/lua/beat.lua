-- A worker says that it lives.
-- KEYS[1] what it says of itself   KEYS[2] its metrics   KEYS[3] the set of the workers' ids
-- ARGV[1] its id   ARGV[2], ARGV[3] the values of KEYS[1] and KEYS[2]   ARGV[4] how long they hold, in ms
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])
redis.call('SADD', KEYS[3], ARGV[1])
return 1
