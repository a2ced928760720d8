-- settle: ends a batch. What is left of the set was not executed.
--
-- ARGV     2 worker id, 3 batch number, 4 'requeue' (the runner did not execute them: they run again, alone) or
--          'handback' (the worker gives them back unrun: to the head of the list they came from, and not counted as claimed)
-- returns  the answer of prelude.lua; nothing changes unless the worker has this batch open
-- leaves   an empty set
-- errors   UNKNOWN

local id, number, how = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local worker = worker_of(id)
if not worker then return not_joined(id) end
if worker.batch ~= number or not worker.open then return answer(worker) end

local set = set_of(id)
local left = sort_by_group(members(set))
redis.call('DEL', set)
if how == 'handback' then
  for i = #left, 1, -1 do hand_back(left[i], worker.alone) end
else
  for _, test in ipairs(left) do requeue(test, tries_of(test)) end
end
worker.open = false
worker.running = ''
worker.gate = ''
save_worker(id, worker)
journal('settle', 'worker', id, 'batch', number, 'text', how, 'tests', table.concat(left, '\n'))
-- The end of the last batch of a complete run is what finish waits for.
if #left > 0 or redis.call('HLEN', RESULTS) == total then
  wake()
  keep_alive()
end
return answer(worker)
