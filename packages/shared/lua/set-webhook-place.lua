-- Notes up to which event a family was looked at.
-- KEYS[1] the places of all families   ARGV[1] the family   ARGV[2] the place, an id of an event
return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
