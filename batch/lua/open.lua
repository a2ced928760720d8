-- open: makes the run, or finds it there with the same list. Of a run whose data is damaged it makes a new one of the same
-- birth, under a new epoch, and whoever knows results of it brings them back (restore.lua).
--
-- ARGV     1 epoch and 2 birth (proposals), 3 manifest (a digest of the list, or 'stream'), 4 the epoch whose data is damaged
--          ('' for none), 5 '1': the birth is no proposal but that of the run which the caller has opened before; then field,
--          value … of the options
-- returns  {epoch, birth} that hold; the same again for a repeated request
-- leaves   Q_run; nothing of a dead or damaged run
-- errors   ENDED done|aborted: a run of this id is over; MISMATCH: it has another list; REPLACED: it has
--          another birth; RETRY

local run = redis.call('HMGET', RUN, 'epoch', 'birth', 'manifest')
if run[1] and run[1] ~= ARGV[4] then
  if run[3] ~= ARGV[3] then return redis.error_reply('MISMATCH this run has another list') end
  local how = ended()
  if how then return redis.error_reply('ENDED ' .. how) end
  if ARGV[5] == '1' and run[2] ~= ARGV[2] then return redis.error_reply('REPLACED another run of this id has begun since') end
  return {run[1], run[2]}
end

local retry = undeclared(redis.call('HKEYS', WORKERS), redis.call('HKEYS', GATES))
if retry then return retry end

for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HSET', RUN, 'epoch', ARGV[1], 'birth', ARGV[2], 'manifest', ARGV[3])
for i = 6, #ARGV, 2 do redis.call('HSET', RUN, ARGV[i], ARGV[i + 1]) end
journal('open')
wake()
keep_alive()
return {ARGV[1], ARGV[2]}
