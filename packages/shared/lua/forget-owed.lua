-- Forgets what a family owes when it has no unfinished job.
-- KEYS[1] owed: family -> bytes   KEYS[2] wait   KEYS[3] paused   KEYS[4] active
-- KEYS[5] prioritized             KEYS[6] delayed   KEYS[7] waiting-children
-- ARGV[1] the family
-- returns 1 when something was forgotten, else 0
for i = 2, 4 do
  if redis.call('LLEN', KEYS[i]) > 0 then return 0 end
end
for i = 5, 7 do
  if redis.call('ZCARD', KEYS[i]) > 0 then return 0 end
end
return redis.call('HDEL', KEYS[1], ARGV[1])
