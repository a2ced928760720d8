-- resign: a leader ends in good order, so that nobody has to wait for its lease. The term stays: it is never used again.
--
-- KEYS     1 Q_leader
-- ARGV     1 owner, 2 the term in which it led
-- returns  1; the same if it does not lead, or leads in another term by now
-- leaves   no owner in Q_leader

local now = redis.call('HMGET', KEYS[1], 'owner', 'term')
if now[1] == ARGV[1] and now[2] == ARGV[2] then redis.call('HSET', KEYS[1], 'owner', '') end
return 1
