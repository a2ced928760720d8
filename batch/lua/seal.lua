-- seal: closes the list. From here on the run knows how many results make it complete.
--
-- ARGV     2: how many tests the caller knows to be in the run
-- returns  1
-- leaves   'sealed' in Q_control, total in Q_run; from now on a list of another length is GONE (guard.lua)
-- errors   ENDED; INCOMPLETE: Redis holds another number of tests

local how = ended()
if how then return redis.error_reply('ENDED ' .. how) end
local count = redis.call('HLEN', TESTS)
if count ~= tonumber(ARGV[2]) then return redis.error_reply('INCOMPLETE ' .. count) end
if redis.call('SADD', CONTROL, 'sealed') == 1 then
  redis.call('HSET', RUN, 'total', count)
  journal('seal', 'text', count)
  wake()
  keep_alive()
end
return 1
