-- audit: sees to it that each test is in one place, which it is not after a key was lost or evicted. Tests without a result
-- that lie in no list and in no live worker's set are queued again: those that were claimed before run alone.
--
-- returns  how many these were
-- leaves   each test in one place
-- errors   RETRY

if ended() then return 0 end
local ids = redis.call('HKEYS', WORKERS)
local retry = undeclared(ids, {})
if retry then return retry end
table.sort(ids)

-- The sets of workers that Redis forgot, as far as the caller found them.
local live = {}
for _, id in ipairs(ids) do live[set_of(id)] = true end
for i = FIXED + 1, #KEYS do
  if not live[KEYS[i]] and string.sub(KEYS[i], 1, #set_of('')) == set_of('') then redis.call('DEL', KEYS[i]) end
end

local seen = {}
for _, test in ipairs(redis.call('HKEYS', RESULTS)) do seen[test] = true end

-- Whether this is the first place where a test of the run was found.
local function first(test)
  if seen[test] or redis.call('HEXISTS', TESTS, test) == 0 then return false end
  seen[test] = true
  return true
end

for _, id in ipairs(ids) do
  for _, test in ipairs(members(set_of(id))) do
    if first(test) then
      local tries = tries_of(test)
      tries.worker, tries.held = id, true
      save_tries(test, tries)
    else
      redis.call('SREM', set_of(id), test)
    end
  end
end

-- Its result was lost, too: it runs as if it never had.
local function spent(tries)
  return tries.failures > limits.retries or tries.crashes >= limits.crashes or tries.losses >= limits.losses
    or tries.claims >= limits.claims
end

local function thin_out(list)
  for _, test in ipairs(redis.call('LRANGE', list, 0, -1)) do
    if not first(test) then redis.call('LREM', list, -1, test) end
  end
end
for _, gate in ipairs({'', unpack(gates)}) do
  thin_out(queue_of(gate))
  thin_out(requeue_of(gate))
end

local found = {}
for _, test in ipairs(redis.call('HKEYS', TESTS)) do
  if not seen[test] then found[#found + 1] = test end
end
sort_by_group(found)
for _, test in ipairs(found) do
  local tries = tries_of(test)
  if spent(tries) then
    redis.call('HDEL', TRIES, test)
  elseif tries.held then
    tries.held = false
    save_tries(test, tries)
  end
  local list = tries.claims > 0 and requeue_of or queue_of
  redis.call('RPUSH', list(gate_of(test)), test)
end
if #found > 0 then
  journal('audit', 'tests', table.concat(found, '\n'))
  wake()
  keep_alive()
end
return #found
