-- lead: who leads the run's controllers. Whoever leads beats; whoever does not looks, or takes over from a leader that it
-- has seen standing still for a whole lease. No clock and no TTL decides, and no other key is needed: the first leader opens
-- the run.
--
-- Term and beat never go back. Whoever has seen later ones than Redis holds knows that it lost them, and puts them back: so
-- a leader goes on when the key is lost, or else is given its lease, and nobody leads instead who does not know the run.
--
-- A delayed duplicate of a take-over finds another beat than was seen, and one of a beat by a former leader a later term:
-- neither deposes anybody. One that comes after an orderly end, or after the run was cleaned, makes a leader that does not
-- live; the others wait for a lease then, as after a death.
--
-- KEYS     1 Q_leader
-- ARGV     1 owner; 2 owner, 3 term and 4 beat of the leader as it was last seen ('', 0 and 0: never); 5 '1': it stood still
-- returns  {owner, term, beat} as they are now
-- leaves   Q_leader: nobody led, or the leader is as it was seen and stood still: the owner leads, with the next term and
--          beat 0; it led already: one more beat; else what is the latest of what was there and what was seen

local LEADER, KEEP_SECONDS = KEYS[1], 86400 -- as in prelude.lua

local function put(owner, term, beat)
  local leader = {owner, string.format('%d', term), string.format('%d', beat)}
  redis.call('HSET', LEADER, 'owner', leader[1], 'term', leader[2], 'beat', leader[3])
  redis.call('EXPIRE', LEADER, KEEP_SECONDS)
  return leader
end

local now = redis.call('HMGET', LEADER, 'owner', 'term', 'beat')
local owner, term, beat = now[1] or '', tonumber(now[2] or '0'), tonumber(now[3] or '0')
local seen, seen_term, seen_beat = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local lost = seen_term > term or seen_term == term and seen_beat > beat
if lost then owner, term, beat = seen, seen_term, seen_beat end

if owner == ARGV[1] then return put(owner, term, beat + 1) end
if owner == '' or ARGV[5] == '1' and owner == seen and term == seen_term and beat == seen_beat then
  return put(ARGV[1], term + 1, 0)
end
if lost then return put(owner, term, beat) end
return now
