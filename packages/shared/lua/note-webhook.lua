-- Notes that somebody is to be told of a task's end, if webhooks are on; in place of what was noted before.
-- KEYS[1] the policy of webhooks   KEYS[2] the tasks of the family that are told of
-- ARGV[1] the job's id   ARGV[2] the note
-- returns 1 noted, 0 webhooks are off
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
