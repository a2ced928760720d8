-- lead: who leads the run's controllers. Whoever leads beats; whoever does not looks, or takes over from a leader that it
-- has seen standing still for a whole lease. No clock and no TTL decides, and no other key is needed: the first leader opens
-- the run. When the key is lost, whoever comes first leads.
--
-- A delayed duplicate of a take-over finds another beat than was seen, and one of a beat by a former leader another owner:
-- neither deposes anybody. One that comes after an orderly end makes a leader that does not live; the others wait for a
-- lease then, as after a death.
--
-- KEYS     1 Q_leader
-- ARGV     1 owner; 2 owner, 3 term and 4 beat of the leader that stood still ('', 0 and 0: only look)
-- returns  {owner, term, beat} as they are now
-- leaves   Q_leader: nobody led, or the leader is as it was seen: the owner leads, with the next term and beat 0; it led
--          already: one more beat; else what was there

local LEADER, KEEP_SECONDS = KEYS[1], 86400 -- as in prelude.lua

local function held()
  return redis.call('HMGET', LEADER, 'owner', 'term', 'beat')
end

local now = held()
local leader = now[1] or ''
if leader == ARGV[1] then
  redis.call('HINCRBY', LEADER, 'beat', 1)
elseif leader == '' or leader == ARGV[2] and now[2] == ARGV[3] and now[3] == ARGV[4] then
  redis.call('HINCRBY', LEADER, 'term', 1)
  redis.call('HSET', LEADER, 'owner', ARGV[1], 'beat', 0)
else
  return now
end
redis.call('EXPIRE', LEADER, KEEP_SECONDS)
return held()
