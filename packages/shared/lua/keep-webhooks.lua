-- Keeps what is to be told of tasks that have ended, before their jobs go or wait again.
-- KEYS[1] the tasks of the family that are told of   KEYS[2] known ends: the webhook's id -> webhook
-- ARGV[1 …] for each task in turn: the job's id, the webhook's id, the webhook
-- returns how many it kept
for i = 1, #ARGV, 3 do
  redis.call('HSET', KEYS[2], ARGV[i + 1], ARGV[i + 2])
  redis.call('HDEL', KEYS[1], ARGV[i])
end
return #ARGV / 3
