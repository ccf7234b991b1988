-- Deletes the chunks that a document had and has no more, as one new version of the collection when there was any.
-- KEYS[1] meta  KEYS[2] points  KEYS[3] log  KEYS[4] documents: document id -> chunk ids, JSON
-- ARGV[1] generation  ARGV[2] about how many entries the log keeps  ARGV[3] document id  then its chunk ids
-- returns {version, removed} ; {-1} the collection is not there or another
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
local keeps, ids, entry = {}, {}, {}
for index = 4, #ARGV do
  keeps[ARGV[index]] = true
  ids[#ids + 1] = ARGV[index]
end
local known = redis.call('HGET', KEYS[4], ARGV[3])
for _, id in ipairs(known and cjson.decode(known) or {}) do
  if not keeps[id] and redis.call('HDEL', KEYS[2], id) == 1 then
    entry[#entry + 1] = 'id'
    entry[#entry + 1] = id
  end
end
if #ids > 0 then redis.call('HSET', KEYS[4], ARGV[3], cjson.encode(ids))
else redis.call('HDEL', KEYS[4], ARGV[3]) end
local removed = #entry / 2
if removed == 0 then return {tonumber(redis.call('HGET', KEYS[1], 'version')), 0} end
local version
-- Lua unpacks some 8,000 values at most: a version for every 2,000 chunks.
for first = 1, #entry, 4000 do
  version = redis.call('HINCRBY', KEYS[1], 'version', 1)
  local last = math.min(first + 3999, #entry)
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], version .. '-0', unpack(entry, first, last))
end
return {version, removed}
