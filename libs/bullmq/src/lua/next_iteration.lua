-- Makes the job after the one that a worker has just taken. The answer is its id, or '' when there is none to make:
-- the scheduler is gone or changed, or another worker was first.
-- ARGV: 3 scheduler, 4 the taken job, 5 next time of a pattern or '', 6 job opts JSON, 7 data JSON, 8 priority, 9 '1' front
local scheduler, key = ARGV[3], base .. 'repeat:' .. ARGV[3]
local previous = tonumber(call('ZSCORE', base .. 'repeat', scheduler) or nil)
if not previous or ARGV[4] ~= iteration(scheduler, previous) then return '' end
local name, data, every, start, offset = unpack(call('HMGET', key, 'name', 'data', 'every', 'startDate', 'offset'))
if not name then return '' end
local at = tonumber(ARGV[5])
every = tonumber(every or nil)
if every then at = next_slot(previous, every, tonumber(offset or nil) or 0, tonumber(start or nil)) end
if not at then return '' end
local id = iteration(scheduler, at)
if call('EXISTS', base .. id) == 1 then
  emit('duplicated', 'jobId', id)
  return ''
end
call('ZADD', base .. 'repeat', at, scheduler)
call('HINCRBY', key, 'ic', 1)
create_iteration(scheduler, at, name, data or ARGV[7], ARGV[6], tonumber(ARGV[8]), ARGV[9] == '1')
call('HSET', base .. ARGV[4], 'nrjid', id)
return id
