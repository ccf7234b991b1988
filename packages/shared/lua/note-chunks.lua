-- Notes the chunks that a document has or will have.
-- KEYS[1] meta  KEYS[2] documents: document id -> chunk ids, JSON  KEYS[3] tickets: document id -> ticket of who writes it now
-- ARGV[1] generation of the collection  ARGV[2] document id  ARGV[3] the writer's ticket  ARGV[4] chunk ids, JSON, '' none
-- ARGV[5] 1 it is written, and others may write it ; 0 it is going to be
-- returns 1 ; -1 the collection is not there or another ; -3 another writes the document
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return -1 end
if redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[3] then return -3 end
if ARGV[4] == '' then redis.call('HDEL', KEYS[2], ARGV[2]) else redis.call('HSET', KEYS[2], ARGV[2], ARGV[4]) end
if ARGV[5] == '1' then redis.call('HDEL', KEYS[3], ARGV[2]) end
return 1
