-- open: makes the run, or finds it there with the same list.
--
-- ARGV     1 epoch and 2 birth (proposals), 3 manifest (a digest of the list, or 'stream'), then field, value … of the options
-- returns  {epoch, birth} that hold; the same again for a repeated request
-- leaves   Q_run; nothing of a dead run whose Q_run is gone
-- errors   ENDED done|aborted: a run of this id is over; MISMATCH: it has another list; RETRY

local run = redis.call('HMGET', RUN, 'epoch', 'birth', 'manifest')
if run[1] then
  local how = ended()
  if how then return redis.error_reply('ENDED ' .. how) end
  if run[3] ~= ARGV[3] then return redis.error_reply('MISMATCH this run has another list') end
  return {run[1], run[2]}
end

local retry = undeclared(redis.call('HKEYS', WORKERS), redis.call('HKEYS', GATES))
if retry then return retry end

for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HSET', RUN, 'epoch', ARGV[1], 'birth', ARGV[2], 'manifest', ARGV[3])
for i = 4, #ARGV, 2 do redis.call('HSET', RUN, ARGV[i], ARGV[i + 1]) end
journal('open')
wake()
keep_alive()
return {ARGV[1], ARGV[2]}
