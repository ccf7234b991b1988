-- Lists ended jobs that are not among the ended tasks: BullMQ ended them by itself, or somebody died between two steps.
-- KEYS[1] ended: our set of ended tasks
-- ARGV[1] until when they are remembered, ms since 1970   ARGV[2 …] the jobs' ids
-- returns how many were new
local new = 0
for i = 2, #ARGV do new = new + redis.call('ZADD', KEYS[1], 'NX', ARGV[1], ARGV[i]) end
return new
