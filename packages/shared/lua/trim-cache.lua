-- Drops values of the result cache: those whose time is over, and the oldest others until so many bytes are free.
-- KEYS[1] the cache, as in write-cache.lua   KEYS[2] the bytes that all of it takes
-- ARGV[1] now, in ms since 1970   ARGV[2] bytes to free beside those whose time is over   ARGV[3] the most to drop in one step
-- returns { how many went whose time was over, how many others, bytes that these others took }
local now, wanted = tonumber(ARGV[1]), tonumber(ARGV[2])
local oldest = redis.call('ZRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1, 'WITHSCORES')
local over, others, freed, total = 0, 0, 0, 0
for i = 1, #oldest, 2 do
  local isOver = tonumber(oldest[i + 1]) <= now
  if not isOver and freed >= wanted then break end
  local id, bytes = string.match(oldest[i], '^(.+):(%d+)$')
  redis.call('DEL', KEYS[1] .. ':' .. id)
  total = total + tonumber(bytes)
  if isOver then
    over = over + 1
  else
    others = others + 1
    freed = freed + tonumber(bytes)
  end
end
if over + others == 0 then return { 0, 0, 0 } end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, over + others - 1)
if redis.call('ZCARD', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
else
  redis.call('DECRBY', KEYS[2], total)
end
return { over, others, freed }
