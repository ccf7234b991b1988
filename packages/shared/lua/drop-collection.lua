-- Drops a collection with all that it has.
-- KEYS[1] collections: the set of names  KEYS[2] its meta  KEYS[3] points  KEYS[4] log  KEYS[5] documents
-- ARGV[1] name
-- returns 1 dropped; 0 there was none
redis.call('SREM', KEYS[1], ARGV[1])
local there = redis.call('EXISTS', KEYS[2])
-- UNLINK: a large collection is freed in the background.
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
return there
