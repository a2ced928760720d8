-- reap: removes a worker that is presumed dead, unless it has beaten since the caller looked. Its tests go to the
-- requeue. Only tests that were running are charged with the loss; a claim from the requeue is its own announcement, once
-- the test's gate has let the worker pass. A worker that was leaving charges nobody: whoever stopped it did not wait for it.
--
-- ARGV     2 worker id, 3 beat that the caller saw, 4 why (for people)
-- returns  {1 if it was reaped, how many tests it held}
-- leaves   nothing of the worker
-- errors   RETRY

local id = ARGV[2]
local worker = worker_of(id)
if not worker or worker.beat ~= tonumber(ARGV[3]) then return {0, 0} end
local retry = undeclared({id}, {})
if retry then return retry end

local running = from_lines(worker.running)
local set = set_of(id)
local tests = members(set)
redis.call('DEL', set)
redis.call('HDEL', WORKERS, id)
local charging = not worker.leaving and proven(worker)
local announced = worker.alone and (worker.gate == '' or from_lines(worker.passed)[worker.gate])
local charged = {}
for _, test in ipairs(tests) do
  local tries = tries_of(test)
  if worker.leaving then tries.claims = math.max(0, tries.claims - 1) end
  if charging and (running[test] or announced) then
    charged[#charged + 1] = test
    tries.losses = tries.losses + 1
  end
  if tries.losses < limits.losses then
    requeue(test, tries)
  else
    tries.held = false
    save_tries(test, tries)
    set_result(test, 'lost')
    journal('result', 'test', test, 'status', 'lost', 'text', 'its worker vanished ' .. tries.losses .. ' times while it ran')
  end
end
journal('reap', 'worker', id, 'batch', worker.batch, 'text', ARGV[4], 'tests', table.concat(tests, '\n'),
  'charged', table.concat(charged, '\n'))
wake()
keep_alive()
return {1, #tests}
