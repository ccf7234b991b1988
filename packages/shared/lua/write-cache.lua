-- Puts values into the result cache; the oldest go where the bound says so. Refused at maxmemory, before it changes anything.
-- KEYS[1] the cache: `<fingerprint>:<hash>:<bytes>` by the ms since 1970 when its time is over; the value of each has the key
--   KEYS[1]:<fingerprint>:<hash>, on the same node of a cluster
-- KEYS[2] the bytes that all of them take
-- ARGV[1] the most bytes   ARGV[2] how long a value is kept, in ms   ARGV[3] until when, in ms since 1970
-- ARGV[4] the most that are dropped in one step
-- ARGV[5 …] for each value `<fingerprint>:<hash>`, the bytes that it takes, the value
-- returns { bytes that all take now, values added, values dropped }
local most, ttl, untilMs, mostDropped = tonumber(ARGV[1]), ARGV[2], ARGV[3], tonumber(ARGV[4])
local total = redis.call('INCRBY', KEYS[2], 0)
local added, dropped = 0, 0

-- False when there is nothing more to drop, or enough was dropped.
local function dropOldest()
  if dropped >= mostDropped then return false end
  local oldest = redis.call('ZPOPMIN', KEYS[1])[1]
  if not oldest then
    total = 0
    return false
  end
  local id, bytes = string.match(oldest, '^(.+):(%d+)$')
  redis.call('DEL', KEYS[1] .. ':' .. id)
  total = total - tonumber(bytes)
  dropped = dropped + 1
  return true
end

for i = 5, #ARGV, 3 do
  local key, bytes = KEYS[1] .. ':' .. ARGV[i], tonumber(ARGV[i + 1])
  if bytes <= most and redis.call('EXISTS', key) == 0 then
    while total + bytes > most and dropOldest() do end
    if total + bytes > most then break end
    redis.call('SET', key, ARGV[i + 2], 'PX', ttl)
    -- One whose time is over is still counted until it is swept.
    if redis.call('ZADD', KEYS[1], untilMs, ARGV[i] .. ':' .. ARGV[i + 1]) == 1 then total = total + bytes end
    added = added + 1
  end
end
redis.call('SET', KEYS[2], string.format('%.0f', total))
return { total, added, dropped }
