-- Creates a collection unless there is one of that name.
-- KEYS[1] collections: the set of names  KEYS[2] the collection's meta
-- ARGV[1] name  ARGV[2] generation  ARGV[3] settings, JSON  ARGV[4] fingerprint, '' when it is not known
-- returns 1 created; 0 there is one already
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('HSET', KEYS[2], 'generation', ARGV[2], 'settings', ARGV[3], 'version', 0, 'mark', 0)
if ARGV[4] ~= '' then redis.call('HSET', KEYS[2], 'fingerprint', ARGV[4]) end
redis.call('SADD', KEYS[1], ARGV[1])
return 1
