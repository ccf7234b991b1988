-- Which of some jobs of one queue have ended, or are gone. Only reads.
-- KEYS[1] completed   KEYS[2] failed   KEYS[3 …] the jobs' hashes
-- ARGV[1 …] the jobs' ids, in the same order
-- returns for each job 0 when it has not ended, 1 when it has, 2 when there is none
local ends = {}
for i, id in ipairs(ARGV) do
  if redis.call('ZSCORE', KEYS[1], id) or redis.call('ZSCORE', KEYS[2], id) then ends[i] = 1
  else ends[i] = redis.call('EXISTS', KEYS[i + 2]) == 1 and 0 or 2 end
end
return ends
