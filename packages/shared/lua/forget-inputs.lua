-- Puts something short in place of the data of jobs whose result's time is over.
-- KEYS[1] ended: our set of ended tasks   KEYS[2 …] the jobs' hashes
-- ARGV[1] now, ms since 1970   ARGV[2] data of fewer bytes stays   ARGV[3 …] each job's id and its new data
-- returns how many were shortened
local shortened = 0
for i = 2, #KEYS do
  local id, data = ARGV[2 * i - 1], ARGV[2 * i]
  -- A task that is tried again is not in that set.
  local over = redis.call('ZSCORE', KEYS[1], id)
  if over and tonumber(over) <= tonumber(ARGV[1]) and redis.call('HSTRLEN', KEYS[i], 'data') >= tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[i], 'data', data)
    shortened = shortened + 1
  end
end
return shortened
