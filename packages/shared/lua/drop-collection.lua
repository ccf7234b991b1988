-- Drops a collection with all that it has.
-- KEYS[1] collections: the set of names  KEYS[2] its meta  KEYS[3 …] its other keys
-- ARGV[1] name
-- returns 1 dropped; 0 there was none
redis.call('SREM', KEYS[1], ARGV[1])
local there = redis.call('EXISTS', KEYS[2])
-- UNLINK: a large collection is freed in the background.
redis.call('UNLINK', unpack(KEYS, 2))
return there
