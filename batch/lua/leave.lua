-- leave: a worker goes. Its id is not used again.
--
-- ARGV     2 worker id, 3 why (for people), 4 '1': because it qualifies for no test that is left; then its refusals stand
-- returns  1; the same if it is gone already
-- errors   HOLDING: its batch is not settled

local id = ARGV[2]
local worker = worker_of(id)
if not worker then return 1 end
if worker.open then return redis.error_reply('HOLDING batch ' .. worker.batch .. ' of ' .. id .. ' is not settled') end
if ARGV[4] == '1' then
  for gate in pairs(from_lines(worker.refused)) do
    local record = cjson.decode(redis.call('HGET', GATES, gate))
    local gone = from_lines(record.gone or '')
    gone[id] = true
    record.gone = to_lines(gone)
    redis.call('HSET', GATES, gate, cjson.encode(record))
  end
end
redis.call('HDEL', WORKERS, id)
journal('leave', 'worker', id, 'text', ARGV[3])
keep_alive()
return 1
