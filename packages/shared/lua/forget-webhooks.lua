-- Forgets tasks that are told of, unless they were noted anew meanwhile.
-- KEYS[1] the tasks of the family that are told of
-- ARGV[1 …] the jobs' ids and their notes, in turn
-- returns how many it forgot
local forgotten = 0
for i = 1, #ARGV, 2 do
  if redis.call('HGET', KEYS[1], ARGV[i]) == ARGV[i + 1] then
    forgotten = forgotten + redis.call('HDEL', KEYS[1], ARGV[i])
  end
end
return forgotten
