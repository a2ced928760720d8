-- leave: a worker goes. Its id is not used again.
--
-- ARGV     2 worker id, 3 why (for people)
-- returns  1; the same if it is gone already
-- errors   HOLDING: its batch is not settled

local id = ARGV[2]
local worker = worker_of(id)
if not worker then return 1 end
if worker.open then return redis.error_reply('HOLDING batch ' .. worker.batch .. ' of ' .. id .. ' is not settled') end
redis.call('HDEL', WORKERS, id)
journal('leave', 'worker', id, 'text', ARGV[3])
keep_alive()
return 1
