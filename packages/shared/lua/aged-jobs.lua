-- The jobs that have waited too long, of each priority from its head on until one has not. Only reads.
-- KEYS[1] prioritized
-- ARGV[1] what stands before a job's id in the key of its hash (on the same node, by the hash tag)
-- ARGV[2] ms since 1970: what could run by then has waited too long
-- ARGV[3] from which score on; a "(" leaves it out       ARGV[4] how many jobs of a priority, and how many priorities, at most
-- returns the score to go on from or "", how many priorities were met, { id, ms since 1970 when it could run, … }
-- BullMQ scores a job by priority * 2^32 plus a counter: from each priority one look leads to the next.
local step = 0x100000000
local most = tonumber(ARGV[4])
local from = ARGV[3]
local classes, aged = 0, {}

local function due(id)
  local facts = redis.call('HMGET', ARGV[1] .. id, 'timestamp', 'opts')
  -- Other programs write jobs too: options that cannot be read give no delay.
  local isJson, opts = pcall(cjson.decode, facts[2] or '')
  local delay = isJson and type(opts) == 'table' and tonumber(opts.delay) or 0
  return (tonumber(facts[1]) or 0) + delay
end

while classes < most do
  local head = redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if #head == 0 then return { '', classes, aged } end
  local next = string.format('%.0f', (math.floor(tonumber(head[2]) / step) + 1) * step)
  classes = classes + 1
  if due(head[1]) <= tonumber(ARGV[2]) then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], from, '(' .. next, 'LIMIT', 0, most)) do
      local at = due(id)
      if at > tonumber(ARGV[2]) then break end
      aged[#aged + 1] = id
      aged[#aged + 1] = string.format('%.0f', at)
    end
  end
  from = next
end
return { from, classes, aged }
