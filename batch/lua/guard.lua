-- What every script but open.lua checks before anything else: the caller speaks of the run that Redis holds, and the
-- run's list is whole. GONE and EPOCH end the caller's trust in everything that it knew.
do
  local run = redis.call('HMGET', RUN, 'epoch', 'total', 'retries', 'max_crashes', 'max_losses', 'max_claims', 'max_output', 'listed', 'gates')
  if not run[1] then return redis.error_reply('GONE Redis holds no run of this id: its data was lost, evicted or cleaned') end
  if run[1] ~= ARGV[1] then return redis.error_reply('EPOCH this run was opened anew, under another epoch') end
  total = run[2] and tonumber(run[2]) or nil
  if total and redis.call('SISMEMBER', CONTROL, 'sealed') == 0 then
    return redis.error_reply('GONE the markers of the run are lost')
  end
  local listed = tonumber(run[8] or '0')
  if redis.call('HLEN', TESTS) ~= listed then
    return redis.error_reply('GONE the list of ' .. listed .. ' tests is not whole any more')
  end
  gates = redis.call('HKEYS', GATES)
  table.sort(gates)
  if #gates ~= tonumber(run[9] or '0') then return redis.error_reply('GONE the gates of the run are lost') end
  local retry = undeclared({}, gates)
  if retry then return retry end
  limits = {
    retries = tonumber(run[3]), crashes = tonumber(run[4]), losses = tonumber(run[5]),
    claims = tonumber(run[6]), output = tonumber(run[7]),
  }
end
