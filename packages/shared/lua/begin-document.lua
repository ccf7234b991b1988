-- Gives a document to one writer, by a new ticket, and notes the chunks that it has or will have: whatever becomes of the
-- writer, they are known.
-- KEYS[1] meta  KEYS[2] documents: document id -> chunk ids, JSON  KEYS[3] tickets: document id -> ticket of its last writer
-- KEYS[4] the lock of the task that writes
-- ARGV[1] generation of the collection  ARGV[2] what the lock must be, '' whatever it is  ARGV[3] document id
-- ARGV[4] the ticket with which its chunks were read, '' none  ARGV[5] the new ticket: a random text  ARGV[6] chunk ids, JSON
-- returns 1 ; 0 another writer was first: read again
--   -1 the collection is not there or another ; -2 the task is another worker's
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return -1 end
if ARGV[2] ~= '' and redis.call('GET', KEYS[4]) ~= ARGV[2] then return -2 end
if (redis.call('HGET', KEYS[3], ARGV[3]) or '') ~= ARGV[4] then return 0 end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[6])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[5])
return 1
