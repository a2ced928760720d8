-- finish: posts the done marker, if every test of the sealed list has its result, nothing is queued and no worker has a
-- batch open. An empty queue alone is no evidence of anything.
--
-- returns  'done', 'aborted', 'unsealed' or 'busy': what holds now
-- leaves   'done' in Q_control
-- errors   RETRY

local how = ended()
if how then return how end
if redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then return 'unsealed' end
if redis.call('HLEN', RESULTS) ~= total or redis.call('LLEN', QUEUE) > 0 or redis.call('LLEN', REQUEUE) > 0 then
  return 'busy'
end
local ids = redis.call('HKEYS', WORKERS)
local retry = undeclared(ids)
if retry then return retry end
for _, id in ipairs(ids) do
  if worker_of(id).open or redis.call('SCARD', set_of(id)) > 0 then return 'busy' end
end
redis.call('SADD', CONTROL, 'done')
journal('done')
wake()
keep_alive()
return 'done'
