-- Writes one piece of points and notes their ids in the change log, as one new version of the collection.
-- KEYS[1] meta  KEYS[2] points: id -> version (double, little-endian) .. vector (float32) .. metadata (JSON)  KEYS[3] log
-- ARGV[1] generation of the collection  ARGV[2] fingerprint of the vectors, '' when it is not known
-- ARGV[3] about how many entries the log keeps  then for each point: id, vector and metadata as one string
-- returns {version} ; {-1} the collection is not there or another; {-2, fingerprint} it has vectors of another model
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
if ARGV[2] ~= '' then
  local known = redis.call('HGET', KEYS[1], 'fingerprint')
  if not known then redis.call('HSET', KEYS[1], 'fingerprint', ARGV[2])
  elseif known ~= ARGV[2] then return {-2, known} end
end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
local head = struct.pack('<d', version)
local entry = {}
for index = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[index], head .. ARGV[index + 1])
  entry[#entry + 1] = 'id'
  entry[#entry + 1] = ARGV[index]
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], version .. '-0', unpack(entry))
return {version}
