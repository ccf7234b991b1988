-- Marks ended tasks as being removed. Those that are not listed any more are passed over; one that is tried again is taken off
-- the list.
-- KEYS[1] ended: our set of ended tasks   KEYS[2] completed   KEYS[3] failed
-- ARGV[1] the mark, in place of the time
-- ARGV[2] what stands before a job's id in the key of its hash (on the same node, by the hash tag)   ARGV[3 …] the jobs' ids
-- returns the ids that are marked now
local marked = {}
for i = 3, #ARGV do
  local id = ARGV[i]
  if redis.call('ZSCORE', KEYS[1], id) then
    local over = redis.call('ZSCORE', KEYS[2], id) or redis.call('ZSCORE', KEYS[3], id)
      or redis.call('EXISTS', ARGV[2] .. id) == 0
    if over then
      redis.call('ZADD', KEYS[1], ARGV[1], id)
      marked[#marked + 1] = id
    else
      redis.call('ZREM', KEYS[1], id)
    end
  end
end
return marked
