-- enqueue: adds a chunk of the list to the tail of the queue, or of the queues of its gates, in order. Tests that are there
-- already change nothing, so that chunks may be repeated and several producers unite.
--
-- ARGV     2 how many gates a run may have, 3 the number of gates; for each its hash and spec (JSON); then for each test its
--          id, spec, expected microseconds (0: unknown)
-- returns  {tests added, tests in the run}
-- leaves   each new id once in Q_tests and in its list; the gates in Q_gates
-- errors   ENDED; SEALED: a new test for a closed list; CONFLICT: a test is there with another spec; LIMIT: too many gates

local how = ended()
if how then return redis.error_reply('ENDED ' .. how) end
local first_test = 4 + 2 * tonumber(ARGV[3])
local sealed = redis.call('SISMEMBER', CONTROL, 'sealed') == 1
for i = first_test, #ARGV, 3 do
  local spec = redis.call('HGET', TESTS, ARGV[i])
  if not spec and sealed then return redis.error_reply('SEALED ' .. ARGV[i]) end
  if spec and spec ~= ARGV[i + 1] then return redis.error_reply('CONFLICT ' .. ARGV[i]) end
end
local count = #gates
for i = 4, first_test - 1, 2 do
  if redis.call('HEXISTS', GATES, ARGV[i]) == 0 then count = count + 1 end
end
if count > tonumber(ARGV[2]) then return redis.error_reply('LIMIT ' .. count) end

for i = 4, first_test - 1, 2 do
  if redis.call('HSETNX', GATES, ARGV[i], ARGV[i + 1]) == 1 then
    redis.call('HINCRBY', RUN, 'gates', 1)
  else
    local old, new = cjson.decode(redis.call('HGET', GATES, ARGV[i])), cjson.decode(ARGV[i + 1])
    if new.mac and not old.mac then
      old.mac = new.mac -- the first producer had no secret to prove it with
      redis.call('HSET', GATES, ARGV[i], cjson.encode(old))
    end
  end
end
local added, grouped, known, known_us, known_ms2 = 0, 0, 0, 0, 0
for i = first_test, #ARGV, 3 do
  if redis.call('HSETNX', TESTS, ARGV[i], ARGV[i + 1]) == 1 then
    added = added + 1
    redis.call('RPUSH', queue_of(gate_in(ARGV[i + 1])), ARGV[i])
    if group_in(ARGV[i + 1]) then grouped = grouped + 1 end
    if ARGV[i + 2] ~= '0' then
      redis.call('HSET', EXPECTED, ARGV[i], ARGV[i + 2])
      local us = tonumber(ARGV[i + 2])
      known, known_us, known_ms2 = known + 1, known_us + us, known_ms2 + us * us / 1e6
    end
  end
end

-- For share.lua. They only decide how large batches are: nothing else depends on them. What is beyond all reason stays within
-- what a number in Redis can be.
local function add(field, by)
  local sum = tonumber(redis.call('HGET', RUN, field) or '0') + by
  redis.call('HSET', RUN, field, string.format('%.0f', math.min(sum, 9e18)))
end
if added > 0 then
  redis.call('HINCRBY', RUN, 'listed', added)
  add('grouped', grouped)
  add('known', known)
  add('known_us', known_us)
  add('known_ms2', known_ms2)
  add('left_us', known_us)
  add('left_unknown', added - known)
  wake()
  keep_alive()
end
return {added, redis.call('HLEN', TESTS)}
