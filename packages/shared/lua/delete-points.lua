-- Deletes points and notes their ids in the change log, as one new version of the collection when there was any.
-- KEYS[1] meta  KEYS[2] points: id -> version (double, little-endian) .. the rest  KEYS[3] log
-- ARGV[1] generation of the collection  ARGV[2] about how many entries the log keeps
-- then for each point: id, and the version that it must still have ('' any)
-- returns {version, deleted, ids that have another version ...} ; {-1} the collection is not there or another
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
local entry = {}
local changed = {}
for index = 3, #ARGV, 2 do
  local id, wanted = ARGV[index], ARGV[index + 1]
  local point = redis.call('HGET', KEYS[2], id)
  if point then
    if wanted == '' or struct.unpack('<d', point) == tonumber(wanted) then
      redis.call('HDEL', KEYS[2], id)
      entry[#entry + 1] = 'id'
      entry[#entry + 1] = id
    else
      changed[#changed + 1] = id
    end
  end
end
if #entry == 0 then return {tonumber(redis.call('HGET', KEYS[1], 'version')), 0, unpack(changed)} end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[2], version .. '-0', unpack(entry))
return {version, #entry / 2, unpack(changed)}
