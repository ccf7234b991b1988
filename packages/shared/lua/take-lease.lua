-- Takes, keeps or drops a lease.
-- KEYS[1] the lease   ARGV[1] who wants it   ARGV[2] for how long, in ms; 0 drops it
-- returns 1 when ARGV[1] holds it now, else 0
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
