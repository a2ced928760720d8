-- restore: brings back results that the caller knows from a journal which Redis lost, or from the journal of a former run.
--
-- ARGV     2…: type, test, worker, batch, status, decision, data, output, gate, text, former, repeated: events of the journal in order,
--          all those of a test together, of tests that have a result
-- returns  how many results were brought back
-- leaves   the results and events of tests that are in the run and have no result there; they wait nowhere any more
-- errors   RETRY

local WIDTH = 11
local others, wanted = {}, {}
for i = 2, #ARGV, WIDTH do
  local test = ARGV[i + 1]
  if wanted[test] == nil then
    wanted[test] = redis.call('HEXISTS', TESTS, test) == 1 and redis.call('HEXISTS', RESULTS, test) == 0
    if wanted[test] then others[#others + 1] = holder_of(tries_of(test)) end
  end
end
local retry = undeclared(others, {})
if retry then return retry end

local restored = 0
for i = 2, #ARGV, WIDTH do
  local kind, test, status, decision = ARGV[i], ARGV[i + 1], ARGV[i + 4], ARGV[i + 5]
  if wanted[test] then
    if kind == 'result' then
      journal(kind, 'test', test, 'status', status, 'gate', ARGV[i + 8], 'text', ARGV[i + 9])
    else
      journal(kind, 'worker', ARGV[i + 2], 'batch', ARGV[i + 3], 'test', test, 'status', status, 'decision', decision,
        'data', ARGV[i + 6], 'output', ARGV[i + 7], 'text', ARGV[i + 9], 'former', ARGV[i + 10])
    end
    if kind == 'result' or decision == 'final' then
      local tries = tries_of(test)
      take_out(test, tries)
      tries.held = false
      save_tries(test, tries)
      set_result(test, result_of(status))
      restored = restored + 1
    end
  end
end
keep_alive()
return restored
