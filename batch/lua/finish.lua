-- finish: posts the done marker, if every test of the sealed list has its result, nothing is queued and no worker has a
-- batch open. An empty queue alone is no evidence of anything.
--
-- A run is stuck when all that is left are tests behind gates that every live worker refuses. A worker that holds one of
-- them because it asks its gate once more changes nothing: its last word stands.
--
-- ARGV     2 '1': give up what a stuck run is stuck on, because nobody qualified for long enough
-- returns  what holds now: 'done', 'aborted', 'unsealed', 'busy', 'stuck', 'short' (stuck, but not all expected workers have
--          come yet), or 'uneven' (tests are nowhere, or in two places: data was lost or evicted; see audit.lua)
-- leaves   'done' in Q_control; what was given up as unroutable in Q_results
-- errors   RETRY

local how = ended()
if how then return how end
if redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then return 'unsealed' end
local ids = redis.call('HKEYS', WORKERS)
local retry = undeclared(ids, {})
if retry then return retry end

local function waiting(gate)
  return redis.call('LLEN', queue_of(gate)) + redis.call('LLEN', requeue_of(gate))
end

local results, found, open = redis.call('HLEN', RESULTS), waiting(''), false
local workers = {}
for _, id in ipairs(ids) do
  workers[id] = worker_of(id)
  found = found + redis.call('SCARD', set_of(id))
  open = open or workers[id].open
end
for _, gate in ipairs(gates) do found = found + waiting(gate) end
found = found + results
if found ~= total then return 'uneven' end
local function post()
  redis.call('SADD', CONTROL, 'done')
  journal('done')
  wake()
  keep_alive()
  return 'done'
end
if results == total and not open then return post() end
if results == total or waiting('') > 0 then return 'busy' end

-- Whether every live worker that stays refused a gate; of those that left for that reason too there must be one.
local function hopeless(gate)
  local who = from_lines(cjson.decode(redis.call('HGET', GATES, gate)).gone or '')
  for id, worker in pairs(workers) do
    if not worker.leaving then
      if not from_lines(worker.refused)[gate] then return false end
      who[id] = true
    end
  end
  return next(who) ~= nil
end

for _, worker in pairs(workers) do
  if worker.open and not (from_lines(worker.refused)[worker.gate] and hopeless(worker.gate)) then return 'busy' end
end
for _, gate in ipairs(gates) do
  if waiting(gate) > 0 and not hopeless(gate) then return 'busy' end
end
if ARGV[2] ~= '1' then
  local joined, expected = redis.call('HGET', RUN, 'joined') or '0', redis.call('HGET', RUN, 'expect_workers') or '0'
  return tonumber(joined) < tonumber(expected) and 'short' or 'stuck'
end

local function give_up(test)
  local gate, tries = gate_of(test), tries_of(test)
  tries.held = false
  save_tries(test, tries)
  set_result(test, 'unroutable')
  journal('result', 'test', test, 'status', 'unroutable', 'gate', label_of(gate),
    'text', 'no worker qualifies for its gate')
end
for _, gate in ipairs(gates) do
  for _, list in ipairs({queue_of(gate), requeue_of(gate)}) do
    for _, test in ipairs(redis.call('LRANGE', list, 0, -1)) do give_up(test) end
    redis.call('DEL', list)
  end
end
for _, id in ipairs(ids) do
  for _, test in ipairs(members(set_of(id))) do give_up(test) end
  redis.call('DEL', set_of(id))
end
return open and 'busy' or post()
