-- enqueue: adds a chunk of the list to the tail of the queue, in order. Tests that are there already change nothing, so
-- that chunks may be repeated and several producers unite.
--
-- ARGV     2…: test id, spec, expected milliseconds (0: unknown), repeated
-- returns  {tests added, tests in the run}
-- leaves   each new id once in Q_tests and Q
-- errors   ENDED; SEALED: a new test for a closed list; CONFLICT: a test is there with another spec

local how = ended()
if how then return redis.error_reply('ENDED ' .. how) end
local sealed = redis.call('SISMEMBER', CONTROL, 'sealed') == 1
for i = 2, #ARGV, 3 do
  local spec = redis.call('HGET', TESTS, ARGV[i])
  if not spec and sealed then return redis.error_reply('SEALED ' .. ARGV[i]) end
  if spec and spec ~= ARGV[i + 1] then return redis.error_reply('CONFLICT ' .. ARGV[i]) end
end

local added = 0
for i = 2, #ARGV, 3 do
  if redis.call('HSETNX', TESTS, ARGV[i], ARGV[i + 1]) == 1 then
    added = added + 1
    redis.call('RPUSH', QUEUE, ARGV[i])
    if ARGV[i + 2] ~= '0' then redis.call('HSET', EXPECTED, ARGV[i], ARGV[i + 2]) end
  end
end
if added > 0 then
  wake()
  keep_alive()
end
return {added, redis.call('HLEN', TESTS)}
