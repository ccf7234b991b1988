-- The newest failed jobs of one queue, and why each failed. Only reads.
-- KEYS[1] failed
-- ARGV[1] what stands before a job's id in the key of its hash (on the same node, by the hash tag)
-- ARGV[2] how many are read at most   ARGV[3] how many bytes of a reason
-- ARGV[4] the mark of an earlier answer, or ""
-- returns { mark }, when that is the mark given: nothing has changed; else
--   { mark, how many there are in all, { id, name, reason, ms when it failed } for each, newest first }
local all = redis.call('ZCARD', KEYS[1])
local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local mark = all .. ':' .. (newest[1] or '') .. ':' .. (newest[2] or '')
if mark == ARGV[4] then return { mark } end

local jobs = {}
local listed = redis.call('ZREVRANGE', KEYS[1], 0, ARGV[2] - 1, 'WITHSCORES')
for i = 1, #listed, 2 do
  local fields = redis.call('HMGET', ARGV[1] .. listed[i], 'name', 'failedReason')
  if fields[1] then
    jobs[#jobs + 1] = { listed[i], fields[1], string.sub(fields[2] or '', 1, tonumber(ARGV[3])), listed[i + 1] }
  end
end
return { mark, all, jobs }
