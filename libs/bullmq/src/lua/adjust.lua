-- Changes when or how soon a job runs. The answer: 0, -1 not there, -3 not delayed. ARGV: 3 id, 4 'delay' or 'priority', 5 ms or priority
local id, value = ARGV[3], tonumber(ARGV[5])
if not field(id, 'name') then return -1 end
if ARGV[4] == 'delay' then
  if call('ZREM', base .. 'delayed', id) == 0 then return -3 end
  call('HSET', base .. id, 'delay', value)
  postpone(id, now + value)
  mark_delayed()
  return 0
end
call('HSET', base .. id, 'priority', value)
if call('ZREM', base .. 'prioritized', id) == 1 or call('LREM', base .. 'wait', -1, id) == 1
  or call('LREM', base .. 'paused', -1, id) == 1 then
  push(id, value, false)
end
return 0
