-- Notes the call that a worker begins next.
-- KEYS[1] the worker's calls, by place   KEYS[2] the set of the ids of workers that have such records
-- ARGV[1] the worker's id   ARGV[2] the place   ARGV[3] the call, JSON   ARGV[4] how long it is kept, in ms
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SADD', KEYS[2], ARGV[1])
return 1
