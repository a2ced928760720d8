-- age: how long ago the run was opened, or opened anew, as far as its journal goes. It is Redis's clock that counts, which may
-- have been set meanwhile; nothing in Redis depends on it.
--
-- KEYS     1 Q_events
-- returns  milliseconds, 0 if the journal has no entries
-- leaves   nothing

local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if not first[1] then return 0 end
local now = redis.call('TIME')
return math.max(0, now[1] * 1000 + math.floor(now[2] / 1000) - tonumber(string.match(first[1][1], '^%d+')))
