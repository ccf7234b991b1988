-- Ends a job that has not begun: from prioritized, wait, delayed or waiting-children to the failed set, as BullMQ's own
-- moveToFinished leaves a failed job. BullMQ has no such move. The only script of ours that writes BullMQ's sets: written
-- against BullMQ 6.7 and to be tried again at every upgrade.
-- KEYS[1] the job's hash  KEYS[2] prioritized  KEYS[3] wait  KEYS[4] paused  KEYS[5] delayed  KEYS[6] waiting-children
-- KEYS[7] failed          KEYS[8] events       KEYS[9] ended: our set of ended tasks
-- KEYS[10] owed: family -> bytes
-- ARGV[1] the job's id    ARGV[2] failedReason, "CODE: message"   ARGV[3] now, ms since 1970
-- ARGV[4] until when the task is remembered, ms since 1970   ARGV[5] the family
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
-- Other programs write jobs too: options that cannot be read owe nothing.
local isJson, opts = pcall(cjson.decode, redis.call('HGET', KEYS[1], 'opts') or '')
local owed = isJson and type(opts) == 'table' and tonumber(opts.owed) or 0
if owed > 0 and redis.call('HINCRBY', KEYS[10], ARGV[5], -owed) < 0 then redis.call('HDEL', KEYS[10], ARGV[5]) end
redis.call('XADD', KEYS[8], '*', 'event', 'failed', 'jobId', id, 'failedReason', ARGV[2], 'prev', from)
return 1
