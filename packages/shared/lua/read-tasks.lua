-- The states of some jobs of one queue and the fields that a reader wants, in one step. Only reads.
-- KEYS[1] completed   KEYS[2] failed   KEYS[3] delayed   KEYS[4] prioritized   KEYS[5] waiting-children   KEYS[6] active
-- KEYS[7 …] the jobs' hashes
-- ARGV[1] "1" to read the data of the jobs too, which may be large
-- ARGV[2 …] the jobs' ids, in the same order
-- returns for each job false when there is none, else
--   { state, name, opts, timestamp, processedOn, finishedOn, attemptsMade, attemptsStarted, failedReason, progress,
--     processedBy, priority, stalledCounter, parentKey, repeatJobKey, dueAt, data }; what is missing is false.
--   dueAt: ms since 1970, if delayed
local active = nil
local function isActive(id)
  -- As long as all workers have slots: read once, and only when some job is nowhere else.
  if not active then
    active = {}
    for _, job in ipairs(redis.call('LRANGE', KEYS[6], 0, -1)) do active[job] = true end
  end
  return active[id]
end

local function state(id, delayed)
  if redis.call('ZSCORE', KEYS[1], id) then return 'completed' end
  if redis.call('ZSCORE', KEYS[2], id) then return 'failed' end
  if delayed then return 'delayed' end
  if redis.call('ZSCORE', KEYS[4], id) then return 'waiting' end
  if redis.call('ZSCORE', KEYS[5], id) then return 'waiting-children' end
  return isActive(id) and 'active' or 'waiting'
end

local function read(key, id)
  local fields = redis.call('HMGET', key, 'name', 'opts', 'timestamp', 'processedOn', 'finishedOn', 'atm', 'ats',
    'failedReason', 'progress', 'pb', 'priority', 'stc', 'parentKey', 'rjk')
  if not fields[1] then return false end
  -- BullMQ scores a delayed job by its due time in ms, shifted by 12 bits to keep the order of arrival.
  local delayed = redis.call('ZSCORE', KEYS[3], id)
  local reply = { state(id, delayed) }
  for i = 1, 14 do reply[i + 1] = fields[i] end
  reply[16] = delayed and string.format('%.0f', math.floor(tonumber(delayed) / 4096)) or false
  reply[17] = ARGV[1] == '1' and redis.call('HGET', key, 'data') or false
  return reply
end

local replies = {}
for i = 2, #ARGV do replies[i - 1] = read(KEYS[i + 5], ARGV[i]) end
return replies
