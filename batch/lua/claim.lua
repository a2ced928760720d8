-- claim: moves tests into the worker's own set: from the queue up to a share of what is left, or else ONE from the requeue.
--
-- ARGV     2 worker id, 3 batch number, 4 most tests, 5 '1': take a requeued test even if this worker ran it last
-- returns  the answer of prelude.lua, then '1' if the batch runs alone, '1' if the requeue holds only tests that this
--          worker ran last and another may take, then test id, spec, …
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
  for _, test in ipairs(members(set)) do
    out[#out + 1] = test
    out[#out + 1] = redis.call('HGET', TESTS, test)
  end
  return out
end

if number == worker.batch then return reply(false) end
if worker.open then return redis.error_reply('HOLDING batch ' .. worker.batch .. ' of ' .. id .. ' is not settled') end
if ended() then return reply(false) end

-- An id counts only while it is in the list, has no result and is held by nobody: a late result or a recovery may have
-- been here since it was queued.
local function free(test, tries)
  return redis.call('HEXISTS', TESTS, test) == 1 and redis.call('HEXISTS', RESULTS, test) == 0 and not holder_of(tries)
end

local function take(test, tries)
  tries.claims = tries.claims + 1
  tries.worker = id
  tries.held = true
  save_tries(test, tries)
  redis.call('SADD', set, test)
end

local taken = {}
local function take_from_queue()
  local live = math.max(redis.call('HLEN', WORKERS), tonumber(redis.call('HGET', RUN, 'expect_workers') or '0'))
  local share = math.min(most, math.max(1, math.ceil(redis.call('LLEN', QUEUE) / (2 * live))))
  while #taken < share do
    local test = redis.call('LPOP', QUEUE)
    if not test then return end
    local tries = tries_of(test)
    if free(test, tries) then
      take(test, tries)
      taken[#taken + 1] = test
    end
  end
end

-- The requeue is short; the first hundred are enough to find one that ran elsewhere.
local function take_from_requeue()
  local patient = ARGV[5] ~= '1' and redis.call('HLEN', WORKERS) > 1
  local deferred = false
  for _, test in ipairs(redis.call('LRANGE', REQUEUE, 0, 99)) do
    local tries = tries_of(test)
    if not free(test, tries) then
      redis.call('LREM', REQUEUE, 1, test)
    elseif patient and tries.worker == id then
      deferred = true
    else
      redis.call('LREM', REQUEUE, 1, test)
      take(test, tries)
      taken[1] = test
      return false
    end
  end
  return deferred
end

take_from_queue()
local alone, deferred = false, false
if #taken == 0 then
  deferred = take_from_requeue()
  alone = #taken == 1
end
if #taken == 0 then return reply(deferred) end

worker.batch = number
worker.open = true
worker.alone = alone
worker.running = ''
save_worker(id, worker)
journal('claim', 'worker', id, 'batch', number, 'text', alone and 'alone' or '', 'tests', table.concat(taken, '\n'))
keep({set, TRIES})
return reply(false)
