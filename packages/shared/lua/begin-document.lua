-- Notes the chunks that a document will have, before they are written: whatever becomes of the writer, they are known.
-- KEYS[1] meta  KEYS[2] documents: document id -> chunk ids, JSON
-- ARGV[1] generation  ARGV[2] document id  then the chunk ids
-- returns 1 ; -1 the collection is not there or another
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return -1 end
local known = redis.call('HGET', KEYS[2], ARGV[2])
local ids = known and cjson.decode(known) or {}
local there = {}
for _, id in ipairs(ids) do there[id] = true end
for index = 3, #ARGV do
  if not there[ARGV[index]] then ids[#ids + 1] = ARGV[index] end
end
if #ids > 0 then redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(ids)) end
return 1
