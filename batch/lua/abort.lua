-- abort: stops the run. Reports still count; nothing is claimed, joined or enqueued any more.
--
-- ARGV     2 why, 3 who asked, 4 '1': because enough tests failed, which makes the run failed rather than incomplete
-- returns  'aborted', or 'done' if the run was complete before
-- leaves   'aborted' in Q_control, the first reason in Q_run

local how = ended()
if how then return how end
redis.call('SADD', CONTROL, 'aborted')
redis.call('HSET', RUN, 'abort_reason', ARGV[2], 'abort_by', ARGV[3], 'abort_failures', ARGV[4])
journal('abort', 'worker', ARGV[3], 'text', ARGV[2])
wake()
keep_alive()
return 'aborted'
