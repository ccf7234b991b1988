-- Gives a document to a writer, by a new ticket; a writer from whom it is taken over writes nothing of it any more.
-- KEYS[1] meta  KEYS[2] documents: document id -> chunk ids, JSON  KEYS[3] tickets: document id -> ticket of who writes it now
-- KEYS[4] the lock of the task that writes
-- ARGV[1] generation of the collection  ARGV[2] what the lock must be, '' whatever it is
-- ARGV[3] document id  ARGV[4] the new ticket: a random text  ARGV[5] the ticket of the writer that it may be taken from, '' none
-- returns {1, its chunk ids, JSON, '' none} ; {0, ticket} another writes it
--   {-1} the collection is not there or another ; {-2} the task is another worker's
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return {-1} end
if ARGV[2] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[2] then return {-2} end
local current = redis.call('HGET', KEYS[3], ARGV[3])
if current and current ~= ARGV[5] then return {0, current} end
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4])
return {1, redis.call('HGET', KEYS[2], ARGV[3]) or ''}
