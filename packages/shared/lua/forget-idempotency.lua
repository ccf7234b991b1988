-- Removes the idempotency keys that stand for tasks which are gone; one that stands for another task by now stays.
-- KEYS[1] job id -> key; the keys that it names lie on the same node, by the hash tag
-- ARGV[1 …] the jobs' ids
-- returns how many keys were removed
local removed = 0
for _, id in ipairs(ARGV) do
  local key = redis.call('HGET', KEYS[1], id)
  if key then
    local value = redis.call('GET', key)
    if value and cjson.decode(value).id == id then removed = removed + redis.call('DEL', key) end
    redis.call('HDEL', KEYS[1], id)
  end
end
return removed
