-- The state of one job and the fields that a reader wants, in one step. Only reads.
-- KEYS[1] the job's hash      KEYS[2] completed   KEYS[3] failed   KEYS[4] delayed
-- KEYS[5] prioritized         KEYS[6] waiting-children             KEYS[7] active
-- ARGV[1] the job's id        ARGV[2] "1" to read the data of the job too, which may be large
-- returns nil when there is no such job, else
--   { state, name, opts, timestamp, processedOn, finishedOn, attemptsMade, attemptsStarted, failedReason,
--     returnvalue, progress, processedBy, priority, dueAt, data }; what is missing is false. dueAt: ms since 1970, if delayed
local fields = redis.call('HMGET', KEYS[1], 'name', 'opts', 'timestamp', 'processedOn', 'finishedOn', 'atm', 'ats',
  'failedReason', 'returnvalue', 'progress', 'pb', 'priority')
if not fields[1] then return false end
local id = ARGV[1]
-- BullMQ scores a delayed job by its due time in ms, shifted by 12 bits to keep the order of arrival.
local delayed = redis.call('ZSCORE', KEYS[4], id)
local function state()
  if redis.call('ZSCORE', KEYS[2], id) then return 'completed' end
  if redis.call('ZSCORE', KEYS[3], id) then return 'failed' end
  if delayed then return 'delayed' end
  if redis.call('ZSCORE', KEYS[5], id) then return 'waiting' end
  if redis.call('ZSCORE', KEYS[6], id) then return 'waiting-children' end
  -- The active list is as long as all workers have slots: a short scan.
  for _, active in ipairs(redis.call('LRANGE', KEYS[7], 0, -1)) do
    if active == id then return 'active' end
  end
  return 'waiting'
end
local data = ARGV[2] == '1' and redis.call('HGET', KEYS[1], 'data') or false
local reply = { state() }
for i = 1, 12 do reply[i + 1] = fields[i] end
reply[14] = delayed and string.format('%.0f', math.floor(tonumber(delayed) / 4096)) or false
reply[15] = data
return reply
