-- Deletes points and notes their ids in the change log, as one new version of the collection when there was any.
-- KEYS[1] meta  KEYS[2] points: id -> version (double) .. mark (uint32), little-endian .. the rest
-- KEYS[3] log: an entry <version>-<mark> has the ids  KEYS[4] the lock of the task that writes  KEYS[5] tickets of documents
-- ARGV[1] generation of the collection  ARGV[2] what the lock must be, '' whatever it is
-- ARGV[3] a document and ARGV[4] the ticket that it must have, '' for points of no document
-- ARGV[5] mark of this write: a random uint32  ARGV[6] about how many entries the log keeps
-- then for each point: id, and the version and mark that it must still have, as they are stored ('' any)
-- returns {version, deleted, ids that have another version ...} ; {-1} the collection is not there or another
--   {-2} the task is another worker's ; {-3} the document was taken over by another
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
if ARGV[2] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[2] then return {-2} end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[5], ARGV[3]) ~= ARGV[4] then return {-3} end
local entry = {}
local changed = {}
for index = 7, #ARGV, 2 do
  local id, wanted = ARGV[index], ARGV[index + 1]
  local point = redis.call('HGET', KEYS[2], id)
  if point then
    if wanted == '' or string.sub(point, 1, 12) == wanted then
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
redis.call('HSET', KEYS[1], 'mark', ARGV[5])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[6], version .. '-' .. ARGV[5], unpack(entry))
return {version, #entry / 2, unpack(changed)}
