-- What every script begins with: names for the keys, and the steps that several scripts share.
--
-- KEYS  the run's fixed keys, in the order of Keys.fixed (keys.go); then the lists of the gates and the sets of the workers
--       that the caller knows of
-- ARGV  1: the epoch that the caller trusts (open.lua: the one that it proposes); the rest as the script says
--
-- Lua does not roll back: a script checks everything first and writes afterwards. Errors begin with a code (errors.go).

local FIXED = 12
local RUN, CONTROL, TESTS, QUEUE, REQUEUE, WORKERS = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local EXPECTED, TRIES, RESULTS, EVENTS, WAKE, GATES = KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12]

-- Garbage collection only; no rule depends on it.
local KEEP_SECONDS = 86400

-- Set by guard.lua: how many tests there are (nil before the seal), the budgets, and the hashes of all gates, in order.
local total, limits, gates

local function set_of(worker)
  return QUEUE .. '_worker_' .. worker
end

-- Where the tests behind a gate wait; '' stands for no gate.
local function queue_of(gate)
  if gate == '' then return QUEUE end
  return QUEUE .. '_gate_' .. gate
end

local function requeue_of(gate)
  return queue_of(gate) .. '_requeue'
end

-- Cluster and hosted servers want every key declared. The error RETRY names the workers and gates whose keys the caller
-- did not declare; nil when it knew them all.
local function undeclared(workers, hashes)
  local known, missing = {}, {}
  for i = FIXED + 1, #KEYS do known[KEYS[i]] = true end
  for _, id in ipairs(workers) do
    if not known[set_of(id)] then missing[#missing + 1] = 'worker_' .. id end
  end
  for _, hash in ipairs(hashes) do
    if not known[queue_of(hash)] then missing[#missing + 1] = 'gate_' .. hash end
  end
  if #missing > 0 then return redis.error_reply('RETRY ' .. table.concat(missing, ' ')) end
  return nil
end

-- For scripts that run often: only the keys that they may have made. The beats renew the others.
local function keep(keys)
  for _, key in ipairs(keys) do redis.call('EXPIRE', key, KEEP_SECONDS) end
end

local function keep_alive()
  keep(KEYS)
end

local function journal(kind, ...)
  redis.call('XADD', EVENTS, '*', 'type', kind, ...)
end

-- The members of a set in order, so that a repeated request answers the same.
local function members(set)
  local list = redis.call('SMEMBERS', set)
  table.sort(list)
  return list
end

local function markers()
  return table.concat(members(CONTROL), ',')
end

-- Moves whoever waits on the wake stream. One entry suffices: waiters look at the state, not at the entry.
local function wake()
  redis.call('XADD', WAKE, 'MAXLEN', 1, '*', 'markers', markers())
end

-- Where a waiter that has seen the present state waits from.
local function cursor()
  local last = redis.call('XREVRANGE', WAKE, '+', '-', 'COUNT', 1)
  if last[1] then return last[1][1] end
  return '0-0'
end

-- A record holds a set as lines of text, because an empty table has no one form in JSON.
local function from_lines(text)
  local set = {}
  for line in string.gmatch(text, '[^\n]+') do set[line] = true end
  return set
end

local function to_lines(set)
  local list = {}
  for line in pairs(set) do list[#list + 1] = line end
  table.sort(list)
  return table.concat(list, '\n')
end

local function worker_of(id)
  local raw = redis.call('HGET', WORKERS, id)
  if raw then return cjson.decode(raw) end
  return nil
end

local function save_worker(id, worker)
  redis.call('HSET', WORKERS, id, cjson.encode(worker))
end

-- A worker that never finished a test may be a broken machine: it accuses nobody while a proven worker lives.
local function proven(worker)
  if worker.finished > 0 then return true end
  for _, raw in ipairs(redis.call('HVALS', WORKERS)) do
    if cjson.decode(raw).finished > 0 then return false end
  end
  return true
end

local function not_joined(id)
  return redis.error_reply('UNKNOWN worker ' .. id .. ' is not in this run: it left, or was presumed dead')
end

-- Every answer to a worker begins so: the numbers as Redis has them, where to wait from, and the markers.
local function answer(worker)
  return {worker.batch, worker.report, cursor(), markers()}
end

local function tries_of(test)
  local raw = redis.call('HGET', TRIES, test)
  if raw then return cjson.decode(raw) end
  return {claims = 0, crashes = 0, losses = 0, failures = 0, worker = '', held = false}
end

local function save_tries(test, tries)
  redis.call('HSET', TRIES, test, cjson.encode(tries))
end

-- The live worker that holds a test, or nil.
local function holder_of(tries)
  if tries.held and redis.call('HEXISTS', WORKERS, tries.worker) == 1 then return tries.worker end
  return nil
end

-- The hash of the gate in a test's spec, as encodeSpec (spec.go) writes it; '' if it has none.
local function gate_in(spec)
  if string.sub(spec, 1, 2) == '2 ' then return cjson.decode(string.sub(spec, 3)).gate end
  return ''
end

-- The group in a test's spec, nil if it has none.
local function group_in(spec)
  if string.sub(spec, 1, 2) == '2 ' then return cjson.decode(string.sub(spec, 3)).group end
  return nil
end

local function has_groups()
  return tonumber(redis.call('HGET', RUN, 'grouped') or '0') > 0
end

-- Sorts tests that go back to a list by id, but so that those of one group stand side by side: only then are they claimed
-- together again.
local function sort_by_group(tests)
  local rank, grouped = {}, has_groups()
  for _, test in ipairs(tests) do
    local group = grouped and group_in(redis.call('HGET', TESTS, test) or '')
    rank[test] = group and 'group ' .. group or 'test ' .. test
  end
  table.sort(tests, function(a, b)
    if rank[a] == rank[b] then return a < b end
    return rank[a] < rank[b]
  end)
  return tests
end

local function gate_of(test)
  if #gates == 0 then return '' end
  return gate_in(redis.call('HGET', TESTS, test))
end

-- A gate's name or command as people know it; of a long one the beginning, which ends with a whole character.
local function label_of(gate)
  local record = cjson.decode(redis.call('HGET', GATES, gate))
  local label = record.name or record.command
  if #label > 200 then label = string.gsub(string.sub(label, 1, 200), '[\192-\255][\128-\191]*$', '') .. '...' end
  return label
end

local function ended()
  if redis.call('SISMEMBER', CONTROL, 'done') == 1 then return 'done' end
  if redis.call('SISMEMBER', CONTROL, 'aborted') == 1 then return 'aborted' end
  return nil
end

local function set_result(test, status)
  redis.call('HSET', RESULTS, test, status)
  local expected = redis.call('HGET', EXPECTED, test)
  if expected then
    redis.call('HINCRBY', RUN, 'left_us', '-' .. expected) -- as text: servers write large numbers differently
  else
    redis.call('HINCRBY', RUN, 'left_unknown', -1)
  end
  if redis.call('HLEN', RESULTS) == total then wake() end
end

-- The result that an attempt which ended so comes to.
local function result_of(status)
  if status == 'unexecuted' then return 'lost' end
  return status
end

-- Takes a test out of whatever holds it: another worker's set, whose key must be declared, or a list.
local function take_out(test, tries)
  local other = holder_of(tries)
  if other then redis.call('SREM', set_of(other), test) end
  local gate = gate_of(test)
  if redis.call('LREM', requeue_of(gate), 0, test) == 0 then redis.call('LREM', queue_of(gate), 0, test) end
end

-- Sends a test that its worker gives up, and that is out of the worker's set, to the requeue; or ends it when its claims
-- are spent, so that nothing goes on for ever.
local function requeue(test, tries)
  tries.held = false
  save_tries(test, tries)
  if tries.claims < limits.claims then
    redis.call('RPUSH', requeue_of(gate_of(test)), test)
    return
  end
  set_result(test, 'lost')
  journal('result', 'test', test, 'status', 'lost',
    'text', 'claimed ' .. tries.claims .. ' times without a result')
end

-- Puts a test that was claimed but not run, and that is out of the worker's set, back to the head of the list it came
-- from, as if it had not been claimed.
local function hand_back(test, alone)
  local tries = tries_of(test)
  tries.claims = math.max(0, tries.claims - 1)
  tries.held = false
  save_tries(test, tries)
  local list = alone and requeue_of or queue_of
  redis.call('LPUSH', list(gate_of(test)), test)
end
