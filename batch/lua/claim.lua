-- claim: moves tests into the worker's own set. Those behind gates that it passed come first, since few may run them; then
-- ONE from behind a gate that it never asked, so that it does; then the queue; in each case up to a share of what is left.
-- Only when none of these has any, ONE from a requeue, in the same order; and last ONE from behind a gate whose no is some
-- time ago. A batch never mixes gates: a refusal keeps nothing else waiting. How much a share of the queue is: share.lua.
--
-- ARGV     2 worker id, 3 batch number, 4 most tests, 5 '1': take a requeued test even if this worker ran it last,
--          6 what starting its runner costs the worker in microseconds ('' if it does not know yet), 7… hashes of the gates
--          that refuse it now
-- returns  the answer of prelude.lua, then '1' if the batch runs alone, '1' if a requeue holds only tests that this
--          worker ran last and another may take, the spec of the batch's gate ('' for none), then test id, spec, …
--          The number of the batch that it holds answers that batch again. An empty answer leaves the number unused.
-- leaves   the tests in Q_worker_<id>, each counted as claimed
-- errors   UNKNOWN; STALE: a lower number; HOLDING: the last batch is not settled

local id, number, most = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local set = set_of(id)
local worker = worker_of(id)
if not worker then return not_joined(id) end
if number < worker.batch then return redis.error_reply('STALE batch ' .. number .. ', now at ' .. worker.batch) end

local function reply(deferred)
  local out = answer(worker)
  out[#out + 1] = worker.alone and '1' or '0'
  out[#out + 1] = deferred and '1' or '0'
  out[#out + 1] = worker.gate ~= '' and redis.call('HGET', GATES, worker.gate) or ''
  for _, test in ipairs(members(set)) do
    out[#out + 1] = test
    out[#out + 1] = redis.call('HGET', TESTS, test)
  end
  return out
end

if number == worker.batch then return reply(false) end
if worker.open then return redis.error_reply('HOLDING batch ' .. worker.batch .. ' of ' .. id .. ' is not settled') end
if ended() then return reply(false) end

-- How this worker stands with each gate: 'passed', 'new' (never asked), 'again' (its no is some time ago), or 'no'.
local standing = {}
do
  local passed, refused, refusing = from_lines(worker.passed), from_lines(worker.refused), {}
  for i = 7, #ARGV do refusing[ARGV[i]] = true end
  for _, gate in ipairs(gates) do
    standing[gate] = refusing[gate] and 'no' or passed[gate] and 'passed' or refused[gate] and 'again' or 'new'
  end
end

-- An id counts only while it is in the list, has no result and is held by nobody: a late result or a recovery may have
-- been here since it was queued.
local function free(test, tries)
  return redis.call('HEXISTS', TESTS, test) == 1 and redis.call('HEXISTS', RESULTS, test) == 0 and not holder_of(tries)
end

local taken = {}
local function take(test, tries)
  tries.claims = tries.claims + 1
  tries.worker = id
  tries.held = true
  save_tries(test, tries)
  redis.call('SADD', set, test)
  taken[#taken + 1] = test
end

local function take_from(list, share)
  while #taken < share do
    local test = redis.call('LPOP', list)
    if not test then return end
    local tries = tries_of(test)
    if free(test, tries) then take(test, tries) end
  end
end

-- How many other workers may take tests behind a gate: those that stay and whose last word was not no.
local function others(gate)
  local count = 0
  for _, other in ipairs(redis.call('HKEYS', WORKERS)) do
    local record = worker_of(other)
    if other ~= id and not record.leaving and not from_lines(record.refused)[gate] then count = count + 1 end
  end
  return count
end

local expected = tonumber(redis.call('HGET', RUN, 'expect_workers') or '0')

local function take_from_queue()
  take_share(worker, most, tonumber(ARGV[6]), function(test)
    local tries = tries_of(test)
    if not free(test, tries) then return false end
    take(test, tries)
    return true
  end)
  return #taken > 0 and '' or nil
end

-- Whoever is the only one to qualify takes all: nobody could share it.
local function share_behind(gate)
  local rivals = others(gate) + math.max(0, expected - tonumber(redis.call('HGET', RUN, 'joined') or '0'))
  local waiting = redis.call('LLEN', queue_of(gate))
  if rivals > 0 then waiting = math.ceil(waiting / (2 * (rivals + 1))) end
  return math.min(most, math.max(1, waiting))
end

-- Of the gates with which this worker stands so, the one whose first test is expected to take longest.
local function neediest(how)
  local best, longest = nil, -1
  for _, gate in ipairs(gates) do
    if standing[gate] == how then
      local head = redis.call('LINDEX', queue_of(gate), 0)
      local ms = head and tonumber(redis.call('HGET', EXPECTED, head) or '0') or -1
      if ms > longest then best, longest = gate, ms end
    end
  end
  return best
end

-- From here on the functions return the gate from behind which they took tests, or nil.
local function take_behind(how)
  local gate = neediest(how)
  while gate do
    take_from(queue_of(gate), how == 'passed' and share_behind(gate) or 1)
    if #taken > 0 then return gate end
    gate = neediest(how)
  end
  return nil
end

-- A requeue is short; the first hundred are enough to find one that ran elsewhere.
local alone, deferred = false, false
local function take_alone(gate)
  local list = requeue_of(gate)
  local tests = redis.call('LRANGE', list, 0, 99)
  local patient = #tests > 0 and ARGV[5] ~= '1' and others(gate) > 0
  for _, test in ipairs(tests) do
    local tries = tries_of(test)
    if not free(test, tries) then
      redis.call('LREM', list, 1, test)
    elseif patient and tries.worker == id then
      deferred = true
    else
      redis.call('LREM', list, 1, test)
      take(test, tries)
      alone = true
      return gate
    end
  end
  return nil
end

local function take_alone_behind(how)
  for _, gate in ipairs(gates) do
    if standing[gate] == how and take_alone(gate) then return gate end
  end
  return nil
end

-- Gates may be slow to answer: between two that are new comes a batch from the queue.
local gate = take_behind('passed')
local asked = worker.asked
worker.asked = false
if not gate and asked then gate = take_from_queue() end
if not gate then
  gate = take_behind('new')
  worker.asked = gate ~= nil
end
gate = gate or take_from_queue()
  or take_alone_behind('passed') or take_alone_behind('new') or take_alone('')
  or take_behind('again') or take_alone_behind('again')
if not gate then return reply(deferred) end

worker.batch = number
worker.open = true
worker.alone = alone
worker.gate = gate
worker.running = ''
save_worker(id, worker)
journal('claim', 'worker', id, 'batch', number, 'text', alone and 'alone' or '', 'tests', table.concat(taken, '\n'))
keep({set, TRIES})
return reply(false)
