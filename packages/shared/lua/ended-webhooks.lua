-- Which tasks that are told of have ended, by the events of their queue behind a place. Only reads.
-- KEYS[1] BullMQ's events of the family   KEYS[2] the tasks of the family that are told of
-- ARGV[1] the place, an id of an event   ARGV[2] how many events are read at the most
-- returns { the place to go on from, how many events were read, the jobs' ids … }
if redis.call('HLEN', KEYS[2]) == 0 then
  -- Whatever has ended by now nobody is told of: a task is noted before it begins.
  local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
  return { newest[1] and newest[1][1] or ARGV[1], 0 }
end
local streams = redis.call('XREAD', 'COUNT', ARGV[2], 'STREAMS', KEYS[1], ARGV[1])
if not streams or not streams[1] then return { ARGV[1], 0 } end
local events = streams[1][2]
local reply = { events[#events][1], #events }
for _, event in ipairs(events) do
  local name, id = nil, nil
  for i = 1, #event[2], 2 do
    if event[2][i] == 'event' then name = event[2][i + 1] end
    if event[2][i] == 'jobId' then id = event[2][i + 1] end
  end
  if id and (name == 'completed' or name == 'failed') and redis.call('HEXISTS', KEYS[2], id) == 1 then
    reply[#reply + 1] = id
  end
end
return reply
