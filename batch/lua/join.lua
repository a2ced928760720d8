-- join: enters a worker. Its id is never used again by another (names get a random part), so that a delayed duplicate
-- of a join, leave or reap cannot hit a successor; a duplicate of this one leaves a worker without a beat, to be reaped.
--
-- ARGV     2 worker id, 3 what it runs on (for people), 4 the name of its connections
-- returns  the answer of prelude.lua
-- leaves   the worker in Q_workers, counted in Q_run
-- errors   ENDED

local how = ended()
if how then return redis.error_reply('ENDED ' .. how) end
local id = ARGV[2]
local worker = worker_of(id)
if not worker then
  worker = {
    beat = 0, batch = 0, report = 0, finished = 0, running = '', open = false, alone = false, leaving = false, info = ARGV[3],
    gate = '', asked = false, passed = '', refused = '', client = ARGV[4],
  }
  save_worker(id, worker)
  redis.call('HINCRBY', RUN, 'joined', 1)
  journal('join', 'worker', id, 'text', ARGV[3])
  keep_alive()
end
return answer(worker)
