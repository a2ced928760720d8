-- report: what happened to tests, in order. Redis decides here what a finish means.
--
-- ARGV     2 worker id, 3 batch number, 4 report number, then type, test, status, data, output, repeated:
--          start | pause (test), finish (test, status, outcome as JSON, output), problem (data: problem as JSON)
-- returns  the answer of prelude.lua. A report number that was seen before changes nothing.
-- leaves   a finish counts if the test is in THIS worker's set under THIS batch; otherwise only a pass counts, and only
--          where no result stands (the worker was presumed dead, and the test may be queued or held elsewhere by now)
-- errors   UNKNOWN, RETRY

local id, number, seen = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local worker = worker_of(id)
if not worker then return not_joined(id) end
if seen <= worker.report then return answer(worker) end

local own = set_of(id)
local function holds(test)
  return worker.batch == number and redis.call('SISMEMBER', own, test) == 1
end

-- A late pass takes the test out of another worker's set, whose key must be declared.
local others = {}
for i = 5, #ARGV, 5 do
  if ARGV[i] == 'finish' and ARGV[i + 2] == 'passed' and not holds(ARGV[i + 1]) then
    others[#others + 1] = holder_of(tries_of(ARGV[i + 1]))
  end
end
local retry = undeclared(others, {})
if retry then return retry end

local running = from_lines(worker.running)

-- A finish that spends the last claim is the result too: what really happened says more than 'lost'.
local function may_go_on(tries, budget, most)
  return tries[budget] < most and tries.claims < limits.claims
end

-- A worker that may be a broken machine convicts no test: what its runner does not survive goes on uncharged.
local function charge(test, tries, result)
  if proven(worker) then tries.crashes = tries.crashes + 1 end
  if may_go_on(tries, 'crashes', limits.crashes) then
    requeue(test, tries)
    return 'requeued'
  end
  save_tries(test, tries)
  set_result(test, result)
  return 'final'
end

-- Whether the run's budget has another retry, which is spent then; otherwise why it has not, for people.
local function spend_retry()
  local run = redis.call('HMGET', RUN, 'max_retries_total', 'retried')
  local most = tonumber(run[1] or '0')
  if most == 0 then return true end
  if tonumber(run[2] or '0') >= most then
    return false, 'the run has no retries left, of ' .. most .. ' (--max-retries-total)'
  end
  redis.call('HINCRBY', RUN, 'retried', 1)
  return true
end

local function fail(test, tries)
  tries.failures = tries.failures + 1
  local again, why = may_go_on(tries, 'failures', limits.retries + 1), nil
  if again then again, why = spend_retry() end
  if again then
    requeue(test, tries)
    return 'requeued'
  end
  save_tries(test, tries)
  set_result(test, 'failed')
  return 'final', why
end

-- Moves the test on and returns the decision for the journal, and why, where that is not plain.
local function decide(test, status)
  if redis.call('HEXISTS', RESULTS, test) == 1 then return 'late' end
  local tries = tries_of(test)
  if not holds(test) then
    if status ~= 'passed' then return 'late' end
    take_out(test, tries)
    tries.held = false
    save_tries(test, tries)
    set_result(test, status)
    return 'final'
  end
  redis.call('SREM', own, test)
  running[test] = nil
  tries.held = false
  if status == 'passed' or status == 'failed' or status == 'skipped' then worker.finished = worker.finished + 1 end
  if status == 'failed' then return fail(test, tries) end
  if status == 'crashed' or status == 'timeout' or status == 'unexecuted' then return charge(test, tries, result_of(status)) end
  save_tries(test, tries)
  set_result(test, status)
  return 'final'
end

-- What the run keeps of outputs is bounded; the verdicts are not.
local function within_budget(output)
  if output == '' or redis.call('HINCRBY', RUN, 'output', #output) <= limits.output then return output end
  return "[output not kept: the run's budget for output is spent]"
end

local moved = false
for i = 5, #ARGV, 5 do
  local kind, test, status, data, output = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  if kind == 'problem' then
    journal(kind, 'worker', id, 'batch', number, 'data', data)
  elseif redis.call('HEXISTS', TESTS, test) == 0 then
    -- not of this run
  elseif kind == 'finish' then
    local decision, why = decide(test, status)
    moved = moved or decision == 'requeued'
    journal(kind, 'worker', id, 'batch', number, 'test', test, 'status', status, 'decision', decision, 'data', data,
      'output', within_budget(output), 'text', why or '')
  elseif holds(test) then
    running[test] = kind == 'start' or nil
    if kind == 'start' then journal(kind, 'worker', id, 'batch', number, 'test', test) end
  end
end

worker.running = to_lines(running)
worker.report = seen
save_worker(id, worker)
if moved then wake() end
keep({RESULTS, REQUEUE, TRIES})
return answer(worker)
