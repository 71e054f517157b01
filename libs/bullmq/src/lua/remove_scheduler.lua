-- Removes a scheduler and the job it has waiting in the delayed set. 1 when there was one. ARGV: 3 scheduler
local at = call('ZSCORE', base .. 'repeat', ARGV[3])
if not at then return 0 end
local id = iteration(ARGV[3], tonumber(at))
if call('ZREM', base .. 'delayed', id) == 1 then
  forget(id)
  emit('removed', 'jobId', id, 'prev', 'delayed')
end
call('ZREM', base .. 'repeat', ARGV[3])
call('DEL', base .. 'repeat:' .. ARGV[3])
return 1
