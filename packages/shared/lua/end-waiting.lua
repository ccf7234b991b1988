-- Ends a job that has not begun: from prioritized, wait, delayed or waiting-children to the failed set, as BullMQ's own
-- moveToFinished leaves a failed job. BullMQ has no such move. The only script of ours that writes BullMQ's sets: written
-- against BullMQ 6.7 and to be tried again at every upgrade.
-- KEYS[1] the job's hash  KEYS[2] prioritized  KEYS[3] wait  KEYS[4] paused  KEYS[5] delayed  KEYS[6] waiting-children
-- KEYS[7] failed          KEYS[8] events       KEYS[9] ended: our set of ended tasks
-- ARGV[1] the job's id    ARGV[2] failedReason, "CODE: message"   ARGV[3] now, ms since 1970
-- ARGV[4] until when the task is remembered, ms since 1970
-- returns 1 ended; 0 it does not wait (running, or ended already); -1 no such job
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local id = ARGV[1]
local from = nil
if redis.call('ZREM', KEYS[2], id) == 1 then from = 'waiting'
elseif redis.call('ZREM', KEYS[5], id) == 1 then from = 'delayed'
elseif redis.call('ZREM', KEYS[6], id) == 1 then from = 'waiting-children'
elseif redis.call('LREM', KEYS[3], 1, id) == 1 then from = 'waiting'
elseif redis.call('LREM', KEYS[4], 1, id) == 1 then from = 'paused'
end
if not from then return 0 end
redis.call('ZADD', KEYS[7], ARGV[3], id)
redis.call('HSET', KEYS[1], 'failedReason', ARGV[2], 'finishedOn', ARGV[3])
redis.call('ZADD', KEYS[9], ARGV[4], id)
redis.call('XADD', KEYS[8], '*', 'event', 'failed', 'jobId', id, 'failedReason', ARGV[2], 'prev', from)
return 1
