-- beat: this worker lives. It names what it holds of its batch, so that what Redis believes it to hold and it does not
-- (an answer that never reached it) goes back. That holds only under the batch number whose answer it has: the beat of a
-- worker whose claim is still under way would otherwise give back what it is about to receive.
--
-- ARGV     2 worker id, 3 number of the last batch whose answer arrived, 4 '1': it is leaving (a stop by notice: should it
--          vanish from now on, nothing is charged), 5… the tests it holds
-- returns  the answer of prelude.lua
-- leaves   the beat count one higher
-- errors   UNKNOWN

local id, number = ARGV[2], tonumber(ARGV[3])
local worker = worker_of(id)
if not worker then return not_joined(id) end
worker.beat = worker.beat + 1
if ARGV[4] == '1' then worker.leaving = true end
save_worker(id, worker)
if worker.open and worker.batch == number then
  local held, set, returned = {}, set_of(id), {}
  for i = 5, #ARGV do held[ARGV[i]] = true end
  local tests = sort_by_group(members(set))
  for i = #tests, 1, -1 do
    if not held[tests[i]] then
      redis.call('SREM', set, tests[i])
      hand_back(tests[i], worker.alone)
      returned[#returned + 1] = tests[i]
    end
  end
  if #returned > 0 then
    journal('return', 'worker', id, 'batch', number, 'tests', table.concat(returned, '\n'))
    wake()
  end
end
keep_alive()
return answer(worker)
