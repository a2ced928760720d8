-- How much of the queue a claim takes: so much that all workers end together, in few batches. cmd/internal/plan has the same
-- rule in Go, which simulates with it, and compares the two.
--
-- Without expected durations it is half of a fair share of the tests that are left. With them, a batch is what ends within a
-- fair share of the time that tests without a result are expected to take, even with bad luck; after its first batch a worker
-- takes a part of that. How bad the luck is that counts depends on what a second start costs beside it. So one long test, which
-- may take far longer, comes with little else, and many short ones, among which luck evens out, make up nearly a fair share.
-- Where starting a runner again costs more than the worst luck of all first batches, luck does not count: each takes a whole
-- share, and the last worker to come what the others left.
--
-- A batch is filled from the head of the queue, where the longest tests are, with whatever still fits; tests of unknown
-- duration count as the mean of the known, and each worker takes its part of them, as they may be the long ones. First shares
-- are dealt: each leaves some tests between those that it takes, so that the long ones, and what chance makes of them, do not
-- all come to the first workers.

local CHUNK = 512      -- entries of the queue that are fetched together, at most
local LOOK = 2048      -- tests that a claim passes over, looking for what still fits
local COMING = 4       -- workers may come for each that is there, itself included, if nobody said how many: first batches leave enough
local DEAL = 0.2       -- of the workers without a share yet is how many tests further a first share takes the next one
local FULL = 0.98      -- of the target is enough
local NOISE = 0.3      -- standard deviation of a test's duration, as a part of the expected one
local WORTH = 1.5      -- luck counts from so many starts of a runner on
local SURE = 3         -- standard deviations of a batch are the worst luck that counts, however cheap a start is
local PART = 0.8       -- of a fair share of what is left a worker takes later
local FLOOR = 0.2      -- of the cost of a start is what a later batch is worth at least

-- What is known of the durations, in microseconds; nil if nothing is. enqueue.lua and set_result keep the sums.
local function durations()
  local run = redis.call('HMGET', RUN, 'known', 'known_us', 'known_ms2', 'left_us', 'left_unknown', 'listed', 'shares', 'shares_us', 'startup_us')
  for i = 1, #run do run[i] = tonumber(run[i] or '0') end
  local known = run[1]
  if known <= 0 then return nil end
  local mean, square = run[2] / known, run[3] / known * 1e6
  local unknown = math.max(0, run[6] - known)
  return {
    mean = mean, square = square, unknown = unknown,
    all = run[2] + unknown * mean,
    left = math.max(0, run[4]) + math.max(0, run[5]) * mean,
    variance = NOISE * NOISE * run[3] * 1e6 + unknown * square,
    shares = run[7], shared = run[8], startup = run[9],
  }
end

-- The expected longest of so many values of a normal distribution with standard deviation 1, roughly.
local function longest_of(count)
  return math.max(0, math.sqrt(2 * math.log(count)) - 0.55)
end

-- The time that a batch should take, how many standard deviations of it are to be within that time, whether it is the first
-- share of a worker, and whether that is the last of them: it takes all that the others left, but not what one of them has
-- handed back.
local function target_of(d, first, workers, startup)
  local late, deviation = d.left / workers, math.sqrt(d.variance / workers)
  local luck = math.min(SURE, longest_of(workers * math.max(1, deviation / math.max(1, startup))))
  if not first or d.shares >= workers then
    return math.max(PART * late, FLOOR * startup), luck, false, false
  end
  if longest_of(workers) * deviation >= WORTH * startup then return late, luck, true, false end
  local rest = (d.all - d.shared) / (workers - d.shares)
  if rest - late > WORTH * startup then return late, 0, true, false end
  if d.shares == workers - 1 then return (rest + 1) / FULL, 0, true, true end
  return rest, 0, true, false
end

-- Walks through the queue from its head and calls block(tests, times) with each run of tests of one group (a test without a
-- group is a block of its own) until that says that it is enough: it returns whether to go on, and which tests go back.
-- timed: times are the expected ones, false where none is known; else all are false.
local function walk(timed, block)
  local grouped = has_groups()
  local tests, times, group, back, more, size = {}, {}, nil, {}, true, CHUNK / 16
  local function close()
    if #tests == 0 or not more then
      for _, test in ipairs(tests) do back[#back + 1] = test end
    else
      local returned
      more, returned = block(tests, times)
      for _, test in ipairs(returned) do back[#back + 1] = test end
    end
    tests, times = {}, {}
  end
  while more do
    local some = redis.call('LPOP', QUEUE, size)
    if not some or #some == 0 then break end
    size = math.min(2 * size, CHUNK)
    local known = timed and redis.call('HMGET', EXPECTED, unpack(some))
    local specs = grouped and redis.call('HMGET', TESTS, unpack(some))
    for i, test in ipairs(some) do
      local next_group = grouped and specs[i] and group_in(specs[i]) or nil
      if #tests > 0 and (not group or next_group ~= group) then close() end
      tests[#tests + 1], times[#times + 1], group = test, known and known[i] or false, next_group
    end
    if not group then close() end
  end
  close()
  for i = #back, 1, -CHUNK do
    local some = {}
    for j = i, math.max(1, i - CHUNK + 1), -1 do some[#some + 1] = back[j] end
    redis.call('LPUSH', QUEUE, unpack(some))
  end
  keep({QUEUE}) -- it may have been empty for a moment, and be a new key
end

-- Takes a share by calling take(test), which says whether the test was there to be taken. What it refuses is dropped.
local function take_share(worker, most, startup, take)
  local workers, expected = redis.call('HLEN', WORKERS), tonumber(redis.call('HGET', RUN, 'expect_workers') or '0')
  if expected == 0 and worker.batch == 0 then expected = COMING * workers end
  workers = math.max(workers, expected)
  local d = durations()
  local target, luck, first, last, unknowns = math.huge, 0, false, false, most
  if d then
    target, luck, first, last = target_of(d, worker.batch == 0, workers, startup or d.startup)
    if not last then unknowns = math.ceil(d.unknown / workers) end
  else
    local share = math.ceil(redis.call('LLEN', QUEUE) / (2 * workers))
    most = math.min(most, math.max(1, share))
  end
  local count, sum, variance, unknown, passed, left_out = 0, 0, 0, 0, 0, 0
  local step = first and math.ceil(DEAL * (workers - d.shares)) or 1
  walk(d ~= nil, function(tests, times)
    local time, vary, strange = 0, 0, 0
    for i = 1, #tests do
      local known = tonumber(times[i])
      if d then
        time = time + (known or d.mean)
        vary = vary + (known and (NOISE * known) ^ 2 or d.square)
      end
      if not times[i] then strange = strange + 1 end
    end
    if count > 0 and (count >= most or sum + luck * math.sqrt(variance) >= FULL * target) then return false, tests end
    if count > 0 and left_out > 0 and passed < LOOK / 2 then
      left_out, passed = left_out - 1, passed + #tests
      return true, tests
    end
    if count > 0 and (sum + time + luck * math.sqrt(variance + vary) > target or strange > 0 and unknown >= unknowns) then
      passed = passed + #tests
      return passed < LOOK, tests
    end
    for _, test in ipairs(tests) do
      if take(test) then count = count + 1 end
    end
    sum, variance, unknown, left_out = sum + time, variance + vary, unknown + strange, step - 1
    return true, {}
  end)
  if first and count > 0 then
    redis.call('HINCRBY', RUN, 'shares', 1)
    redis.call('HINCRBY', RUN, 'shares_us', string.format('%.0f', sum))
  end
end
