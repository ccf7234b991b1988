-- Puts something short in place of the data of jobs whose result's time is over.
-- KEYS[1] ended: our set of ended tasks   KEYS[2] completed   KEYS[3] failed   KEYS[4 …] the jobs' hashes
-- ARGV[1] now, ms since 1970   ARGV[2] data of fewer bytes stays   ARGV[3 …] each job's id and its new data
-- returns how many were shortened
local shortened = 0
for i = 4, #KEYS do
  local id, data = ARGV[2 * i - 5], ARGV[2 * i - 4]
  local over = redis.call('ZSCORE', KEYS[1], id)
  -- A task that is tried again needs its input, even if it is still listed.
  local has_ended = redis.call('ZSCORE', KEYS[2], id) or redis.call('ZSCORE', KEYS[3], id)
  if has_ended and over and tonumber(over) <= tonumber(ARGV[1]) and redis.call('HSTRLEN', KEYS[i], 'data') >= tonumber(ARGV[2]) then
    redis.call('HSET', KEYS[i], 'data', data)
    shortened = shortened + 1
  end
end
return shortened
