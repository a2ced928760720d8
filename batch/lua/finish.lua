-- finish: posts the done marker, if every test of the sealed list has its result, nothing is queued and no worker has a
-- batch open. An empty queue alone is no evidence of anything.
--
-- returns  'done', 'aborted', 'unsealed' or 'busy': what holds now
-- leaves   'done' in Q_control
-- errors   RETRY; GONE: a test is nowhere

local how = ended()
if how then return how end
if redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then return 'unsealed' end
local ids = redis.call('HKEYS', WORKERS)
local retry = undeclared(ids)
if retry then return retry end

local results, found, open = redis.call('HLEN', RESULTS), 0, false
for _, id in ipairs(ids) do
  found = found + redis.call('SCARD', set_of(id))
  open = open or worker_of(id).open
end
found = found + results + redis.call('LLEN', QUEUE) + redis.call('LLEN', REQUEUE)
if found < total then
  return redis.error_reply('GONE ' .. (total - found) .. ' tests are in no list and have no result: data was lost or evicted')
end
if results < total or found > total or open then return 'busy' end
redis.call('SADD', CONTROL, 'done')
journal('done')
wake()
keep_alive()
return 'done'
