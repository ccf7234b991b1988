-- Writes one piece of points and notes their ids in the change log, as one new version of the collection.
-- KEYS[1] meta  KEYS[2] points: id -> version (double) .. mark (uint32) .. vector (float32), little-endian .. metadata (JSON)
-- KEYS[3] log: an entry <version>-<mark> has the ids  KEYS[4] the lock of the task that writes  KEYS[5] tickets of documents
-- ARGV[1] generation of the collection  ARGV[2] what the lock must be, '' whatever it is
-- ARGV[3] a document and ARGV[4] the ticket that it must have, '' for points of no document
-- ARGV[5] mark of this write: a random uint32  ARGV[6] about how many entries the log keeps
-- ARGV[7] fingerprint of the vectors, '' when it is not known
-- then for each point: id, vector and metadata as one string
-- returns {version} ; {-1} the collection is not there or another ; {-2} the task is another worker's
--   {-3} the document was taken over by another ; {-4, fingerprint} it has vectors of another model
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
if ARGV[2] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[2] then return {-2} end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[5], ARGV[3]) ~= ARGV[4] then return {-3} end
if ARGV[7] ~= '' then
  local known = redis.call('HGET', KEYS[1], 'fingerprint')
  if not known then redis.call('HSET', KEYS[1], 'fingerprint', ARGV[7])
  elseif known ~= ARGV[7] then return {-4, known} end
end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('HSET', KEYS[1], 'mark', ARGV[5])
local head = struct.pack('<dI4', version, tonumber(ARGV[5]))
local entry = {}
for index = 8, #ARGV, 2 do
  redis.call('HSET', KEYS[2], ARGV[index], head .. ARGV[index + 1])
  entry[#entry + 1] = 'id'
  entry[#entry + 1] = ARGV[index]
end
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], version .. '-' .. ARGV[5], unpack(entry))
return {version}
