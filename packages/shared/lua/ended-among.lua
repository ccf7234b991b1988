-- Which of some jobs of one queue have ended, or are gone. Only reads.
-- KEYS[1] completed   KEYS[2] failed   KEYS[3 …] the jobs' hashes
-- ARGV[1 …] the jobs' ids, in the same order
-- returns for each job 1 when it has ended or there is none, else 0
local ended = {}
for i, id in ipairs(ARGV) do
  local is = redis.call('ZSCORE', KEYS[1], id) or redis.call('ZSCORE', KEYS[2], id) or redis.call('EXISTS', KEYS[i + 2]) == 0
  ended[i] = is and 1 or 0
end
return ended
