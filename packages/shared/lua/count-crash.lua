-- Counts a crash in which a task was alone in the call; the same call counts once.
-- KEYS[1] the crashes of the task: call id -> item
-- ARGV[1] the call's id   ARGV[2] the item   ARGV[3] how long the count is kept, in ms
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
