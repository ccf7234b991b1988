-- How a queue stands, read in one step so that its counts add up. Only reads.
-- KEYS[1] wait     KEYS[2] paused     KEYS[3] prioritized   KEYS[4] delayed   KEYS[5] waiting-children
-- KEYS[6] active   KEYS[7] completed  KEYS[8] failed        KEYS[9] meta
-- ARGV[1] what stands before a job's id in the key of its hash (on the same node, by the hash tag)
-- ARGV[2] how many priorities are listed at most
-- ARGV[3] now, in ms since 1970
-- ARGV[4 …] moments, in ms since 1970: ended jobs are counted from each on
-- returns { wait, paused, prioritized, delayed, waiting-children, active, completed, failed }, 1 when paused else 0,
--   delayed jobs whose time has come,
--   for each moment { ended since, ms of the first of them or 0 },
--   a { priority, jobs, timestamp, opts } for each priority, most urgent first; timestamp and opts of the job whose turn it is,
--   false when it has none; the `wait` list, which goes ahead of all, counts as priority 0
local waiting = { redis.call('LLEN', KEYS[1]), redis.call('LLEN', KEYS[2]) }
local counts = { waiting[1], waiting[2], redis.call('ZCARD', KEYS[3]), redis.call('ZCARD', KEYS[4]), redis.call('ZCARD', KEYS[5]),
  redis.call('LLEN', KEYS[6]), redis.call('ZCARD', KEYS[7]), redis.call('ZCARD', KEYS[8]) }

local classes = {}
local function add(priority, jobs, id)
  local facts = redis.call('HMGET', ARGV[1] .. id, 'timestamp', 'opts')
  classes[#classes + 1] = { priority, jobs, facts[1], facts[2] }
end
if waiting[1] > 0 then add(0, waiting[1], redis.call('LINDEX', KEYS[1], -1)) end
-- BullMQ scores a job by priority * 2^32 plus a counter: from each priority one look leads to the next.
local step = 0x100000000
local function score(priority) return string.format('%.0f', priority * step) end
local from = '-inf'
while #classes < tonumber(ARGV[2]) do
  local head = redis.call('ZRANGEBYSCORE', KEYS[3], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #head == 0 then break end
  local priority = math.floor(tonumber(head[2]) / step)
  from = score(priority + 1)
  add(priority, redis.call('ZCOUNT', KEYS[3], score(priority), '(' .. from), head[1])
end

-- BullMQ scores a delayed job by its time in ms * 4096 plus a counter.
local due = redis.call('ZCOUNT', KEYS[4], '-inf', string.format('(%.0f', (tonumber(ARGV[3]) + 1) * 0x1000))

local function endedSince(moment)
  local ended, first = 0, 0
  for i = 7, 8 do
    ended = ended + redis.call('ZCOUNT', KEYS[i], moment, '+inf')
    local head = redis.call('ZRANGEBYSCORE', KEYS[i], moment, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #head > 0 and (first == 0 or tonumber(head[2]) < first) then first = tonumber(head[2]) end
  end
  return { ended, first }
end
local ended = {}
for i = 4, #ARGV do ended[#ended + 1] = endedSince(ARGV[i]) end
return { counts, redis.call('HEXISTS', KEYS[9], 'paused'), due, ended, classes }
