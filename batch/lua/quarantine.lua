-- quarantine: says of tests, before they are enqueued, that their failures are to be reported and not to fail the run.
--
-- ARGV     2 who looks after them, 3 why, 4 the last day (for people), 5… the tests
-- returns  how many of them are not in the list yet
-- leaves   one event that names those, none if there are none: what holds for a test is decided before it is in the list, so that
--          nobody turns a failure green afterwards. An event that is repeated says nothing new: the first one counts

if ended() then return 0 end
local new = {}
for i = 5, #ARGV do
  if redis.call('HEXISTS', TESTS, ARGV[i]) == 0 then new[#new + 1] = ARGV[i] end
end
if #new > 0 then
  journal('quarantine', 'owner', ARGV[2], 'reason', ARGV[3], 'until', ARGV[4], 'tests', table.concat(new, '\n'))
end
return #new
