-- Notes the chunks that a document has, once the others are deleted; one without any is forgotten.
-- KEYS[1] meta  KEYS[2] documents: document id -> chunk ids, JSON  KEYS[3] tickets: document id -> ticket of its last writer
-- ARGV[1] generation of the collection  ARGV[2] document id  ARGV[3] the writer's ticket  ARGV[4] chunk ids, JSON, '' none
-- returns 1 ; -1 the collection is not there or another ; -3 the document is written by another
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[3] then return -3 end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[2])
else
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
end
return 1
